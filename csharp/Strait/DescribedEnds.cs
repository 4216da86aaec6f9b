using System;
using System.Threading;
using System.Threading.Tasks;

namespace Strait
{
    /// <summary>The receiving side of a queue of values whose type the region describes.</summary>
    public sealed class DescribedConsumer : Endpoint
    {
        internal DescribedConsumer(Region region, string name, DescribedType type, ConsumerOptions options)
            : base("the consumer", name, Native.QueueWords, Native.strait_typed_consumer_close, region.Handle)
        {
            Type = type;
            NativeConsumerOptions native = ConsumerOptions.Native(options);
            Opened(Native.strait_typed_consumer_open(Handle, region.Handle, Bytes.Text(name, nameof(name)), type.Hash, (uint)type.Size, ref native));
        }

        /// <summary>The type of its values.</summary>
        public DescribedType Type { get; }

        /// <summary>Receives a value, waiting for it. <c>false</c> if the time is up.</summary>
        public bool TryReceive(out DescribedValue value, TimeSpan timeout, CancellationToken token = default(CancellationToken))
        {
            var bytes = new byte[Type.Size];
            uint sequence = 0;
            StraitStatus status = Bytes.At(bytes, (at, size) =>
                Until(timeout, token, ns => Native.strait_typed_consumer_recv_timeout(Handle, at, size, ref sequence, ns)));
            value = status == StraitStatus.Ok ? new DescribedValue(Type, bytes) : null;
            if (status == StraitStatus.TimedOut)
            {
                return false;
            }
            Check(status);
            return true;
        }

        /// <summary>Receives a value in a thread of its own. Cancelling it loses no value.</summary>
        public Task<DescribedValue> ReceiveAsync(CancellationToken token = default(CancellationToken)) => Run(
            () =>
            {
                TryReceive(out DescribedValue value, Timeout.InfiniteTimeSpan, token);
                return value;
            },
            token);

        internal override void Name(ref NativeWaitable waitable, IntPtr at)
        {
            waitable.values = at;
        }
    }

    /// <summary>A reader of a latest value whose type the region describes.</summary>
    public sealed class DescribedReader : Endpoint
    {
        internal DescribedReader(Region region, string name, DescribedType type)
            : base("the reader", name, Native.ValueWords, Native.strait_latest_reader_close, region.Handle)
        {
            Type = type;
            Opened(Native.strait_latest_reader_open(Handle, region.Handle, Bytes.Text(name, nameof(name))));
        }

        /// <summary>The type of its values.</summary>
        public DescribedType Type { get; }

        /// <summary>Reads the newest value. <c>false</c> if none was published yet.</summary>
        public bool TryRead(out DescribedValue value)
        {
            var bytes = new byte[Type.Size];
            var native = new NativeValue();
            StraitStatus status = Bytes.At(bytes, (at, size) => Once(() => Native.strait_latest_read(Handle, at, size, ref native)));
            bool there = status == StraitStatus.Ok || status == StraitStatus.Stale;
            value = there ? new DescribedValue(Type, bytes) : null;
            if (!there && status != StraitStatus.Empty)
            {
                Check(status);
            }
            return there;
        }

        internal override void Name(ref NativeWaitable waitable, IntPtr at)
        {
            waitable.latest = at;
        }
    }
}
