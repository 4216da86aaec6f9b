using System;
using System.Runtime.InteropServices;

namespace Strait
{
    /// <summary>A call failed. <see cref="Status"/> says how, and the message says what to do.</summary>
    public sealed class StraitException : Exception
    {
        internal StraitException(StraitStatus status, string message) : base(message)
        {
            Status = status;
        }

        /// <summary>How the call went.</summary>
        public StraitStatus Status { get; }

        /// <summary>After <see cref="StraitStatus.Refused"/>, the server's code; otherwise 0.</summary>
        public ushort Code { get; private set; }

        internal static StraitException Of(StraitStatus status, string what)
        {
            string text = Marshal.PtrToStringAnsi(Native.strait_status_text((int)status));
            return new StraitException(status, what + ": " + text);
        }

        internal static StraitException Refusal(string what, ushort code)
        {
            StraitException refusal = Of(StraitStatus.Refused, what + ", code " + code);
            refusal.Code = code;
            return refusal;
        }

        internal static void Check(StraitStatus status, string what)
        {
            if (status != StraitStatus.Ok)
            {
                throw Of(status, what);
            }
        }
    }
}
