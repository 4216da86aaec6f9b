using System;
using System.Threading;
using System.Threading.Tasks;
using Strait;

namespace Tests
{
    /// <summary>Events, and waiting for several receivers at once.</summary>
    internal static class Waits
    {
        private static Plan Plan => new Plan(
            Channel.Frames("log", 4096, 64),
            Channel.Slots<Pair>("pairs", 8),
            Channel.Latest<Pair>("state"),
            Channel.Broadcast<Pair>("heard", 8),
            Channel.Slots<Pair>("lanes", 8).Producers(2),
            Channel.Calls<Pair, Pair>("ask", 2),
            Channel.Event("limit"),
            Channel.Slots<Pair>("silent", 8).NeverSleeping());

        [Test]
        internal static void EventsAreCountedAndAwaited()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, Plan))
            using (EventNotifier notifier = region.OpenNotifier("limit"))
            {
                notifier.Notify(1);
                using (EventListener listener = region.OpenListener("limit"))
                {
                    Assert.That(!listener.TryWait(out Notified notified), "what was before is no news");
                    Assert.Equal(1UL, listener.Total, "but counted");
                    Assert.That(!listener.TryWait(out notified, Limits.Short), "nothing comes");
                    notifier.Notify(7);
                    Assert.Equal(3UL, notifier.Notify(8), "how often");
                    Assert.That(listener.TryWait(out notified), "it came");
                    Assert.Equal(2UL, notified.Count, "how often since");
                    Assert.Equal(8U, notified.Code, "the newest code");
                    Task<Notified> next = listener.WaitAsync();
                    notifier.Notify(9);
                    Assert.That(next.Wait(Limits.Long), "the next came");
                    Assert.Equal(9U, next.Result.Code, "its code");
                    Assert.Fails(StraitStatus.Busy, () => region.OpenNotifier("limit"));
                    Assert.Fails(StraitStatus.Type, () => region.OpenListener("state"));
                }
            }
        }

        [Test]
        internal static void ReceiversOfAllKindsAreWaitedForAtOnce()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, Plan))
            using (Region other = Region.Open(place.Name))
            using (Consumer log = region.OpenConsumer("log"))
            using (Consumer<Pair> pairs = region.OpenConsumer<Pair>("pairs"))
            using (LatestReader<Pair> state = region.OpenLatestReader<Pair>("state"))
            using (BroadcastReader<Pair> heard = region.OpenBroadcastReader<Pair>("heard"))
            using (LanesConsumer<Pair> lanes = region.OpenLanesConsumer<Pair>("lanes"))
            using (CallServer<Pair, Pair> server = region.OpenCallServer<Pair, Pair>("ask"))
            using (EventListener limit = region.OpenListener("limit"))
            using (Producer toLog = other.OpenProducer("log"))
            using (Producer<Pair> toPairs = other.OpenProducer<Pair>("pairs"))
            using (LatestWriter<Pair> toState = other.OpenLatestWriter<Pair>("state"))
            using (BroadcastWriter<Pair> toHeard = other.OpenBroadcastWriter<Pair>("heard"))
            using (CallClient<Pair, Pair> client = other.OpenCallClient<Pair, Pair>("ask"))
            using (EventNotifier toLimit = other.OpenNotifier("limit"))
            {
                var all = new Endpoint[] { log, pairs, state, heard, lanes, server, limit };
                Assert.Equal(-1, region.WaitAny(Limits.Short, CancellationToken.None, all), "nothing is there");
                var sends = new Action[]
                {
                    () => toLog.TrySend(new byte[] { 1 }, 0),
                    () => toPairs.TrySend(Pair.Of(1)),
                    () => toState.Publish(Pair.Of(1)),
                    () => toHeard.Publish(Pair.Of(1)),
                    null,
                    () => client.TryPost(Pair.Of(1)),
                    () => toLimit.Notify(3),
                };
                for (int index = sends.Length - 1; index >= 0; index--)
                {
                    if (sends[index] != null)
                    {
                        Task<int> found = region.WaitAnyAsync(CancellationToken.None, all[index]);
                        sends[index]();
                        Assert.That(found.Wait(Limits.Long), "it was found");
                        Assert.Equal(index, region.WaitAny(Limits.Long, CancellationToken.None, all), "the first that has something");
                    }
                }
                Assert.That(limit.TryWait(out Notified notified) && notified.Code == 3, "what it has is still there");
            }
        }

        [Test]
        internal static void AWaitForSeveralEndsWhenItIsToldTo()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, Plan))
            using (Consumer<Pair> pairs = region.OpenConsumer<Pair>("pairs"))
            using (EventListener limit = region.OpenListener("limit"))
            using (var source = new CancellationTokenSource())
            {
                Task<int> waiting = region.WaitAnyAsync(source.Token, pairs, limit);
                Thread.Sleep(100);
                Assert.Fails(StraitStatus.InUse, () => pairs.TryReceive(out Pair inUse));
                source.Cancel();
                var ended = Assert.Throws<AggregateException>(() => waiting.Wait());
                Assert.That(ended.InnerException is OperationCanceledException, "it was cancelled");
                waiting = region.WaitAnyAsync(CancellationToken.None, pairs, limit);
                Thread.Sleep(100);
                limit.Dispose();
                ended = Assert.Throws<AggregateException>(() => waiting.Wait());
                Assert.That(ended.InnerException is ObjectDisposedException, "a receiver was disposed of: " + ended.InnerException);
                Assert.That(!pairs.TryReceive(out Pair there), "the other is free again");
            }
        }

        [Test]
        internal static void MistakesOfWaitsAreErrors()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, Plan))
            using (Consumer<Pair> pairs = region.OpenConsumer<Pair>("pairs"))
            using (Consumer<Pair> silent = region.OpenConsumer<Pair>("silent"))
            using (Producer<Pair> producer = region.OpenProducer<Pair>("pairs"))
            {
                CancellationToken none = CancellationToken.None;
                Assert.Throws<ArgumentException>(() => region.WaitAny(TimeSpan.Zero, none));
                Assert.Throws<ArgumentException>(() => region.WaitAny(TimeSpan.Zero, none, new Endpoint[33]));
                Assert.Throws<ArgumentException>(() => region.WaitAny(TimeSpan.Zero, none, pairs, null));
                Assert.Throws<ArgumentException>(() => region.WaitAny(TimeSpan.Zero, none, pairs, producer));
                Assert.Throws<ArgumentNullException>(() => region.WaitAny(TimeSpan.Zero, none, null));
                Assert.Throws<ArgumentOutOfRangeException>(() => region.WaitAny(TimeSpan.FromSeconds(-2), none, pairs));
                Assert.Fails(StraitStatus.InUse, () => region.WaitAny(TimeSpan.Zero, none, pairs, pairs));
                Assert.Fails(StraitStatus.NoDoorbell, () => region.WaitAny(TimeSpan.Zero, none, pairs, silent));
                producer.Send(Pair.Of(3));
                Assert.Equal(0, region.WaitAny(TimeSpan.Zero, none, pairs), "all goes on");
            }
        }
    }
}
