using System;
using System.Threading;
using System.Threading.Tasks;

namespace Strait
{
    /// <summary>What is known of the other side.</summary>
    public enum PeerStatus
    {
        /// <summary>Nobody has the other role.</summary>
        Absent = 0,
        /// <summary>Its owner lives, or cannot be proven dead.</summary>
        Present = 1,
        /// <summary>Its owner is proven dead, and nobody has taken over yet.</summary>
        Dead = 2,
    }

    /// <summary>A queue as one of its ends sees it.</summary>
    public readonly struct QueueEnd
    {
        internal QueueEnd(NativeEnd end)
        {
            Length = end.len;
            Capacity = end.capacity;
            MaxLen = (int)end.max_len;
            Peer = (PeerStatus)end.peer;
            TakenOverFrom = end.taken_over_from;
            Fault = end.fault;
        }

        /// <summary>What waits: at a producer an upper bound, at a consumer a lower one.</summary>
        public long Length { get; }
        /// <summary>Bytes of the ring, or slots.</summary>
        public long Capacity { get; }
        /// <summary>The longest frame, or the size of the type, in bytes.</summary>
        public int MaxLen { get; }
        /// <summary>What is known of the other side.</summary>
        public PeerStatus Peer { get; }
        /// <summary>The dead participant that this role was taken over from; 0 if it was not.</summary>
        public long TakenOverFrom { get; }
        /// <summary>The violation that was found, by its number in FORMAT.md; 0 for none.</summary>
        public long Fault { get; }
    }

    /// <summary>How a consumer receives.</summary>
    public sealed class ConsumerOptions
    {
        /// <summary>A message counts as done with before the receive returns, not with the next call.</summary>
        public bool AtMostOnce { get; set; }

        /// <summary>Publishes the released position at least once in this many releases; 0 stands for 64.</summary>
        public int ReleaseEvery { get; set; }

        internal static NativeConsumerOptions Native(ConsumerOptions options) => new NativeConsumerOptions
        {
            at_most_once = options != null && options.AtMostOnce ? (byte)1 : (byte)0,
            release_every = options == null ? 0 : Bytes.Number(options.ReleaseEvery, nameof(ReleaseEvery)),
        };
    }

    /// <summary>A frame that was received.</summary>
    public readonly struct Frame
    {
        internal Frame(byte[] buffer, NativeReceived received, uint lane)
        {
            Payload = buffer.AsSpan(0, (int)received.len).ToArray();
            Tag = received.tag;
            Sequence = received.sequence;
            Lane = (int)lane;
        }

        /// <summary>The bytes.</summary>
        public byte[] Payload { get; }
        /// <summary>The sender's tag.</summary>
        public uint Tag { get; }
        /// <summary>The frame's number, counting up by one a frame, modulo 2^32.</summary>
        public uint Sequence { get; }
        /// <summary>The lane that it came in; 0 where there is one producer.</summary>
        public int Lane { get; }
    }

    /// <summary>The sending side of a queue of frames.</summary>
    public sealed class Producer : Endpoint
    {
        internal const uint AnyLane = uint.MaxValue;

        internal Producer(Region region, string name)
            : base("the producer", name, Native.QueueWords, Native.strait_producer_close, region.Handle)
        {
            Opened(Native.strait_producer_open(Handle, region.Handle, Bytes.Text(name, nameof(name))));
        }

        internal Producer(Region region, string name, int? lane)
            : base("the producer", name, Native.QueueWords, Native.strait_producer_close, region.Handle)
        {
            uint wanted = lane.HasValue ? Bytes.Number(lane.Value, nameof(lane)) : AnyLane;
            Opened(Native.strait_producer_open_lane(Handle, region.Handle, Bytes.Text(name, nameof(name)), wanted, out uint claimed));
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
                Check(Once(() => Native.strait_producer_end(Handle, out end)));
                return new QueueEnd(end);
            }
        }

        /// <summary>Sends a frame, if there is space.</summary>
        public bool TrySend(ReadOnlySpan<byte> payload, uint tag = 0)
        {
            StraitStatus status = Bytes.At(payload, (at, len) => Once(() => Native.strait_producer_try_send(Handle, tag, at, len)));
            if (status == StraitStatus.Full)
            {
                return false;
            }
            Check(status);
            return true;
        }

        /// <summary>Sends a frame, waiting for space. <c>false</c> if the time is up.</summary>
        public bool TrySend(ReadOnlySpan<byte> payload, uint tag, TimeSpan timeout, CancellationToken token = default(CancellationToken))
        {
            StraitStatus status = Bytes.At(payload, (at, len) =>
                Until(timeout, token, ns => Native.strait_producer_send_timeout(Handle, tag, at, len, ns)));
            if (status == StraitStatus.TimedOut)
            {
                return false;
            }
            Check(status);
            return true;
        }

        /// <summary>Sends a frame, waiting for space as long as it takes.</summary>
        public void Send(ReadOnlySpan<byte> payload, uint tag = 0, CancellationToken token = default(CancellationToken))
        {
            TrySend(payload, tag, Timeout.InfiniteTimeSpan, token);
        }
    }

    /// <summary>The receiving side of a queue of frames.</summary>
    public sealed class Consumer : Endpoint
    {
        private readonly byte[] buffer;

        internal Consumer(Region region, string name, ConsumerOptions options)
            : base("the consumer", name, Native.QueueWords, Native.strait_consumer_close, region.Handle)
        {
            NativeConsumerOptions native = ConsumerOptions.Native(options);
            Opened(Native.strait_consumer_open(Handle, region.Handle, Bytes.Text(name, nameof(name)), ref native));
            buffer = new byte[End.MaxLen];
        }

        internal override void Name(ref NativeWaitable waitable, IntPtr at)
        {
            waitable.frames = at;
        }

        /// <summary>The queue as this end sees it.</summary>
        public QueueEnd End
        {
            get
            {
                var end = new NativeEnd();
                Check(Once(() => Native.strait_consumer_end(Handle, out end)));
                return new QueueEnd(end);
            }
        }

        /// <summary>Receives a frame, if there is one.</summary>
        public bool TryReceive(out Frame frame) => TryReceive(out frame, TimeSpan.Zero);

        /// <summary>Receives a frame, waiting for it. <c>false</c> if the time is up.</summary>
        public bool TryReceive(out Frame frame, TimeSpan timeout, CancellationToken token = default(CancellationToken))
        {
            var received = new NativeReceived();
            StraitStatus status = Bytes.At(buffer, (at, len) =>
                Until(timeout, token, ns => Native.strait_consumer_recv_timeout(Handle, at, len, ref received, ns)));
            frame = default(Frame);
            if (status == StraitStatus.TimedOut)
            {
                return false;
            }
            Check(status);
            frame = new Frame(buffer, received, 0);
            return true;
        }

        /// <summary>Receives a frame, waiting for it as long as it takes.</summary>
        public Frame Receive(CancellationToken token = default(CancellationToken))
        {
            TryReceive(out Frame frame, Timeout.InfiniteTimeSpan, token);
            return frame;
        }

        /// <summary>Receives a frame in a thread of its own. Cancelling it loses no frame.</summary>
        public Task<Frame> ReceiveAsync(CancellationToken token = default(CancellationToken)) => Run(() => Receive(token), token);

        /// <summary>Takes the next frame away unread.</summary>
        public void Skip()
        {
            Check(Once(() => Native.strait_consumer_skip(Handle)));
        }

        /// <summary>Releases what was received, and tells the region so: a successor sees nothing again.</summary>
        public void Flush()
        {
            Check(Once(() => Native.strait_consumer_flush(Handle)));
        }
    }
}
