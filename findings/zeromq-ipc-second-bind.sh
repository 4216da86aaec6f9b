#!/usr/bin/env bash
# What:     a second socket that binds an `ipc://` endpoint which is already bound and in use.
# Version:  pyzmq 27.1.0, which holds libzmq 4.3.5.
# Expected: bind fails with EADDRINUSE, as it does with `tcp://` and as its manual page lists.
# Seen:     bind succeeds. The file of the live socket is removed and replaced: clients that connect from then on reach
#           the second server, those of before stay with the first, and neither server is told.
# Matters:  a server started twice by mistake splits its clients between two processes with no error anywhere. A bound
#           endpoint is no proof of being the only server; that needs a lock of its own.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install pyzmq==27.1.0

cat > twice.py <<'END'
import sys
import zmq

print(f"version: pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}")


def receive(socket):
    return socket.recv() if socket.poll(2000) else None


def second_bind(endpoint):
    """Binds two servers, each of a context of its own; returns the first, the second or None, and the error."""
    first, second = zmq.Context().socket(zmq.PULL), zmq.Context().socket(zmq.PULL)
    first.bind(endpoint)
    try:
        second.bind(first.getsockopt_string(zmq.LAST_ENDPOINT))
    except zmq.ZMQError as error:
        return first, None, error.strerror
    return first, second, None


_, _, tcp_error = second_bind("tcp://127.0.0.1:*")
print(f"tcp://  second bind: {tcp_error}")

endpoint = f"ipc://{sys.argv[1]}"
first, second, ipc_error = second_bind(endpoint)
print(f"ipc://  second bind: {ipc_error or 'succeeds'}")
client = zmq.Context().socket(zmq.PUSH)
client.connect(endpoint)
client.send(b"hello")
at_second = receive(second) if second else None
at_first = first.recv() if first.poll(200) else None
print(f"ipc://  a client that connects now: the first server has {at_first}, the second {at_second}")
sys.exit(0 if tcp_error and not ipc_error and at_second == b"hello" and at_first is None else 1)
END
venv/bin/python twice.py "$dir/endpoint" || { echo "changed: this is no longer what happens"; exit 1; }
