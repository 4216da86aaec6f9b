/*
 * strait for C++17: the C interface of strait.h as move-only classes, typed messages and std::chrono time-outs.
 *
 * A region is shared memory with channels; its endpoints are opened by name and closed by their destructors. An
 * endpoint keeps its region open, so the order of destruction does not matter, except that a lock must not
 * outlive its mutex and a permit not its handle. Opening allocates, and so do coroutines; nothing else does. Use an
 * object from one thread at a time; threads that lock open a handle each, on a region each.
 *
 * Calls return a `strait::status`, or a `strait::result<T>`: a value, or the status that says why there is none. With
 * STRAIT_EXCEPTIONS defined, `value()` and `or_throw()` throw a `strait::error`; without, they print the status's text
 * and abort. Nothing else throws, but for the allocation.
 *
 * `try_...` never waits, `..._timeout` waits for a duration, `..._until` until a moment of the region's clock. What
 * strait.h says of forks, cancelling and peers that die holds here too.
 */
#ifndef STRAIT_HPP
#define STRAIT_HPP

#include "strait.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#if __cplusplus >= 202002L
#include <span>
#endif
#ifdef __cpp_impl_coroutine
#include <algorithm>
#include <coroutine>
#include <vector>
#endif
#ifdef STRAIT_EXCEPTIONS
#include <stdexcept>
#endif

