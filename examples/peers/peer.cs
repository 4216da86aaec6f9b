// A participant written from FORMAT.md: takes the consumer's role of one queue of frames and the producer's of
// another, and sends back whatever comes, until a frame of tag 0 has come.
//
//     peer.exe FILE FROM TO
//
// Named mutexes, events and semaphores are private to a process under mono: between processes use words of the region,
// or locks on its file, as here.
//
// Both roles are taken over from a dead owner. Needs Linux, a little-endian machine of 64 bits, and no wait words
// rung: who sleeps for what it sends looks again by itself.
using System;
using System.IO;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;

unsafe class Region : IDisposable
{
    [StructLayout(LayoutKind.Sequential)]
    struct Flock { public short Type, Whence; public long Start, Length; public int Pid; }
    const int GetLock = 36, SetLock = 37; // F_OFD_GETLK and F_OFD_SETLK
    const short WriteLock = 1, Unlock = 2;
    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    static extern int Fcntl(IntPtr file, int command, ref Flock flock);

    readonly FileStream mapped, tokens, probes;
    readonly MemoryMappedViewAccessor view;
    readonly byte* start;
    public readonly uint Line, Participants, Places, Channels;
    public uint Me;

    public Region(string path)
    {
        // Three descriptions of one file: for the mapping, for the token, and to ask through.
        mapped = Open(path);
        tokens = Open(path);
        probes = Open(path);
        var memory = MemoryMappedFile.CreateFromFile(mapped, null, 0, MemoryMappedFileAccess.ReadWrite,
            HandleInheritability.None, true);
        view = memory.CreateViewAccessor();
        byte* pointer = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        start = pointer + view.PointerOffset;
        Check(BitConverter.IsLittleEndian, "a little-endian machine is needed");
        Check(mapped.Length >= 128 && Load(0) == 0x54525453, "this is no region, or not initialised yet");
        Check(Load(4) == 1, "the region has format version " + Load(4) + ", this program knows 1");
        Check(Load(24) == 0, "the region has features that this program does not know");
        Line = Load(44);
        Participants = Load(48);
        Places = Load(52);
        Channels = Load(56);
        Check(Load(8) == 128 && Load(12) == 128 && Load(16) <= mapped.Length
            && 128 + 128ul * Channels <= Participants && Participants + 64ul * Places <= Load(16), "bad header");
        uint crc = ~0u;
        for (uint at = 0; at < 128 + 128 * Channels; at += 4)
        {
            crc ^= at == 60 ? 0 : Load(at);
            for (int bit = 0; bit < 32; bit++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82F63B78 : crc >> 1;
        }
        Check(~crc == Load(60), "another checksum");
        Join();
    }

    static FileStream Open(string path)
    {
        return new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
    }

    public static void Check(bool condition, string otherwise)
    {
        if (!condition) throw new InvalidDataException(otherwise);
    }

    int* Word(uint offset) { return (int*)(start + offset); }
    public uint Load(uint offset) { return (uint)Volatile.Read(ref *Word(offset)); } // acquire
    public void Store(uint offset, uint value) { Volatile.Write(ref *Word(offset), (int)value); } // release
    bool Swap(uint offset, uint from, uint to)
    {
        return Interlocked.CompareExchange(ref *Word(offset), (int)to, (int)from) == (int)from;
    }
    public void CopyOut(uint offset, byte[] into, uint length)
    {
        Marshal.Copy((IntPtr)(start + offset), into, 0, (int)length);
    }
    public void CopyIn(uint offset, byte[] from, uint length)
    {
        Marshal.Copy(from, 0, (IntPtr)(start + offset), (int)length);
    }

    static Flock Byte(uint identity, short type)
    {
        return new Flock { Type = type, Start = (1L << 40) + identity, Length = 1 };
    }

    bool IsDead(uint identity)
    {
        var asked = Byte(identity, WriteLock);
        return Fcntl(probes.SafeFileHandle.DangerousGetHandle(), GetLock, ref asked) == 0 && asked.Type == Unlock;
    }

    bool SetToken(uint identity, short type)
    {
        var token = Byte(identity, type);
        return Fcntl(tokens.SafeFileHandle.DangerousGetHandle(), SetLock, ref token) == 0;
    }

    void Join()
    {
        for (uint slot = 1; slot <= Places; slot++)
        {
            uint place = Participants + 64 * (slot - 1), state = Load(place), epoch = state & 0xFFFFF;
            if (Load(place + 4) != 0 || state >> 30 > 1) continue; // of another domain, or retired
            if (state >> 30 == 1 && !IsDead(epoch << 9 | slot)) continue;
            if (epoch == 0xFFFFF) { Swap(place, state, 2u << 30); continue; }
            uint identity = epoch + 1 << 9 | slot;
            if (!SetToken(identity, WriteLock)) continue;
            if (Swap(place, state, 1u << 30 | epoch + 1)) { Me = identity; return; }
            SetToken(identity, Unlock);
        }
        throw new InvalidDataException("every place is taken");
    }

    /// The offset of a channel's entry.
    public uint Find(string name)
    {
        for (uint entry = 128; entry < 128 + 128 * Channels; entry += 128)
        {
            var bytes = new byte[32];
            CopyOut(entry, bytes, 32);
            if (Encoding.UTF8.GetString(bytes).TrimEnd('\0') == name) return entry;
        }
        throw new InvalidDataException("there is no channel " + name);
    }

    /// Takes a role: its words are at this offset. Waits while a live owner has it.
    public void Claim(uint role)
    {
        for (;; Thread.Sleep(1))
        {
            uint owner = Load(role);
            if (owner != 0 && !IsDead(owner) || !Swap(role, owner, Me)) continue;
            if (owner != 0) Store(role + 4, Load(role + 4) + 1);
            Store(role + 8, 0);
            return;
        }
    }

    public void Dispose()
    {
        uint slot = Me & 511;
        Store(Participants + 64 * (slot - 1), Me >> 9); // free, of this epoch
        SetToken(Me, Unlock);
        view.SafeMemoryMappedViewHandle.ReleasePointer();
    }
}

/// One end of a queue of frames.
abstract class End
{
    protected const uint Pad = uint.MaxValue, Ready = 1u << 31;
    protected readonly Region Region;
    protected readonly uint Capacity, Maximum, A, B, Data, Role;

