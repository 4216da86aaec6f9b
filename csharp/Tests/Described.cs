using System;
using System.Linq;
using Strait;

namespace Tests
{
    /// <summary>Types that a region describes itself.</summary>
    internal static class Described
    {
        [Test]
        internal static void ARegionOfARustProcessIsReadWithoutItsTypes()
        {
            using (var place = new Place())
            using (new Partner("describe", place.Name))
            using (Region region = Region.Open(place.Name))
            using (DescribedConsumer axes = region.OpenDescribedConsumer("axes"))
            using (DescribedReader axis = region.OpenDescribedReader("axis"))
            {
                DescribedType type = axes.Type;
                Assert.Equal("Axis", type.Name, "the name");
                Assert.Equal("{state:u32@0;position:f32@4;corners:[2]{x:f64@0;y:f64@8;size=16}@8;history:[4]i16@40;size=48}", type.Text, "the descriptor");
                string paths = string.Join(" ", type.Fields.Select(field => field.Path + "@" + field.Offset));
                Assert.Equal("state@0 position@4 corners[0].x@8 corners[0].y@16 corners[1].x@24 corners[1].y@32 history@40", paths, "the fields");
                Assert.Equal("mm", type["position"].Unit, "a unit");
                Assert.Equal("mm", type["corners[1].y"].Unit, "a unit within an array");
                Assert.Equal(null, type["corners[1].x"].Unit, "no unit");
                Assert.Equal("From the switch at the end of travel.", type["position"].Help, "help");
                Assert.Equal("faulty", type["state"].Names[9], "a value's name");
                Assert.Equal(4, type["history"].Count, "the elements of an array");

                Assert.That(axes.TryReceive(out DescribedValue sent, Limits.Long), "it was sent");
                Assert.That(axis.TryRead(out DescribedValue latest), "it was published");
                foreach (DescribedValue value in new[] { sent, latest })
                {
                    Assert.Equal<object>(1U, value["state"], "the state");
                    Assert.Equal<object>(0.25F, value["position"], "the position");
                    Assert.Equal<object>(4.5, value["corners[1].y"], "the corner");
                    Assert.That(((short[])value["history"]).SequenceEqual(new short[] { -1, 2, -3, 4 }), "the history");
                }
                Assert.That(!axes.TryReceive(out sent, Limits.Short) && sent == null, "there is no more");
            }
        }

        [Test]
        internal static void APlanOfThisProcessDescribesItsStructs()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, new Plan(Channel.Slots<Nested>("nested", 4), Channel.Mutex<Pair>("pair"), Channel.Compact<uint>("ticks", 4), Channel.Latest<Nested>("again")) { Described = true }))
            {
                string nested = "=Nested " + Shape.Of<Nested>().Text + "\n";
                Assert.Equal(nested + "=Pair " + Shape.Of<Pair>().Text + "\n", region.Description, "the text");
                Assert.Equal(Shape.Of<Nested>().Hash, region.TypeOf("nested").Hash, "the hash");
                Assert.Equal("u32", region.TypeOf("ticks").Fields[0].Scalar, "a number");
                Assert.Equal("Pair", region.TypeOf("pair").Name, "a value under a lock");
                using (LatestWriter<Nested> writer = region.OpenLatestWriter<Nested>("again"))
                using (DescribedReader reader = region.OpenDescribedReader("again"))
                {
                    Assert.That(!reader.TryRead(out DescribedValue value), "nothing yet");
                    writer.Publish(new Nested { Pair = Pair.Of(5), X = -7 });
                    Assert.That(reader.TryRead(out value), "there it is");
                    Assert.Equal<object>(5UL, value["pair.number"], "the number");
                    Assert.Equal<object>(-7, value["x"], "x");
                }
            }
        }

        [Test]
        internal static void WhatIsNotDescribedIsAnError()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, new Plan(Channel.Slots<Pair>("pair", 4), Channel.Frames("log", 4096, 64))))
            {
                Assert.Equal("", region.Description, "there is none");
                Assert.Fails(StraitStatus.Type, () => region.TypeOf("pair"));
                Assert.Fails(StraitStatus.Type, () => region.OpenDescribedConsumer("log"));
                Assert.Fails(StraitStatus.NotFound, () => region.TypeOf("nothing"));
            }
        }

        [Test]
        internal static void DescriptorsThatDoNotAddUpAreRefused()
        {
            Descriptor sound = Descriptor.Parse("{a:u32@0;b:[2]{c:f32@0;size=4}@4;size=12}", 12);
            Assert.Equal(3, sound.Fields.Count, "the fields of a sound one");
            string deep = string.Concat(Enumerable.Repeat("[1]", 100)) + "u8";
            string open = string.Concat(Enumerable.Repeat("{a:", 20000));
            var wrong = new[]
            {
                "", "u33", "u8x", "[0]u8", "[99999999999]u64", "[2]", "{size=0}", "{a:u8@1;size=1}", "{a:u8@0;size=2}",
                "{a:u8@0;b:u8@0;size=1}", "{:u8@0;size=1}", "{a b:u8@0;size=1}", "{a:u8@0;size=1", "{a:u8@0 size=1}",
                "[4096][4096][4096][4096]u8", "[9]u8", deep, open, "{a:u64@0;b:u64@8;size=16}", "[-1]u8", "[+1]u8",
            };
            foreach (string text in wrong)
            {
                Assert.That(Descriptor.Parse(text, 8) == null, "refused: " + text.Substring(0, Math.Min(text.Length, 40)));
            }
            Assert.That(Descriptor.Parse("[1048576]{a:u8@0;size=1}", 1048576) == null, "more fields than anybody reads");
            Assert.That(Descriptor.Parse("u32", 0) == null && Descriptor.Parse("u32", 8) == null, "another size");
        }
    }
}
