using System;
using System.Threading;
using System.Threading.Tasks;

namespace Strait
{
    /// <summary>A counting semaphore. What a dead process has taken does not come back; see <see cref="Permits"/>.</summary>
    public sealed class WordSemaphore : Endpoint
    {
        internal WordSemaphore(Region region, string name)
            : base("the semaphore", name, Native.SemaphoreWords, Native.strait_semaphore_close, region.Handle)
        {
            Opened(Native.strait_semaphore_open(Handle, region.Handle, Bytes.Text(name, nameof(name))));
        }

        /// <summary>The count now.</summary>
        public long Count
        {
            get
            {
                uint count = 0;
                Check(Once(() => Native.strait_semaphore_count(Handle, out count)));
                return count;
            }
        }

        /// <summary>Takes one, if there is one.</summary>
        public bool TryAcquire() => TryAcquire(TimeSpan.Zero);

        /// <summary>Takes one, waiting for it. <c>false</c> if the time is up.</summary>
        public bool TryAcquire(TimeSpan timeout, CancellationToken token = default(CancellationToken)) =>
            Within(timeout, token, ns => Native.strait_semaphore_acquire_timeout(Handle, ns));

        /// <summary>Takes one, waiting for it in a thread of its own. Cancelling it loses none.</summary>
        public Task<bool> AcquireAsync(CancellationToken token = default(CancellationToken)) =>
            Run(() => TryAcquire(Timeout.InfiniteTimeSpan, token), token);

        /// <summary>Gives so many back.</summary>
        public void Release(int count = 1)
        {
            uint native = Bytes.Number(count, nameof(count));
            Check(Once(() => Native.strait_semaphore_release(Handle, native)));
        }
    }

    /// <summary>A permit that was taken.</summary>
    public readonly struct Permit
    {
        internal Permit(NativePermit permit)
        {
            Index = (int)permit.index;
            TakenOverFrom = permit.taken_over_from;
        }

        /// <summary>Which one, from 0.</summary>
        public int Index { get; }
        /// <summary>The dead participant that it was taken over from; 0 if it was not.</summary>
        public long TakenOverFrom { get; }
    }

    /// <summary>A handle on permits, which come back from the dead. It has one permit at a time.</summary>
    public sealed class Permits : Endpoint
    {
        internal Permits(Region region, string name)
            : base("the permits", name, Native.PermitsWords, Native.strait_permits_close, region.Handle)
        {
            Opened(Native.strait_permits_open(Handle, region.Handle, Bytes.Text(name, nameof(name))));
        }

        /// <summary>Takes a permit that is free, or whose holder is proven dead, waiting for one.</summary>
        public bool TryAcquire(out Permit permit, TimeSpan timeout, CancellationToken token = default(CancellationToken))
        {
            var native = new NativePermit();
            bool taken = Within(timeout, token, ns => Native.strait_permits_acquire_timeout(Handle, out native, ns));
            permit = new Permit(native);
            return taken;
        }

        /// <summary>Gives the permit back.</summary>
        public void Release()
        {
            Check(Once(() => Native.strait_permits_release(Handle)));
        }
    }
}
