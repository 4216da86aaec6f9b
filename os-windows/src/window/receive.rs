//! A window that only receives messages.

use core::cell::RefCell;
use core::ptr::{null, null_mut};
use core::time::Duration;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

use strait_os_base::OsError;
use windows_sys::Win32::Foundation::{
    ERROR_CLASS_ALREADY_EXISTS, HWND, LPARAM, LRESULT, WAIT_FAILED, WPARAM,
};
use windows_sys::Win32::System::DataExchange::COPYDATASTRUCT;
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DestroyWindow, DispatchMessageW, GWLP_USERDATA, GetWindowLongPtrW,
    HWND_MESSAGE, MSG, MWMO_INPUTAVAILABLE, MsgWaitForMultipleObjectsEx, PM_REMOVE, PeekMessageW,
    QS_ALLINPUT, RegisterClassW, SetWindowLongPtrW, WM_COPYDATA, WNDCLASSW,
};

use super::is_for_programs;
use crate::error::FromCall as _;
use crate::wide::wide;

/// The most posted messages that a pump handles before it looks at its time again.
const MOST: usize = 1000;

/// A received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// `WM_COPYDATA`: tag and bytes.
    Data(usize, &'a [u8]),
    /// Another message that is left to programs: its number and two more.
    Numbers(u32, usize, isize),
}

/// A window of the thread that made it.
#[derive(Debug)]
pub struct Window {
    /// The pointer keeps the value from going to another thread.
    window: HWND,
}

/// The state of the window's procedure during a pump.
struct Pump<'a> {
    /// Borrowed while a message is handled: one that comes during that is not for us.
    handler: RefCell<&'a mut dyn FnMut(Incoming<'_>) -> isize>,
    handled: RefCell<Handled>,
}

#[derive(Default)]
struct Handled {
    count: usize,
    panic: Option<Box<dyn Any + Send>>,
}

impl Window {
    /// Makes a window whose class, and title, is `name`, which holds no zero.
    pub fn create(name: &str) -> Result<Self, OsError> {
        let name = wide(name);
        // SAFETY: no name is asked for: this program's own module.
        let module = unsafe { GetModuleHandleW(null()) };
        let class = WNDCLASSW {
            lpfnWndProc: Some(procedure),
            hInstance: module,
            lpszClassName: name.as_ptr(),
            ..WNDCLASSW::default()
        };
        // SAFETY: the class and its name live until the call is over, which copies them.
        if unsafe { RegisterClassW(&raw const class) } == 0 {
            let error = OsError::last("RegisterClass");
            if !error.is(ERROR_CLASS_ALREADY_EXISTS) {
                return Err(error);
            }
        }
        let (at, none) = (name.as_ptr(), null_mut());
        // SAFETY: the name ends in a zero; the procedure of the class takes any message.
        let window = unsafe { CreateWindowExW(0, at, at, 0, 0, 0, 0, 0, HWND_MESSAGE, none, module, null()) };
        if window.is_null() {
            return Err(OsError::last("CreateWindowEx"));
        }
        Ok(Self { window })
    }

