//! The start time from `/proc`.

use std::fs;

/// When this process started, in clock ticks since the machine did; 0 if that cannot be read.
pub fn start_time() -> u64 {
    fs::read_to_string("/proc/self/stat").ok().and_then(|stat| parse(&stat)).unwrap_or(0)
}

/// Field 22. The second one, the program's name in brackets, may itself hold blanks and brackets.
fn parse(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_with_blanks_and_brackets_does_not_shift_the_fields() {
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(super::parse(stat), Some(4711));
        assert_eq!(super::parse(""), None);
        assert!(super::start_time() > 0);
    }
}