    protected End(Region region, string name, bool consumes)
    {
        uint entry = region.Find(name);
        Region.Check(region.Load(entry + 32) == 1, name + " is no queue of frames");
        Region = region;
        Capacity = region.Load(entry + 44);
        Maximum = region.Load(entry + 52);
        A = region.Load(entry + 72);
        B = region.Load(entry + 76);
        Data = region.Load(entry + 84);
        Region.Check(region.Load(entry + (consumes ? 68u : 64u)) == 0, name + " is of another domain");
        Role = region.Load(entry + 80) + (consumes ? Up(12, region.Line) : 0);
        region.Claim(Role);
    }

    protected static uint Up(uint number, uint multiple) { return (number + multiple - 1) / multiple * multiple; }
    protected uint Place(uint position) { return Data + position % Capacity; }
    protected uint ToEnd(uint position) { return Capacity - position % Capacity; }
    public void Leave() { Region.Store(Role, 0); }

    protected uint CheckedLength(uint commit, uint position)
    {
        uint length = commit & ~Ready;
        Region.Check((commit & Ready) != 0 && length <= Maximum && 16 + length <= ToEnd(position), "a lie");
        return length;
    }
}

class Producer : End
{
    uint tail, sequence;

    public Producer(Region region, string name) : base(region, name, false)
    {
        tail = region.Load(A);
        sequence = region.Load(A + 4);
        uint commit;
        for (uint begin = tail; (commit = region.Load(Place(tail))) != 0;)
        {
            if (commit == Pad) tail += ToEnd(tail);
            else
            {
                sequence = region.Load(Place(tail) + 8) + 1;
                tail += 16 + Up(CheckedLength(commit, tail), 16);
            }
            Region.Check(tail - begin <= Capacity, "a walk without an end");
        }
        region.Store(A + 4, sequence);
        region.Store(A, tail);
    }

    public bool TrySend(uint tag, byte[] payload, uint length)
    {
        uint size = 16 + Up(length, 16), pad = size > ToEnd(tail) ? ToEnd(tail) : 0, frame = tail + pad;
        Region.Check(length <= Maximum, "too large");
        if (frame + size + 16 - Region.Load(B) > Capacity) return false;
        Region.Store(Place(frame + size), 0);
        Region.Store(Place(frame) + 4, tag);
        Region.Store(Place(frame) + 8, sequence);
        Region.CopyIn(Place(frame) + 16, payload, length);
        Region.Store(Place(frame), Ready | length);
        if (pad != 0) Region.Store(Place(tail), Pad);
        tail = frame + size;
        Region.Store(A + 4, ++sequence);
        Region.Store(A, tail);
        return true;
    }
}

class Consumer : End
{
    uint position;

    public Consumer(Region region, string name) : base(region, name, true) { position = region.Load(B); }

    /// The length of the next frame, copied to the buffer; -1 if there is none. It stays until it is released.
    public int TryPeek(byte[] buffer, out uint tag)
    {
        uint commit = Region.Load(Place(position));
        if (commit == Pad) commit = Region.Load(Place(position += ToEnd(position)));
        tag = Region.Load(Place(position) + 4);
        if (commit == 0) return -1;
        uint length = CheckedLength(commit, position);
        Region.CopyOut(Place(position) + 16, buffer, length);
        return (int)length;
    }

    public void Release(int length)
    {
        Region.Store(B + 4, Region.Load(Place(position) + 8) + 1); // for display
        position += 16 + Up((uint)length, 16);
        Region.Store(B, position);
    }
}

static class Program
{
    static int Main(string[] words)
    {
        if (words.Length != 3) { Console.Error.WriteLine("peer.exe FILE FROM TO"); return 2; }
        using (var region = new Region(words[0]))
        {
            var rx = new Consumer(region, words[1]);
            var tx = new Producer(region, words[2]);
            Console.WriteLine("participant {0}.{1}", region.Me & 511, region.Me >> 9);
            var buffer = new byte[1 << 16];
            uint tag = 1, count = 0;
            while (tag != 0)
            {
                int length = rx.TryPeek(buffer, out tag);
                if (length < 0) { tag = 1; Thread.Sleep(0); continue; }
                while (!tx.TrySend(tag, buffer, (uint)length)) Thread.Sleep(0);
                rx.Release(length);
                count++;
            }
            Console.WriteLine("{0} frames", count);
            rx.Leave();
            tx.Leave();
        }
        return 0;
    }
}
