//! The calls on objects of one region.

use std::ffi::CString;
use std::ptr;

use strait_capi::*;

use super::arguments::{Bytes, answer, hash, name, size, timeout};
use super::{Storage, call};
use crate::input::Input;

/// One object of each kind.
pub(super) struct Objects {
    producer: Storage<strait_producer_t>,
    consumer: Storage<strait_consumer_t>,
    typed_producer: Storage<strait_typed_producer_t>,
    typed_consumer: Storage<strait_typed_consumer_t>,
    latest_writer: Storage<strait_latest_writer_t>,
    latest_reader: Storage<strait_latest_reader_t>,
    mutex: Storage<strait_mutex_t>,
    semaphore: Storage<strait_semaphore_t>,
    /// Which of them are open.
    open: [bool; 8],
}

fn is_ok(status: strait_status) -> bool {
    status == strait_status::Ok
}

impl Objects {
    pub(super) fn new() -> Self {
        Self {
            producer: Storage::new(),
            consumer: Storage::new(),
            typed_producer: Storage::new(),
            typed_consumer: Storage::new(),
            latest_writer: Storage::new(),
            latest_reader: Storage::new(),
            mutex: Storage::new(),
            semaphore: Storage::new(),
            open: [false; 8],
        }
    }

    /// Whether none is open.
    pub(super) fn is_empty(&self) -> bool {
        self.open == [false; 8]
    }

    /// One call on one of the objects, or on the region itself.
    pub(super) fn call(&mut self, region: *mut strait_region_t, names: &[CString], input: &mut Input<'_>) {
        match input.below(9) {
            0 => self.open_one(region, names, input),
            1 => self.producer(input),
            2 => self.consumer(input),
            3 => self.typed_producer(input),
            4 => self.typed_consumer(input),
            5 => self.latest(input),
            6 => self.mutex(input),
            7 => self.semaphore(input),
            _ => look(region, names, input),
        }
    }

    fn open_one(&mut self, region: *mut strait_region_t, names: &[CString], input: &mut Input<'_>) {
        let options =
            strait_consumer_options_t { at_most_once: input.flag(), release_every: input.below(5) as u32 };
        let options = if input.flag() { ptr::null() } else { &raw const options };
        let which = input.below(8);
        let status = match which {
            0 => call!(strait_producer_open(self.producer.pointer(input), region, name(names, 0, input))),
            1 => {
                let consumer = self.consumer.pointer(input);
                call!(strait_consumer_open(consumer, region, name(names, 0, input), options))
            }
            2 => {
                let at = self.typed_producer.pointer(input);
                let queue = name(names, 1 + input.below(2), input);
                call!(strait_typed_producer_open(at, region, queue, hash(input), size(input)))
            }
            3 => {
                let at = self.typed_consumer.pointer(input);
                let queue = name(names, 1 + input.below(2), input);
                call!(strait_typed_consumer_open(at, region, queue, hash(input), size(input), options))
            }
            4 => {
                let at = self.latest_writer.pointer(input);
                let value = name(names, 3, input);
                call!(strait_latest_writer_open(at, region, value, hash(input), size(input)))
            }
            5 => {
                let at = self.latest_reader.pointer(input);
                call!(strait_latest_reader_open(at, region, name(names, 3, input)))
            }
            6 => {
                let at = self.mutex.pointer(input);
                call!(strait_mutex_open(at, region, name(names, 4, input), hash(input), size(input)))
            }
            _ => {
                let at = self.semaphore.pointer(input);
                call!(strait_semaphore_open(at, region, name(names, 5, input)))
            }
        };
        if is_ok(status) {
            assert!(!self.open[which], "opened twice in one storage");
            self.open[which] = true;
        }
    }

