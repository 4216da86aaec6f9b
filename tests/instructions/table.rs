//! The table of limits: what each path may cost.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::stepper::Call;
use super::x86::Costly;

/// The table of the profile that this program was built with.
pub fn file() -> &'static str {
    if option_env!("CARGO_PROFILE_RELEASE_LTO") == Some("false") {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/instructions-plain.txt")
    } else {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/instructions.txt")
    }
}

const HEAD: &str = "\
# What each path may cost: its name, its instructions at the most, and the costly ones that may be
# among them (call*2: two calls; clean: none). Read and rewritten by tests/instructions.rs, which says
# more.
";

/// How many of each kind of costly instructions.
type Count = BTreeMap<Costly, usize>;

/// The limits of a path's cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name.
    pub name: String,
    /// Instructions at the most.
    pub most: usize,
    /// Costly instructions that may be among them.
    pub allowed: Count,
}

/// The measured cost of a path.
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its instructions, net of a call of nothing.
    pub count: usize,
    /// The costly ones among them.
    pub found: Count,
}

impl Row {
    /// The cost seen of a path; `nothing` is the call of nothing.
    pub fn of(call: &Call, nothing: &Call) -> Self {
        let count = call.trace.len().saturating_sub(nothing.trace.len());
        Self { name: call.name.clone(), count, found: call.found.clone() }
    }

    /// The limit that would be written for this path, if `old` is the one there was.
    ///
    /// Counts differ a little between compilers, hence the headroom. Costly instructions that a path
    /// has lost it may not have again, and rewriting allows it no new ones. What happens once, before
    /// the first message, may do as it likes, and depends on the system's library too.
    fn limit(&self, old: Option<&Limit>) -> Limit {
        let name = self.name.clone();
        if name.starts_with("set-up/") {
            let most = (self.count * 3 / 2).next_multiple_of(1000);
            return Limit { name, most, allowed: any() };
        }
        let most = self.count + (self.count / 10).max(2);
        let kept = |(&kind, &count): (&Costly, &usize)| {
            let most = old.map_or(count, |old| old.allowed.get(&kind).copied().unwrap_or(0).min(count));
            (most > 0).then_some((kind, most))
        };
        let allowed = self.found.iter().filter_map(kept).collect();
        Limit { name, most, allowed }
    }

    /// The complaint about this path, if any.
    fn complaint(&self, limit: Option<&Limit>) -> Option<String> {
        let Some(limit) = limit else {
            return Some("has no limit".to_owned());
        };
        let is_excess = |&(kind, count): &(&Costly, &usize)| limit.allowed.get(kind).unwrap_or(&0) < count;
        let excess: Count =
            self.found.iter().filter(is_excess).map(|(&kind, &count)| (kind, count)).collect();
        if !excess.is_empty() {
            return Some(format!("holds what it may not: {}", list(&excess)));
        }
        (self.count > limit.most).then(|| format!("takes more than {} instructions", limit.most))
    }

    /// Whether the limit says too little.
    fn is_loose(&self, limit: &Limit) -> bool {
        let now = self.limit(None).most;
        limit.most > now + (now / 10).max(3)
    }
}

/// The limits in the repository.
pub fn read() -> Vec<Limit> {
    let text = std::fs::read_to_string(file()).unwrap_or_default();
    parse(&text).unwrap_or_else(|line| panic!("{}: {line:?} is no limit", file()))
}

/// Replaces the limits in the repository.
pub fn write(rows: &[Row], old: &[Limit]) {
    let limits = rows.iter().map(|row| row.limit(of(old, &row.name)));
    std::fs::write(file(), render(limits)).expect("the repository can be written to");
}

/// The measured table, and whether every path keeps its limit and every limit has its path.
pub fn judge(rows: &[Row], limits: &[Limit]) -> (String, bool) {
    let mut text = String::new();
    let mut good = true;
    for row in rows {
        let limit = of(limits, &row.name);
        let most = limit.map_or_else(String::new, |limit| limit.most.to_string());
        write!(text, "{:34} {:6} {most:>6}  {}", row.name, row.count, list(&row.found)).expect("a string");
        if let Some(complaint) = row.complaint(limit) {
            good = false;
            text += &format!("   <- {complaint}");
        } else if limit.is_some_and(|limit| row.is_loose(limit)) {
            text += "   (tighten the limit)";
        }
        text.push('\n');
    }
    for limit in limits.iter().filter(|limit| rows.iter().all(|row| row.name != limit.name)) {
        good = false;
        text += &format!("{:34} <- has a limit, and is not measured\n", limit.name);
    }
    (text, good)
}

