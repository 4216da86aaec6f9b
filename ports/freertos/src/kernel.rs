//! FreeRTOS, as far as this port and its programs need it, with safe names.

use core::ffi::{c_char, c_void};
use core::ptr::null_mut;

mod c {
    use core::ffi::{c_char, c_void};

    // As `kernel/FreeRTOSConfig.h` sets the types' widths.
    unsafe extern "C" {
        pub fn xTaskCreate(
            code: extern "C" fn(*mut c_void),
            name: *const c_char,
            stack_words: u32,
            argument: *mut c_void,
            priority: u32,
            created: *mut *mut c_void,
        ) -> i32;
        pub fn vTaskStartScheduler();
        pub fn xTaskGetCurrentTaskHandle() -> *mut c_void;
        pub fn xTaskGetTickCount() -> u32;
        pub fn vTaskDelay(ticks: u32);
        pub fn uxTaskPriorityGet(task: *mut c_void) -> u32;
        pub fn vTaskPrioritySet(task: *mut c_void, priority: u32);
        pub fn ulTaskGenericNotifyTake(index: u32, clear: i32, ticks: u32) -> u32;
        pub fn xTaskGenericNotify(
            task: *mut c_void,
            index: u32,
            value: u32,
            action: u32,
            previous: *mut u32,
        ) -> i32;
        pub fn vTaskGenericNotifyGiveFromISR(task: *mut c_void, index: u32, woken: *mut i32);
    }
}

/// A task, which never ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Task(*mut c_void);

// SAFETY: a name for the kernel, which any context may use; nobody else looks through it.
unsafe impl Send for Task {}

/// The words of stack that each task gets.
const STACK: u32 = 2048;
/// Adds one to a notification's count.
const INCREMENT: u32 = 2;

/// Starts a task that runs `code`, and then does nothing.
pub fn spawn(priority: u32, code: fn()) -> Task {
    let (name, mut created): (*const c_char, _) = (c"strait".as_ptr(), null_mut());
    // SAFETY: the name and the place for the handle are valid; `run` gets the pointer that it expects.
    let made = unsafe { c::xTaskCreate(run, name, STACK, code as *mut c_void, priority, &raw mut created) };
    assert_eq!(made, 1, "the kernel's heap is used up");
    Task(created)
}

extern "C" fn run(code: *mut c_void) {
    // SAFETY: `spawn` made the pointer of a function of this very type.
    let code: fn() = unsafe { core::mem::transmute(code) };
    code();
    loop {
        delay(u32::MAX);
    }
}

/// Hands the core over to the tasks.
pub fn start() -> ! {
    // SAFETY: called once, from `main`, with the kernel's handlers in the vector table.
    unsafe { c::vTaskStartScheduler() };
    unreachable!("the kernel has no memory for its idle task")
}

/// The task that calls this.
pub fn current() -> Task {
    // SAFETY: has no preconditions but a running scheduler, and nothing here runs before.
    Task(unsafe { c::xTaskGetCurrentTaskHandle() })
}

/// Milliseconds since the start, modulo 2^32.
pub fn ticks() -> u32 {
    // SAFETY: in a task.
    unsafe { c::xTaskGetTickCount() }
}

/// Sleeps for this many ticks.
pub fn delay(ticks: u32) {
    // SAFETY: in a task, and not in a critical section.
    unsafe { c::vTaskDelay(ticks) };
}

/// Waits for a notification, for this many ticks at most, and clears it.
pub fn take_notice(index: u32, ticks: u32) {
    // SAFETY: in a task, and not in a critical section; both indices exist by the configuration.
    unsafe { c::ulTaskGenericNotifyTake(index, 1, ticks) };
}

/// Notifies a task, from a task or an interrupt. If that task is more urgent than the caller, it runs at once.
pub fn notify(task: Task, index: u32) {
    if in_interrupt() {
        // SAFETY: tasks never end, and the tick's interrupt switches tasks by itself at its end.
        unsafe { c::vTaskGenericNotifyGiveFromISR(task.0, index, null_mut()) };
    } else {
        // SAFETY: tasks never end; the previous value is not asked for.
        unsafe { c::xTaskGenericNotify(task.0, index, 0, INCREMENT, null_mut()) };
    }
}

/// The caller's priority.
pub fn priority() -> u32 {
    // SAFETY: of the calling task.
    unsafe { c::uxTaskPriorityGet(null_mut()) }
}

/// Sets the caller's priority. If others are more urgent then, they run at once.
pub fn set_priority(priority: u32) {
    // SAFETY: of the calling task.
    unsafe { c::vTaskPrioritySet(null_mut(), priority) };
}

fn in_interrupt() -> bool {
    cortex_m::peripheral::SCB::vect_active() != cortex_m::peripheral::scb::VectActive::ThreadMode
}

#[unsafe(no_mangle)]
extern "C" fn kernel_assert_failed(line: u32) {
    panic!("FreeRTOS found a misuse, in the file where that is at line {line}");
}
