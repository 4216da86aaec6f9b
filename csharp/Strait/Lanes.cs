using System;
using System.Threading;
using System.Threading.Tasks;

namespace Strait
{
    /// <summary>A lane as the consumer of all lanes sees it.</summary>
    public readonly struct LaneEnd
    {
        internal LaneEnd(NativeLane lane)
        {
            Lanes = (int)lane.lanes;
            Length = lane.len;
            Peer = (PeerStatus)lane.peer;
            TakenOverFrom = lane.taken_over_from;
            Fault = lane.fault;
        }

        /// <summary>How many lanes there are.</summary>
        public int Lanes { get; }
        /// <summary>Messages that wait in this one: a lower bound.</summary>
        public long Length { get; }
        /// <summary>What is known of its producer; absent if the lane is damaged.</summary>
        public PeerStatus Peer { get; }
        /// <summary>The dead participant that the consumer's role was taken over from; 0 if it was not.</summary>
        public long TakenOverFrom { get; }
        /// <summary>The violation that was found in the lane, by its number in FORMAT.md; 0 for none.</summary>
        public long Fault { get; }
    }

    /// <summary>
    /// The receiving side of a queue of frames with several producers. A <see cref="StraitStatus.Fault"/> leaves the
    /// damaged lane out from then on, and the others go on.
    /// </summary>
    public sealed class LanesConsumer : Endpoint
    {
        private readonly byte[] buffer;

        internal LanesConsumer(Region region, string name, ConsumerOptions options, int burst)
            : base("the consumer", name, Native.LanesWords, Native.strait_lanes_consumer_close, region.Handle)
        {
            var native = new NativeLanesOptions
            {
                each_lane = ConsumerOptions.Native(options),
                burst = Bytes.Number(burst, nameof(burst)),
            };
            Opened(Native.strait_lanes_consumer_open(Handle, region.Handle, Bytes.Text(name, nameof(name)), ref native));
            long longest = 0;
            foreach (ChannelInfo channel in region.Channels)
            {
                longest = channel.Name == name ? Math.Max(longest, channel.MaxLen) : longest;
            }
            buffer = new byte[longest];
        }

        internal override void Name(ref NativeWaitable waitable, IntPtr at)
        {
            waitable.lanes = at;
        }

        /// <summary>Shows lane <paramref name="lane"/>, from 0.</summary>
        public LaneEnd Lane(int lane)
        {
            uint native = Bytes.Number(lane, nameof(lane));
            var shown = new NativeLane();
            Check(Once(() => Native.strait_lanes_consumer_lane(Handle, native, out shown)));
            return new LaneEnd(shown);
        }

        /// <summary>Receives a frame from the lane whose turn it is, waiting for one. <c>false</c> if the time is up.</summary>
        public bool TryReceive(out Frame frame, TimeSpan timeout, CancellationToken token = default(CancellationToken))
        {
            var received = new NativeReceived();
            uint lane = 0;
            StraitStatus status = Bytes.At(buffer, (at, len) => Until(timeout, token, ns =>
                Native.strait_lanes_consumer_recv_timeout(Handle, at, len, ref received, ref lane, ns)));
            frame = default(Frame);
            if (status == StraitStatus.TimedOut)
            {
                return false;
            }
            Check(status);
            frame = new Frame(buffer, received, lane);
            return true;
        }

        /// <summary>Receives a frame in a thread of its own. Cancelling it loses none.</summary>
        public Task<Frame> ReceiveAsync(CancellationToken token = default(CancellationToken)) => Run(
            () =>
            {
                TryReceive(out Frame frame, Timeout.InfiniteTimeSpan, token);
                return frame;
            },
            token);
    }

    /// <summary>
    /// The receiving side of a queue of values with several producers. A <see cref="StraitStatus.Fault"/> leaves the
    /// damaged lane out from then on, and the others go on.
    /// </summary>
    public sealed class LanesConsumer<T> : Endpoint where T : unmanaged
    {
        internal LanesConsumer(Region region, string name, ConsumerOptions options, int burst)
            : base("the consumer", name, Native.LanesWords, Native.strait_typed_lanes_consumer_close, region.Handle)
        {
            Shape shape = Shape.Of<T>();
            var native = new NativeLanesOptions
            {
                each_lane = ConsumerOptions.Native(options),
                burst = Bytes.Number(burst, nameof(burst)),
            };
            Opened(Native.strait_typed_lanes_consumer_open(Handle, region.Handle, Bytes.Text(name, nameof(name)), shape.Hash, (uint)shape.Size, ref native));
        }

        internal override void Name(ref NativeWaitable waitable, IntPtr at)
        {
            waitable.typed_lanes = at;
        }

        /// <summary>Shows lane <paramref name="lane"/>, from 0.</summary>
        public LaneEnd Lane(int lane)
        {
            uint native = Bytes.Number(lane, nameof(lane));
            var shown = new NativeLane();
            Check(Once(() => Native.strait_typed_lanes_consumer_lane(Handle, native, out shown)));
            return new LaneEnd(shown);
        }

        /// <summary>
        /// Receives a value from the lane whose turn it is, waiting for one, and says which lane it was. <c>false</c> if
        /// the time is up.
        /// </summary>
        public bool TryReceive(out T value, out int lane, TimeSpan timeout, CancellationToken token = default(CancellationToken))
        {
            value = default(T);
            uint sequence = 0;
            uint from = 0;
            StraitStatus status = Bytes.At(ref value, (at, size) => Until(timeout, token, ns =>
                Native.strait_typed_lanes_consumer_recv_timeout(Handle, at, size, ref sequence, ref from, ns)));
            lane = (int)from;
            if (status == StraitStatus.TimedOut)
            {
                return false;
            }
            Check(status);
            return true;
        }
    }
}
