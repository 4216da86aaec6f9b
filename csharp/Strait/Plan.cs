using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

namespace Strait
{
    /// <summary>What a channel is.</summary>
    public enum ChannelKind
    {
        /// <summary>A queue of frames of varying length.</summary>
        Frames = 1,
        /// <summary>A queue of values of one type.</summary>
        Slots = 2,
        /// <summary>A queue of values of one type, published by index.</summary>
        Compact = 3,
        /// <summary>The latest of a stream of values.</summary>
        Latest = 4,
        /// <summary>A value under a lock.</summary>
        Mutex = 5,
        /// <summary>A counting semaphore.</summary>
        Semaphore = 6,
        /// <summary>A semaphore whose permits come back from the dead.</summary>
        Permits = 7,
        /// <summary>A stream of values to any number of readers.</summary>
        Broadcast = 8,
        /// <summary>Calls of one client to one server.</summary>
        Calls = 9,
    }

    /// <summary>
    /// A channel of a plan. Both ends may sleep while they wait, unless <see cref="NeverSleeping"/> says otherwise.
    /// </summary>
    public sealed class Channel
    {
        private const uint ConsumerMayBlock = 1;
        private const uint ProducerMayBlock = 2;

        private NativeChannel native;
        private readonly List<Shape> shapes = new List<Shape>();

        private Channel(ChannelKind kind, string name, int capacity, int size, ulong hash, uint flags)
        {
            Name = name ?? throw new ArgumentNullException(nameof(name));
            native.kind = (uint)kind;
            native.capacity = Bytes.Number(capacity, nameof(capacity));
            native.size = Bytes.Number(size, nameof(size));
            native.type_hash = hash;
            native.flags = flags;
        }

        /// <summary>The name.</summary>
        public string Name { get; }

        internal NativeChannel Native => native;

        internal IReadOnlyList<Shape> Shapes => shapes;

        /// <summary>A queue of frames in a ring of this many bytes, a power of two.</summary>
        public static Channel Frames(string name, int capacity, int maxLen) =>
            new Channel(ChannelKind.Frames, name, capacity, maxLen, 0, ConsumerMayBlock | ProducerMayBlock);

        /// <summary>A queue of values with this many slots, a power of two.</summary>
        public static Channel Slots<T>(string name, int slots) where T : unmanaged =>
            Typed<T>(ChannelKind.Slots, name, slots, ConsumerMayBlock | ProducerMayBlock);

        /// <summary>A denser queue of values: for small values on one core.</summary>
        public static Channel Compact<T>(string name, int slots) where T : unmanaged =>
            Typed<T>(ChannelKind.Compact, name, slots, ConsumerMayBlock | ProducerMayBlock);

        /// <summary>The latest of a stream of values.</summary>
        public static Channel Latest<T>(string name) where T : unmanaged =>
            Typed<T>(ChannelKind.Latest, name, 0, ConsumerMayBlock);

        /// <summary>Something that happens: one side notifies, and any number of listeners learn how often.</summary>
        public static Channel Event(string name) => Latest<uint>(name);

        /// <summary>A value under a lock, zero at first.</summary>
        public static Channel Mutex<T>(string name) where T : unmanaged => Typed<T>(ChannelKind.Mutex, name, 0, 0);

        /// <summary>A counting semaphore.</summary>
        public static Channel Semaphore(string name, int initial, int maximum) =>
            new Channel(ChannelKind.Semaphore, name, maximum, initial, 0, 0);

        /// <summary>So many permits, which come back from the dead.</summary>
        public static Channel Permits(string name, int permits) =>
            new Channel(ChannelKind.Permits, name, permits, 0, 0, 0);

        /// <summary>A stream of values to any number of readers, in a ring of this many slots, a power of two.</summary>
        public static Channel Broadcast<T>(string name, int slots) where T : unmanaged =>
            Typed<T>(ChannelKind.Broadcast, name, slots, ConsumerMayBlock);

        /// <summary>Calls of one client to one server, so many at once, 1 to 32.</summary>
        public static Channel Calls<TRequest, TAnswer>(string name, int places)
            where TRequest : unmanaged
            where TAnswer : unmanaged
        {
            Channel made = Typed<TRequest>(ChannelKind.Calls, name, places, ConsumerMayBlock | ProducerMayBlock);
            Shape answer = Shape.Of<TAnswer>();
            made.native.answer_size = (uint)answer.Size;
            made.native.answer_hash = answer.Hash;
            made.shapes.Add(answer);
            return made;
        }

