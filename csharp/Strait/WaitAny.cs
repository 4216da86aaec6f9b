using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Strait
{
    public sealed partial class Region
    {
        /// <summary>How many receivers one wait takes.</summary>
        public const int MostReceivers = 32;

        /// <summary>
        /// Waits until one of these receivers has something, and returns the index of the first that has; -1 if the time is
        /// up. What it has is still to be received. Consumers, readers of latest values and broadcasts, listeners to events
        /// and servers of calls, of this region or others, 32 at most; put the urgent ones in front.
        /// </summary>
        public int WaitAny(TimeSpan timeout, CancellationToken token, params Endpoint[] receivers)
        {
            if (receivers == null)
            {
                throw new ArgumentNullException(nameof(receivers));
            }
            if (receivers.Length == 0 || receivers.Length > MostReceivers)
            {
                throw new ArgumentException("give 1 to 32 receivers, not " + receivers.Length, nameof(receivers));
            }
            UIntPtr index = UIntPtr.Zero;
            StraitStatus status = Endpoint.Together(receivers, 0, () => Endpoint.Sliced(timeout, token, ns => Step(receivers, ref index, ns)));
            if (status == StraitStatus.TimedOut)
            {
                return -1;
            }
            Check(status);
            return (int)index;
        }

        /// <summary>The same, in a thread of its own, as long as it takes. Cancelling it loses nothing.</summary>
        public Task<int> WaitAnyAsync(CancellationToken token, params Endpoint[] receivers) =>
            Endpoint.Run(() => WaitAny(Timeout.InfiniteTimeSpan, token, receivers), token);

        /// <summary>One slice, during which no receiver's memory is freed.</summary>
        private StraitStatus Step(Endpoint[] receivers, ref UIntPtr index, ulong ns)
        {
            var named = new NativeWaitable[receivers.Length];
            int held = 0;
            try
            {
                for (; held < receivers.Length; held++)
                {
                    bool added = false;
                    receivers[held].Handle.DangerousAddRef(ref added);
                    receivers[held].Name(ref named[held], receivers[held].Handle.DangerousGetHandle());
                }
                return Native.strait_wait_any_timeout(Handle, named, (UIntPtr)named.Length, ref index, ns);
            }
            finally
            {
                while (held > 0)
                {
                    receivers[--held].Handle.DangerousRelease();
                }
            }
        }
    }
}
