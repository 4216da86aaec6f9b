//! A program that has to end in time, with success, and with a line that says what it proved.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::say::say;

/// The start of the last line.
const SIGN: &str = "PASS ";

/// How often to look whether it has ended.
pub const LOOK: Duration = Duration::from_millis(10);

/// A running program; killed when dropped.
pub struct Trial {
    child: Child,
    printed: Option<JoinHandle<String>>,
}

impl Trial {
    /// Shows the command line, whose words are divided by blanks, and starts it.
    ///
    /// # Errors
    ///
    /// Why it could not be started.
    pub fn start(line: &str) -> Result<Self, String> {
        say!("$ {line}");
        let mut words = line.split_whitespace();
        let program = words.next().unwrap_or_default();
        let child = Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program} could not be started: {error}"))?;
        let mut trial = Self { child, printed: None };
        trial.printed = trial.child.stdout.take().map(|mut stdout| {
            thread::spawn(move || {
                let mut bytes = Vec::new();
                // Whatever was read before an error is all there is.
                let _ = stdout.read_to_end(&mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            })
        });
        Ok(trial)
    }

    /// Whether it has not ended yet.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end, and returns what it proved.
    ///
    /// # Errors
    ///
    /// The failure; the output is shown then.
    pub fn verdict(self, limit: Duration) -> Result<String, String> {
        let output = self.output(limit)?;
        proved(&output).map(String::from).ok_or_else(|| {
            say!("{output}");
            format!("it ended without `{SIGN}`")
        })
    }

    /// Waits for its end, which must be a success, and returns what it printed.
    ///
    /// # Errors
    ///
    /// The failure; the output is shown then.
    pub fn output(mut self, limit: Duration) -> Result<String, String> {
        let start = Instant::now();
        let why = loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(self.end()),
                Ok(Some(status)) => break status.to_string(),
                Ok(None) if start.elapsed() < limit => thread::sleep(LOOK),
                Ok(None) => break format!("not done after {} s", limit.as_secs()),
                Err(error) => break error.to_string(),
            }
        };
        say!("{}", self.end());
        Err(why)
    }

    fn end(&mut self) -> String {
        // Fails only for a child that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.printed.take().and_then(|printed| printed.join().ok()).unwrap_or_default()
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.end();
    }
}

/// The claims that the last line lists as proved.
fn proved(output: &str) -> Option<&str> {
    output.trim_end().lines().next_back()?.strip_prefix(SIGN)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Trial, proved};

    #[test]
    fn the_last_line_decides() {
        assert_eq!(proved("booting\nPASS all is well\n"), Some("all is well"));
        assert_eq!(proved("PASS all is well\npanicked"), None);
        assert_eq!(proved(""), None);
    }

    #[cfg(unix)]
    #[test]
    fn success_needs_the_sign_and_the_status_and_an_end() {
        let verdict = |line: &str, limit| Trial::start(line)?.verdict(Duration::from_secs(limit));
        assert_eq!(verdict("echo PASS one two", 60), Ok("one two".into()));
        assert_eq!(verdict("echo one two", 60), Err("it ended without `PASS `".into()));
        assert_eq!(verdict("false", 60), Err("exit status: 1".into()));
        assert_eq!(verdict("sleep 600", 0), Err("not done after 0 s".into()));
        assert!(verdict("no/such/program", 60).is_err());
    }
}
