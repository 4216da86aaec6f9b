using System;
using System.Threading;
using System.Threading.Tasks;
using Strait;

namespace Tests
{
    /// <summary>Mutexes, semaphores and permits.</summary>
    internal static class Locks
    {
        [Test]
        internal static void ALockComesBackFromAKilledRustProcess()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, Exchange.Plan))
            using (RecoveringMutex<Pair> pair = region.OpenMutex<Pair>("pair"))
            {
                using (var partner = new Partner("hold", place.Name))
                {
                    Assert.That(pair.TryLock() == null, "the partner has the lock");
                    Assert.That(pair.TryLock(Limits.Short) == null, "it keeps it");
                    partner.Kill();
                }
                using (LockedValue<Pair> held = pair.TryLock(Limits.Long))
                {
                    Assert.That(held.OwnerDied && !held.AwaitsRepair, "it died between two commits");
                    Assert.Equal(7UL, held.Value.Number, "what was committed last");
                    Assert.Equal(~7UL, held.Value.Inverse, "the other half of it");
                    Assert.Equal(1L, held.Takeovers, "the takeovers");
                    held.Value = Pair.Of(9);
                }
                using (LockedValue<Pair> held = pair.Lock())
                {
                    Assert.That(!held.OwnerDied, "the next one finds it whole");
                    Assert.Equal(9UL, held.Value.Number, "the value that was set");
                }
            }
        }

        [Test]
        internal static void ATornValueIsRepairedOrTheLockGivenUp()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, Exchange.Plan))
            using (RecoveringMutex<Pair> pair = region.OpenMutex<Pair>("pair"))
            {
                using (var partner = new Partner("tear", place.Name))
                {
                    partner.Kill();
                }
                using (LockedValue<Pair> held = pair.Lock())
                {
                    Assert.That(held.OwnerDied && held.AwaitsRepair, "it died in the middle of an edit");
                    held.Value = Pair.Of(1);
                    held.MarkConsistent();
                    held.Unlock();
                    Assert.Throws<ObjectDisposedException>(() => held.Value.ToString());
                }
                using (var partner = new Partner("tear", place.Name))
                {
                    partner.Kill();
                }
                pair.Lock().Dispose();
                Assert.Fails(StraitStatus.Poisoned, () => pair.Lock());
                using (LockedValue<Pair> held = pair.Reinitialise(Pair.Of(2)))
                {
                    Assert.Equal(2UL, held.Value.Number, "the new value");
                }
                Assert.Fails(StraitStatus.WrongState, () => pair.Reinitialise(Pair.Of(3)));
            }
        }

        [Test]
        internal static void TwoParticipantsExcludeEachOther()
        {
            using (var place = new Place())
            using (Region mine = Region.Create(place.Name, Exchange.Plan))
            {
                Action<Region> count = region =>
                {
                    using (RecoveringMutex<Pair> pair = region.OpenMutex<Pair>("pair"))
                    {
                        for (int n = 0; n < 500; n++)
                        {
                            using (LockedValue<Pair> held = pair.Lock())
                            {
                                held.Value = Pair.Of(held.Value.Number + 1);
                            }
                        }
                    }
                };
                Task other = Task.Run(() =>
                {
                    using (Region theirs = Region.Open(place.Name))
                    {
                        count(theirs);
                    }
                });
                count(mine);
                other.Wait();
                using (RecoveringMutex<Pair> pair = mine.OpenMutex<Pair>("pair"))
                using (LockedValue<Pair> held = pair.LockAsync().Result)
                {
                    Assert.Equal(1000UL, held.Value.Number, "the sum");
                    using (RecoveringMutex<Pair> again = mine.OpenMutex<Pair>("pair"))
                    {
                        Assert.Fails(StraitStatus.Deadlock, () => again.Lock());
                    }
                }
            }
        }

        [Test]
        internal static void ASemaphoreCounts()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, new Plan(Channel.Semaphore("ticks", 1, 3))))
            using (WordSemaphore ticks = region.OpenSemaphore("ticks"))
            using (WordSemaphore other = region.OpenSemaphore("ticks"))
            {
                Assert.That(ticks.TryAcquire(), "the first");
                Assert.That(!ticks.TryAcquire(Limits.Short), "there is no second");
                Task<bool> waiting = ticks.AcquireAsync();
                other.Release();
                Assert.That(waiting.Wait(Limits.Long) && waiting.Result, "the sleeper got it");
                other.Release(3);
                Assert.Equal(3L, ticks.Count, "the count");
                Assert.Fails(StraitStatus.Overflow, () => other.Release());
                using (var cancel = new CancellationTokenSource())
                {
                    cancel.Cancel();
                    Assert.Throws<OperationCanceledException>(() => ticks.TryAcquire(Limits.Long, cancel.Token));
                }
                Assert.Equal(3L, ticks.Count, "a cancelled wait takes none");
            }
        }

        [Test]
        internal static void PermitsAreAsManyAsPlanned()
        {
            using (var place = new Place())
            using (Region region = Region.Create(place.Name, new Plan(Channel.Permits("cranes", 1))))
            using (Permits one = region.OpenPermits("cranes"))
            {
                Assert.That(one.TryAcquire(out Permit permit, Limits.Long), "the first");
                Assert.Equal(0, permit.Index, "its index");
                Assert.Fails(StraitStatus.WrongState, () => one.TryAcquire(out permit, Limits.Short));
                using (Region other = Region.Open(place.Name))
                using (Permits two = other.OpenPermits("cranes"))
                {
                    Assert.That(!two.TryAcquire(out permit, Limits.Short), "there is no second");
                    one.Release();
                    Assert.That(two.TryAcquire(out permit, Limits.Long), "it was given back");
                }
                Assert.Fails(StraitStatus.WrongState, () => one.Release());
            }
        }
    }
}