    fn producer(&mut self, input: &mut Input<'_>) {
        let at = self.producer.pointer(input);
        let mut payload = Bytes::read(input);
        let (mut end, mut sequence) = (strait_end_t::default(), 0);
        match input.below(6) {
            0 => {
                let timeout = timeout(input);
                let len = payload.len();
                call!(strait_producer_send_timeout(at, 1, payload.at(), len, timeout));
            }
            1 => {
                call!(strait_producer_next_sequence(at, answer(&mut sequence, input)));
            }
            2 => {
                if is_ok(call!(strait_producer_end(at, answer(&mut end, input)))) {
                    assert!(end.len <= end.capacity);
                }
            }
            3 => {
                if is_ok(call!(strait_producer_close(at))) {
                    self.open[0] = false;
                }
            }
            _ => {
                let len = payload.len();
                let sent = call!(strait_producer_try_send(at, input.edge(), payload.at(), len));
                assert!(!is_ok(sent) || self.open[0]);
            }
        }
    }

    fn consumer(&mut self, input: &mut Input<'_>) {
        let at = self.consumer.pointer(input);
        let mut buffer = Bytes::read(input);
        let (mut received, mut end) = (strait_received_t::default(), strait_end_t::default());
        let capacity = buffer.len();
        let mut fits = true;
        match input.below(7) {
            0 => {
                let (answer, timeout) = (answer(&mut received, input), timeout(input));
                fits = is_ok(call!(strait_consumer_recv_timeout(at, buffer.at(), capacity, answer, timeout)));
            }
            1 => {
                call!(strait_consumer_release(at));
            }
            2 => {
                call!(strait_consumer_flush(at));
            }
            3 => {
                if is_ok(call!(strait_consumer_end(at, answer(&mut end, input)))) {
                    assert!(end.len <= end.capacity);
                }
            }
            4 => {
                if is_ok(call!(strait_consumer_close(at))) {
                    self.open[1] = false;
                }
            }
            _ => {
                let answer = answer(&mut received, input);
                fits = is_ok(call!(strait_consumer_try_recv(at, buffer.at(), capacity, answer)));
            }
        }
        // Of a frame that is longer than the buffer, the length is told.
        assert!(received.len <= capacity || !fits);
    }

    fn typed_producer(&mut self, input: &mut Input<'_>) {
        let at = self.typed_producer.pointer(input);
        let mut value = Bytes::read(input);
        let mut end = strait_end_t::default();
        let size = value.len();
        match input.below(5) {
            0 => {
                let timeout = timeout(input);
                call!(strait_typed_producer_send_timeout(at, value.at(), size, timeout));
            }
            1 => {
                if is_ok(call!(strait_typed_producer_end(at, answer(&mut end, input)))) {
                    assert!(end.len <= end.capacity);
                }
            }
            2 => {
                if is_ok(call!(strait_typed_producer_close(at))) {
                    self.open[2] = false;
                }
            }
            _ => {
                call!(strait_typed_producer_try_send(at, value.at(), size));
            }
        }
    }

    fn typed_consumer(&mut self, input: &mut Input<'_>) {
        let at = self.typed_consumer.pointer(input);
        let mut value = Bytes::read(input);
        let (mut sequence, mut end) = (0, strait_end_t::default());
        let size = value.len();
        match input.below(7) {
            0 => {
                let (answer, timeout) = (answer(&mut sequence, input), timeout(input));
                call!(strait_typed_consumer_recv_timeout(at, value.at(), size, answer, timeout));
            }
            1 => {
                call!(strait_typed_consumer_release(at));
            }
            2 => {
                call!(strait_typed_consumer_flush(at));
            }
            3 => {
                if is_ok(call!(strait_typed_consumer_end(at, answer(&mut end, input)))) {
                    assert!(end.len <= end.capacity);
                }
            }
            4 => {
                if is_ok(call!(strait_typed_consumer_close(at))) {
                    self.open[3] = false;
                }
            }
            _ => {
                let answer = answer(&mut sequence, input);
                call!(strait_typed_consumer_try_recv(at, value.at(), size, answer));
            }
        }
    }

