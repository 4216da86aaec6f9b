//! The text of each status names the thing, the reason and the remedy.
#![cfg(feature = "os")]

use std::ffi::CStr;

use strait_capi::strait_status_text;

/// What statuses are of. Each text names one.
const THINGS: [&str; 23] = [
    "pointer",
    "storage",
    "region",
    "mutex",
    "length",
    "header",
    "call",
    "plan",
    "channel",
    "participant",
    "type",
    "lock",
    "peer",
    "queue",
    "value",
    "owner",
    "semaphore",
    "name",
    "file",
    "memory",
    "system",
    "message",
    "socket",
];

#[test]
fn every_status_names_the_thing_the_reason_and_the_remedy() {
    let text = |status| {
        // SAFETY: a text that ends with a NUL, and is never freed.
        let text = unsafe { CStr::from_ptr(strait_status_text(status)) };
        text.to_str().expect("UTF-8")
    };
    let unknown = text(i32::MAX);
    let mut bad = String::new();
    let mut count = 0;
    for status in 1..=200 {
        let text = text(status);
        if text == unknown {
            continue;
        }
        count += 1;
        let mut flaw = |wrong: bool, what: &str| {
            if wrong {
                bad += &format!("{status} {what}: {text}\n");
            }
        };
        flaw(text.starts_with(char::is_uppercase) || text.ends_with('.'), "is no part of a line");
        flaw(!THINGS.iter().any(|thing| text.contains(thing)), "names no thing");
        let advises = text.contains("; ") || text.contains(" must ");
        flaw(!advises && !text.contains("in the time allowed"), "says nothing of what to do");
        flaw(text.contains("remove"), "advises to remove what may be somebody else's");
    }
    assert!(count > 40, "{count}");
    assert!(bad.is_empty(), "{bad}");
}
