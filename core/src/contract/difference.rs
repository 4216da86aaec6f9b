//! What differs between two contracts, found in their texts.

use core::fmt;

/// Bytes of a name that are kept.
const NAME_LEN: usize = 40;

/// A name of a contract or function, of up to 40 bytes; the rest is cut off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ShortName {
    bytes: [u8; NAME_LEN],
    len: u8,
}

impl ShortName {
    const EMPTY: Self = Self { bytes: [0; NAME_LEN], len: 0 };

    fn of(name: &str) -> Self {
        let mut short = Self::EMPTY;
        name.bytes().for_each(|byte| short.push(byte));
        short
    }

    /// The other side wrote it, so nothing but visible ASCII is kept.
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(usize::from(self.len)) {
            *place = if byte.is_ascii_graphic() { byte } else { b'?' };
            self.len += 1;
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Always ASCII.
        core::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl fmt::Debug for ShortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for ShortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The first thing in which the other side's contract differs from ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The contracts have different names.
    Contract {
        /// Our contract's name.
        ours: ShortName,
        /// The other side's.
        theirs: ShortName,
    },
    /// The functions of this number have different names, or one side has none of that number.
    Function {
        /// The number, from 1.
        number: u32,
        /// Our function's name.
        ours: Option<ShortName>,
        /// The other side's.
        theirs: Option<ShortName>,
    },
    /// A function takes another argument there.
    Argument {
        /// The function's name.
        function: ShortName,
    },
    /// A function has another answer there, or an answer on one side alone.
    Answer {
        /// The function's name.
        function: ShortName,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contract { ours, theirs } => {
                write!(f, "this side is built for contract `{ours}`, the other for `{theirs}`")
            }
            Self::Function { number, ours: Some(ours), theirs: Some(theirs) } => {
                write!(f, "function {number} is `{ours}` on this side and `{theirs}` on the other")
            }
            Self::Function { ours: Some(ours), .. } => write!(f, "the other side has no function `{ours}`"),
            Self::Function { theirs: Some(theirs), .. } => {
                write!(f, "the other side has a function `{theirs}`, and this side has none")
            }
            Self::Function { number, .. } => write!(f, "function {number} has no name"),
            Self::Argument { function } => {
                write!(f, "function `{function}` takes another argument on the other side")
            }
            Self::Answer { function } => {
                write!(f, "function `{function}` has another answer on the other side")
            }
        }
    }
}

/// The first difference between two contracts' [texts](super::Contract::TEXT); `None` if they are equal.
#[must_use]
pub fn difference(ours: &str, theirs: &str) -> Option<Difference> {
    let mut comparison = Comparison::new(ours);
    if theirs.bytes().any(|byte| comparison.push(byte)) {
        return comparison.found();
    }
    comparison.end();
    comparison.found()
}

/// A comparison with a text that comes byte by byte.
pub(super) struct Comparison<'a> {
    ours: &'a str,
    /// Bytes that were equal.
    equal: usize,
    differs: bool,
    /// The name in the line of theirs that is under way.
    name: ShortName,
    in_name: bool,
}

impl<'a> Comparison<'a> {
    pub fn new(ours: &'a str) -> Self {
        Self { ours, equal: 0, differs: false, name: ShortName::EMPTY, in_name: true }
    }

    /// Takes the next byte; returns whether enough has come.
    pub fn push(&mut self, byte: u8) -> bool {
        if !self.differs && self.ours.as_bytes().get(self.equal) == Some(&byte) {
            self.equal += 1;
        } else {
            self.differs = true;
        }
        match byte {
            b'\n' if !self.differs => (self.name, self.in_name) = (ShortName::EMPTY, true),
            b'\n' | b'(' => self.in_name = false,
            _ if self.in_name => self.name.push(byte),
            _ => {}
        }
        // A name is cut off, so what comes without an end is bounded too.
        let name_is_known = !self.in_name || usize::from(self.name.len) == NAME_LEN;
        self.differs && name_is_known
    }

    /// The other text is at its end.
    pub fn end(&mut self) {
        self.differs |= self.equal < self.ours.len();
    }

    /// What differs, as far as is known.
    pub fn found(&self) -> Option<Difference> {
        if !self.differs {
            return None;
        }
        let (before, after) = self.ours.as_bytes().split_at(self.equal);
        let number = before.iter().filter(|&&byte| byte == b'\n').count() as u32;
        let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let end = after.iter().position(|&byte| byte == b'\n').map_or(self.ours.len(), |at| self.equal + at);
        let line = self.ours.get(start..end).unwrap_or_default();
        let at = self.equal - start;
        let name_end = line.find('(').unwrap_or(line.len());
        let ours = ShortName::of(&line[..name_end]);
        Some(if number == 0 {
            Difference::Contract { ours, theirs: self.name }
        } else if at <= name_end {
            let some = |name: ShortName| (name.len > 0).then_some(name);
            Difference::Function { number, ours: some(ours), theirs: some(self.name) }
        } else if line.find(')').is_some_and(|close| at <= close) {
            Difference::Argument { function: ours }
        } else {
            Difference::Answer { function: ours }
        })
    }
}
