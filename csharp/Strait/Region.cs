using System;
using System.Collections.Generic;
using System.Text;

namespace Strait
{
    /// <summary>How a region is created or opened.</summary>
    public sealed class RegionOptions
    {
        /// <summary>Brings every page into memory while mapping.</summary>
        public bool Prefault { get; set; }

        /// <summary>Locks every page into memory while mapping.</summary>
        public bool LockMemory { get; set; }

        /// <summary>Maps for reading alone, and takes no part.</summary>
        public bool ReadOnly { get; set; }

        /// <summary>Opens regions of any owner and mode: for tools that look.</summary>
        public bool AnyOwner { get; set; }

        /// <summary>Opens only files of this user. Unix only.</summary>
        public int? Owner { get; set; }

        /// <summary>Creates files with exactly this mode, and opens none that grants more. 0 stands for 0600.</summary>
        public int Mode { get; set; }

        /// <summary>Lets <see cref="Mode"/> be one by which others read and do not write: such a reader can keep all others from
        /// joining, by a lock on the file. Unix only.</summary>
        public bool AllowReaders { get; set; }

        /// <summary>The domain of this participant.</summary>
        public int Domain { get; set; }

        internal NativeOptions Native => new NativeOptions
        {
            flags = (Prefault ? 1u : 0) | (LockMemory ? 2u : 0) | (ReadOnly ? 4u : 0) | (AnyOwner ? 8u : 0)
                | (Owner.HasValue ? 16u : 0) | (AllowReaders ? 32u : 0),
            mode = Bytes.Number(Mode, nameof(Mode)),
            owner = Owner.HasValue ? Bytes.Number(Owner.Value, nameof(Owner)) : 0,
            domain = Bytes.Number(Domain, nameof(Domain)),
        };
    }

    /// <summary>A channel, as the region's directory describes it.</summary>
    public sealed class ChannelInfo
    {
        internal unsafe ChannelInfo(NativeChannelInfo info)
        {
            int length = 0;
            while (length < 32 && info.name[length] != 0)
            {
                length++;
            }
            Name = Encoding.UTF8.GetString(info.name, length);
            Kind = (ChannelKind)info.kind;
            Capacity = info.capacity;
            MaxLen = info.max_len;
            TypeHash = info.type_hash;
            Lane = info.lane;
            Lanes = info.lanes;
        }

        /// <summary>The name.</summary>
        public string Name { get; }
        /// <summary>What it is.</summary>
        public ChannelKind Kind { get; }
        /// <summary>Bytes of the ring, slots, buffers, permits, or the highest count.</summary>
        public long Capacity { get; }
        /// <summary>The largest payload in bytes, or the type's size; of a semaphore, its initial count.</summary>
        public long MaxLen { get; }
        /// <summary>The type's hash; 0 if untyped.</summary>
        public ulong TypeHash { get; }
        /// <summary>Of a queue with several producers, which lane this is, from 0.</summary>
        public long Lane { get; }
        /// <summary>How many lanes there are; 1 if there is one producer.</summary>
        public long Lanes { get; }
    }

    /// <summary>
    /// A region that is open: one participant's view of it. A region may be used by any thread; threads that contend
    /// for a mutex open the region once each. Its endpoints go on after it is disposed of.
    /// </summary>
    public sealed partial class Region : IDisposable
    {
        private readonly string place;
        private readonly Storage storage;
        private volatile bool disposed;

        private Region(string place)
        {
            this.place = "the region `" + place + "`";
            storage = new Storage(Native.RegionWords, Native.strait_region_close, null);
        }

        /// <summary>Endpoints keep the storage open after <see cref="Dispose"/>; nothing more is opened through it.</summary>
        internal Storage Handle => disposed ? throw new ObjectDisposedException(place) : storage;

        /// <summary>Which participant this is, as it stands in owner words; 0 if it only looks.</summary>
        public long Ident => Native.strait_region_ident(Handle);

        /// <summary>
        /// Whether the name or file still leads to this region. If it was removed or made anew, all goes on working in
        /// the old memory, which nobody can open any more: ask when a peer stays away.
        /// </summary>
        public bool IsCurrent
        {
            get
            {
                Check(Native.strait_region_is_current(Handle, out byte current));
                return current != 0;
            }
        }

        /// <summary>The channels that the library knows.</summary>
        public IReadOnlyList<ChannelInfo> Channels
        {
            get
            {
                Check(Native.strait_channel_count(Handle, out uint count));
                var channels = new List<ChannelInfo>();
                for (uint index = 0; index < count; index++)
                {
                    Check(Native.strait_channel_info(Handle, index, out NativeChannelInfo info));
                    channels.Add(new ChannelInfo(info));
                }
                return channels;
            }
        }

        /// <summary>Creates a region. A place is a name, or a path if it holds a slash.</summary>
        public static Region Create(string place, Plan plan, RegionOptions options = null) =>
            Planned(place, plan, options, Native.strait_create_with);

        /// <summary>Opens a region, or creates it if it is not there, whichever process is first.</summary>
        public static Region OpenOrCreate(string place, Plan plan, RegionOptions options = null) =>
            Planned(place, plan, options, Native.strait_open_or_create_with);

        /// <summary>Opens a region.</summary>
        public static Region Open(string place, RegionOptions options = null)
        {
            byte[] text = Bytes.Text(place, nameof(place));
            NativeOptions native = (options ?? new RegionOptions()).Native;
            var region = new Region(place);
            region.Opened(Native.strait_open_with(region.Handle, text, ref native));
            return region;
        }

        /// <summary>Takes a region's name away. Processes that have it open keep its memory.</summary>
        public static void Remove(string place)
        {
            byte[] text = Bytes.Text(place, nameof(place));
            StraitException.Check(Native.strait_remove(text), "the region `" + place + "`");
        }

        /// <summary>Waits until the region's file is on storage as the memory was when this was called.</summary>
        public void Sync()
        {
            Check(Native.strait_region_sync(Handle));
        }

        /// <summary>Ends the participation once the last endpoint is disposed of. Never throws.</summary>
        public void Dispose()
        {
            disposed = true;
            storage.Dispose();
        }

        private delegate StraitStatus Planning(Storage region, byte[] place, ref NativePlan plan, ref NativeOptions options);

        private static Region Planned(string place, Plan plan, RegionOptions options, Planning planning)
        {
            byte[] text = Bytes.Text(place, nameof(place));
            if (plan == null)
            {
                throw new ArgumentNullException(nameof(plan));
            }
            NativeOptions native = (options ?? new RegionOptions()).Native;
            var region = new Region(place);
            plan.With((ref NativePlan laid) => region.Opened(planning(region.Handle, text, ref laid, ref native)));
            return region;
        }

        private void Opened(StraitStatus status)
        {
            if (status != StraitStatus.Ok)
            {
                Dispose();
                Check(status);
            }
        }

        private void Check(StraitStatus status)
        {
            StraitException.Check(status, place);
        }
    }
}
