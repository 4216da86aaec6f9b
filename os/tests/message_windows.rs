//! Messages between the windows of two processes.
#![cfg(windows)]

use std::time::{Duration, Instant};

use crate::common::{Helper, end_in_a_while, eventually, hear, role, say};
use strait_os::windows::window::{MessageWindow, RemoteWindow, WindowError, WindowMessage, WindowSendError};

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(200);

fn unique(test: &str) -> String {
    format!("StraitTest-{}-{test}", std::process::id())
}

fn find(class: &str) -> RemoteWindow {
    let mut found = None;
    assert!(eventually(|| {
        found = RemoteWindow::find(Some(class), None);
        found.is_some()
    }));
    found.expect("just seen")
}

/// A process with a window. Of programs that start while wine's desktop does, some get none: start them again.
fn start(role: &str, class: &str) -> Helper {
    for _ in 0..5 {
        let mut helper = Helper::start(role, class);
        match helper.hear().as_str() {
            "ready" => return helper,
            why => println!("{why}; once more"),
        }
    }
    panic!("no process got a window");
}

#[test]
fn another_process_answers_data_and_numbers() {
    let class = unique("answers");
    let mut helper = start("answer", &class);
    let window = find(&class);
    let data: Vec<u8> = (0..1_000_000_u32).map(|at| (at ^ (at >> 8)) as u8).collect();
    let before = data.clone();
    let sum: usize = data.iter().map(|&byte| usize::from(byte)).sum();
    assert_eq!(window.send_data(7, &data, LONG), Ok(7 + sum as isize));
    assert!(data == before, "the sender's memory is untouched");
    assert_eq!(window.send_data(usize::MAX, b"", LONG), Ok(-1));
    assert_eq!(window.send(0x400, 40, 2, LONG), Ok(42));
    assert_eq!(window.send(0xFFFF, 40, -2, LONG), Ok(38));
    window.post(0x8001, 1, 2).expect("it is left there");
    assert_eq!(helper.hear(), "posted 1 2");
    assert_eq!(RemoteWindow::find(Some(&class), Some(&class)), Some(window), "the title is the same");
    helper.kill();
    assert!(eventually(|| window.send(0x400, 0, 0, LONG) == Err(WindowSendError::Gone)));
    assert_eq!(window.post(0x400, 0, 0), Err(WindowSendError::Gone));
    assert_eq!(RemoteWindow::find(Some(&class), None), None);
}

#[test]
fn a_receiver_that_does_not_look_costs_the_time_allowed() {
    let class = unique("deaf");
    let _helper = start("deaf", &class);
    let window = find(&class);
    let start = Instant::now();
    assert_eq!(window.send_data(1, b"hello", SHORT), Err(WindowSendError::TimedOut));
    assert!(start.elapsed() < LONG);
    window.post(0x8001, 1, 2).expect("that does not wait");
}

#[test]
fn the_systems_own_messages_are_refused() {
    const WM_SETTEXT: u32 = 0x0C;
    let class = unique("system");
    let _window = MessageWindow::create(&class).expect("a window");
    let window = find(&class);
    for message in [0, WM_SETTEXT, 0x3FF, 0x1_0000, u32::MAX] {
        assert_eq!(window.send(message, 0, 0, SHORT), Err(WindowSendError::NotForPrograms));
        assert_eq!(window.post(message, 0, 0), Err(WindowSendError::NotForPrograms));
    }
}

#[test]
fn a_pump_times_out_and_its_panics_come_back() {
    let class = unique("pump");
    for wrong in ["", "a\0b", &"x".repeat(201)] {
        assert_eq!(MessageWindow::create(wrong).err(), Some(WindowError::Name));
    }
    let mut window = MessageWindow::create(&class).expect("a window");
    let start = Instant::now();
    let never = |_: WindowMessage<'_>| unreachable!("nobody sends");
    assert_eq!(window.pump_timeout(SHORT, never), Err(WindowError::TimedOut));
    assert_eq!(window.pump_timeout(Duration::ZERO, never), Err(WindowError::TimedOut));
    assert!(start.elapsed() >= SHORT && start.elapsed() < LONG);
    let (go_on, next) = std::sync::mpsc::channel();
    let sender = std::thread::spawn({
        let window = find(&class);
        move || {
            let first = window.send_data(1, b"first", LONG);
            next.recv().expect("the pump has come back");
            [first, window.send_data(2, b"second", LONG)]
        }
    });
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        window.pump_timeout(LONG, |_| std::panic::resume_unwind(Box::new("in the handler")))
    }));
    assert!(panicked.is_err());
    go_on.send(()).expect("the sender");
    assert_eq!(window.pump_timeout(LONG, |_| 9), Ok(1));
    assert_eq!(sender.join().expect("no panic"), [Ok(0), Ok(9)]);
    drop(window);
    assert_eq!(RemoteWindow::find(Some(&class), None), None);
}

#[test]
fn helper() {
    let Some((role, class)) = role() else { return };
    end_in_a_while();
    let mut window = match MessageWindow::create(&class) {
        Ok(window) => window,
        Err(error) => return say(&format!("no window: {error}")),
    };
    say("ready");
    if role == "deaf" {
        return drop(hear());
    }
    loop {
        let answer = |message: WindowMessage<'_>| match message {
            WindowMessage::Data { tag, bytes } => {
                let sum: usize = bytes.iter().map(|&byte| usize::from(byte)).sum();
                tag.wrapping_add(sum) as isize
            }
            WindowMessage::Numbers { message: 0x8001, first, second } => {
                say(&format!("posted {first} {second}"));
                0
            }
            WindowMessage::Numbers { first, second, .. } => first as isize + second,
        };
        window.pump_timeout(LONG, answer).expect("the test sends");
    }
}
