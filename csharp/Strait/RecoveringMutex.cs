using System;
using System.Threading;
using System.Threading.Tasks;

namespace Strait
{
    /// <summary>
    /// A value under a lock that survives its owner: if that dies, the next one gets the lock, with the value as it was
    /// committed last.
    /// </summary>
    public sealed class RecoveringMutex<T> : Endpoint where T : unmanaged
    {
        internal RecoveringMutex(Region region, string name)
            : base("the mutex", name, Native.ValueWords, Native.strait_mutex_close, region.Handle)
        {
            Shape shape = Shape.Of<T>();
            Opened(Native.strait_mutex_open(Handle, region.Handle, Bytes.Text(name, nameof(name)), shape.Hash, (uint)shape.Size));
        }

        /// <summary>Locks, if nobody alive has the lock; otherwise <c>null</c>.</summary>
        public LockedValue<T> TryLock() => TryLock(TimeSpan.Zero);

        /// <summary>Locks, waiting for the lock; <c>null</c> if the time is up.</summary>
        public LockedValue<T> TryLock(TimeSpan timeout, CancellationToken token = default(CancellationToken))
        {
            StraitStatus status = Until(timeout, token, ns => Native.strait_mutex_lock_timeout(Handle, ns));
            if (status == StraitStatus.TimedOut)
            {
                return null;
            }
            if (status != StraitStatus.OwnerDied)
            {
                Check(status);
                return new LockedValue<T>(this, false, false);
            }
            StraitStatus rolled = Once(() => Native.strait_mutex_roll_back(Handle));
            if (rolled != StraitStatus.InPlace)
            {
                Check(rolled);
            }
            return new LockedValue<T>(this, true, rolled == StraitStatus.InPlace);
        }

        /// <summary>Locks, waiting for the lock as long as it takes.</summary>
        public LockedValue<T> Lock(CancellationToken token = default(CancellationToken)) => TryLock(Timeout.InfiniteTimeSpan, token);

        /// <summary>Locks in a thread of its own. A lock belongs to the region's participant, and to no thread.</summary>
        public Task<LockedValue<T>> LockAsync(CancellationToken token = default(CancellationToken)) => Run(() => Lock(token), token);

        /// <summary>Locks a mutex that was given up (<see cref="StraitStatus.Poisoned"/>), and sets its value anew.</summary>
        public LockedValue<T> Reinitialise(T value)
        {
            Check(Bytes.At(ref value, (at, size) => Once(() => Native.strait_mutex_reinitialise(Handle, at, size))));
            return new LockedValue<T>(this, false, false);
        }

        internal T Get()
        {
            T value = default(T);
            Check(Bytes.At(ref value, (at, size) => Once(() => Native.strait_mutex_get(Handle, at, size))));
            return value;
        }

        internal void Set(T value)
        {
            Check(Bytes.At(ref value, (at, size) => Once(() => Native.strait_mutex_set(Handle, at, size))));
        }

        internal void MarkConsistent()
        {
            Check(Once(() => Native.strait_mutex_mark_consistent(Handle)));
        }

        internal uint Takeovers()
        {
            uint takeovers = 0;
            Check(Once(() => Native.strait_mutex_version(Handle, out uint version, out takeovers)));
            return takeovers;
        }

        internal StraitStatus Unlock() => Once(() => Native.strait_mutex_unlock(Handle));
    }

    /// <summary>A lock that is held. Disposing of it unlocks.</summary>
    public sealed class LockedValue<T> : IDisposable where T : unmanaged
    {
        private RecoveringMutex<T> mutex;

        internal LockedValue(RecoveringMutex<T> mutex, bool ownerDied, bool awaitsRepair)
        {
            this.mutex = mutex;
            OwnerDied = ownerDied;
            AwaitsRepair = awaitsRepair;
        }

        /// <summary>The last owner died with the lock. The value is the one committed last.</summary>
        public bool OwnerDied { get; }

        /// <summary>
        /// The dead owner was editing in place, so the value may be torn. Set it and call <see cref="MarkConsistent"/>;
        /// without that, unlocking gives the lock up, and the next one gets <see cref="StraitStatus.Poisoned"/>.
        /// </summary>
        public bool AwaitsRepair { get; private set; }

        /// <summary>How often the lock was taken over from a dead owner: a fencing token.</summary>
        public long Takeovers => Mutex.Takeovers();

        /// <summary>The value. Setting it commits it whole: whoever dies during it leaves the old one or the new one.</summary>
        public T Value
        {
            get => Mutex.Get();
            set => Mutex.Set(value);
        }

        private RecoveringMutex<T> Mutex => mutex ?? throw new ObjectDisposedException(nameof(LockedValue<T>), "the lock was given back");

        /// <summary>Says that the value is whole again.</summary>
        public void MarkConsistent()
        {
            Mutex.MarkConsistent();
            AwaitsRepair = false;
        }

        /// <summary>Unlocks, and throws if another participant had taken the lock over.</summary>
        public void Unlock()
        {
            RecoveringMutex<T> held = Mutex;
            mutex = null;
            held.Check(held.Unlock());
        }

        /// <summary>Unlocks. Never throws; <see cref="Unlock"/> says if the lock had been taken over.</summary>
        public void Dispose()
        {
            RecoveringMutex<T> held = mutex;
            mutex = null;
            if (held == null)
            {
                return;
            }
            try
            {
                held.Unlock();
            }
            catch (ObjectDisposedException)
            {
                // The mutex was disposed of first, which unlocked it.
            }
            catch (StraitException)
            {
                // Another thread waits with the same handle, which is a mistake that it is told of.
            }
        }
    }
}
