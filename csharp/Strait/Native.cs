using System;
using System.Runtime.InteropServices;

namespace Strait
{
    // The structs of strait.h, field by field; Tests/Layout.cs compares each with what the C compiler says.

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeChannel
    {
        public IntPtr name;
        public uint kind;
        public uint capacity;
        public uint size;
        public uint flags;
        public ulong type_hash;
        public uint doorbell;
        public uint producer_domain;
        public uint consumer_domain;
        public uint producers;
        public uint urgent_lanes;
        public uint answer_size;
        public ulong answer_hash;
        public uint consumers;
        public uint period_us;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativePlan
    {
        public IntPtr channels;
        public uint channel_count;
        public uint line;
        public uint participants;
        public IntPtr description;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeOptions
    {
        public uint flags;
        public uint mode;
        public uint owner;
        public uint domain;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeWaitable
    {
        public IntPtr frames;
        public IntPtr values;
        public IntPtr lanes;
        public IntPtr typed_lanes;
        public IntPtr fanout;
        public IntPtr server;
        public IntPtr lanes_server;
        public IntPtr latest;
        public IntPtr broadcast;
        public IntPtr stream_server;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeReceived
    {
        public uint tag;
        public uint sequence;
        public UIntPtr len;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeValue
    {
        public ulong number;
        public uint tag;
        public UIntPtr len;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeRequest
    {
        public uint caller;
        public byte is_post;
        public byte is_again;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeConsumerOptions
    {
        public byte at_most_once;
        public uint release_every;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeLanesOptions
    {
        public NativeConsumerOptions each_lane;
        public uint burst;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeEnd
    {
        public uint len;
        public uint capacity;
        public uint max_len;
        public uint peer;
        public uint taken_over_from;
        public uint fault;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeLane
    {
        public uint lanes;
        public uint len;
        public uint peer;
        public uint taken_over_from;
        public uint fault;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativePermit
    {
        public uint index;
        public uint taken_over_from;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeChannelInfo
    {
        public fixed byte name[32];
        public uint kind;
        public uint capacity;
        public uint max_len;
        public uint producer_domain;
        public uint consumer_domain;
        public ulong type_hash;
        public uint lane;
        public uint lanes;
    }

    /// <summary>The functions of strait.h that this library uses.</summary>
    internal static class Native
    {
        private const string Library = "strait";

        /// <summary>Bytes of storage with this many words behind the first number.</summary>
        internal static int StorageSize(int words) => sizeof(ulong) + words * IntPtr.Size;

        // Words of storage, as in capi/src/storage.rs.
        internal const int QueueWords = 62;
        internal const int LanesWords = 1150;
        internal const int ValueWords = 46;
        internal const int RegionWords = 38;
        internal const int PermitsWords = 38;
        internal const int SemaphoreWords = 26;

        [DllImport(Library)] internal static extern IntPtr strait_status_text(int status);
        [DllImport(Library)] internal static extern ulong strait_type_hash(byte[] descriptor);

        [DllImport(Library)] internal static extern StraitStatus strait_create_with(Storage region, byte[] place, ref NativePlan plan, ref NativeOptions options);
        [DllImport(Library)] internal static extern StraitStatus strait_open_with(Storage region, byte[] place, ref NativeOptions options);
        [DllImport(Library)] internal static extern StraitStatus strait_open_or_create_with(Storage region, byte[] place, ref NativePlan plan, ref NativeOptions options);
        [DllImport(Library)] internal static extern StraitStatus strait_remove(byte[] place);
        [DllImport(Library)] internal static extern StraitStatus strait_region_close(IntPtr region);
        [DllImport(Library)] internal static extern uint strait_region_ident(Storage region);
        [DllImport(Library)] internal static extern StraitStatus strait_region_is_current(Storage region, out byte current);
        [DllImport(Library)] internal static extern StraitStatus strait_region_sync(Storage region);
        [DllImport(Library)] internal static extern StraitStatus strait_channel_count(Storage region, out uint count);
        [DllImport(Library)] internal static extern StraitStatus strait_channel_info(Storage region, uint index, out NativeChannelInfo info);
        [DllImport(Library)] internal static extern StraitStatus strait_description(Storage region, byte[] text, UIntPtr capacity, ref UIntPtr length);
        [DllImport(Library)] internal static extern StraitStatus strait_wait_any_timeout(Storage region, NativeWaitable[] waitables, UIntPtr count, ref UIntPtr index, ulong timeout_ns);
        [DllImport(Library)] internal static extern StraitStatus strait_plan_size(ref NativePlan plan, out uint size);

        [DllImport(Library)] internal static extern StraitStatus strait_producer_open_lane(Storage producer, Storage region, byte[] name, uint lane, out uint claimed);
        [DllImport(Library)] internal static extern StraitStatus strait_producer_open(Storage producer, Storage region, byte[] name);
        [DllImport(Library)] internal static extern StraitStatus strait_producer_try_send(Storage producer, uint tag, IntPtr payload, UIntPtr len);
        [DllImport(Library)] internal static extern StraitStatus strait_producer_send_timeout(Storage producer, uint tag, IntPtr payload, UIntPtr len, ulong timeout_ns);
        [DllImport(Library)] internal static extern StraitStatus strait_producer_end(Storage producer, out NativeEnd end);
        [DllImport(Library)] internal static extern StraitStatus strait_producer_close(IntPtr producer);

        [DllImport(Library)] internal static extern StraitStatus strait_consumer_open(Storage consumer, Storage region, byte[] name, ref NativeConsumerOptions options);
        [DllImport(Library)] internal static extern StraitStatus strait_consumer_recv_timeout(Storage consumer, IntPtr buffer, UIntPtr capacity, ref NativeReceived received, ulong timeout_ns);
        [DllImport(Library)] internal static extern StraitStatus strait_consumer_skip(Storage consumer);
        [DllImport(Library)] internal static extern StraitStatus strait_consumer_flush(Storage consumer);
        [DllImport(Library)] internal static extern StraitStatus strait_consumer_end(Storage consumer, out NativeEnd end);
        [DllImport(Library)] internal static extern StraitStatus strait_consumer_close(IntPtr consumer);

        [DllImport(Library)] internal static extern StraitStatus strait_typed_producer_open(Storage producer, Storage region, byte[] name, ulong type_hash, uint size);
        [DllImport(Library)] internal static extern StraitStatus strait_typed_producer_open_lane(Storage producer, Storage region, byte[] name, ulong type_hash, uint size, uint lane, out uint claimed);
        [DllImport(Library)] internal static extern StraitStatus strait_typed_producer_try_send(Storage producer, IntPtr value, UIntPtr size);
        [DllImport(Library)] internal static extern StraitStatus strait_typed_producer_send_timeout(Storage producer, IntPtr value, UIntPtr size, ulong timeout_ns);
        [DllImport(Library)] internal static extern StraitStatus strait_typed_producer_end(Storage producer, out NativeEnd end);
        [DllImport(Library)] internal static extern StraitStatus strait_typed_producer_close(IntPtr producer);

        [DllImport(Library)] internal static extern StraitStatus strait_typed_consumer_open(Storage consumer, Storage region, byte[] name, ulong type_hash, uint size, ref NativeConsumerOptions options);
        [DllImport(Library)] internal static extern StraitStatus strait_typed_consumer_recv_timeout(Storage consumer, IntPtr value, UIntPtr size, ref uint sequence, ulong timeout_ns);
        [DllImport(Library)] internal static extern StraitStatus strait_typed_consumer_flush(Storage consumer);
        [DllImport(Library)] internal static extern StraitStatus strait_typed_consumer_end(Storage consumer, out NativeEnd end);
        [DllImport(Library)] internal static extern StraitStatus strait_typed_consumer_close(IntPtr consumer);

        [DllImport(Library)] internal static extern StraitStatus strait_lanes_consumer_open(Storage consumer, Storage region, byte[] name, ref NativeLanesOptions options);
        [DllImport(Library)] internal static extern StraitStatus strait_lanes_consumer_recv_timeout(Storage consumer, IntPtr buffer, UIntPtr capacity, ref NativeReceived received, ref uint lane, ulong timeout_ns);
        [DllImport(Library)] internal static extern StraitStatus strait_lanes_consumer_lane(Storage consumer, uint lane, out NativeLane shown);
        [DllImport(Library)] internal static extern StraitStatus strait_lanes_consumer_close(IntPtr consumer);

        [DllImport(Library)] internal static extern StraitStatus strait_typed_lanes_consumer_open(Storage consumer, Storage region, byte[] name, ulong type_hash, uint size, ref NativeLanesOptions options);
        [DllImport(Library)] internal static extern StraitStatus strait_typed_lanes_consumer_recv_timeout(Storage consumer, IntPtr value, UIntPtr size, ref uint sequence, ref uint lane, ulong timeout_ns);
        [DllImport(Library)] internal static extern StraitStatus strait_typed_lanes_consumer_lane(Storage consumer, uint lane, out NativeLane shown);
        [DllImport(Library)] internal static extern StraitStatus strait_typed_lanes_consumer_close(IntPtr consumer);

        [DllImport(Library)] internal static extern StraitStatus strait_latest_writer_open(Storage writer, Storage region, byte[] name, ulong type_hash, uint size);
        [DllImport(Library)] internal static extern StraitStatus strait_latest_publish(Storage writer, uint tag, IntPtr value, UIntPtr len, out ulong number);
        [DllImport(Library)] internal static extern StraitStatus strait_latest_writer_close(IntPtr writer);
        [DllImport(Library)] internal static extern StraitStatus strait_latest_reader_open(Storage reader, Storage region, byte[] name);
        [DllImport(Library)] internal static extern StraitStatus strait_latest_read(Storage reader, IntPtr buffer, UIntPtr capacity, ref NativeValue value);
        [DllImport(Library)] internal static extern StraitStatus strait_latest_wait_for_change(Storage reader, IntPtr buffer, UIntPtr capacity, ref NativeValue value, ulong timeout_ns);
        [DllImport(Library)] internal static extern StraitStatus strait_latest_reader_close(IntPtr reader);

        [DllImport(Library)] internal static extern StraitStatus strait_broadcast_writer_open(Storage writer, Storage region, byte[] name, ulong type_hash, uint size);
        [DllImport(Library)] internal static extern StraitStatus strait_broadcast_publish(Storage writer, uint tag, IntPtr value, UIntPtr len, out ulong number);
        [DllImport(Library)] internal static extern StraitStatus strait_broadcast_writer_close(IntPtr writer);
        [DllImport(Library)] internal static extern StraitStatus strait_broadcast_reader_open(Storage reader, Storage region, byte[] name, uint start);
        [DllImport(Library)] internal static extern StraitStatus strait_broadcast_recv_timeout(Storage reader, IntPtr buffer, UIntPtr capacity, ref NativeValue value, ref ulong lost, ulong timeout_ns);
        [DllImport(Library)] internal static extern StraitStatus strait_broadcast_reader_close(IntPtr reader);

        [DllImport(Library)] internal static extern StraitStatus strait_mutex_open(Storage mutex, Storage region, byte[] name, ulong type_hash, uint size);
        [DllImport(Library)] internal static extern StraitStatus strait_mutex_lock_timeout(Storage mutex, ulong timeout_ns);
        [DllImport(Library)] internal static extern StraitStatus strait_mutex_get(Storage mutex, IntPtr value, UIntPtr size);
        [DllImport(Library)] internal static extern StraitStatus strait_mutex_set(Storage mutex, IntPtr value, UIntPtr size);
        [DllImport(Library)] internal static extern StraitStatus strait_mutex_roll_back(Storage mutex);
        [DllImport(Library)] internal static extern StraitStatus strait_mutex_mark_consistent(Storage mutex);
        [DllImport(Library)] internal static extern StraitStatus strait_mutex_reinitialise(Storage mutex, IntPtr value, UIntPtr size);
        [DllImport(Library)] internal static extern StraitStatus strait_mutex_unlock(Storage mutex);
        [DllImport(Library)] internal static extern StraitStatus strait_mutex_version(Storage mutex, out uint version, out uint takeovers);
        [DllImport(Library)] internal static extern StraitStatus strait_mutex_close(IntPtr mutex);

        [DllImport(Library)] internal static extern StraitStatus strait_semaphore_open(Storage semaphore, Storage region, byte[] name);
        [DllImport(Library)] internal static extern StraitStatus strait_semaphore_acquire_timeout(Storage semaphore, ulong timeout_ns);
        [DllImport(Library)] internal static extern StraitStatus strait_semaphore_release(Storage semaphore, uint count);
        [DllImport(Library)] internal static extern StraitStatus strait_semaphore_count(Storage semaphore, out uint count);
        [DllImport(Library)] internal static extern StraitStatus strait_semaphore_close(IntPtr semaphore);

        [DllImport(Library)] internal static extern StraitStatus strait_permits_open(Storage permits, Storage region, byte[] name);
        [DllImport(Library)] internal static extern StraitStatus strait_permits_acquire_timeout(Storage permits, out NativePermit permit, ulong timeout_ns);
        [DllImport(Library)] internal static extern StraitStatus strait_permits_release(Storage permits);
        [DllImport(Library)] internal static extern StraitStatus strait_permits_close(IntPtr permits);

        [DllImport(Library)] internal static extern StraitStatus strait_call_client_open(Storage client, Storage region, byte[] name, ulong request_hash, uint request_size, ulong answer_hash, uint answer_size);
        [DllImport(Library)] internal static extern StraitStatus strait_call_client_try_call(Storage client, IntPtr request, UIntPtr size, out uint ticket);
        [DllImport(Library)] internal static extern StraitStatus strait_call_client_post(Storage client, IntPtr request, UIntPtr size);
        [DllImport(Library)] internal static extern StraitStatus strait_call_client_wait_timeout(Storage client, uint ticket, IntPtr answer, UIntPtr size, ref ushort code, ulong timeout_ns);
        [DllImport(Library)] internal static extern StraitStatus strait_call_client_cancel(Storage client, uint ticket, out byte may_have_run);
        [DllImport(Library)] internal static extern StraitStatus strait_call_client_close(IntPtr client);

        [DllImport(Library)] internal static extern StraitStatus strait_call_server_open(Storage server, Storage region, byte[] name, ulong request_hash, uint request_size, ulong answer_hash, uint answer_size, byte run_again);
        [DllImport(Library)] internal static extern StraitStatus strait_call_server_next_timeout(Storage server, IntPtr request, UIntPtr size, ref NativeRequest taken, ulong timeout_ns);
        [DllImport(Library)] internal static extern StraitStatus strait_call_server_answer(Storage server, IntPtr answer, UIntPtr size);
        [DllImport(Library)] internal static extern StraitStatus strait_call_server_refuse(Storage server, ushort code);
        [DllImport(Library)] internal static extern StraitStatus strait_call_server_close(IntPtr server);
    }
}
