using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Strait;

namespace Tests
{
    /// <summary>The structs of this library against those of strait.h, as layout.c prints them.</summary>
    internal static class Layout
    {
        private static Dictionary<string, int> FromC()
        {
            string file = Environment.GetEnvironmentVariable("STRAIT_LAYOUT");
            Assert.That(file != null, "STRAIT_LAYOUT names the output of layout.c");
            return File.ReadAllLines(file).Select(line => line.Split(' ')).ToDictionary(parts => parts[0], parts => int.Parse(parts[1]));
        }

        [Test]
        internal static void EveryStructIsAsTheHeaderHasIt()
        {
            Dictionary<string, int> c = FromC();
            Type[] structs = typeof(Region).Assembly.GetTypes()
                .Where(type => type.IsValueType && type.Name.StartsWith("Native")).ToArray();
            Assert.Equal(13, structs.Length, "the number of structs");
            foreach (Type type in structs)
            {
                string name = NameInC(type.Name.Substring("Native".Length));
                Assert.Equal(c[name], Marshal.SizeOf(type), "the size of " + name);
                FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
                foreach (FieldInfo field in fields)
                {
                    string path = name + "." + field.Name;
                    Assert.Equal(c[path], (int)Marshal.OffsetOf(type, field.Name), "the offset of " + path);
                }
                int known = c.Keys.Count(path => path.StartsWith(name + "."));
                Assert.Equal(known, fields.Length, "the number of fields of " + name);
            }
        }

        [Test]
        internal static void EveryStorageIsAsLongAsTheHeaderHasIt()
        {
            var words = new Dictionary<string, int>
            {
                { "region", Native.RegionWords },
                { "producer", Native.QueueWords },
                { "consumer", Native.QueueWords },
                { "typed_producer", Native.QueueWords },
                { "typed_consumer", Native.QueueWords },
                { "call_client", Native.QueueWords },
                { "call_server", Native.QueueWords },
                { "lanes_consumer", Native.LanesWords },
                { "typed_lanes_consumer", Native.LanesWords },
                { "latest_writer", Native.ValueWords },
                { "latest_reader", Native.ValueWords },
                { "broadcast_writer", Native.ValueWords },
                { "broadcast_reader", Native.ValueWords },
                { "mutex", Native.ValueWords },
                { "permits", Native.PermitsWords },
                { "semaphore", Native.SemaphoreWords },
            };
            Dictionary<string, int> c = FromC();
            foreach (KeyValuePair<string, int> storage in words)
            {
                Assert.Equal(c["strait_" + storage.Key + "_t"], Native.StorageSize(storage.Value), storage.Key);
            }
        }

        [Test]
        internal static void EveryStatusHasATextOfItsOwn()
        {
            var texts = new HashSet<string>();
            foreach (StraitStatus status in Enum.GetValues(typeof(StraitStatus)))
            {
                string text = StraitException.Of(status, "x").Message;
                Assert.That(!text.Contains("a status that"), status + " is known: " + text);
                Assert.That(texts.Add(text), status + " has a text of its own: " + text);
            }
        }

        [Test]
        internal static void EveryFunctionIsInTheLibrary()
        {
            foreach (MethodInfo function in typeof(Native).GetMethods(BindingFlags.Static | BindingFlags.NonPublic))
            {
                if (function.GetCustomAttribute<DllImportAttribute>() != null)
                {
                    // Throws an EntryPointNotFoundException.
                    Marshal.Prelink(function);
                }
            }
        }

        [Test]
        internal static void AShapeIsWhatRustMakesOfTheSameFields()
        {
            Assert.Equal("{time_ns:u64@0;angle_rad:f64@8;size=16}", Shape.Of<Reading>().Text, "a struct");
            Assert.Equal(Shape.Of<Reading>().Hash, Shape.Of<Plain>().Hash, "the hash with names of one's own");
            string nested = "{pair:{number:u64@0;inverse:u64@8;size=16}@0;history:[4]f32@16;x:i32@32;mode:u8@36;rest0:u8@37;rest1:u16@38;size=40}";
            Assert.Equal(nested, Shape.Of<Nested>().Text, "nested");
            Assert.Equal(40, Shape.Of<Nested>().Size, "its size");
            Assert.Equal("f64", Shape.Of<double>().Text, "a scalar");
        }

        [Test]
        internal static void ATypeThatCannotBeSharedIsRefused()
        {
            Assert.That(Assert.Fails(StraitStatus.Type, () => Shape.Of<Padded>()).Message.Contains("Large"), "the field is named");
            Assert.Fails(StraitStatus.Type, () => Shape.Of<PaddedAtEnd>());
            Assert.Fails(StraitStatus.Type, () => Shape.Of<Packed>());
            Assert.Fails(StraitStatus.Type, () => Shape.Of<WithBool>());
            Assert.Fails(StraitStatus.Type, () => Shape.Of<Empty>());
            Assert.Fails(StraitStatus.Type, () => Shape.Of<char>());
            Assert.Fails(StraitStatus.Type, () => Shape.Of<bool>());
            Assert.Fails(StraitStatus.Type, () => Shape.Of<decimal>());
        }

        private static string NameInC(string name)
        {
            var text = new StringBuilder("strait");
            foreach (char letter in name)
            {
                text.Append(char.IsUpper(letter) ? "_" : "").Append(char.ToLowerInvariant(letter));
            }
            return text.Append("_t").ToString();
        }
    }
}
