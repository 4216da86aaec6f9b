using System;
using System.Threading;
using System.Threading.Tasks;

namespace Strait
{
    /// <summary>The sending side of a queue of values.</summary>
    public sealed class Producer<T> : Endpoint where T : unmanaged
    {
        internal Producer(Region region, string name)
            : base("the producer", name, Native.QueueWords, Native.strait_typed_producer_close, region.Handle)
        {
            Shape shape = Shape.Of<T>();
            Opened(Native.strait_typed_producer_open(Handle, region.Handle, Bytes.Text(name, nameof(name)), shape.Hash, (uint)shape.Size));
        }

        internal Producer(Region region, string name, int? lane)
            : base("the producer", name, Native.QueueWords, Native.strait_typed_producer_close, region.Handle)
        {
            Shape shape = Shape.Of<T>();
            uint wanted = lane.HasValue ? Bytes.Number(lane.Value, nameof(lane)) : Producer.AnyLane;
            Opened(Native.strait_typed_producer_open_lane(Handle, region.Handle, Bytes.Text(name, nameof(name)), shape.Hash, (uint)shape.Size, wanted, out uint claimed));
            Lane = (int)claimed;
        }

        /// <summary>Which lane this is; 0 where there is one producer.</summary>
        public int Lane { get; }

        /// <summary>The queue as this end sees it.</summary>
        public QueueEnd End
        {
            get
            {
                var end = new NativeEnd();
                Check(Once(() => Native.strait_typed_producer_end(Handle, out end)));
                return new QueueEnd(end);
            }
        }

        /// <summary>Sends a value, if there is space.</summary>
        public bool TrySend(T value)
        {
            StraitStatus status = Bytes.At(ref value, (at, size) => Once(() => Native.strait_typed_producer_try_send(Handle, at, size)));
            if (status == StraitStatus.Full)
            {
                return false;
            }
            Check(status);
            return true;
        }

        /// <summary>Sends a value, waiting for space. <c>false</c> if the time is up.</summary>
        public bool TrySend(T value, TimeSpan timeout, CancellationToken token = default(CancellationToken))
        {
            StraitStatus status = Bytes.At(ref value, (at, size) =>
                Until(timeout, token, ns => Native.strait_typed_producer_send_timeout(Handle, at, size, ns)));
            if (status == StraitStatus.TimedOut)
            {
                return false;
            }
            Check(status);
            return true;
        }

        /// <summary>Sends a value, waiting for space as long as it takes.</summary>
        public void Send(T value, CancellationToken token = default(CancellationToken))
        {
            TrySend(value, Timeout.InfiniteTimeSpan, token);
        }
    }

    /// <summary>The receiving side of a queue of values.</summary>
    public sealed class Consumer<T> : Endpoint where T : unmanaged
    {
        internal Consumer(Region region, string name, ConsumerOptions options)
            : base("the consumer", name, Native.QueueWords, Native.strait_typed_consumer_close, region.Handle)
        {
            Shape shape = Shape.Of<T>();
            NativeConsumerOptions native = ConsumerOptions.Native(options);
            Opened(Native.strait_typed_consumer_open(Handle, region.Handle, Bytes.Text(name, nameof(name)), shape.Hash, (uint)shape.Size, ref native));
        }

        internal override void Name(ref NativeWaitable waitable, IntPtr at)
        {
            waitable.values = at;
        }

        /// <summary>The queue as this end sees it.</summary>
        public QueueEnd End
        {
            get
            {
                var end = new NativeEnd();
                Check(Once(() => Native.strait_typed_consumer_end(Handle, out end)));
                return new QueueEnd(end);
            }
        }

        /// <summary>Receives a value, if there is one.</summary>
        public bool TryReceive(out T value) => TryReceive(out value, TimeSpan.Zero);

        /// <summary>Receives a value, waiting for it. <c>false</c> if the time is up.</summary>
        public bool TryReceive(out T value, TimeSpan timeout, CancellationToken token = default(CancellationToken))
        {
            value = default(T);
            uint sequence = 0;
            StraitStatus status = Bytes.At(ref value, (at, size) =>
                Until(timeout, token, ns => Native.strait_typed_consumer_recv_timeout(Handle, at, size, ref sequence, ns)));
            if (status == StraitStatus.TimedOut)
            {
                return false;
            }
            Check(status);
            return true;
        }

        /// <summary>Receives a value, waiting for it as long as it takes.</summary>
        public T Receive(CancellationToken token = default(CancellationToken))
        {
            TryReceive(out T value, Timeout.InfiniteTimeSpan, token);
            return value;
        }

        /// <summary>Receives a value in a thread of its own. Cancelling it loses no value.</summary>
        public Task<T> ReceiveAsync(CancellationToken token = default(CancellationToken)) => Run(() => Receive(token), token);

        /// <summary>Releases what was received, and tells the region so: a successor sees nothing again.</summary>
        public void Flush()
        {
            Check(Once(() => Native.strait_typed_consumer_flush(Handle)));
        }
    }
}