    /// Waits up to `timeout` for a message, and hands all that are there to `handler`. Returns how many there
    /// were: none if the time is over. Resumes the handler's panic.
    pub fn pump(
        &mut self,
        timeout: Duration,
        mut handler: impl FnMut(Incoming<'_>) -> isize,
    ) -> Result<usize, OsError> {
        let pump = Pump { handler: RefCell::new(&mut handler), handled: RefCell::default() };
        let start = Instant::now();
        let outcome = {
            let _connected = Connected::new(self.window, &pump);
            loop {
                for _ in 0..MOST {
                    if !dispatch_one() || pump.has_panicked() {
                        break;
                    }
                }
                let left = timeout.saturating_sub(start.elapsed());
                if pump.handled.borrow().count > 0 || left.is_zero() {
                    break Ok(());
                }
                if let Err(error) = sleep(left) {
                    break Err(error);
                }
            }
        };
        let handled = pump.handled.into_inner();
        if let Some(panic) = handled.panic {
            resume_unwind(panic);
        }
        outcome.map(|()| handled.count)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: the window is this thread's. Senders that wait get an error.
        unsafe { DestroyWindow(self.window) };
    }
}

/// While this lives, the window's procedure finds the pump.
struct Connected(HWND);

impl Connected {
    fn new(window: HWND, pump: &Pump<'_>) -> Self {
        // The word is an `isize`, and on 32-bit systems an `i32`.
        let pump = core::ptr::from_ref(pump) as _;
        // SAFETY: the window is this thread's, and this word of it ours.
        unsafe { SetWindowLongPtrW(window, GWLP_USERDATA, pump) };
        Self(window)
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { SetWindowLongPtrW(self.0, GWLP_USERDATA, 0) };
    }
}

/// Handles what was sent to this thread, and one message that was posted to it. False if there was none.
fn dispatch_one() -> bool {
    let mut message = MSG::default();
    // SAFETY: the pointer is a local's.
    if unsafe { PeekMessageW(&raw mut message, null_mut(), 0, 0, PM_REMOVE) } == 0 {
        return false;
    }
    // SAFETY: the message is as the system gave it.
    unsafe { DispatchMessageW(&raw const message) };
    true
}

/// The longest sleep at a time. Under wine a message that is sent in the very moment in which its receiver
/// goes to sleep was seen to wake nobody.
const NAP: Duration = Duration::from_millis(100);

/// Sleeps until something is there for this thread, or for a while.
fn sleep(left: Duration) -> Result<(), OsError> {
    let millis = left.min(NAP).as_micros().div_ceil(1000) as u32;
    let (inputs, flags) = (QS_ALLINPUT, MWMO_INPUTAVAILABLE);
    // SAFETY: there are no handles.
    let result = unsafe { MsgWaitForMultipleObjectsEx(0, null(), millis, inputs, flags) };
    if result == WAIT_FAILED { Err(OsError::last("MsgWaitForMultipleObjectsEx")) } else { Ok(()) }
}

/// The window's procedure: called by the system, in the window's thread, whenever that looks for messages.
unsafe extern "system" fn procedure(window: HWND, message: u32, first: WPARAM, second: LPARAM) -> LRESULT {
    // SAFETY: the window is this thread's.
    let pump = unsafe { GetWindowLongPtrW(window, GWLP_USERDATA) } as *const Pump<'_>;
    // SAFETY: it is null, or the pump that `Connected` put there, which outlives that.
    let pump = unsafe { pump.as_ref() };
    match pump {
        Some(pump) if message == WM_COPYDATA => {
            // SAFETY: with this message comes a pointer to such a structure, valid until the answer. The
            // system lets nobody post it, or send it without waiting.
            let Some(data) = (unsafe { (second as *const COPYDATASTRUCT).as_ref() }) else { return 0 };
            let bytes = match data.cbData {
                len if len > 0 && !data.lpData.is_null() => {
                    // SAFETY: the system has copied that many bytes to there, and they stay until the answer.
                    unsafe { core::slice::from_raw_parts(data.lpData.cast::<u8>(), len as usize) }
                }
                _ => &[],
            };
            pump.handle(Incoming::Data(data.dwData, bytes))
        }
        Some(pump) if is_for_programs(message) => pump.handle(Incoming::Numbers(message, first, second)),
        // SAFETY: the message is as the system gave it.
        _ => unsafe { DefWindowProcW(window, message, first, second) },
    }
}

impl Pump<'_> {
    fn has_panicked(&self) -> bool {
        self.handled.borrow().panic.is_some()
    }

    fn handle(&self, message: Incoming<'_>) -> isize {
        if self.has_panicked() {
            return 0; // The system handed it over in the same call.
        }
        // Taken: the handler itself looks for messages, and this came during that.
        let Ok(mut handler) = self.handler.try_borrow_mut() else { return 0 };
        let answer = catch_unwind(AssertUnwindSafe(|| handler(message)));
        let mut handled = self.handled.borrow_mut();
        handled.count += 1;
        answer.unwrap_or_else(|panic| {
            handled.panic = Some(panic);
            0
        })
    }
}