    fn latest(&mut self, input: &mut Input<'_>) {
        let (writer, reader) = (self.latest_writer.pointer(input), self.latest_reader.pointer(input));
        let mut bytes = Bytes::read(input);
        let (mut number, mut value) = (0, strait_value_t::default());
        let len = bytes.len();
        match input.below(6) {
            0 | 1 => {
                let answer = answer(&mut number, input);
                call!(strait_latest_publish(writer, input.edge(), bytes.at(), len, answer));
            }
            2 => {
                let (answer, timeout) = (answer(&mut value, input), timeout(input));
                call!(strait_latest_wait_for_change(reader, bytes.at(), len, answer, timeout));
            }
            3 => {
                if is_ok(call!(strait_latest_writer_close(writer))) {
                    self.open[4] = false;
                }
            }
            4 => {
                if is_ok(call!(strait_latest_reader_close(reader))) {
                    self.open[5] = false;
                }
            }
            _ => {
                let answer = answer(&mut value, input);
                call!(strait_latest_read(reader, bytes.at(), len, answer));
            }
        }
    }

    fn mutex(&mut self, input: &mut Input<'_>) {
        let at = self.mutex.pointer(input);
        let mut value = Bytes::read(input);
        let (mut version, mut takeovers) = (0, 0);
        let size = value.len();
        match input.below(12) {
            0 | 1 => {
                call!(strait_mutex_try_lock(at));
            }
            2 => {
                call!(strait_mutex_lock_timeout(at, timeout(input)));
            }
            3 => {
                call!(strait_mutex_get(at, value.at(), size));
            }
            4 => {
                call!(strait_mutex_set(at, value.at(), size));
            }
            5 => {
                call!(strait_mutex_roll_back(at));
            }
            6 => {
                call!(strait_mutex_mark_consistent(at));
            }
            7 => {
                call!(strait_mutex_reinitialise(at, value.at(), size));
            }
            8 => {
                call!(strait_mutex_unlock(at));
            }
            9 => {
                call!(strait_mutex_give_up(at));
            }
            10 => {
                let version = answer(&mut version, input);
                call!(strait_mutex_version(at, version, answer(&mut takeovers, input)));
            }
            _ => {
                if is_ok(call!(strait_mutex_close(at))) {
                    self.open[6] = false;
                }
            }
        }
    }

    fn semaphore(&mut self, input: &mut Input<'_>) {
        let at = self.semaphore.pointer(input);
        let mut count = 0;
        match input.below(6) {
            0 => {
                call!(strait_semaphore_acquire_timeout(at, timeout(input)));
            }
            1 => {
                call!(strait_semaphore_release(at, input.edge()));
            }
            2 => {
                call!(strait_semaphore_release(at, 1));
            }
            3 => {
                call!(strait_semaphore_count(at, answer(&mut count, input)));
            }
            4 => {
                if is_ok(call!(strait_semaphore_close(at))) {
                    self.open[7] = false;
                }
            }
            _ => {
                call!(strait_semaphore_try_acquire(at));
            }
        }
    }

    /// Closes all that are open.
    pub(super) fn close_all(&mut self) {
        let closed = [
            call!(strait_producer_close(self.producer.whole())),
            call!(strait_consumer_close(self.consumer.whole())),
            call!(strait_typed_producer_close(self.typed_producer.whole())),
            call!(strait_typed_consumer_close(self.typed_consumer.whole())),
            call!(strait_latest_writer_close(self.latest_writer.whole())),
            call!(strait_latest_reader_close(self.latest_reader.whole())),
            call!(strait_mutex_close(self.mutex.whole())),
            call!(strait_semaphore_close(self.semaphore.whole())),
        ];
        for (status, open) in closed.into_iter().zip(self.open) {
            // A mutex may have been taken away by a misbehaving peer; it is closed all the same.
            assert_eq!(status == strait_status::NotOpen, !open, "{status:?}");
        }
    }
}

fn look(region: *mut strait_region_t, names: &[CString], input: &mut Input<'_>) {
    let mut count = 0;
    call!(strait_channel_count(region, answer(&mut count, input)));
    let mut info = std::mem::MaybeUninit::<strait_channel_info_t>::uninit();
    call!(strait_channel_info(region, input.edge(), info.as_mut_ptr()));
    call!(strait_channel_info(region, input.below(8) as u32, info.as_mut_ptr()));
    let mut state = strait_channel_state_t::default();
    let channel = input.below(7);
    call!(strait_channel_state(region, name(names, channel, input), answer(&mut state, input)));
}
