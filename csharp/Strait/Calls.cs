using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Strait
{
    /// <summary>The calling side of a channel of calls.</summary>
    /// <remarks>
    /// If the server dies, a call throws <see cref="StraitStatus.DidNotRun"/> (call again) or
    /// <see cref="StraitStatus.MayHaveRun"/> (ask its successor first).
    /// </remarks>
    public sealed class CallClient<TRequest, TAnswer> : Endpoint
        where TRequest : unmanaged
        where TAnswer : unmanaged
    {
        internal CallClient(Region region, string name)
            : base("the client", name, Native.QueueWords, Native.strait_call_client_close, region.Handle)
        {
            Shape request = Shape.Of<TRequest>();
            Shape answer = Shape.Of<TAnswer>();
            Opened(Native.strait_call_client_open(Handle, region.Handle, Bytes.Text(name, nameof(name)), request.Hash, (uint)request.Size, answer.Hash, (uint)answer.Size));
        }

        /// <summary>
        /// Calls and waits for the answer. If the time is up or the token is cancelled, the call is given up: it throws
        /// <see cref="StraitStatus.TimedOut"/> or an <see cref="OperationCanceledException"/>, and the request may have run.
        /// </summary>
        public TAnswer Call(TRequest request, TimeSpan timeout, CancellationToken token = default(CancellationToken))
        {
            Stopwatch clock = Stopwatch.StartNew();
            uint ticket = 0;
            Bytes.At(ref request, (at, size) =>
            {
                Arrived(Until(timeout, token, ns => Place(at, size, out ticket, ns)), 0);
                return StraitStatus.Ok;
            });
            TimeSpan left = timeout;
            if (timeout != Timeout.InfiniteTimeSpan)
            {
                left = timeout - clock.Elapsed;
                left = left < TimeSpan.Zero ? TimeSpan.Zero : left;
            }
            TAnswer answer = default(TAnswer);
            ushort code = 0;
            bool ended = false;
            try
            {
                StraitStatus status = Bytes.At(ref answer, (at, size) => Until(left, token, ns =>
                    Native.strait_call_client_wait_timeout(Handle, ticket, at, size, ref code, ns)));
                ended = status != StraitStatus.TimedOut;
                Arrived(status, code);
                return answer;
            }
            finally
            {
                if (!ended)
                {
                    GiveUp(ticket);
                }
            }
        }

        /// <summary>Calls in a thread of its own. After a cancellation the request may have run.</summary>
        public Task<TAnswer> CallAsync(TRequest request, CancellationToken token = default(CancellationToken)) =>
            Run(() => Call(request, Timeout.InfiniteTimeSpan, token), token);

        /// <summary>Sends a request to which no answer is wanted, if there is a place.</summary>
        public bool TryPost(TRequest request)
        {
            StraitStatus status = Bytes.At(ref request, (at, size) => Once(() => Native.strait_call_client_post(Handle, at, size)));
            if (status == StraitStatus.Full)
            {
                return false;
            }
            Check(status);
            return true;
        }

        /// <summary>Makes the call as soon as there is a place. There is no word to sleep on, so it looks each millisecond.</summary>
        private StraitStatus Place(IntPtr at, UIntPtr size, out uint ticket, ulong ns)
        {
            StraitStatus status = Native.strait_call_client_try_call(Handle, at, size, out ticket);
            if (status != StraitStatus.Full)
            {
                return status;
            }
            if (ns > 0)
            {
                Thread.Sleep(1);
            }
            return StraitStatus.TimedOut;
        }

        private void Arrived(StraitStatus status, ushort code)
        {
            if (status == StraitStatus.Refused)
            {
                throw Refused(code);
            }
            Check(status);
        }

        private void GiveUp(uint ticket)
        {
            try
            {
                Once(() => Native.strait_call_client_cancel(Handle, ticket, out byte mayHaveRun));
            }
            catch (ObjectDisposedException)
            {
                // Then the calls that were out are given up anyhow.
            }
        }
    }

    /// <summary>A request that a server has taken. Answer or refuse it before the next.</summary>
    public readonly struct Request<TRequest> where TRequest : unmanaged
    {
        internal Request(TRequest value, NativeRequest native)
        {
            Value = value;
            Caller = native.caller;
            IsPost = native.is_post != 0;
            IsAgain = native.is_again != 0;
        }

        /// <summary>The request.</summary>
        public TRequest Value { get; }
        /// <summary>The client's identity, or 0.</summary>
        public long Caller { get; }
        /// <summary>The client wants no answer.</summary>
        public bool IsPost { get; }
        /// <summary>A server that died had taken it, so it may have run before.</summary>
        public bool IsAgain { get; }
    }

    /// <summary>The serving side of a channel of calls.</summary>
    public sealed class CallServer<TRequest, TAnswer> : Endpoint
        where TRequest : unmanaged
        where TAnswer : unmanaged
    {
        internal CallServer(Region region, string name, bool runAgain)
            : base("the server", name, Native.QueueWords, Native.strait_call_server_close, region.Handle)
        {
            Shape request = Shape.Of<TRequest>();
            Shape answer = Shape.Of<TAnswer>();
            Opened(Native.strait_call_server_open(Handle, region.Handle, Bytes.Text(name, nameof(name)), request.Hash, (uint)request.Size, answer.Hash, (uint)answer.Size, runAgain ? (byte)1 : (byte)0));
        }

        internal override void Name(ref NativeWaitable waitable, IntPtr at)
        {
            waitable.server = at;
        }

        /// <summary>Takes the next request, waiting for one. <c>false</c> if the time is up.</summary>
        public bool TryNext(out Request<TRequest> request, TimeSpan timeout, CancellationToken token = default(CancellationToken))
        {
            TRequest value = default(TRequest);
            var native = new NativeRequest();
            StraitStatus status = Bytes.At(ref value, (at, size) => Until(timeout, token, ns =>
                Native.strait_call_server_next_timeout(Handle, at, size, ref native, ns)));
            if (status == StraitStatus.TimedOut)
            {
                request = default(Request<TRequest>);
                return false;
            }
            Check(status);
            request = new Request<TRequest>(value, native);
            return true;
        }

        /// <summary>Answers the request that was taken last.</summary>
        public void Answer(TAnswer answer)
        {
            Check(Bytes.At(ref answer, (at, size) => Once(() => Native.strait_call_server_answer(Handle, at, size))));
        }

        /// <summary>Refuses the request that was taken last; its client gets the code.</summary>
        public void Refuse(ushort code)
        {
            Check(Once(() => Native.strait_call_server_refuse(Handle, code)));
        }
    }
}
