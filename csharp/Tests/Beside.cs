using System;
using System.IO;
using System.IO.MemoryMappedFiles;
using System.IO.Pipes;
using System.Text;
using Strait;

namespace Tests
{
    /// <summary>What .NET programs have already goes on beside this library.</summary>
    internal static class Beside
    {
        [Test]
        internal static void AMemoryMappedFileReadsARegionsFile()
        {
            string path = Path.Combine(Path.GetTempPath(), new Place().Name);
            try
            {
                using (Region region = Region.Create(path, Exchange.Plan))
                using (var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read))
                using (MemoryMappedViewAccessor view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read))
                {
                    // Header and directory as FORMAT.md has them.
                    Assert.Equal("STRT", Text(view, 0, 4), "the sign");
                    Assert.Equal(Exchange.Plan.Size, (long)view.ReadUInt32(16), "the total length");
                    long directory = view.ReadUInt32(8);
                    Assert.Equal("there", Text(view, directory, 5), "the first channel's name");
                    Assert.Equal(Shape.Of<Reading>().Hash, view.ReadUInt64(directory + 56), "its type's hash");
                }
            }
            finally
            {
                Region.Remove(path);
            }
        }

        [Test]
        internal static void ANamedPipeClientTalksToARustServer()
        {
            string name = new Place().Name;
            using (new Partner("pipe", name))
            {
                using (var pipe = new NamedPipeClientStream(".", PlaceOf(name), PipeDirection.InOut))
                {
                    pipe.Connect((int)Limits.Long.TotalMilliseconds);
                    byte[] knock = Encoding.ASCII.GetBytes("knock knock");
                    pipe.Write(knock, 0, knock.Length);
                    var answer = new byte[64];
                    int length = 0;
                    for (int part = 1; length < knock.Length && part > 0; length += part)
                    {
                        part = pipe.Read(answer, length, answer.Length - length);
                    }
                    Assert.Equal("knock knock", Encoding.ASCII.GetString(answer, 0, length), "the answer");
                }
            }
        }

        /// <summary>On Unix a pipe is a socket in a folder of its server's user, and .NET takes the path for a name.</summary>
        private static string PlaceOf(string name)
        {
            if (Environment.OSVersion.Platform != PlatformID.Unix)
            {
                return name;
            }
            foreach (string folder in Directory.GetDirectories("/dev/shm", "strait-pipes-*"))
            {
                string path = Path.Combine(folder, name);
                if (File.Exists(path))
                {
                    return path;
                }
            }
            throw new Exception("the partner's socket is nowhere in /dev/shm");
        }

        private static string Text(MemoryMappedViewAccessor view, long at, int length)
        {
            var bytes = new byte[length];
            view.ReadArray(at, bytes, 0, length);
            return Encoding.ASCII.GetString(bytes);
        }
    }
}