namespace strait {

// Units with and without STRAIT_EXCEPTIONS can be linked together.
#ifdef STRAIT_EXCEPTIONS
inline namespace throwing {
#else
inline namespace aborting {
#endif

// ---- Results ----------------------------------------------------------------------------------------------------

#ifdef STRAIT_EXCEPTIONS
/// What `value()` and `or_throw()` throw.
class error : public std::runtime_error {
 public:
  explicit error(strait_status code) : std::runtime_error(strait_status_text(code)), code_(code) {}
  strait_status code() const noexcept { return code_; }

 private:
  strait_status code_;
};
#endif

namespace detail {
[[noreturn]] inline void fail(strait_status code) {
#ifdef STRAIT_EXCEPTIONS
  throw error(code);
#else
  std::fprintf(stderr, "strait: %s\n", strait_status_text(code));
  std::abort();
#endif
}
}  // namespace detail

/// How a call went; true if well.
class [[nodiscard]] status {
 public:
  constexpr status(strait_status code) noexcept : code_(code) {}
  constexpr explicit operator bool() const noexcept { return code_ == STRAIT_STATUS_OK; }
  constexpr strait_status code() const noexcept { return code_; }
  const char *text() const noexcept { return strait_status_text(code_); }
  void or_throw() const {
    if (code_ != STRAIT_STATUS_OK) detail::fail(code_);
  }
  friend constexpr bool operator==(status a, status b) noexcept { return a.code_ == b.code_; }
  friend constexpr bool operator!=(status a, status b) noexcept { return a.code_ != b.code_; }

 private:
  strait_status code_;
};

/// A value, or the status that says why there is none.
template <class T>
class [[nodiscard]] result {
 public:
  result(T value) : code_(STRAIT_STATUS_OK), value_(std::move(value)) {}
  /// Without a value; `code` is not `STRAIT_STATUS_OK`.
  result(strait_status code) : code_(code) {}

  explicit operator bool() const noexcept { return value_.has_value(); }
  strait_status code() const noexcept { return code_; }
  const char *text() const noexcept { return strait_status_text(code_); }
  T &value() & { return checked(*this); }
  const T &value() const & { return checked(*this); }
  T &&value() && { return std::move(checked(*this)); }
  T &operator*() & { return checked(*this); }
  T &&operator*() && { return std::move(checked(*this)); }
  T *operator->() { return &checked(*this); }

 private:
  template <class Self>
  static auto &checked(Self &self) {
    if (!self.value_) detail::fail(self.code_);
    return *self.value_;
  }

  strait_status code_;
  std::optional<T> value_;
};

// ---- Views ------------------------------------------------------------------------------------------------------

/// `len` elements that somebody else owns. Made from, and with C++20 into, anything contiguous.
template <class T>
class view {
 public:
  constexpr view() noexcept = default;
  constexpr view(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <std::size_t N>
  constexpr view(T (&array)[N]) noexcept : data_(array), size_(N) {}
  template <class C, class E = std::remove_pointer_t<decltype(std::declval<C &>().data())>,
            class = std::enable_if_t<std::is_convertible_v<E (*)[], T (*)[]>>>
  constexpr view(C &&owner) noexcept : data_(owner.data()), size_(owner.size()) {}

  constexpr T *data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr T *begin() const noexcept { return data_; }
  constexpr T *end() const noexcept { return data_ + size_; }
  constexpr T &operator[](std::size_t index) const noexcept { return data_[index]; }

 private:
  T *data_ = nullptr;
  std::size_t size_ = 0;
};

/// Bytes to read: of anything contiguous whose elements are plain data.
class bytes : public view<const std::uint8_t> {
 public:
  constexpr bytes() noexcept = default;
  bytes(const void *data, std::size_t size) noexcept : view(static_cast<const std::uint8_t *>(data), size) {}
  template <class C, class E = std::remove_pointer_t<decltype(std::declval<const C &>().data())>,
            class = std::enable_if_t<std::is_trivially_copyable_v<E>>>
  bytes(const C &owner) noexcept : bytes(owner.data(), owner.size() * sizeof(E)) {}
  template <std::size_t N>
  bytes(const std::uint8_t (&array)[N]) noexcept : bytes(array, N) {}
};

/// Bytes to write to.
class mutable_bytes : public view<std::uint8_t> {
 public:
  constexpr mutable_bytes() noexcept = default;
  mutable_bytes(void *data, std::size_t size) noexcept : view(static_cast<std::uint8_t *>(data), size) {}
  template <class C, class E = std::remove_pointer_t<decltype(std::declval<C &>().data())>,
            class = std::enable_if_t<std::is_trivially_copyable_v<E> && !std::is_const_v<E>>>
  mutable_bytes(C &&owner) noexcept : mutable_bytes(owner.data(), owner.size() * sizeof(E)) {}
  template <std::size_t N>
  mutable_bytes(std::uint8_t (&array)[N]) noexcept : mutable_bytes(array, N) {}
};

// ---- Types ------------------------------------------------------------------------------------------------------

/// Stands for a type where a function is chosen by it.
template <class T>
struct tag {};

namespace detail {

/// FNV-1a, 64 bits, as `strait_type_hash`.
struct hasher {
  std::uint64_t hash = 0xcbf29ce484222325u;
  constexpr void put(char c) { hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3u; }
};

struct writer {
  std::string text;
  void put(char c) { text.push_back(c); }
};

template <class Sink>
constexpr void put(Sink &sink, const char *text) {
  while (*text != '\0') sink.put(*text++);
}

template <class Sink>
constexpr void put(Sink &sink, std::size_t number) {
  if (number >= 10) put(sink, number / 10);
  sink.put(static_cast<char>('0' + number % 10));
}

template <class T>
struct array_of : std::false_type {};
template <class T, std::size_t N>
struct array_of<T[N]> : std::true_type {
  using element = T;
  static constexpr std::size_t count = N;
};
template <class T, std::size_t N>
struct array_of<std::array<T, N>> : array_of<T[N]> {};

template <class T>
inline constexpr bool is_number =
    (std::is_integral_v<T> && sizeof(T) <= 8 && !std::is_same_v<T, bool> && !std::is_same_v<T, char> &&
     !std::is_same_v<T, wchar_t> && !std::is_same_v<T, char16_t> && !std::is_same_v<T, char32_t>) ||
    std::is_same_v<T, float> || std::is_same_v<T, double>;

template <class T, class = void>
inline constexpr bool is_described = false;
template <class T>
inline constexpr bool is_described<
    T, std::void_t<decltype(strait_describe(std::declval<hasher &>(), std::declval<tag<T>>()))>> = true;

template <class T, class Sink>
constexpr void describe(Sink &sink) {
  if constexpr (array_of<T>::value) {
    sink.put('[');
    put(sink, array_of<T>::count);
    sink.put(']');
    describe<typename array_of<T>::element>(sink);
  } else if constexpr (is_number<T>) {
    sink.put(std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u');
    put(sink, 8 * sizeof(T));
  } else {
    static_assert(is_described<T>, "not a message: use (u)intN_t, float, double, arrays of these, or STRAIT_MESSAGE");
    strait_describe(sink, tag<T>{});
  }
}

template <class T, class Sink>
constexpr void field(Sink &sink, const char *name, std::size_t offset) {
  put(sink, name);
  sink.put(':');
  describe<T>(sink);
  sink.put('@');
  put(sink, offset);
  sink.put(';');
}

template <std::size_t N>
constexpr bool rises(const std::size_t (&offsets)[N]) {
  for (std::size_t i = 1; i < N; i++) {
    if (offsets[i] <= offsets[i - 1]) return false;
  }
  return true;
}

/// A message's line in a region's description.
template <class T, class Sink>
constexpr void line_of(Sink &sink) {
  sink.put('=');
  strait_name(sink, tag<T>{});
  sink.put(' ');
  describe<T>(sink);
  sink.put('\n');
}

template <class T>
constexpr std::uint64_t hash_of() {
  hasher sink;
  describe<T>(sink);
  return sink.hash == 0 ? 1 : sink.hash;
}

template <class T>
constexpr std::uint32_t size_of() {
  static_assert(sizeof(T) <= UINT32_MAX);
  return static_cast<std::uint32_t>(sizeof(T));
}

}  // namespace detail

/// A type's hash, the same as in Rust and as `strait_type_hash` of its descriptor.
template <class T>
inline constexpr std::uint64_t type_hash = detail::hash_of<T>();

/// A type's descriptor, as FORMAT.md has it.
template <class T>
std::string descriptor() {
  detail::writer sink;
  detail::describe<T>(sink);
  return std::move(sink.text);
}

/// The text that describes these messages, for `plan::described`: tools and peers that do not know them read it.
template <class... Types>
std::string description() {
  detail::writer sink;
  (detail::line_of<Types>(sink), ...);
  return std::move(sink.text);
}

// ---- Time -------------------------------------------------------------------------------------------------------

/// The clock of a region, which `region::now()` shows.
struct region_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<region_clock>;
  static constexpr bool is_steady = true;
};
using instant = region_clock::time_point;
using std::chrono::nanoseconds;

namespace detail {
/// The longest time never ends, and a negative one is over.
constexpr std::uint64_t ns(nanoseconds time) {
  if (time == nanoseconds::max()) return UINT64_MAX;
  return time.count() < 0 ? 0 : static_cast<std::uint64_t>(time.count());
}
constexpr std::uint64_t ns(instant moment) { return ns(moment.time_since_epoch()); }
}  // namespace detail

// ---- Plans ------------------------------------------------------------------------------------------------------

/// A channel of a plan. Names are string literals, or live as long as the plan.
class channel {
 public:
  static constexpr channel frames(const char *name, std::uint32_t capacity, std::uint32_t longest) {
    return {name, STRAIT_KIND_FRAMES, capacity, longest, 0};
  }
  template <class T>
  static constexpr channel slots(const char *name, std::uint32_t slots) {
    return {name, STRAIT_KIND_SLOTS, slots, detail::size_of<T>(), type_hash<T>};
  }
  template <class T>
  static constexpr channel compact(const char *name, std::uint32_t slots) {
    return {name, STRAIT_KIND_COMPACT, slots, detail::size_of<T>(), type_hash<T>};
  }
  /// 0 buffers stands for 2.
  template <class T>
  static constexpr channel latest(const char *name, std::uint32_t buffers = 0) {
    return {name, STRAIT_KIND_LATEST, buffers, detail::size_of<T>(), type_hash<T>};
  }
  template <class T>
  static constexpr channel mutex(const char *name) {
    return {name, STRAIT_KIND_MUTEX, 0, detail::size_of<T>(), type_hash<T>};
  }
  static constexpr channel semaphore(const char *name, std::uint32_t initial, std::uint32_t most) {
    return {name, STRAIT_KIND_SEMAPHORE, most, initial, 0};
  }
  static constexpr channel permits(const char *name, std::uint32_t count) {
    return {name, STRAIT_KIND_PERMITS, count, 0, 0};
  }
  template <class T>
  static constexpr channel broadcast(const char *name, std::uint32_t slots) {
    return {name, STRAIT_KIND_BROADCAST, slots, detail::size_of<T>(), type_hash<T>};
  }
  /// Up to 32 calls at once.
  template <class Request, class Answer>
  static constexpr channel calls(const char *name, std::uint32_t places) {
    channel made{name, STRAIT_KIND_CALLS, places, detail::size_of<Request>(), type_hash<Request>};
    made.raw_.answer_size = detail::size_of<Answer>();
    made.raw_.answer_hash = type_hash<Answer>;
    return made;
  }

  /// As strait.h describes it: for fields that have no function here.
  static constexpr channel of(const strait_channel_t &raw) { return channel(raw); }

  constexpr channel consumer_may_block() const { return with_flag(STRAIT_CONSUMER_MAY_BLOCK); }
  constexpr channel producer_may_block() const { return with_flag(STRAIT_PRODUCER_MAY_BLOCK); }
  /// Queues with the same number, from 1, can be waited for in one call.
  constexpr channel doorbell(std::uint32_t number) const {
    channel made = *this;
    made.raw_.doorbell = number;
    return made;
  }
  /// Of a queue: so many producers at once, each with a lane of its own; the first `urgent` lanes are looked at first.
  constexpr channel producers(std::uint32_t count, std::uint32_t urgent = 0) const {
    channel made = *this;
    made.raw_.producers = count;
    made.raw_.urgent_lanes = urgent;
    return made;
  }
  constexpr channel domains(std::uint32_t producer, std::uint32_t consumer) const {
    channel made = *this;
    made.raw_.producer_domain = producer;
    made.raw_.consumer_domain = consumer;
    return made;
  }
  constexpr const strait_channel_t &raw() const { return raw_; }

 private:
  constexpr channel(const char *name, std::uint32_t kind, std::uint32_t capacity, std::uint32_t size,
                    std::uint64_t hash) {
    raw_.name = name;
    raw_.kind = kind;
    raw_.capacity = capacity;
    raw_.size = size;
    raw_.type_hash = hash;
  }
  constexpr explicit channel(const strait_channel_t &raw) : raw_(raw) {}
  constexpr channel with_flag(std::uint32_t flag) const {
    channel made = *this;
    made.raw_.flags |= flag;
    return made;
  }

  strait_channel_t raw_{};
};

/// The channels of a region: `constexpr strait::plan robot(strait::channel::frames("log", 8192, 512), ...);`
template <std::size_t N>
class plan {
  static_assert(N <= STRAIT_MAX_CHANNELS, "a plan made here has at most STRAIT_MAX_CHANNELS channels");

 public:
  template <class... Channels, class = std::enable_if_t<sizeof...(Channels) == N>>
  constexpr explicit plan(const Channels &...channels) : channels_{{channels.raw()...}} {}

  constexpr plan line(std::uint32_t bytes) const {
    plan made = *this;
    made.line_ = bytes;
    return made;
  }
  constexpr plan participants(std::uint32_t most) const {
    plan made = *this;
    made.participants_ = most;
    return made;
  }
  /// The region lists its types by this text, which `description` makes, and which must outlive the plan.
  constexpr plan described(const char *description) const {
    plan made = *this;
    made.description_ = description;
    return made;
  }
  /// Leads to this plan, which must outlive it.
  constexpr strait_plan_t raw() const {
    strait_plan_t made{};
    made.channels = channels_.data();
    made.channel_count = static_cast<std::uint32_t>(N);
    made.line = line_;
    made.participants = participants_;
    made.description = description_;
    return made;
  }
  /// How many bytes a region of this plan has.
  result<std::uint32_t> size() const {
    const strait_plan_t made = raw();
    std::uint32_t size = 0;
    if (const strait_status s = strait_plan_size(&made, &size); s != STRAIT_STATUS_OK) return s;
    return size;
  }

 private:
  std::array<strait_channel_t, N> channels_;
  std::uint32_t line_ = 0;
  std::uint32_t participants_ = 0;
  const char *description_ = nullptr;
};
template <class... Channels>
plan(const Channels &...) -> plan<sizeof...(Channels)>;

// ---- Handles ----------------------------------------------------------------------------------------------------

class region;

namespace detail {

using shared_region = std::shared_ptr<strait_region_t>;

/// Closes an object, and only then lets go of its region.
template <class Storage, strait_status (*Close)(Storage *)>
struct closer {
  shared_region region;
  void operator()(Storage *storage) const noexcept {
    Close(storage);  // `STRAIT_STATUS_NOT_OPEN` if opening failed.
    delete storage;
  }
};

/// An object in storage of its own, which does not move when the handle does.
template <class Storage, strait_status (*Close)(Storage *)>
class handle {
 public:
  /// For the functions of strait.h.
  Storage *raw() const noexcept { return storage_.get(); }

 protected:
  explicit handle(shared_region region) : storage_(new Storage{}, {std::move(region)}) {}

 private:
  std::unique_ptr<Storage, closer<Storage, Close>> storage_;
};

/// A value that a call writes to, or the call's status.
template <class T, class Call>
result<T> answer(Call call) {
  T value{};
  if (const strait_status s = call(&value); s != STRAIT_STATUS_OK) return s;
  return value;
}

}  // namespace detail

// ---- Queues -----------------------------------------------------------------------------------------------------

/// The sending side of a queue of frames.
class producer : public detail::handle<strait_producer_t, strait_producer_close> {
 public:
  status try_send(std::uint32_t tag, bytes payload) {
    return strait_producer_try_send(raw(), tag, payload.data(), payload.size());
  }
  status send_timeout(std::uint32_t tag, bytes payload, nanoseconds time) {
    return strait_producer_send_timeout(raw(), tag, payload.data(), payload.size(), detail::ns(time));
  }
  status send_until(std::uint32_t tag, bytes payload, instant deadline) {
    return strait_producer_send_until(raw(), tag, payload.data(), payload.size(), detail::ns(deadline));
  }
  /// Sends in order until one is refused. Returns how many were sent.
  result<std::size_t> try_send_batch(view<const strait_frame_t> frames) {
    return detail::answer<std::size_t>(
        [&](std::size_t *sent) { return strait_producer_try_send_batch(raw(), frames.data(), frames.size(), sent); });
  }
  result<std::uint32_t> next_sequence() {
    return detail::answer<std::uint32_t>([&](std::uint32_t *next) { return strait_producer_next_sequence(raw(), next); });
  }
  result<strait_end_t> end() {
    return detail::answer<strait_end_t>([&](strait_end_t *end) { return strait_producer_end(raw(), end); });
  }

 private:
  friend class region;
  using handle::handle;
};

/// A frame that was received; its payload is in the buffer of the call.
struct frame {
  std::uint32_t tag;
  std::uint32_t sequence;
  bytes payload;
};

/// The receiving side of a queue of frames.
class consumer : public detail::handle<strait_consumer_t, strait_consumer_close> {
 public:
  /// `STRAIT_STATUS_TOO_SMALL` leaves the frame where it is: see `peek`, `peek_at` and `skip`.
  result<frame> try_recv(mutable_bytes buffer) {
    strait_received_t got{};
    return received(strait_consumer_try_recv(raw(), buffer.data(), buffer.size(), &got), got, buffer);
  }
  result<frame> recv_timeout(mutable_bytes buffer, nanoseconds time) {
    strait_received_t got{};
    return received(strait_consumer_recv_timeout(raw(), buffer.data(), buffer.size(), &got, detail::ns(time)), got,
                    buffer);
  }
  result<frame> recv_until(mutable_bytes buffer, instant deadline) {
    strait_received_t got{};
    return received(strait_consumer_recv_until(raw(), buffer.data(), buffer.size(), &got, detail::ns(deadline)), got,
                    buffer);
  }
  /// The next frame's tag, sequence and length.
  result<strait_received_t> peek() {
    return detail::answer<strait_received_t>([&](strait_received_t *next) { return strait_consumer_peek(raw(), next); });
  }
  /// Copies the next frame's payload from `offset` on. Returns how many bytes there were.
  result<std::size_t> peek_at(std::size_t offset, mutable_bytes buffer) {
    return detail::answer<std::size_t>([&](std::size_t *copied) {
      return strait_consumer_peek_at(raw(), offset, buffer.data(), buffer.size(), copied);
    });
  }
  status skip() { return strait_consumer_skip(raw()); }
  status release() { return strait_consumer_release(raw()); }
  status flush() { return strait_consumer_flush(raw()); }
  result<strait_end_t> end() {
    return detail::answer<strait_end_t>([&](strait_end_t *end) { return strait_consumer_end(raw(), end); });
  }

 private:
  friend class region;
  using handle::handle;

  static result<frame> received(strait_status s, const strait_received_t &got, mutable_bytes buffer) {
    if (s != STRAIT_STATUS_OK) return s;
    return frame{got.tag, got.sequence, bytes(buffer.data(), got.len)};
  }
};

/// The sending side of a queue of values.
template <class T>
class typed_producer : public detail::handle<strait_typed_producer_t, strait_typed_producer_close> {
 public:
  status try_send(const T &value) { return strait_typed_producer_try_send(this->raw(), &value, sizeof(T)); }
  status send_timeout(const T &value, nanoseconds time) {
    return strait_typed_producer_send_timeout(this->raw(), &value, sizeof(T), detail::ns(time));
  }
  status send_until(const T &value, instant deadline) {
    return strait_typed_producer_send_until(this->raw(), &value, sizeof(T), detail::ns(deadline));
  }
  /// Sends in order until one is refused. Returns how many were sent.
  result<std::size_t> try_send_batch(view<const T> values) {
    return detail::answer<std::size_t>([&](std::size_t *sent) {
      return strait_typed_producer_try_send_batch(this->raw(), values.data(), sizeof(T), values.size(), sent);
    });
  }
  result<strait_end_t> end() {
    return detail::answer<strait_end_t>([&](strait_end_t *end) { return strait_typed_producer_end(this->raw(), end); });
  }

 private:
  friend class region;
  using detail::handle<strait_typed_producer_t, strait_typed_producer_close>::handle;
};

/// A value that was received, and its number.
template <class T>
struct received {
  T value;
  std::uint32_t sequence;
};

/// The receiving side of a queue of values.
template <class T>
class typed_consumer : public detail::handle<strait_typed_consumer_t, strait_typed_consumer_close> {
 public:
  result<received<T>> try_recv() {
    return detail::answer<received<T>>([&](received<T> *got) {
      return strait_typed_consumer_try_recv(this->raw(), &got->value, sizeof(T), &got->sequence);
    });
  }
  result<received<T>> recv_timeout(nanoseconds time) {
    return detail::answer<received<T>>([&](received<T> *got) {
      return strait_typed_consumer_recv_timeout(this->raw(), &got->value, sizeof(T), &got->sequence, detail::ns(time));
    });
  }
  result<received<T>> recv_until(instant deadline) {
    return detail::answer<received<T>>([&](received<T> *got) {
      return strait_typed_consumer_recv_until(this->raw(), &got->value, sizeof(T), &got->sequence,
                                              detail::ns(deadline));
    });
  }
  /// Receives up to `values.size()` values. Returns how many came.
  result<std::size_t> recv_batch(view<T> values) {
    return detail::answer<std::size_t>([&](std::size_t *count) {
      return strait_typed_consumer_recv_batch(this->raw(), values.data(), sizeof(T), values.size(), count);
    });
  }
  status release() { return strait_typed_consumer_release(this->raw()); }
  status flush() { return strait_typed_consumer_flush(this->raw()); }
  result<strait_end_t> end() {
    return detail::answer<strait_end_t>([&](strait_end_t *end) { return strait_typed_consumer_end(this->raw(), end); });
  }

 private:
  friend class region;
  using detail::handle<strait_typed_consumer_t, strait_typed_consumer_close>::handle;
};

// ---- Latest values ----------------------------------------------------------------------------------------------

/// The writer of a latest value.
template <class T>
class latest_writer : public detail::handle<strait_latest_writer_t, strait_latest_writer_close> {
 public:
  /// Returns how many values have been published.
  result<std::uint64_t> publish(const T &value, std::uint32_t tag = 0) {
    return detail::answer<std::uint64_t>(
        [&](std::uint64_t *number) { return strait_latest_publish(this->raw(), tag, &value, sizeof(T), number); });
  }

 private:
  friend class region;
  using detail::handle<strait_latest_writer_t, strait_latest_writer_close>::handle;
};

/// A latest value that was read.
template <class T>
struct reading {
  T value;
  /// How many values were published up to and including this one.
  std::uint64_t number;
  std::uint32_t tag;
  /// This reader has not read it before.
  bool is_new;
};

/// A reader of a latest value.
template <class T>
class latest_reader : public detail::handle<strait_latest_reader_t, strait_latest_reader_close> {
 public:
  /// The newest value, read before or not; `STRAIT_STATUS_EMPTY` before the first one.
  result<reading<T>> read() {
    return read_by([&](T *value, strait_value_t *info) { return strait_latest_read(this->raw(), value, sizeof(T), info); });
  }
  /// Waits for a value that this reader has not seen. Returns as `read`.
  result<reading<T>> wait_for_change(nanoseconds time) {
    return read_by([&](T *value, strait_value_t *info) {
      return strait_latest_wait_for_change(this->raw(), value, sizeof(T), info, detail::ns(time));
    });
  }
  /// As `wait_for_change`, until a moment.
  result<reading<T>> wait_until(instant deadline) {
    return read_by([&](T *value, strait_value_t *info) {
      return strait_latest_wait_until(this->raw(), value, sizeof(T), info, detail::ns(deadline));
    });
  }

 private:
  friend class region;
  using detail::handle<strait_latest_reader_t, strait_latest_reader_close>::handle;

  template <class Read>
  static result<reading<T>> read_by(Read read) {
    T value{};
    strait_value_t info{};
    const strait_status s = read(&value, &info);
    if (s != STRAIT_STATUS_OK && s != STRAIT_STATUS_STALE) return s;
    if (info.len != sizeof(T)) return STRAIT_STATUS_WRONG_SIZE;
    return reading<T>{value, info.number, info.tag, s == STRAIT_STATUS_OK};
  }
};

// ---- Lanes ------------------------------------------------------------------------------------------------------

/// A producer of one lane of a queue with several, and which lane that is.
template <class Producer>
struct in_lane {
  Producer producer;
  std::uint32_t lane;
};

/// A frame that was received from a lane; its payload is in the buffer of the call.
struct lane_frame {
  std::uint32_t lane;
  std::uint32_t tag;
  std::uint32_t sequence;
  bytes payload;
};

/// The receiving side of a queue of frames with several producers. With `STRAIT_STATUS_FAULT` a lane is damaged and
/// left out from now on, and the others go on: `last_lane()` says which.
class lanes_consumer : public detail::handle<strait_lanes_consumer_t, strait_lanes_consumer_close> {
 public:
  result<lane_frame> try_recv(mutable_bytes buffer) {
    return received_by(buffer, [&](strait_received_t *got) {
      return strait_lanes_consumer_try_recv(raw(), buffer.data(), buffer.size(), got, &lane_);
    });
  }
  result<lane_frame> recv_timeout(mutable_bytes buffer, nanoseconds time) {
    return received_by(buffer, [&](strait_received_t *got) {
      return strait_lanes_consumer_recv_timeout(raw(), buffer.data(), buffer.size(), got, &lane_, detail::ns(time));
    });
  }
  result<strait_lane_t> lane(std::uint32_t number) {
    return detail::answer<strait_lane_t>(
        [&](strait_lane_t *shown) { return strait_lanes_consumer_lane(raw(), number, shown); });
  }
  std::uint32_t last_lane() const noexcept { return lane_; }
  status release() { return strait_lanes_consumer_release(raw()); }

 private:
  friend class region;
  using handle::handle;

  template <class Receive>
  result<lane_frame> received_by(mutable_bytes buffer, Receive receive) {
    strait_received_t got{};
    if (const strait_status s = receive(&got); s != STRAIT_STATUS_OK) return s;
    return lane_frame{lane_, got.tag, got.sequence, bytes(buffer.data(), got.len)};
  }

  std::uint32_t lane_ = 0;
};

/// A value that was received from a lane, and its number in that.
template <class T>
struct lane_value {
  T value;
  std::uint32_t sequence;
  std::uint32_t lane;
};

/// The receiving side of a queue of values with several producers; of damaged lanes see `lanes_consumer`.
template <class T>
class typed_lanes_consumer : public detail::handle<strait_typed_lanes_consumer_t, strait_typed_lanes_consumer_close> {
 public:
  result<lane_value<T>> try_recv() {
    return received_by([&](lane_value<T> *got) {
      return strait_typed_lanes_consumer_try_recv(this->raw(), &got->value, sizeof(T), &got->sequence, &got->lane);
    });
  }
  result<lane_value<T>> recv_timeout(nanoseconds time) {
    return received_by([&](lane_value<T> *got) {
      return strait_typed_lanes_consumer_recv_timeout(this->raw(), &got->value, sizeof(T), &got->sequence, &got->lane,
                                                      detail::ns(time));
    });
  }
  result<strait_lane_t> lane(std::uint32_t number) {
    return detail::answer<strait_lane_t>(
        [&](strait_lane_t *shown) { return strait_typed_lanes_consumer_lane(this->raw(), number, shown); });
  }
  std::uint32_t last_lane() const noexcept { return lane_; }
  status release() { return strait_typed_lanes_consumer_release(this->raw()); }

 private:
  friend class region;
  using detail::handle<strait_typed_lanes_consumer_t, strait_typed_lanes_consumer_close>::handle;

  template <class Receive>
  result<lane_value<T>> received_by(Receive receive) {
    lane_value<T> got{};
    got.lane = lane_;
    const strait_status s = receive(&got);
    lane_ = got.lane;
    if (s != STRAIT_STATUS_OK) return s;
    return got;
  }

  std::uint32_t lane_ = 0;
};

// ---- Broadcasts -------------------------------------------------------------------------------------------------

/// The writer of a broadcast.
template <class T>
class broadcast_writer : public detail::handle<strait_broadcast_writer_t, strait_broadcast_writer_close> {
 public:
  /// Returns the value's number, from 1.
  result<std::uint64_t> publish(const T &value, std::uint32_t tag = 0) {
    return detail::answer<std::uint64_t>(
        [&](std::uint64_t *number) { return strait_broadcast_publish(this->raw(), tag, &value, sizeof(T), number); });
  }

 private:
  friend class region;
  using detail::handle<strait_broadcast_writer_t, strait_broadcast_writer_close>::handle;
};

/// Where a reader of a broadcast starts, and goes on when it was overtaken.
enum class broadcast_start : std::uint32_t { newest = STRAIT_BROADCAST_NEWEST, oldest = STRAIT_BROADCAST_OLDEST };

/// A reader of a broadcast. `STRAIT_STATUS_LAGGED` says that the writer has overtaken it, once for each time: `lost()`
/// is how many values that cost, and the next call goes on behind them.
template <class T>
class broadcast_reader : public detail::handle<strait_broadcast_reader_t, strait_broadcast_reader_close> {
 public:
  result<reading<T>> try_recv() {
    return read_by([&](T *value, strait_value_t *info) {
      return strait_broadcast_try_recv(this->raw(), value, sizeof(T), info, &lost_);
    });
  }
  result<reading<T>> recv_timeout(nanoseconds time) {
    return read_by([&](T *value, strait_value_t *info) {
      return strait_broadcast_recv_timeout(this->raw(), value, sizeof(T), info, &lost_, detail::ns(time));
    });
  }
  /// Of the last `STRAIT_STATUS_LAGGED`.
  std::uint64_t lost() const noexcept { return lost_; }
  status set_start(broadcast_start start) {
    return strait_broadcast_set_start(this->raw(), static_cast<std::uint32_t>(start));
  }

 private:
  friend class region;
  using detail::handle<strait_broadcast_reader_t, strait_broadcast_reader_close>::handle;

  template <class Read>
  result<reading<T>> read_by(Read read) {
    T value{};
    strait_value_t info{};
    if (const strait_status s = read(&value, &info); s != STRAIT_STATUS_OK) return s;
    if (info.len != sizeof(T)) return STRAIT_STATUS_WRONG_SIZE;
    return reading<T>{value, info.number, info.tag, true};
  }

  std::uint64_t lost_ = 0;
};

// ---- Calls ------------------------------------------------------------------------------------------------------

/// The calling side of a channel of calls. A call is out from when it was made until its ticket is used up: by its
/// answer, by `STRAIT_STATUS_DID_NOT_RUN`, `MAY_HAVE_RUN` or `REFUSED`, or by `cancel`.
template <class Request, class Answer>
class call_client : public detail::handle<strait_call_client_t, strait_call_client_close> {
 public:
  using ticket = std::uint32_t;

  /// Makes a call. Returns what the other functions ask for.
  result<ticket> try_call(const Request &request) {
    return detail::answer<ticket>([&](ticket *made) {
      return strait_call_client_try_call(this->raw(), &request, sizeof(Request), made);
    });
  }
  /// Sends a request to which no answer is wanted.
  status post(const Request &request) { return strait_call_client_post(this->raw(), &request, sizeof(Request)); }
  /// The answer; `STRAIT_STATUS_EMPTY` if it has not come.
  result<Answer> poll(ticket of) {
    return detail::answer<Answer>([&](Answer *answer) {
      return strait_call_client_poll(this->raw(), of, answer, sizeof(Answer), &refusal_);
    });
  }
  /// The answer; `STRAIT_STATUS_TIMED_OUT` leaves the call out.
  result<Answer> wait_timeout(ticket of, nanoseconds time) {
    return detail::answer<Answer>([&](Answer *answer) {
      return strait_call_client_wait_timeout(this->raw(), of, answer, sizeof(Answer), &refusal_, detail::ns(time));
    });
  }
  /// Makes a call and waits, first for a place and then for the answer. After `STRAIT_STATUS_TIMED_OUT` the call is out
  /// with the ticket in `out`: wait again, or cancel it.
  result<Answer> call_timeout(const Request &request, nanoseconds time, ticket &out) {
    return detail::answer<Answer>([&](Answer *answer) {
      return strait_call_client_call_timeout(this->raw(), &request, sizeof(Request), answer, sizeof(Answer), &out,
                                             &refusal_, detail::ns(time));
    });
  }
  /// Gives a call up. Returns whether it may have run.
  result<bool> cancel(ticket of) {
    return detail::answer<bool>([&](bool *may) { return strait_call_client_cancel(this->raw(), of, may); });
  }
  /// The code of the last `STRAIT_STATUS_REFUSED`.
  std::uint16_t refusal() const noexcept { return refusal_; }

 private:
  friend class region;
  using detail::handle<strait_call_client_t, strait_call_client_close>::handle;

  std::uint16_t refusal_ = 0;
};

/// A request that a server has taken.
template <class Request>
struct taken {
  Request request;
  /// The client's identity, or 0.
  std::uint32_t caller;
  /// The client wants no answer.
  bool is_post;
  /// A server that died had taken it, so it may have run before.
  bool is_again;
};

/// The serving side of a channel of calls. Answer or refuse each request before the next.
template <class Request, class Answer>
class call_server : public detail::handle<strait_call_server_t, strait_call_server_close> {
 public:
  result<taken<Request>> try_next() {
    return taken_by([&](Request *request, strait_request_t *info) {
      return strait_call_server_try_next(this->raw(), request, sizeof(Request), info);
    });
  }
  result<taken<Request>> next_timeout(nanoseconds time) {
    return taken_by([&](Request *request, strait_request_t *info) {
      return strait_call_server_next_timeout(this->raw(), request, sizeof(Request), info, detail::ns(time));
    });
  }
  status answer(const Answer &answer) { return strait_call_server_answer(this->raw(), &answer, sizeof(Answer)); }
  status refuse(std::uint16_t code) { return strait_call_server_refuse(this->raw(), code); }

 private:
  friend class region;
  using detail::handle<strait_call_server_t, strait_call_server_close>::handle;

  template <class Take>
  result<taken<Request>> taken_by(Take take) {
    Request request{};
    strait_request_t info{};
    if (const strait_status s = take(&request, &info); s != STRAIT_STATUS_OK) return s;
    return taken<Request>{request, info.caller, info.is_post, info.is_again};
  }
};

// ---- Locks ------------------------------------------------------------------------------------------------------

template <class T>
class mutex;
template <class T>
class lock_attempt;

namespace detail {

struct unlocker {
  void operator()(strait_mutex_t *mutex) const noexcept { strait_mutex_unlock(mutex); }
};
using held_lock = std::unique_ptr<strait_mutex_t, unlocker>;

template <class T>
result<T> value_under(strait_mutex_t *mutex) {
  return answer<T>([&](T *value) { return strait_mutex_get(mutex, value, sizeof(T)); });
}

}  // namespace detail

/// A lock that is held, with a whole value; unlocked by its destructor. Must not outlive its mutex.
template <class T>
class guard {
 public:
  result<T> get() const { return detail::value_under<T>(held_.get()); }
  /// Committed by one store: a process that dies during it leaves the old value or the new one.
  status set(const T &value) { return strait_mutex_set(held_.get(), &value, sizeof(T)); }
  /// Sets what `change` makes of a copy of the value.
  template <class Change>
  status update(Change change) {
    auto value = get();
    if (!value) return value.code();
    change(*value);
    return set(*value);
  }
  /// How often the lock was taken over from a dead owner: a fencing token.
  result<std::uint32_t> takeovers() const {
    return detail::answer<std::uint32_t>(
        [&](std::uint32_t *takeovers) { return strait_mutex_version(held_.get(), nullptr, takeovers); });
  }
  /// `STRAIT_STATUS_NOT_OWNER` if the lock was not ours any more.
  status unlock() && { return strait_mutex_unlock(held_.release()); }
  /// What the mutex guards is not whole: every later attempt is `STRAIT_STATUS_POISONED`, until somebody calls
  /// `mutex::reinitialise`. (An exception that leaves the guard's scope unlocks.)
  status give_up() && { return strait_mutex_give_up(held_.release()); }

 private:
  friend class lock_attempt<T>;
  friend class mutex<T>;
  explicit guard(detail::held_lock held) : held_(std::move(held)) {}

  detail::held_lock held_;
};

/// How an attempt to lock ended: with the lock, with that of an owner who died with it, or without. One of a dead
/// owner that is neither rolled back nor repaired is given up: every later attempt is `STRAIT_STATUS_POISONED`.
template <class T>
class [[nodiscard]] lock_attempt {
 public:
  strait_status code() const noexcept { return code_; }
  const char *text() const noexcept { return strait_status_text(code_); }
  bool owner_died() const noexcept { return code_ == STRAIT_STATUS_OWNER_DIED; }

  /// The guard, if no owner died.
  result<guard<T>> or_give_up() && {
    if (code_ != STRAIT_STATUS_OK) return code_;
    return guard<T>(std::move(held_));
  }
  /// The guard; of an owner that died, with the value last committed. `STRAIT_STATUS_IN_PLACE` if there is none, because
  /// the owner was editing in place: then `or_repair` is left.
  result<guard<T>> or_roll_back() && {
    if (owner_died()) {
      if (const strait_status s = strait_mutex_roll_back(held_.get()); s != STRAIT_STATUS_OK) return s;
      code_ = STRAIT_STATUS_OK;
    }
    return std::move(*this).or_give_up();
  }
  /// The guard; of an owner that died, with what `repair` makes of the value that it left.
  template <class Repair>
  result<guard<T>> or_repair(Repair repair) && {
    if (owner_died()) {
      auto left = detail::value_under<T>(held_.get());
      if (!left) return left.code();
      repair(*left);
      strait_status s = strait_mutex_set(held_.get(), &*left, sizeof(T));
      if (s == STRAIT_STATUS_OK) s = strait_mutex_mark_consistent(held_.get());
      if (s != STRAIT_STATUS_OK) return s;
      code_ = STRAIT_STATUS_OK;
    }
    return std::move(*this).or_give_up();
  }

 private:
  friend class mutex<T>;
  lock_attempt(strait_mutex_t *mutex, strait_status code)
      : code_(code), held_(code == STRAIT_STATUS_OK || code == STRAIT_STATUS_OWNER_DIED ? mutex : nullptr) {}

  strait_status code_;
  detail::held_lock held_;
};

/// A handle on a value under a lock.
template <class T>
class mutex : public detail::handle<strait_mutex_t, strait_mutex_close> {
 public:
  lock_attempt<T> try_lock() { return {this->raw(), strait_mutex_try_lock(this->raw())}; }
  lock_attempt<T> lock_timeout(nanoseconds time) {
    return {this->raw(), strait_mutex_lock_timeout(this->raw(), detail::ns(time))};
  }
  lock_attempt<T> lock_until(instant deadline) {
    return {this->raw(), strait_mutex_lock_until(this->raw(), detail::ns(deadline))};
  }
  /// Locks a mutex that was given up, and sets its value anew.
  result<guard<T>> reinitialise(const T &value) {
    const strait_status s = strait_mutex_reinitialise(this->raw(), &value, sizeof(T));
    if (s != STRAIT_STATUS_OK) return s;
    return guard<T>(detail::held_lock(this->raw()));
  }

 private:
  friend class region;
  using detail::handle<strait_mutex_t, strait_mutex_close>::handle;
};

/// A handle on a counting semaphore.
class semaphore : public detail::handle<strait_semaphore_t, strait_semaphore_close> {
 public:
  status try_acquire() { return strait_semaphore_try_acquire(raw()); }
  status acquire_timeout(nanoseconds time) { return strait_semaphore_acquire_timeout(raw(), detail::ns(time)); }
  status acquire_until(instant deadline) { return strait_semaphore_acquire_until(raw(), detail::ns(deadline)); }
  status release(std::uint32_t count = 1) { return strait_semaphore_release(raw(), count); }
  result<std::uint32_t> count() {
    return detail::answer<std::uint32_t>([&](std::uint32_t *count) { return strait_semaphore_count(raw(), count); });
  }

 private:
  friend class region;
  using handle::handle;
};

/// A permit, given back by its destructor. Must not outlive its handle.
class permit {
 public:
  /// Which one, from 0.
  std::uint32_t index() const noexcept { return taken_.index; }
  /// The dead participant that it was taken over from; 0 if it was not.
  std::uint32_t taken_over_from() const noexcept { return taken_.taken_over_from; }
  /// `STRAIT_STATUS_NOT_OWNER` if another participant has taken it over.
  status release() && { return strait_permits_release(held_.release()); }

 private:
  friend class permits;
  struct releaser {
    void operator()(strait_permits_t *permits) const noexcept { strait_permits_release(permits); }
  };
  permit(strait_permits_t *permits, strait_permit_t taken) : held_(permits), taken_(taken) {}

  std::unique_ptr<strait_permits_t, releaser> held_;
  strait_permit_t taken_;
};

/// A handle on permits. It has one permit at a time.
class permits : public detail::handle<strait_permits_t, strait_permits_close> {
 public:
  result<permit> try_acquire() {
    strait_permit_t taken{};
    return acquired(strait_permits_try_acquire(raw(), &taken), taken);
  }
  result<permit> acquire_timeout(nanoseconds time) {
    strait_permit_t taken{};
    return acquired(strait_permits_acquire_timeout(raw(), &taken, detail::ns(time)), taken);
  }
  result<permit> acquire_until(instant deadline) {
    strait_permit_t taken{};
    return acquired(strait_permits_acquire_until(raw(), &taken, detail::ns(deadline)), taken);
  }

 private:
  friend class region;
  using handle::handle;

  result<permit> acquired(strait_status s, strait_permit_t taken) {
    if (s != STRAIT_STATUS_OK) return s;
    return permit(raw(), taken);
  }
};

// ---- Regions ----------------------------------------------------------------------------------------------------

/// An open region, which its endpoints keep open. `place` is a name, or a path if it holds a slash. Endpoints are
/// claimed with `STRAIT_STATUS_BUSY` while another participant has the role: that of a killed one is free once the
/// system has proof of its death.
class region {
 public:
  template <std::size_t N>
  static result<region> create(const char *place, const plan<N> &plan, const strait_options_t &options = {}) {
    const strait_plan_t made = plan.raw();
    return opened([&](strait_region_t *r) { return strait_create_with(r, place, &made, &options); });
  }
  static result<region> open(const char *place, const strait_options_t &options = {}) {
    return opened([&](strait_region_t *r) { return strait_open_with(r, place, &options); });
  }
  template <std::size_t N>
  static result<region> open_or_create(const char *place, const plan<N> &plan, const strait_options_t &options = {}) {
    const strait_plan_t made = plan.raw();
    return opened([&](strait_region_t *r) { return strait_open_or_create_with(r, place, &made, &options); });
  }
  /// Takes the name away. Processes that have the region open keep its memory.
  static status remove(const char *place) { return strait_remove(place); }
  /// In sealed memory, for peers that are not trusted.
  template <std::size_t N>
  static result<region> create_sealed(const plan<N> &plan, const strait_options_t &options = {}) {
    const strait_plan_t made = plan.raw();
    return opened([&](strait_region_t *r) { return strait_sealed_create(r, &made, &options); });
  }
  static result<region> receive_sealed(std::int32_t socket, const strait_options_t &options = {}) {
    return opened([&](strait_region_t *r) { return strait_sealed_receive(r, socket, &options); });
  }
  /// In memory of the program's own, as `strait_format` laid it out. A null system is one program on one core.
  static result<region> attach(void *memory, std::uint32_t len, const strait_system_t *system = nullptr) {
    return opened([&](strait_region_t *r) { return strait_attach(r, memory, len, system); });
  }

  result<strait::producer> producer(const char *name) const {
    return endpoint<strait::producer>(
        [&](strait_producer_t *made) { return strait_producer_open(made, raw(), name); });
  }
  result<strait::consumer> consumer(const char *name, const strait_consumer_options_t &options = {}) const {
    return endpoint<strait::consumer>(
        [&](strait_consumer_t *made) { return strait_consumer_open(made, raw(), name, &options); });
  }
  template <class T>
  result<strait::typed_producer<T>> typed_producer(const char *name) const {
    return endpoint<strait::typed_producer<T>>([&](strait_typed_producer_t *made) {
      return strait_typed_producer_open(made, raw(), name, type_hash<T>, detail::size_of<T>());
    });
  }
  template <class T>
  result<strait::typed_consumer<T>> typed_consumer(const char *name,
                                                   const strait_consumer_options_t &options = {}) const {
    return endpoint<strait::typed_consumer<T>>([&](strait_typed_consumer_t *made) {
      return strait_typed_consumer_open(made, raw(), name, type_hash<T>, detail::size_of<T>(), &options);
    });
  }
  /// Claims a lane of a queue of frames with several producers: by default any that is free and not urgent.
  result<in_lane<strait::producer>> producer_in_lane(const char *name, std::uint32_t lane = STRAIT_ANY_LANE) const {
    return claimed<strait::producer>([&](strait_producer_t *made, std::uint32_t *claimed) {
      return strait_producer_open_lane(made, raw(), name, lane, claimed);
    });
  }
  template <class T>
  result<in_lane<strait::typed_producer<T>>> typed_producer_in_lane(const char *name,
                                                                    std::uint32_t lane = STRAIT_ANY_LANE) const {
    return claimed<strait::typed_producer<T>>([&](strait_typed_producer_t *made, std::uint32_t *claimed) {
      return strait_typed_producer_open_lane(made, raw(), name, type_hash<T>, detail::size_of<T>(), lane, claimed);
    });
  }
  result<strait::lanes_consumer> lanes_consumer(const char *name, const strait_lanes_options_t &options = {}) const {
    return endpoint<strait::lanes_consumer>(
        [&](strait_lanes_consumer_t *made) { return strait_lanes_consumer_open(made, raw(), name, &options); });
  }
  template <class T>
  result<strait::typed_lanes_consumer<T>> typed_lanes_consumer(const char *name,
                                                               const strait_lanes_options_t &options = {}) const {
    return endpoint<strait::typed_lanes_consumer<T>>([&](strait_typed_lanes_consumer_t *made) {
      return strait_typed_lanes_consumer_open(made, raw(), name, type_hash<T>, detail::size_of<T>(), &options);
    });
  }
  template <class T>
  result<strait::broadcast_writer<T>> broadcast_writer(const char *name) const {
    return endpoint<strait::broadcast_writer<T>>([&](strait_broadcast_writer_t *made) {
      return strait_broadcast_writer_open(made, raw(), name, type_hash<T>, detail::size_of<T>());
    });
  }
  template <class T>
  result<strait::broadcast_reader<T>> broadcast_reader(const char *name,
                                                       broadcast_start start = broadcast_start::newest) const {
    if (const status s = carries(name, type_hash<T>); !s) return s.code();
    return endpoint<strait::broadcast_reader<T>>([&](strait_broadcast_reader_t *made) {
      return strait_broadcast_reader_open(made, raw(), name, static_cast<std::uint32_t>(start));
    });
  }
  template <class Request, class Answer>
  result<strait::call_client<Request, Answer>> call_client(const char *name) const {
    return endpoint<strait::call_client<Request, Answer>>([&](strait_call_client_t *made) {
      return strait_call_client_open(made, raw(), name, type_hash<Request>, detail::size_of<Request>(),
                                     type_hash<Answer>, detail::size_of<Answer>());
    });
  }
  /// With `run_again`, a request that a dead server had taken comes again; otherwise its client is told that it may
  /// have run.
  template <class Request, class Answer>
  result<strait::call_server<Request, Answer>> call_server(const char *name, bool run_again = false) const {
    return endpoint<strait::call_server<Request, Answer>>([&](strait_call_server_t *made) {
      return strait_call_server_open(made, raw(), name, type_hash<Request>, detail::size_of<Request>(),
                                     type_hash<Answer>, detail::size_of<Answer>(), run_again);
    });
  }
  template <class T>
  result<strait::latest_writer<T>> latest_writer(const char *name) const {
    return endpoint<strait::latest_writer<T>>([&](strait_latest_writer_t *made) {
      return strait_latest_writer_open(made, raw(), name, type_hash<T>, detail::size_of<T>());
    });
  }
  template <class T>
  result<strait::latest_reader<T>> latest_reader(const char *name) const {
    if (const status s = carries(name, type_hash<T>); !s) return s.code();
    return endpoint<strait::latest_reader<T>>(
        [&](strait_latest_reader_t *made) { return strait_latest_reader_open(made, raw(), name); });
  }
  template <class T>
  result<strait::mutex<T>> mutex(const char *name) const {
    return endpoint<strait::mutex<T>>([&](strait_mutex_t *made) {
      return strait_mutex_open(made, raw(), name, type_hash<T>, detail::size_of<T>());
    });
  }
  result<strait::semaphore> semaphore(const char *name) const {
    return endpoint<strait::semaphore>(
        [&](strait_semaphore_t *made) { return strait_semaphore_open(made, raw(), name); });
  }
  result<strait::permits> permits(const char *name) const {
    return endpoint<strait::permits>([&](strait_permits_t *made) { return strait_permits_open(made, raw(), name); });
  }

  /// What the region's clock shows; `STRAIT_STATUS_SYSTEM` if it has none.
  result<instant> now() const {
    auto ns = detail::answer<std::uint64_t>([&](std::uint64_t *now) { return strait_now_ns(raw(), now); });
    if (!ns) return ns.code();
    if (*ns > static_cast<std::uint64_t>(INT64_MAX)) return STRAIT_STATUS_SYSTEM;
    return instant(nanoseconds(static_cast<nanoseconds::rep>(*ns)));
  }
  std::uint32_t ident() const { return strait_region_ident(raw()); }
  status sync() const { return strait_region_sync(raw()); }
  result<bool> is_current() const {
    return detail::answer<bool>([&](bool *current) { return strait_region_is_current(raw(), current); });
  }
  result<bool> forked() const {
    return detail::answer<bool>([&](bool *forked) { return strait_region_forked(raw(), forked); });
  }
  status share_sealed(std::int32_t socket) const { return strait_sealed_share(raw(), socket); }
  result<strait_channel_state_t> state(const char *name) const {
    return detail::answer<strait_channel_state_t>(
        [&](strait_channel_state_t *state) { return strait_channel_state(raw(), name, state); });
  }
  /// For the functions of strait.h.
  strait_region_t *raw() const noexcept { return shared_.get(); }

 private:
  explicit region(detail::shared_region shared) : shared_(std::move(shared)) {}

  template <class Open>
  static result<region> opened(Open open) {
    detail::shared_region made(new strait_region_t{}, [](strait_region_t *storage) {
      strait_region_close(storage);  // `STRAIT_STATUS_NOT_OPEN` if opening failed.
      delete storage;
    });
    if (const strait_status s = open(made.get()); s != STRAIT_STATUS_OK) return s;
    return region(std::move(made));
  }

  template <class Endpoint, class Open>
  result<Endpoint> endpoint(Open open) const {
    Endpoint made(shared_);
    if (const strait_status s = open(made.raw()); s != STRAIT_STATUS_OK) return s;
    return made;
  }

  template <class Producer, class Open>
  result<in_lane<Producer>> claimed(Open open) const {
    Producer made(shared_);
    std::uint32_t lane = 0;
    if (const strait_status s = open(made.raw(), &lane); s != STRAIT_STATUS_OK) return s;
    return in_lane<Producer>{std::move(made), lane};
  }

  /// Whether a channel carries a type: a reader claims nothing, so the library does not ask.
  status carries(const char *name, std::uint64_t hash) const {
    if (name == nullptr) return STRAIT_STATUS_BAD_ARGUMENT;
    std::uint32_t count = 0;
    if (const strait_status s = strait_channel_count(raw(), &count); s != STRAIT_STATUS_OK) return s;
    for (std::uint32_t index = 0; index < count; index++) {
      strait_channel_info_t info{};
      if (const strait_status s = strait_channel_info(raw(), index, &info); s != STRAIT_STATUS_OK) return s;
      if (std::strncmp(reinterpret_cast<const char *>(info.name), name, sizeof info.name) == 0) {
        return info.type_hash == hash ? STRAIT_STATUS_OK : STRAIT_STATUS_TYPE;
      }
    }
    return STRAIT_STATUS_NOT_FOUND;
  }

  detail::shared_region shared_;
};

namespace detail {
inline strait_waitable_t waitable(consumer &c) {
  strait_waitable_t made{};
  made.frames = c.raw();
  return made;
}
template <class T>
strait_waitable_t waitable(typed_consumer<T> &c) {
  strait_waitable_t made{};
  made.values = c.raw();
  return made;
}
inline strait_waitable_t waitable(lanes_consumer &c) {
  strait_waitable_t made{};
  made.lanes = c.raw();
  return made;
}
template <class T>
strait_waitable_t waitable(typed_lanes_consumer<T> &c) {
  strait_waitable_t made{};
  made.typed_lanes = c.raw();
  return made;
}
template <class Request, class Answer>
strait_waitable_t waitable(call_server<Request, Answer> &c) {
  strait_waitable_t made{};
  made.server = c.raw();
  return made;
}
template <class T>
strait_waitable_t waitable(latest_reader<T> &r) {
  strait_waitable_t made{};
  made.latest = r.raw();
  return made;
}
template <class T>
strait_waitable_t waitable(broadcast_reader<T> &r) {
  strait_waitable_t made{};
  made.broadcast = r.raw();
  return made;
}
}  // namespace detail

/// Waits until one of these consumers, readers and servers has something. Returns which, from 0. Best if their channels
/// share a doorbell.
template <class... Consumers>
result<std::size_t> wait_any_timeout(const region &region, nanoseconds time, Consumers &...consumers) {
  const strait_waitable_t all[] = {detail::waitable(consumers)...};
  return detail::answer<std::size_t>([&](std::size_t *index) {
    return strait_wait_any_timeout(region.raw(), all, sizeof...(consumers), index, detail::ns(time));
  });
}

/// As `wait_any_timeout`, until a moment.
template <class... Consumers>
result<std::size_t> wait_any_until(const region &region, instant deadline, Consumers &...consumers) {
  const strait_waitable_t all[] = {detail::waitable(consumers)...};
  return detail::answer<std::size_t>([&](std::size_t *index) {
    return strait_wait_any_until(region.raw(), all, sizeof...(consumers), index, detail::ns(deadline));
  });
}

#ifdef __cpp_impl_coroutine
// ---- Coroutines (C++20) -----------------------------------------------------------------------------------------

/// A coroutine that a `loop` runs: a function that returns this, and waits by `co_await`. It begins when it is started.
class task {
 public:
  struct promise_type {
    task get_return_object() { return task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() {
#ifdef __cpp_exceptions
      throw;
#else
      std::abort();
#endif
    }
  };
  task(task &&other) noexcept : code_(std::exchange(other.code_, nullptr)) {}
  task &operator=(task &&) = delete;
  ~task() {
    if (code_) code_.destroy();
  }

 private:
  friend class loop;
  explicit task(std::coroutine_handle<promise_type> code) noexcept : code_(code) {}

  std::coroutine_handle<promise_type> code_;
};

/// Runs coroutines on the thread that calls `run_for`, and sleeps until one of the receivers for which they wait has
/// something. Those must outlive the loop, and so must what the coroutines refer to. Starting and waiting allocate.
class loop {
 public:
  /// `region` gives the clock and the sleep.
  explicit loop(const region &region) : region_(region.raw()) {}
  loop(const loop &) = delete;
  loop &operator=(const loop &) = delete;
  ~loop() {
    // What is destroyed may start others.
    while (!tasks_.empty()) {
      for (auto code : std::exchange(tasks_, {})) code.destroy();
    }
  }

  /// Runs a coroutine up to its first wait. An exception of it is passed on.
  void start(task begun) {
    if (!begun.code_) return;
    tasks_.push_back(begun.code_);
    resume(std::exchange(begun.code_, nullptr));
  }

  /// Waits until this receiver has something, or a fault: `co_await loop.ready(reader)`.
  template <class Receiver>
  auto ready(Receiver &receiver) {
    return waiting{*this, detail::waitable(receiver)};
  }

  /// Receives from a consumer or a broadcast, or takes a server's next request: `co_await loop.recv(angles)`. Returns as
  /// `try_recv` or `try_next`, with `args`, but waits while that is empty. It is empty all the same if another coroutine
  /// that waits for the same receiver was quicker, or if the receiver ends with its peer and that is gone.
  template <class Receiver, class... Args>
  auto recv(Receiver &receiver, Args... args) {
    auto attempt = [&receiver, args...] {
      if constexpr (requires { receiver.try_recv(args...); }) {
        return receiver.try_recv(args...);
      } else {
        return receiver.try_next(args...);
      }
    };
    return receiving<decltype(attempt)>{{*this, detail::waitable(receiver)}, attempt, attempt()};
  }

  /// Runs until all coroutines have ended. `STRAIT_STATUS_TIMED_OUT` if some still wait after `time`; otherwise as
  /// `strait_wait_any_until`, which waits for 32 different receivers at most, and has one status for all of them. It can
  /// be called again then. An exception of a coroutine is passed on, and ends that one.
  status run_for(nanoseconds time) {
    std::uint64_t now = 0;
    if (const strait_status s = strait_now_ns(region_, &now); s != STRAIT_STATUS_OK) return s;
    const std::uint64_t left = detail::ns(time);
    return run(left > UINT64_MAX - now ? UINT64_MAX : now + left);
  }

  /// As `run_for`, until a moment.
  status run_until(instant deadline) { return run(detail::ns(deadline)); }

 private:
  status run(std::uint64_t deadline) {
    std::vector<strait_waitable_t> all;
    std::vector<std::ptrdiff_t> first;
    while (!waiters_.empty()) {
      all.clear();
      first.clear();
      for (const auto &waiter : waiters_) {
        // Each receiver once, for the one that has waited longest.
        const auto same = [&](const auto &other) { return std::memcmp(&other, &waiter.what, sizeof other) == 0; };
        if (std::find_if(all.begin(), all.end(), same) != all.end()) continue;
        all.push_back(waiter.what);
        first.push_back(&waiter - waiters_.data());
      }
      std::size_t index = 0;
      const strait_status s = strait_wait_any_until(region_, all.data(), all.size(), &index, deadline);
      if (s != STRAIT_STATUS_OK) return s;
      const auto next = waiters_.begin() + first[index];
      const auto who = next->who;
      // Behind the others, should it wait again: none waits for ever.
      waiters_.erase(next);
      resume(who);
    }
    return STRAIT_STATUS_OK;
  }

  struct waiting {
    loop &home;
    strait_waitable_t what;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> who) { home.waiters_.push_back({who, what}); }
    void await_resume() const noexcept {}
  };

  template <class Attempt>
  struct receiving : waiting {
    Attempt attempt;
    std::invoke_result_t<Attempt> got;

    bool await_ready() const noexcept { return got.code() != STRAIT_STATUS_EMPTY; }
    auto await_resume() { return await_ready() ? std::move(got) : attempt(); }
  };

  void resume(std::coroutine_handle<> code) {
    // Also after an exception, when the coroutine is at its end; and when none of them runs.
    struct sweep {
      loop &home;
      ~sweep() {
        if (--home.depth_ != 0) return;
        for (std::size_t at = 0; at < home.tasks_.size();) {
          const auto task = home.tasks_[at];
          if (!task.done()) {
            ++at;
            continue;
          }
          home.tasks_.erase(home.tasks_.begin() + static_cast<std::ptrdiff_t>(at));
          task.destroy();
        }
      }
    } ended{*this};
    ++depth_;
    code.resume();
  }

  struct waiter {
    std::coroutine_handle<> who;
    strait_waitable_t what;
  };

  strait_region_t *region_;
  std::vector<std::coroutine_handle<>> tasks_;
  /// In the order in which they came.
  std::vector<waiter> waiters_;
  /// Coroutines that run within each other.
  unsigned depth_ = 0;
};
#endif

}  // inline namespace
}  // namespace strait

#if __cplusplus >= 202002L
template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<strait::view<T>> = true;
#endif

// ---- Messages ---------------------------------------------------------------------------------------------------

/// Makes a struct a message, behind its definition and in its namespace, with all fields in their order:
///
///     struct sample { uint64_t time_ns; double angle_rad; };
///     STRAIT_MESSAGE(sample, time_ns, angle_rad);
///
/// It has the hash of `strait::message! { struct Sample { time_ns: u64, angle_rad: f64 } }`. Fields are numbers of a
/// fixed size, arrays and other messages, at most 32, without padding.
#define STRAIT_MESSAGE(Type, ...)                                                                               \
  template <class Sink>                                                                                         \
  constexpr void strait_name(Sink &sink, ::strait::tag<Type>) {                                                 \
    ::strait::detail::put(sink, #Type);                                                                         \
  }                                                                                                             \
  template <class Sink>                                                                                         \
  constexpr void strait_describe(Sink &sink, ::strait::tag<Type>) {                                             \
    constexpr ::std::size_t offsets[] = {STRAIT_EACH(STRAIT_OFFSET, Type, __VA_ARGS__)};                         \
    static_assert(::strait::detail::rises(offsets), "STRAIT_MESSAGE: list the fields in their order");          \
    static_assert((STRAIT_EACH(STRAIT_SIZE, Type, __VA_ARGS__) 0) == sizeof(Type),                              \
                  "STRAIT_MESSAGE: list every field, and make padding a field");                                \
    sink.put('{');                                                                                              \
    STRAIT_EACH(STRAIT_FIELD, Type, __VA_ARGS__)                                                                \
    ::strait::detail::put(sink, "size=");                                                                       \
    ::strait::detail::put(sink, sizeof(Type));                                                                  \
    sink.put('}');                                                                                              \
  }                                                                                                             \
  static_assert(::std::is_trivially_copyable_v<Type> && ::std::is_standard_layout_v<Type>,                      \
                "STRAIT_MESSAGE: a message is plain data")

#define STRAIT_OFFSET(Type, name) offsetof(Type, name),
#define STRAIT_SIZE(Type, name) sizeof(Type::name) +
#define STRAIT_FIELD(Type, name) \
  ::strait::detail::field<decltype(Type::name)>(sink, #name, offsetof(Type, name));

// `apply(Type, name)` for each of the names.
#define STRAIT_EXPAND(x) x
#define STRAIT_EACH(apply, Type, ...) \
  STRAIT_EXPAND(STRAIT_CONCAT(STRAIT_EACH_, STRAIT_COUNT(__VA_ARGS__))(apply, Type, __VA_ARGS__))
#define STRAIT_CONCAT(a, b) STRAIT_CONCAT_(a, b)
#define STRAIT_CONCAT_(a, b) a##b
#define STRAIT_COUNT(...) \
  STRAIT_EXPAND(STRAIT_NUMBER(__VA_ARGS__, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, \
                              15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0))
#define STRAIT_NUMBER(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, \
                      _17, _18, _19, _20, _21, _22, _23, _24, _25, _26, _27, _28, _29, _30, _31, _32, n, ...) n
#define STRAIT_EACH_1(apply, Type, name) apply(Type, name)
#define STRAIT_EACH_2(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_1(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_3(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_2(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_4(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_3(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_5(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_4(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_6(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_5(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_7(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_6(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_8(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_7(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_9(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_8(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_10(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_9(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_11(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_10(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_12(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_11(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_13(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_12(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_14(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_13(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_15(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_14(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_16(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_15(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_17(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_16(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_18(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_17(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_19(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_18(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_20(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_19(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_21(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_20(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_22(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_21(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_23(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_22(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_24(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_23(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_25(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_24(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_26(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_25(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_27(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_26(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_28(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_27(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_29(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_28(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_30(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_29(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_31(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_30(apply, Type, __VA_ARGS__))
#define STRAIT_EACH_32(apply, Type, name, ...) apply(Type, name) STRAIT_EXPAND(STRAIT_EACH_31(apply, Type, __VA_ARGS__))

#endif  // STRAIT_HPP
