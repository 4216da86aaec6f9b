using System;
using System.Threading;
using Strait;

namespace Tests
{
    /// <summary>Wrong arguments and wrong order: each an exception that says what is wrong, and never a crash.</summary>
    internal static class Mistakes
    {
        [Test]
        internal static void WrongArgumentsAreExceptions()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, Exchange.Plan))
            {
                Assert.Throws<ArgumentNullException>(() => Region.Create(null, Exchange.Plan));
                Assert.Throws<ArgumentNullException>(() => Region.Create(place.Name, null));
                Assert.Throws<ArgumentNullException>(() => region.OpenConsumer<Reading>(null));
                Assert.Throws<ArgumentNullException>(() => new Plan(null));
                Assert.Throws<ArgumentNullException>(() => Channel.Frames(null, 64, 8));
                Assert.Throws<ArgumentException>(() => new Plan(new Channel[1]));
                Assert.Throws<ArgumentException>(() => Region.Open("a\0b"));
                Assert.Throws<ArgumentOutOfRangeException>(() => Channel.Frames("x", -1, 8));
                Assert.Throws<ArgumentOutOfRangeException>(() => region.OpenProducerLane("there", -1));
                Assert.Throws<ArgumentOutOfRangeException>(() => Region.Open(place.Name, new RegionOptions { Mode = -1 }));

                Assert.Fails(StraitStatus.AlreadyExists, () => Region.Create(place.Name, Exchange.Plan));
                Assert.Fails(StraitStatus.NotFound, () => Region.Open(place.Name + "-none"));
                Assert.Fails(StraitStatus.BadName, () => Region.Open(""));
                Assert.Fails(StraitStatus.BadPlan, () => Region.Create(place.Name + "-bad", new Plan(Channel.Frames("x", 100, 8))));
                Assert.Fails(StraitStatus.BadPlan, () => Region.Create(place.Name + "-bad", new Plan(new Channel[0]) { Line = 3 }));
                Assert.Fails(StraitStatus.NotFound, () => region.OpenConsumer<Reading>("nowhere"));
                Assert.Fails(StraitStatus.Kind, () => region.OpenConsumer("there"));
                Assert.Fails(StraitStatus.Kind, () => region.OpenSemaphore("pair"));
                Assert.Fails(StraitStatus.Type, () => region.OpenConsumer<Pair>("there"));
                Assert.Fails(StraitStatus.Type, () => region.OpenMutex<ulong>("pair"));
                Assert.Fails(StraitStatus.Type, () => region.OpenProducer<Padded>("there"));
                using (Consumer<Reading> there = region.OpenConsumer<Reading>("there"))
                {
                    Assert.Fails(StraitStatus.Busy, () => region.OpenConsumer<Reading>("there"));
                    Assert.Throws<ArgumentOutOfRangeException>(
                        () => there.TryReceive(out Reading reading, TimeSpan.FromSeconds(-5)));
                    Assert.That(!there.TryReceive(out Reading none, TimeSpan.FromTicks(1)), "a tick is a time-out too");
                }
                using (Region looks = Region.Open(place.Name, new RegionOptions { ReadOnly = true }))
                {
                    Assert.Equal(0L, looks.Ident, "one that only looks has no identity");
                    Assert.Fails(StraitStatus.ReadOnly, () => looks.OpenProducer<Reading>("there"));
                }
            }
        }

        [Test]
        internal static void ClosedObjectsAreExceptions()
        {
            using (var place = new Place())
            {
                Region region = Region.Create(place.Name, Exchange.Plan);
                Producer<Reading> there = region.OpenProducer<Reading>("there");
                region.Dispose();
                region.Dispose();
                Assert.Throws<ObjectDisposedException>(() => region.Ident.ToString());
                Assert.Throws<ObjectDisposedException>(() => region.OpenMutex<Pair>("pair"));
                Assert.That(there.TrySend(new Reading()), "endpoints go on after their region");
                there.Dispose();
                there.Dispose();
                var closed = Assert.Throws<ObjectDisposedException>(() => there.TrySend(new Reading()));
                Assert.Equal("the producer `there`", closed.ObjectName, "it says what was disposed of");

                RecoveringMutex<Pair> pair = Region.Open(place.Name).OpenMutex<Pair>("pair");
                LockedValue<Pair> held = pair.Lock();
                pair.Dispose();
                held.Dispose();
                held.Dispose();
                Assert.Throws<ObjectDisposedException>(() => held.Value = new Pair());
            }
        }

        [Test]
        internal static void WhatIsForgottenIsClosedByTheCollector()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, Exchange.Plan))
            {
                // In a thread of its own, so that no frame of this one keeps it.
                var forgetful = new Thread(() =>
                {
                    Region mine = Region.Open(place.Name);
                    mine.OpenConsumer<Reading>("there").TryReceive(out Reading none);
                    mine.OpenMutex<Pair>("pair").Lock().Value = Pair.Of(1);
                });
                forgetful.Start();
                forgetful.Join();
                DateTime end = DateTime.UtcNow + Limits.Long;
                for (;;)
                {
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                    try
                    {
                        region.OpenConsumer<Reading>("there").Dispose();
                        break;
                    }
                    catch (StraitException error) when (error.Status == StraitStatus.Busy && DateTime.UtcNow < end)
                    {
                        Thread.Sleep(10);
                    }
                }
            }
        }

        [Test]
        internal static void ARegionShowsWhatItHolds()
        {
            using (var place = new Place())
            using (Region region = Region.OpenOrCreate(place.Name, Exchange.Plan))
            using (Region again = Region.OpenOrCreate(place.Name, Exchange.Plan))
            {
                Assert.That(region.Ident != 0 && region.Ident != again.Ident, "two participants");
                Assert.Equal(4, region.Channels.Count, "the channels");
                Assert.Equal("there", region.Channels[0].Name, "the first");
                Assert.Equal(ChannelKind.Slots, region.Channels[0].Kind, "its kind");
                Assert.Equal(Shape.Of<Reading>().Hash, region.Channels[0].TypeHash, "its type");
                Assert.That(Exchange.Plan.Size > 4 * 64 * 16, "the plan's size");
                Assert.That(region.IsCurrent, "the name leads to it");
                Region.Remove(place.Name);
                Assert.That(!region.IsCurrent, "the name is gone");
            }
        }
    }
}
