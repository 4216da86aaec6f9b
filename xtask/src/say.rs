//! Lines of the log, and whose they are where two steps run at once.

use std::cell::RefCell;

thread_local! {
    /// What stands in front of this thread's lines.
    static MARK: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Puts the name of a step in front of what this thread prints from now on.
pub fn mark(name: &str) {
    adopt(&format!("{name:<12} | "));
}

/// Puts another thread's mark there, for which this one works.
pub fn adopt(mark: &str) {
    MARK.set(mark.into());
}

/// What stands in front of this thread's lines, for a thread that prints for it.
pub fn own_mark() -> String {
    MARK.with_borrow(Clone::clone)
}

/// Whether something stands there.
pub fn is_marked() -> bool {
    !own_mark().is_empty()
}

/// The text with the mark in front of each line.
pub fn marked(mark: &str, text: &str) -> String {
    text.split('\n').map(|line| format!("{mark}{line}")).collect::<Vec<_>>().join("\n")
}

/// As `println`, with the thread's mark.
macro_rules! say {
    ($($text:tt)*) => { println!("{}", $crate::say::marked(&$crate::say::own_mark(), &format!($($text)*))) };
}
pub(crate) use say;

#[cfg(test)]
mod tests {
    use super::{is_marked, mark, marked, own_mark};

    #[test]
    fn each_line_has_the_mark_of_its_thread() {
        assert!(!is_marked());
        std::thread::spawn(|| {
            mark("guest");
            assert_eq!(marked(&own_mark(), "a\nb"), "guest        | a\nguest        | b");
        })
        .join()
        .expect("no panic");
        assert!(!is_marked());
    }
}
