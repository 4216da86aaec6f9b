using System;
using System.Threading;
using System.Threading.Tasks;
using Strait;

namespace Tests
{
    /// <summary>Latest values, broadcasts, lanes, calls.</summary>
    internal static class Patterns
    {
        [Test]
        internal static void TheLatestValueIsReadAndAwaited()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, new Plan(Channel.Latest<Pair>("state"), Channel.Latest<ulong>("other"))))
            using (LatestWriter<Pair> writer = region.OpenLatestWriter<Pair>("state"))
            using (LatestReader<Pair> reader = region.OpenLatestReader<Pair>("state"))
            {
                Assert.That(!reader.TryRead(out Reading<Pair> reading), "nothing yet");
                Assert.That(!reader.TryWaitForChange(out reading, Limits.Short), "nothing comes");
                Assert.Equal(1UL, writer.Publish(Pair.Of(1), 9), "the number");
                Assert.That(reader.TryRead(out reading) && reading.IsNew, "the first");
                Assert.Equal(1UL, reading.Value.Number, "its value");
                Assert.Equal(9U, reading.Tag, "its tag");
                Assert.That(reader.TryRead(out reading) && !reading.IsNew, "the same again");
                Assert.That(!reader.TryWaitForChange(out reading, Limits.Short), "no change");
                Task<Reading<Pair>> change = reader.ChangeAsync();
                writer.Publish(Pair.Of(2));
                Assert.That(change.Wait(Limits.Long), "it came");
                Assert.Equal(2UL, change.Result.Value.Number, "the change");
                Assert.Fails(StraitStatus.Type, () => region.OpenLatestReader<Pair>("other"));
            }
        }

        [Test]
        internal static void ABroadcastReachesAllAndTellsLosses()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, new Plan(Channel.Broadcast<Pair>("heard", 8))))
            using (BroadcastWriter<Pair> writer = region.OpenBroadcastWriter<Pair>("heard"))
            using (BroadcastReader<Pair> one = region.OpenBroadcastReader<Pair>("heard"))
            using (BroadcastReader<Pair> other = region.OpenBroadcastReader<Pair>("heard", BroadcastStart.Oldest))
            {
                Task<Reading<Pair>> first = one.ReceiveAsync();
                writer.Publish(Pair.Of(1));
                Assert.That(first.Wait(Limits.Long), "it came");
                ulong received = 0;
                for (ulong n = 2; n <= 100; n++)
                {
                    writer.Publish(Pair.Of(n));
                    Assert.That(one.TryReceive(out Reading<Pair> reading), "each to one that keeps up");
                    Assert.Equal(n, reading.Value.Number, "in order");
                }
                while (other.TryReceive(out Reading<Pair> late))
                {
                    received++;
                    Assert.Equal(~late.Value.Number, late.Value.Inverse, "a whole value");
                }
                Assert.Equal(0UL, one.Lost, "lost by the quick one");
                Assert.Equal(100UL, received + other.Lost, "received and lost by the slow one");
                Assert.That(other.Lost >= 92, "the ring holds 8");
            }
        }

        [Test]
        internal static void LanesComeTogetherInOneConsumer()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, new Plan(
                Channel.Slots<Pair>("orders", 16).Producers(3), Channel.Frames("log", 1024, 32).Producers(2, 1))))
            using (Producer<Pair> first = region.OpenProducerLane<Pair>("orders", 2))
            using (Producer<Pair> second = region.OpenProducerLane<Pair>("orders"))
            using (LanesConsumer<Pair> orders = region.OpenLanesConsumer<Pair>("orders"))
            {
                Assert.Equal(2, first.Lane, "the lane asked for");
                Assert.Fails(StraitStatus.Busy, () => region.OpenProducerLane<Pair>("orders", 2));
                Assert.Fails(StraitStatus.NotFound, () => region.OpenProducerLane<Pair>("orders", 3));
                first.Send(Pair.Of(1));
                second.Send(Pair.Of(2));
                ulong sum = 0;
                int lanes = 0;
                for (int n = 0; n < 2; n++)
                {
                    Assert.That(orders.TryReceive(out Pair pair, out int lane, Limits.Long), "it came");
                    sum += pair.Number;
                    lanes += lane;
                }
                Assert.Equal(3UL, sum, "both values");
                Assert.Equal(first.Lane + second.Lane, lanes, "both lanes");
                Assert.Equal(3, orders.Lane(0).Lanes, "the number of lanes");
                Assert.Equal(PeerStatus.Present, orders.Lane(2).Peer, "the producer of lane 2");
                Assert.That(!orders.TryReceive(out Pair none, out int nowhere, Limits.Short), "nothing more");

                using (LanesConsumer log = region.OpenLanesConsumer("log", new ConsumerOptions(), 4))
                using (Producer urgent = region.OpenProducerLane("log", 0))
                {
                    urgent.Send(new byte[] { 1, 2, 3 }, 5);
                    Frame frame = log.ReceiveAsync().Result;
                    Assert.Equal(3, frame.Payload.Length, "its length");
                    Assert.Equal(5U, frame.Tag, "its tag");
                    Assert.Equal(0, frame.Lane, "its lane");
                    Assert.Equal(2, log.Lane(0).Lanes, "the number of lanes");
                    Assert.Throws<StraitException>(() => log.Lane(7));
                }
            }
        }

        [Test]
        internal static void CallsAreServedRefusedAndGivenUp()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, new Plan(Channel.Calls<ulong, double>("ask", 2))))
            using (CallClient<ulong, double> client = region.OpenCallClient<ulong, double>("ask"))
            using (CallServer<ulong, double> server = region.OpenCallServer<ulong, double>("ask"))
            {
                Assert.That(!server.TryNext(out Request<ulong> request, Limits.Short), "no request yet");
                Assert.Fails(StraitStatus.WrongState, () => server.Answer(1.0));
                Task<double> answer = client.CallAsync(4);
                Assert.That(server.TryNext(out request, Limits.Long), "a request");
                Assert.Equal(4UL, request.Value, "its value");
                Assert.That(!request.IsPost && !request.IsAgain, "a call, for the first time");
                server.Answer(2.0);
                Assert.That(answer.Wait(Limits.Long), "it was answered");
                Assert.Equal(2.0, answer.Result, "the answer");

                Assert.That(client.TryPost(5), "posted");
                Assert.That(server.TryNext(out request, Limits.Long) && request.IsPost, "a post");
                server.Answer(0.0);

                // Each of these gives its place back, and there are only two places.
                for (int n = 0; n < 5; n++)
                {
                    Assert.Fails(StraitStatus.TimedOut, () => client.Call(6, Limits.Short));
                    while (server.TryNext(out request, TimeSpan.Zero))
                    {
                        server.Refuse(1);
                    }
                }
                using (var cancel = new CancellationTokenSource(Limits.Short))
                {
                    Assert.Throws<OperationCanceledException>(() => client.Call(7, Limits.Long, cancel.Token));
                }
            }
        }
    }
}
