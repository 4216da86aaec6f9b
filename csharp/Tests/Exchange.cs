using System;
using System.Threading;
using System.Threading.Tasks;
using Strait;

namespace Tests
{
    /// <summary>Messages, within this process and with a Rust process.</summary>
    internal static class Exchange
    {
        internal static readonly Plan Plan = new Plan(
            Channel.Slots<Reading>("there", 64),
            Channel.Slots<Reading>("back", 64),
            Channel.Mutex<Pair>("pair"),
            Channel.Calls<Reading, Reading>("ask", 4));

        [Test]
        internal static void TypedMessagesGoToARustProcessAndBack()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, Plan))
            using (new Partner("echo", place.Name))
            using (Producer<Reading> there = region.OpenProducer<Reading>("there"))
            using (Consumer<Reading> back = region.OpenConsumer<Reading>("back"))
            {
                for (ulong n = 0; n < 1000; n++)
                {
                    Assert.That(there.TrySend(new Reading { TimeNs = n, AngleRad = n }, Limits.Long), "sent in time");
                    Assert.That(back.TryReceive(out Reading reading, Limits.Long), "received in time");
                    Assert.Equal(n, reading.TimeNs, "the time");
                    Assert.Equal(2.0 * n, reading.AngleRad, "the angle");
                }
            }
        }

        [Test]
        internal static void AKilledRustProcessIsSeenAndSucceeded()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, Plan))
            using (Producer<Reading> there = region.OpenProducer<Reading>("there"))
            {
                using (var first = new Partner("echo", place.Name))
                {
                    Assert.Equal(PeerStatus.Present, there.End.Peer, "the peer before");
                    first.Kill();
                    Assert.Equal(PeerStatus.Dead, there.End.Peer, "the peer after the kill");
                }
                for (ulong n = 0; n < 3; n++)
                {
                    there.Send(new Reading { TimeNs = n, AngleRad = 1 });
                }
                using (new Partner("echo", place.Name))
                using (Consumer<Reading> back = region.OpenConsumer<Reading>("back"))
                {
                    for (ulong n = 0; n < 3; n++)
                    {
                        Assert.Equal(n, back.ReceiveAsync().Result.TimeNs, "what was sent while nobody was there");
                    }
                }
            }
        }

        [Test]
        internal static void AConsumerOfThisProcessTakesOverFromADeadOne()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, Plan))
            {
                using (var partner = new Partner("echo", place.Name))
                {
                    StraitException busy = Assert.Fails(StraitStatus.Busy, () => region.OpenConsumer<Reading>("there"));
                    Assert.That(busy.Message.Contains("there"), "the channel is named: " + busy.Message);
                    partner.Kill();
                }
                using (Consumer<Reading> there = region.OpenConsumer<Reading>("there"))
                {
                    Assert.That(there.End.TakenOverFrom != 0, "taken over from the dead one");
                }
            }
        }

        [Test]
        internal static void ARustProcessAnswersCallsAndDies()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, Plan))
            using (CallClient<Reading, Reading> client = region.OpenCallClient<Reading, Reading>("ask"))
            using (var partner = new Partner("serve", place.Name))
            {
                Reading answer = client.Call(new Reading { TimeNs = 41 }, Limits.Long);
                Assert.Equal(42UL, answer.TimeNs, "the answer");
                answer = client.CallAsync(new Reading { TimeNs = 6 }).Result;
                Assert.Equal(7UL, answer.TimeNs, "the answer awaited");
                StraitException refused = Assert.Fails(
                    StraitStatus.Refused, () => client.Call(new Reading { AngleRad = -1 }, Limits.Long));
                Assert.Equal((ushort)7, refused.Code, "the code");
                partner.Kill();
                Assert.Fails(StraitStatus.DidNotRun, () => client.Call(new Reading(), Limits.Long));
            }
        }

        [Test]
        internal static void FramesOfAnyLengthComeAsTheyWereSent()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, new Plan(Channel.Frames("log", 4096, 256))))
            using (Producer log = region.OpenProducer("log"))
            using (Consumer read = region.OpenConsumer("log", new ConsumerOptions { AtMostOnce = true, ReleaseEvery = 4 }))
            {
                for (int length = 0; length <= 256; length++)
                {
                    var payload = new byte[length];
                    new Random(length).NextBytes(payload);
                    Assert.That(log.TrySend(payload, (uint)length), "there is space");
                    Assert.That(read.TryReceive(out Frame frame), "it is there");
                    Assert.Equal(Convert.ToBase64String(payload), Convert.ToBase64String(frame.Payload), "the payload");
                    Assert.Equal((uint)length, frame.Tag, "the tag");
                }
                Assert.Fails(StraitStatus.TooLarge, () => log.TrySend(new byte[257]));
                log.Send(new byte[1]);
                read.Skip();
                Assert.That(!read.TryReceive(out Frame none), "the frame was skipped");
                while (log.TrySend(new byte[256]))
                {
                }
                Assert.That(!log.TrySend(new byte[256], 0, Limits.Short), "a full queue is a time-out");
                Assert.Equal(256, log.End.MaxLen, "the longest");
            }
        }

        [Test]
        internal static void WaitsEndInTimeByTokensAndByDispose()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, Plan))
            using (Producer<Reading> there = region.OpenProducer<Reading>("there"))
            {
                Consumer<Reading> read = region.OpenConsumer<Reading>("there");
                Assert.That(!read.TryReceive(out Reading nothing, Limits.Short), "a time-out");
                using (var cancel = new CancellationTokenSource(Limits.Short))
                {
                    Assert.Throws<OperationCanceledException>(() => read.Receive(cancel.Token));
                    AggregateException ended = Assert.Throws<AggregateException>(() => read.ReceiveAsync(cancel.Token).Wait());
                    Assert.That(ended.InnerException is OperationCanceledException, "cancelled before it began");
                }
                // What comes after a cancelled wait is not lost.
                there.Send(new Reading { TimeNs = 5 });
                Assert.Equal(5UL, read.Receive().TimeNs, "the value");

                Task<Reading> waiting = read.ReceiveAsync();
                Thread.Sleep(Limits.Short);
                Assert.Fails(StraitStatus.InUse, () => read.TryReceive(out nothing));
                read.Dispose();
                AggregateException error = Assert.Throws<AggregateException>(() => waiting.Wait(Limits.Long));
                Assert.That(error.InnerException is ObjectDisposedException, "disposed of: " + error.InnerException);
            }
        }
    }
}