        /// <summary>The same channel with so many producers at once, 1 to 256, each with a lane of its own.</summary>
        public Channel Producers(int producers, int urgent = 0)
        {
            Channel made = Copy();
            made.native.producers = Bytes.Number(producers, nameof(producers));
            made.native.urgent_lanes = Bytes.Number(urgent, nameof(urgent));
            return made;
        }

        /// <summary>The same channel whose ends never sleep: waits spin, and then poll.</summary>
        public Channel NeverSleeping()
        {
            Channel made = Copy();
            made.native.flags = 0;
            return made;
        }

        /// <summary>The same channel with its ends in these domains.</summary>
        public Channel Domains(int producer, int consumer)
        {
            Channel made = Copy();
            made.native.producer_domain = Bytes.Number(producer, nameof(producer));
            made.native.consumer_domain = Bytes.Number(consumer, nameof(consumer));
            return made;
        }

        /// <summary>The same channel at doorbell <paramref name="number"/>, from 1, that others share.</summary>
        public Channel Doorbell(int number)
        {
            Channel made = Copy();
            made.native.doorbell = Bytes.Number(number, nameof(number));
            return made;
        }

        private static Channel Typed<T>(ChannelKind kind, string name, int capacity, uint flags) where T : unmanaged
        {
            Shape shape = Shape.Of<T>();
            return new Channel(kind, name, capacity, shape.Size, shape.Hash, flags) { shapes = { shape } };
        }

        private Channel Copy() => (Channel)MemberwiseClone();
    }

    /// <summary>What a region holds: its channels, and room for participants.</summary>
    public sealed class Plan
    {
        private readonly Channel[] channels;

        /// <summary>A plan of these channels, 32 at most.</summary>
        public Plan(params Channel[] channels)
        {
            if (channels == null)
            {
                throw new ArgumentNullException(nameof(channels));
            }
            foreach (Channel channel in channels)
            {
                if (channel == null)
                {
                    throw new ArgumentException("a channel is null", nameof(channels));
                }
            }
            this.channels = (Channel[])channels.Clone();
        }

        /// <summary>The distance of words of different writers, a power of two from 4 to 4096; 0 stands for 128.</summary>
        public int Line { get; set; }

        /// <summary>The most participants at once, 1 to 511; 0 stands for 32.</summary>
        public int Participants { get; set; }

        /// <summary>
        /// Whether the region describes the structs of its channels: for tools, and for peers that do not know them.
        /// </summary>
        public bool Described { get; set; }

        /// <summary>Bytes of a region of this plan.</summary>
        public long Size
        {
            get
            {
                uint size = 0;
                With((ref NativePlan plan) =>
                {
                    StraitException.Check(Native.strait_plan_size(ref plan, out size), "the plan");
                });
                return size;
            }
        }

        /// <summary>A line for each struct, as Rust's <c>describe!</c> has it.</summary>
        private string Description()
        {
            var listed = new HashSet<string>();
            var text = new StringBuilder();
            foreach (Channel channel in channels)
            {
                foreach (Shape shape in channel.Shapes)
                {
                    if (shape.Name.Length > 0 && listed.Add(shape.Text))
                    {
                        text.Append('=').Append(shape.Name).Append(' ').Append(shape.Text).Append('\n');
                    }
                }
            }
            return text.ToString();
        }

        internal delegate void User(ref NativePlan plan);

        /// <summary>Shows <paramref name="use"/> the plan as the C library takes it.</summary>
        internal unsafe void With(User use)
        {
            var pins = new List<GCHandle>();
            try
            {
                var native = new NativeChannel[channels.Length];
                for (int at = 0; at < native.Length; at++)
                {
                    GCHandle name = GCHandle.Alloc(Bytes.Text(channels[at].Name, "name"), GCHandleType.Pinned);
                    pins.Add(name);
                    native[at] = channels[at].Native;
                    native[at].name = name.AddrOfPinnedObject();
                }
                IntPtr description = IntPtr.Zero;
                if (Described)
                {
                    GCHandle text = GCHandle.Alloc(Bytes.Text(Description(), "description"), GCHandleType.Pinned);
                    pins.Add(text);
                    description = text.AddrOfPinnedObject();
                }
                fixed (NativeChannel* at = native)
                {
                    var plan = new NativePlan
                    {
                        channels = (IntPtr)at,
                        channel_count = (uint)native.Length,
                        line = Bytes.Number(Line, nameof(Line)),
                        participants = Bytes.Number(Participants, nameof(Participants)),
                        description = description,
                    };
                    use(ref plan);
                }
            }
            finally
            {
                foreach (GCHandle pin in pins)
                {
                    pin.Free();
                }
            }
        }
    }
}
