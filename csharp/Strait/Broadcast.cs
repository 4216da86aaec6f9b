using System;
using System.Threading;
using System.Threading.Tasks;

namespace Strait
{
    /// <summary>Where a reader of a broadcast starts, and goes on when it was overtaken.</summary>
    public enum BroadcastStart
    {
        /// <summary>At the newest value.</summary>
        Newest = 0,
        /// <summary>Three quarters of the ring behind the newest value.</summary>
        Oldest = 1,
    }

    /// <summary>The writer of a broadcast.</summary>
    public sealed class BroadcastWriter<T> : Endpoint where T : unmanaged
    {
        internal BroadcastWriter(Region region, string name)
            : base("the writer", name, Native.ValueWords, Native.strait_broadcast_writer_close, region.Handle)
        {
            Shape shape = Shape.Of<T>();
            Opened(Native.strait_broadcast_writer_open(Handle, region.Handle, Bytes.Text(name, nameof(name)), shape.Hash, (uint)shape.Size));
        }

        /// <summary>Publishes a value, and returns its number, from 1. Never waits.</summary>
        public ulong Publish(T value, uint tag = 0)
        {
            ulong number = 0;
            Check(Bytes.At(ref value, (at, size) => Once(() => Native.strait_broadcast_publish(Handle, tag, at, size, out number))));
            return number;
        }
    }

    /// <summary>A reader of a broadcast. Any number of them; the writer overtakes one that is slow.</summary>
    public sealed class BroadcastReader<T> : Endpoint where T : unmanaged
    {
        internal BroadcastReader(Region region, string name, BroadcastStart start)
            : base("the reader", name, Native.ValueWords, Native.strait_broadcast_reader_close, region.Handle)
        {
            region.CheckType<T>(name, ChannelKind.Broadcast);
            Opened(Native.strait_broadcast_reader_open(Handle, region.Handle, Bytes.Text(name, nameof(name)), (uint)start));
        }

        internal override void Name(ref NativeWaitable waitable, IntPtr at)
        {
            waitable.broadcast = at;
        }

        /// <summary>How many values the writer has overwritten before this reader received them.</summary>
        public ulong Lost { get; private set; }

        /// <summary>Receives the next value, if it is there.</summary>
        public bool TryReceive(out Reading<T> reading) => TryReceive(out reading, TimeSpan.Zero);

        /// <summary>
        /// Receives the next value, waiting for it. <c>false</c> if the time is up. After a loss it goes on with what
        /// there is, and <see cref="Lost"/> is greater.
        /// </summary>
        public bool TryReceive(out Reading<T> reading, TimeSpan timeout, CancellationToken token = default(CancellationToken))
        {
            var native = new NativeValue();
            T value = default(T);
            StraitStatus status = Bytes.At(ref value, (at, size) => Until(timeout, token, ns => Step(at, size, ref native, ns)));
            if (status == StraitStatus.TimedOut)
            {
                reading = default(Reading<T>);
                return false;
            }
            Check(status);
            reading = new Reading<T>(value, native, true);
            return true;
        }

        /// <summary>Receives the next value in a thread of its own. Cancelling it loses none.</summary>
        public Task<Reading<T>> ReceiveAsync(CancellationToken token = default(CancellationToken)) => Run(
            () =>
            {
                TryReceive(out Reading<T> reading, Timeout.InfiniteTimeSpan, token);
                return reading;
            },
            token);

        private StraitStatus Step(IntPtr at, UIntPtr size, ref NativeValue native, ulong ns)
        {
            ulong lost = 0;
            StraitStatus status = Native.strait_broadcast_recv_timeout(Handle, at, size, ref native, ref lost, ns);
            if (status != StraitStatus.Lagged)
            {
                return status;
            }
            Lost += lost;
            // The next call receives what there is. If it lags again, that is a further wait.
            status = Native.strait_broadcast_recv_timeout(Handle, at, size, ref native, ref lost, ns);
            if (status != StraitStatus.Lagged)
            {
                return status;
            }
            Lost += lost;
            return StraitStatus.TimedOut;
        }
    }
}
