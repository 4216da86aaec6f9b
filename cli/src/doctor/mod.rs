//! `strait doctor`: what on this machine stands in the way of strait, and of real time.

mod hiccups;
mod machine;
mod patient;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::args;
use crate::error::{Result, reported};
use crate::print;
use hiccups::Hiccups;

/// How a finding is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing to do.
    Fine,
    /// In the way of real time: something is late now and then, or may be.
    Late,
    /// In the way of strait: something does not work.
    Broken,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Late => "late",
            Self::Broken => "BROKEN",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    verdict: Verdict,
    /// A short name.
    what: &'static str,
    /// What was found.
    found: String,
    /// What to do, unless all is fine.
    remedy: String,
    /// Where it was read.
    source: String,
}

impl Finding {
    fn new(what: &'static str, source: impl Into<String>, found: impl Into<String>) -> Self {
        let (found, source) = (found.into(), source.into());
        Self { verdict: Verdict::Fine, what, found, remedy: String::new(), source }
    }

    /// In the way of real time where `so`.
    fn late(self, so: bool, remedy: impl Into<String>) -> Self {
        self.at_least(so, Verdict::Late, remedy)
    }

    /// In the way of strait where `so`.
    fn broken(self, so: bool, remedy: impl Into<String>) -> Self {
        self.at_least(so, Verdict::Broken, remedy)
    }

    fn at_least(mut self, so: bool, verdict: Verdict, remedy: impl Into<String>) -> Self {
        if so {
            (self.verdict, self.remedy) = (verdict, remedy.into());
        }
        self
    }

    fn json(&self) -> Value {
        json!({
            "verdict": self.verdict.word().to_lowercase(),
            "what": self.what,
            "found": self.found,
            "remedy": (!self.remedy.is_empty()).then_some(&self.remedy),
            "source": self.source,
        })
    }

    /// A line, and a second one with the remedy.
    fn to_text(&self) -> String {
        let mut text =
            format!("{:<7} {:<18} {}  [{}]\n", self.verdict.word(), self.what, self.found, self.source);
        if !self.remedy.is_empty() {
            text.push_str(&format!("{:27}-> {}\n", "", self.remedy));
        }
        text
    }
}

/// Looks at everything, and prints what was found.
pub fn run(wanted: &args::Doctor) -> Result<()> {
    let mut findings = machine::findings(Path::new("/"));
    findings.push(patient::trial());
    if let Some(arg) = &wanted.region {
        findings.extend(patient::region(arg)?);
    }
    if !wanted.json {
        findings.iter().try_for_each(|finding| print::out(&finding.to_text()))?;
    }
    let measured = (!wanted.no_measure).then(|| measure(wanted.seconds));
    let mut all: Vec<&Finding> = findings.iter().collect();
    if let Some((hiccups, late)) = &measured {
        all.extend(late);
        if !wanted.json {
            print::out(&hiccups.to_text())?;
            late.iter().try_for_each(|finding| print::out(&finding.to_text()))?;
        }
    }
    let count = |verdict| all.iter().filter(|finding| finding.verdict == verdict).count();
    let (late, broken) = (count(Verdict::Late), count(Verdict::Broken));
    if wanted.json {
        let shown: Vec<Value> = all.iter().map(|finding| finding.json()).collect();
        let hiccups = measured.as_ref().map(|(hiccups, _)| hiccups.json());
        let value = json!({ "findings": shown, "late": late, "broken": broken, "hiccups": hiccups });
        print::out(&format!("{value}\n"))?;
    } else {
        print::out(&format!("\n{late} in the way of real time, {broken} in the way of strait\n"))?;
    }
    if broken > 0 || (wanted.strict && late > 0) { Err(reported()) } else { Ok(()) }
}

/// Measures, and judges what was measured.
fn measure(length: Duration) -> (Hiccups, Vec<Finding>) {
    let hiccups = Hiccups::measure(length);
    let findings = hiccups.findings();
    (hiccups, findings)
}

#[cfg(test)]
mod tests {
    use super::{Finding, Verdict};

    #[test]
    fn what_is_not_fine_has_a_remedy_in_a_line_of_its_own() {
        let fine = Finding::new("swap", "/proc/swaps", "none").late(false, "turn it off");
        assert_eq!(fine.verdict, Verdict::Fine);
        assert_eq!(fine.to_text(), "ok      swap               none  [/proc/swaps]\n");
        let late = Finding::new("swap", "/proc/swaps", "1 in use").late(true, "turn it off");
        assert_eq!(late.to_text().lines().nth(1), Some("                           -> turn it off"));
        assert_eq!(late.json()["verdict"], "late");
    }
}
