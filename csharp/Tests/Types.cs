using System.Runtime.InteropServices;
using Strait;

namespace Tests
{
    /// <summary>As examples/partner.rs declares it.</summary>
    internal struct Reading
    {
        public ulong TimeNs;
        public double AngleRad;
    }

    /// <summary>The same with the fields' names in Rust, and of one's own.</summary>
    internal struct Plain
    {
        public ulong time_ns;
        [SharedName("angle_rad")] public double Angle;
    }

    /// <summary>A number that shows whether it is whole.</summary>
    internal struct Pair
    {
        public ulong Number;
        public ulong Inverse;

        internal static Pair Of(ulong number) => new Pair { Number = number, Inverse = ~number };
    }

    internal enum Mode : byte
    {
        Off,
        On,
    }

    internal unsafe struct Nested
    {
        public Pair Pair;
        public fixed float History[4];
        public int X;
        public Mode Mode;
        public byte Rest0;
        public ushort Rest1;
    }

    internal struct Padded
    {
        public byte Small;
        public ulong Large;
    }

    internal struct PaddedAtEnd
    {
        public ulong Large;
        public byte Small;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    internal struct Packed
    {
        public byte Small;
        public ulong Large;
    }

    internal struct WithBool
    {
        public bool Is;
    }

    internal struct Empty
    {
    }
}