fn of<'l>(limits: &'l [Limit], name: &str) -> Option<&'l Limit> {
    limits.iter().find(|limit| limit.name == name)
}

/// All there are, without end.
fn any() -> Count {
    Costly::ALL.into_iter().map(|kind| (kind, usize::MAX)).collect()
}

fn list(count: &Count) -> String {
    if count.is_empty() {
        return "clean".to_owned();
    }
    if *count == any() {
        return "any".to_owned();
    }
    let words = count.iter().map(|(kind, n)| if *n == 1 { kind.to_string() } else { format!("{kind}*{n}") });
    words.collect::<Vec<_>>().join(",")
}

fn render(limits: impl Iterator<Item = Limit>) -> String {
    limits.fold(HEAD.to_owned(), |text, limit| {
        text + &format!("{:34} {:6}  {}\n", limit.name, limit.most, list(&limit.allowed))
    })
}

/// The limits of a text, or the line that is none.
fn parse(text: &str) -> Result<Vec<Limit>, &str> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| parse_line(line).ok_or(line)).collect()
}

fn parse_line(line: &str) -> Option<Limit> {
    let mut words = line.split_whitespace();
    let name = words.next()?.to_owned();
    let most = words.next()?.parse().ok()?;
    let allowed = match words.next()? {
        "clean" => Count::new(),
        "any" => any(),
        kinds => kinds.split(',').map(parse_kind).collect::<Option<_>>()?,
    };
    words.next().is_none().then_some(Limit { name, most, allowed })
}

fn parse_kind(word: &str) -> Option<(Costly, usize)> {
    let (kind, count) = word.split_once('*').unwrap_or((word, "1"));
    let kind = Costly::ALL.into_iter().find(|known| known.to_string() == kind)?;
    Some((kind, count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Count, Limit, Row, any, judge, parse, render};
    use crate::x86::Costly;

    fn counted(kinds: &[Costly]) -> Count {
        let mut count = Count::new();
        kinds.iter().for_each(|&kind| *count.entry(kind).or_default() += 1);
        count
    }

    fn row(count: usize, found: &[Costly]) -> Row {
        Row { name: "a/path".to_owned(), count, found: counted(found) }
    }

    fn limit(most: usize, allowed: &[Costly]) -> Limit {
        Limit { name: "a/path".to_owned(), most, allowed: counted(allowed) }
    }

    #[test]
    fn limits_are_kept_or_not() {
        let good = |row, limit| judge(&[row], &[limit]).1;
        assert!(good(row(20, &[]), limit(20, &[])));
        assert!(!good(row(21, &[]), limit(20, &[])));
        assert!(good(row(20, &[Costly::Fence]), limit(20, &[Costly::Call, Costly::Fence])));
        assert!(!good(row(20, &[Costly::Locked]), limit(20, &[Costly::Fence])));
        assert!(!good(row(20, &[Costly::Locked]), limit(20, &[])));
        assert!(!good(row(20, &[Costly::Fence; 2]), limit(20, &[Costly::Fence])));
        assert!(!judge(&[row(20, &[])], &[]).1, "no limit");
        assert!(!judge(&[], &[limit(20, &[])]).1, "no path");
    }

    #[test]
    fn a_loose_limit_is_a_hint() {
        let (text, good) = judge(&[row(20, &[])], &[limit(40, &[])]);
        assert!(good && text.contains("tighten"), "{text}");
        assert!(!judge(&[row(20, &[])], &[limit(22, &[])]).0.contains("tighten"));
    }

    #[test]
    fn rewriting_allows_nothing_new() {
        let old = limit(99, &[Costly::Call, Costly::Fence]);
        let now = row(40, &[Costly::Fence, Costly::Fence, Costly::Xchg]);
        assert_eq!(now.limit(Some(&old)), limit(44, &[Costly::Fence]), "a fence more, xchg, and no call");
        assert_eq!(row(8, &[Costly::Call; 2]).limit(None), limit(10, &[Costly::Call; 2]));
    }

    #[test]
    fn what_is_written_can_be_read() {
        let anything = Limit { allowed: any(), ..limit(123_456, &[]) };
        let limits = vec![limit(7, &[]), limit(8, &[Costly::Call, Costly::Call, Costly::Xchg]), anything];
        assert_eq!(parse(&render(limits.clone().into_iter())), Ok(limits));
        for wrong in [
            "a/path",
            "a/path x clean",
            "a/path 7",
            "a/path 7 dirty",
            "a/path 7 call*x",
            "a/path 7 clean call",
        ] {
            assert_eq!(parse(wrong), Err(wrong));
        }
    }
}
