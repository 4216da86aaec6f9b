using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Strait
{
    /// <summary>
    /// What all objects of a region have in common: each is used by one thread at a time (a second one gets
    /// <see cref="StraitStatus.InUse"/>), and <see cref="Dispose"/> gives its role back. Dispose during a wait in
    /// another thread ends that wait with an <see cref="ObjectDisposedException"/>.
    /// </summary>
    public abstract class Endpoint : IDisposable
    {
        /// <summary>How long a wait goes on at most before it looks at its token, in nanoseconds.</summary>
        private const ulong Slice = 20 * 1000 * 1000;

        private readonly string name;
        private int used;

        internal Endpoint(string kind, string name, int words, Func<IntPtr, StraitStatus> close, Storage region)
        {
            this.name = kind + " `" + name + "`";
            Handle = new Storage(words, close, region);
        }

        internal Storage Handle { get; }

        /// <summary>Gives the role or handle back. Never throws.</summary>
        public void Dispose()
        {
            Handle.Dispose();
        }

        /// <summary>Frees the storage of an object that did not open.</summary>
        internal void Opened(StraitStatus status)
        {
            if (status != StraitStatus.Ok)
            {
                Handle.Dispose();
                throw Failed(status);
            }
        }

        internal StraitException Failed(StraitStatus status) => StraitException.Of(status, name);

        internal StraitException Refused(ushort code) => StraitException.Refusal(name, code);

        internal void Check(StraitStatus status)
        {
            StraitException.Check(status, name);
        }

        /// <summary>Makes a call while no other thread does.</summary>
        internal StraitStatus Once(Func<StraitStatus> call)
        {
            if (Interlocked.CompareExchange(ref used, 1, 0) != 0)
            {
                throw Failed(StraitStatus.InUse);
            }
            try
            {
                return call();
            }
            catch (ObjectDisposedException) when (Handle.IsClosed)
            {
                // The runtime's own says that a handle is closed, and not whose.
                throw new ObjectDisposedException(name);
            }
            finally
            {
                Volatile.Write(ref used, 0);
            }
        }

        /// <summary>
        /// Calls <paramref name="step"/>, which waits for so many nanoseconds, until it returns anything but
        /// <see cref="StraitStatus.TimedOut"/> or the time is up. What a step has received is always returned.
        /// </summary>
        internal StraitStatus Until(TimeSpan timeout, CancellationToken token, Func<ulong, StraitStatus> step) =>
            Once(() => Sliced(timeout, token, step));

        /// <summary>The same, of what this thread has to itself already.</summary>
        internal static StraitStatus Sliced(TimeSpan timeout, CancellationToken token, Func<ulong, StraitStatus> step)
        {
            if (timeout < TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan)
            {
                throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "give zero or more, or Timeout.InfiniteTimeSpan");
            }
            token.ThrowIfCancellationRequested();
            Stopwatch clock = Stopwatch.StartNew();
            ulong slice = 0;
            for (;;)
            {
                StraitStatus status = step(slice);
                if (status != StraitStatus.TimedOut)
                {
                    return status;
                }
                token.ThrowIfCancellationRequested();
                slice = Slice;
                if (timeout != Timeout.InfiniteTimeSpan)
                {
                    TimeSpan left = timeout - clock.Elapsed;
                    if (left <= TimeSpan.Zero)
                    {
                        return status;
                    }
                    // A tick is 100 nanoseconds.
                    slice = Math.Min(Slice, (ulong)Math.Min(left.Ticks, (long)Slice) * 100);
                }
            }
        }

        /// <summary>Makes a call while no other thread uses these endpoints, from one on.</summary>
        internal static StraitStatus Together(Endpoint[] endpoints, int first, Func<StraitStatus> call)
        {
            if (first == endpoints.Length)
            {
                return call();
            }
            Endpoint endpoint = endpoints[first] ?? throw new ArgumentException("a receiver is null");
            return endpoint.Once(() => Together(endpoints, first + 1, call));
        }

        /// <summary>Enters where a receiver is that can be waited for beside others.</summary>
        internal virtual void Name(ref NativeWaitable waitable, IntPtr at)
        {
            throw new ArgumentException(name + " receives nothing, so it cannot be waited for");
        }

        /// <summary>
        /// The same, where a time-out is <c>false</c> and everything else an error.
        /// </summary>
        internal bool Within(TimeSpan timeout, CancellationToken token, Func<ulong, StraitStatus> step)
        {
            StraitStatus status = Until(timeout, token, step);
            if (status == StraitStatus.TimedOut)
            {
                return false;
            }
            Check(status);
            return true;
        }

        /// <summary>Runs what waits in a thread of its own, since it would occupy one of the pool's.</summary>
        internal static Task<T> Run<T>(Func<T> wait, CancellationToken token) =>
            Task.Factory.StartNew(wait, token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }
}
