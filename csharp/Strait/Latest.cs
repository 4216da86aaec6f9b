using System;
using System.Threading;
using System.Threading.Tasks;

namespace Strait
{
    /// <summary>A value that was read, of a latest value or a broadcast.</summary>
    public readonly struct Reading<T> where T : unmanaged
    {
        internal Reading(T value, NativeValue native, bool isNew)
        {
            Value = value;
            Number = native.number;
            Tag = native.tag;
            IsNew = isNew;
        }

        /// <summary>The value.</summary>
        public T Value { get; }
        /// <summary>How many values were published up to and including this one.</summary>
        public ulong Number { get; }
        /// <summary>The writer's tag.</summary>
        public uint Tag { get; }
        /// <summary>It is not the one that this reader read last.</summary>
        public bool IsNew { get; }
    }

    /// <summary>The writer of a latest value.</summary>
    public sealed class LatestWriter<T> : Endpoint where T : unmanaged
    {
        internal LatestWriter(Region region, string name)
            : base("the writer", name, Native.ValueWords, Native.strait_latest_writer_close, region.Handle)
        {
            Shape shape = Shape.Of<T>();
            Opened(Native.strait_latest_writer_open(Handle, region.Handle, Bytes.Text(name, nameof(name)), shape.Hash, (uint)shape.Size));
        }

        /// <summary>Publishes a value, and returns how many were published. Never waits.</summary>
        public ulong Publish(T value, uint tag = 0)
        {
            ulong number = 0;
            Check(Bytes.At(ref value, (at, size) => Once(() => Native.strait_latest_publish(Handle, tag, at, size, out number))));
            return number;
        }
    }

    /// <summary>A reader of a latest value. Each knows what it has read.</summary>
    public sealed class LatestReader<T> : Endpoint where T : unmanaged
    {
        internal LatestReader(Region region, string name)
            : base("the reader", name, Native.ValueWords, Native.strait_latest_reader_close, region.Handle)
        {
            region.CheckType<T>(name, ChannelKind.Latest);
            Opened(Native.strait_latest_reader_open(Handle, region.Handle, Bytes.Text(name, nameof(name))));
        }

        internal override void Name(ref NativeWaitable waitable, IntPtr at)
        {
            waitable.latest = at;
        }

        /// <summary>Reads the newest value. <c>false</c> if none was published yet.</summary>
        public bool TryRead(out Reading<T> reading)
        {
            var native = new NativeValue();
            T value = default(T);
            StraitStatus status = Bytes.At(ref value, (at, size) => Once(() => Native.strait_latest_read(Handle, at, size, ref native)));
            if (status == StraitStatus.Empty)
            {
                reading = default(Reading<T>);
                return false;
            }
            if (status != StraitStatus.Stale)
            {
                Check(status);
            }
            reading = new Reading<T>(value, native, status == StraitStatus.Ok);
            return true;
        }

        /// <summary>Waits for a value that this reader has not seen. <c>false</c> if the time is up.</summary>
        public bool TryWaitForChange(out Reading<T> reading, TimeSpan timeout, CancellationToken token = default(CancellationToken))
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

        /// <summary>Waits for a value that this reader has not seen, in a thread of its own.</summary>
        public Task<Reading<T>> ChangeAsync(CancellationToken token = default(CancellationToken)) => Run(
            () =>
            {
                TryWaitForChange(out Reading<T> reading, Timeout.InfiniteTimeSpan, token);
                return reading;
            },
            token);

        /// <summary>Nothing new, and nothing at all, is a reason to wait on.</summary>
        private StraitStatus Step(IntPtr at, UIntPtr size, ref NativeValue native, ulong ns)
        {
            StraitStatus status = Native.strait_latest_wait_for_change(Handle, at, size, ref native, ns);
            bool waits = status == StraitStatus.Stale || status == StraitStatus.Empty || status == StraitStatus.Contended;
            return waits ? StraitStatus.TimedOut : status;
        }
    }
}
