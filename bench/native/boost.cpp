// Boost.Interprocess's message queue, for Rust to call.

#include <boost/interprocess/ipc/message_queue.hpp>

using boost::interprocess::message_queue;

extern "C" {

// Opens the queue of this name, or makes it; null if that fails.
void *bench_boost_open(const char *name, size_t messages, size_t size) {
    try {
        return new message_queue(boost::interprocess::open_or_create, name, messages, size);
    } catch (...) {
        return nullptr;
    }
}

void bench_boost_close(void *queue) { delete static_cast<message_queue *>(queue); }

void bench_boost_remove(const char *name) { message_queue::remove(name); }

// 1 if it went or came, 0 if not now, -1 if it failed.
int bench_boost_send(void *queue, const void *message, size_t size) {
    try {
        return static_cast<message_queue *>(queue)->try_send(message, size, 0);
    } catch (...) {
        return -1;
    }
}

int bench_boost_receive(void *queue, void *buffer, size_t size, int wait) {
    try {
        message_queue::size_type received;
        unsigned priority;
        auto *from = static_cast<message_queue *>(queue);
        if (wait) {
            from->receive(buffer, size, received, priority);
        } else if (!from->try_receive(buffer, size, received, priority)) {
            return 0;
        }
        return received == size ? 1 : -1;
    } catch (...) {
        return -1;
    }
}
}
