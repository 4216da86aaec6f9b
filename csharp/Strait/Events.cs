using System;
using System.Threading;
using System.Threading.Tasks;

namespace Strait
{
    /// <summary>What has happened since a listener looked last.</summary>
    public readonly struct Notified
    {
        internal Notified(ulong count, uint code)
        {
            Count = count;
            Code = code;
        }

        /// <summary>How many notifications there were.</summary>
        public ulong Count { get; }
        /// <summary>The code of the newest one.</summary>
        public uint Code { get; }
    }

    /// <summary>The side of an event that notifies. One at a time; taken over from a dead owner.</summary>
    public sealed class EventNotifier : Endpoint
    {
        internal EventNotifier(Region region, string name)
            : base("the notifier", name, Native.ValueWords, Native.strait_latest_writer_close, region.Handle)
        {
            Shape shape = Shape.Of<uint>();
            Opened(Native.strait_latest_writer_open(Handle, region.Handle, Bytes.Text(name, nameof(name)), shape.Hash, (uint)shape.Size));
        }

        /// <summary>
        /// Notifies all listeners, with a code for the newest, and returns how often the event was notified so far. Never
        /// waits.
        /// </summary>
        public ulong Notify(uint code = 0)
        {
            ulong number = 0;
            Check(Bytes.At(ref code, (at, size) => Once(() => Native.strait_latest_publish(Handle, 0, at, size, out number))));
            return number;
        }
    }

    /// <summary>
    /// A side of an event that is notified. Any number of them; each counts from the moment it is opened, and stores nothing
    /// in the region.
    /// </summary>
    public sealed class EventListener : Endpoint
    {
        internal EventListener(Region region, string name)
            : base("the listener", name, Native.ValueWords, Native.strait_latest_reader_close, region.Handle)
        {
            region.CheckType<uint>(name, ChannelKind.Latest);
            Opened(Native.strait_latest_reader_open(Handle, region.Handle, Bytes.Text(name, nameof(name))));
            // What was before is no news.
            TryWait(out Notified _);
        }

        /// <summary>How many notifications this listener has counted, from the first that there ever was.</summary>
        public ulong Total { get; private set; }

        /// <summary>What has been notified since the last look, if anything.</summary>
        public bool TryWait(out Notified notified) => TryWait(out notified, TimeSpan.Zero);

        /// <summary>Waits for a notification. <c>false</c> if the time is up.</summary>
        public bool TryWait(out Notified notified, TimeSpan timeout, CancellationToken token = default(CancellationToken))
        {
            var native = new NativeValue();
            uint code = 0;
            StraitStatus status = Bytes.At(ref code, (at, size) => Until(timeout, token, ns => Step(at, size, ref native, ns)));
            notified = default(Notified);
            if (status == StraitStatus.TimedOut)
            {
                return false;
            }
            Check(status);
            // A notifier that misbehaves may count backwards.
            ulong count = native.number > Total ? native.number - Total : 1;
            Total = native.number;
            notified = new Notified(count, code);
            return true;
        }

        /// <summary>Waits for a notification in a thread of its own. Cancelling it counts nothing.</summary>
        public Task<Notified> WaitAsync(CancellationToken token = default(CancellationToken)) => Run(
            () =>
            {
                TryWait(out Notified notified, Timeout.InfiniteTimeSpan, token);
                return notified;
            },
            token);

        internal override void Name(ref NativeWaitable waitable, IntPtr at)
        {
            waitable.latest = at;
        }

        private StraitStatus Step(IntPtr at, UIntPtr size, ref NativeValue native, ulong ns)
        {
            StraitStatus status = Native.strait_latest_wait_for_change(Handle, at, size, ref native, ns);
            bool waits = status == StraitStatus.Stale || status == StraitStatus.Empty || status == StraitStatus.Contended;
            return waits ? StraitStatus.TimedOut : status;
        }
    }
}
