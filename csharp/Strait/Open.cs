namespace Strait
{
    /// <summary>The endpoints that a region opens.</summary>
    public sealed partial class Region
    {
        /// <summary>Claims the producer's role of a queue of frames. A dead owner's is taken over.</summary>
        public Producer OpenProducer(string name) => new Producer(this, name);

        /// <summary>Claims lane <paramref name="lane"/>, from 0, of a queue of frames; by default any free one.</summary>
        public Producer OpenProducerLane(string name, int? lane = null) => new Producer(this, name, lane);

        /// <summary>Claims the consumer's role of a queue of frames.</summary>
        public Consumer OpenConsumer(string name, ConsumerOptions options = null) => new Consumer(this, name, options);

        /// <summary>Claims the producer's role of a queue of values.</summary>
        public Producer<T> OpenProducer<T>(string name) where T : unmanaged => new Producer<T>(this, name);

        /// <summary>Claims lane <paramref name="lane"/>, from 0, of a queue of values; by default any free one.</summary>
        public Producer<T> OpenProducerLane<T>(string name, int? lane = null) where T : unmanaged =>
            new Producer<T>(this, name, lane);

        /// <summary>Claims the consumer's role of a queue of values.</summary>
        public Consumer<T> OpenConsumer<T>(string name, ConsumerOptions options = null) where T : unmanaged =>
            new Consumer<T>(this, name, options);

        /// <summary>Claims the consumer's role of all lanes of a queue of frames, 16 at most.</summary>
        public LanesConsumer OpenLanesConsumer(string name, ConsumerOptions options = null, int burst = 0) =>
            new LanesConsumer(this, name, options, burst);

        /// <summary>Claims the consumer's role of all lanes of a queue of values, 16 at most.</summary>
        public LanesConsumer<T> OpenLanesConsumer<T>(string name, ConsumerOptions options = null, int burst = 0)
            where T : unmanaged => new LanesConsumer<T>(this, name, options, burst);

        /// <summary>Claims the writer's role of a latest value.</summary>
        public LatestWriter<T> OpenLatestWriter<T>(string name) where T : unmanaged => new LatestWriter<T>(this, name);

        /// <summary>Opens a reader of a latest value. Any number of them.</summary>
        public LatestReader<T> OpenLatestReader<T>(string name) where T : unmanaged => new LatestReader<T>(this, name);

        /// <summary>Claims the writer's role of a broadcast.</summary>
        public BroadcastWriter<T> OpenBroadcastWriter<T>(string name) where T : unmanaged =>
            new BroadcastWriter<T>(this, name);

        /// <summary>Opens a reader of a broadcast, at its newest value or at the oldest that is safe to read.</summary>
        public BroadcastReader<T> OpenBroadcastReader<T>(string name, BroadcastStart start = BroadcastStart.Newest)
            where T : unmanaged => new BroadcastReader<T>(this, name, start);

        /// <summary>Claims the notifier's role of an event.</summary>
        public EventNotifier OpenNotifier(string name) => new EventNotifier(this, name);

        /// <summary>Opens a listener to an event. Any number of them.</summary>
        public EventListener OpenListener(string name) => new EventListener(this, name);

        /// <summary>Opens a handle on a value under a lock.</summary>
        public RecoveringMutex<T> OpenMutex<T>(string name) where T : unmanaged => new RecoveringMutex<T>(this, name);

        /// <summary>Opens a handle on a semaphore.</summary>
        public WordSemaphore OpenSemaphore(string name) => new WordSemaphore(this, name);

        /// <summary>Opens a handle on permits, which takes one at a time.</summary>
        public Permits OpenPermits(string name) => new Permits(this, name);

        /// <summary>Claims the client's role of a channel of calls.</summary>
        public CallClient<TRequest, TAnswer> OpenCallClient<TRequest, TAnswer>(string name)
            where TRequest : unmanaged
            where TAnswer : unmanaged => new CallClient<TRequest, TAnswer>(this, name);

        /// <summary>
        /// Claims the server's role of a channel of calls. With <paramref name="runAgain"/>, a request that a dead
        /// server had taken comes again; otherwise its client is told that it may have run.
        /// </summary>
        public CallServer<TRequest, TAnswer> OpenCallServer<TRequest, TAnswer>(string name, bool runAgain = false)
            where TRequest : unmanaged
            where TAnswer : unmanaged => new CallServer<TRequest, TAnswer>(this, name, runAgain);

        /// <summary>Refuses a channel that carries another type than <typeparamref name="T"/>, if there is it.</summary>
        internal void CheckType<T>(string name, ChannelKind kind) where T : unmanaged
        {
            Shape shape = Shape.Of<T>();
            foreach (ChannelInfo channel in Channels)
            {
                if (channel.Name == name && channel.Kind == kind && channel.TypeHash != shape.Hash)
                {
                    throw StraitException.Of(StraitStatus.Type, "`" + name + "` as " + shape.Text);
                }
            }
        }
    }
}
