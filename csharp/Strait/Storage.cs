using System;
using System.Runtime.InteropServices;

namespace Strait
{
    /// <summary>
    /// Memory for an object of the C library, which is closed before the memory is freed. A region's memory outlives
    /// every object that was opened through it, in whatever order they are disposed of or finalised.
    /// </summary>
    internal sealed class Storage : SafeHandle
    {
        private readonly Func<IntPtr, StraitStatus> close;
        private readonly Storage parent;

        internal Storage(int words, Func<IntPtr, StraitStatus> close, Storage parent) : base(IntPtr.Zero, true)
        {
            this.close = close;
            if (parent != null)
            {
                bool added = false;
                parent.DangerousAddRef(ref added);
                this.parent = parent;
            }
            int size = Native.StorageSize(words);
            SetHandle(Marshal.AllocHGlobal(size));
            // The C library takes only zeros for storage that was never used.
            Marshal.Copy(new byte[size], 0, handle, size);
        }

        public override bool IsInvalid => handle == IntPtr.Zero;

        protected override bool ReleaseHandle()
        {
            StraitStatus closed = close(handle);
            // Storage that never held an open object is free too. In every other case the library still uses it.
            bool free = closed == StraitStatus.Ok || closed == StraitStatus.NotOpen;
            if (free)
            {
                Marshal.FreeHGlobal(handle);
                parent?.DangerousRelease();
            }
            return free;
        }
    }
}
