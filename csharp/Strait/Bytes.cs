using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Strait
{
    /// <summary>Values and texts as bytes.</summary>
    internal static class Bytes
    {
        /// <summary>A value's bytes, to be written to as well.</summary>
        internal static Span<byte> Of<T>(ref T value) where T : unmanaged =>
            MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref value, 1));

        /// <summary>Shows <paramref name="call"/> where a value is, which it may change.</summary>
        internal static unsafe StraitStatus At<T>(ref T value, Func<IntPtr, UIntPtr, StraitStatus> call) where T : unmanaged
        {
            Span<byte> bytes = Of(ref value);
            fixed (byte* at = &MemoryMarshal.GetReference(bytes))
            {
                return call((IntPtr)at, (UIntPtr)bytes.Length);
            }
        }

        /// <summary>Shows <paramref name="call"/> where bytes are. Null if there are none.</summary>
        internal static unsafe StraitStatus At(ReadOnlySpan<byte> bytes, Func<IntPtr, UIntPtr, StraitStatus> call)
        {
            fixed (byte* at = &MemoryMarshal.GetReference(bytes))
            {
                return call((IntPtr)at, (UIntPtr)bytes.Length);
            }
        }

        /// <summary>A text as the C library takes it.</summary>
        internal static byte[] Text(string text, string parameter)
        {
            if (text == null)
            {
                throw new ArgumentNullException(parameter);
            }
            if (text.IndexOf('\0') >= 0)
            {
                throw new ArgumentException("a name holds a zero character; leave it out", parameter);
            }
            return Encoding.UTF8.GetBytes(text + "\0");
        }

        /// <summary>A number that must not be negative, as the C library takes it.</summary>
        internal static uint Number(int number, string parameter)
        {
            if (number < 0)
            {
                throw new ArgumentOutOfRangeException(parameter, number, "give zero or more");
            }
            return (uint)number;
        }
    }
}
