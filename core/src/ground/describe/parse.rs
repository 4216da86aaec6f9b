//! The lines of a description.

use crate::ground::message::Shape;

/// A type that a description lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DescribedType<'t> {
    /// Its name; empty of a type without one.
    pub name: &'t str,
    /// Its canonical descriptor.
    pub descriptor: &'t str,
    notes: &'t str,
}

impl<'t> DescribedType<'t> {
    /// The hash of the descriptor, as a channel's directory entry has it. Steps: in proportion to the descriptor.
    #[must_use]
    pub fn hash(&self) -> u64 {
        Shape::hash_of(self.descriptor.as_bytes())
    }

    /// The notes on the type's fields. Those of a kind that this version does not know are left out.
    pub fn notes(&self) -> impl Iterator<Item = Note<'t>> + use<'t> {
        self.notes.lines().filter_map(Note::parse)
    }
}

/// A note on a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note<'t> {
    /// The field's name, behind those of the structs around it, with dots between them. Arrays leave no trace.
    pub path: &'t str,
    /// What it says.
    pub remark: Remark<'t>,
}

/// What a note says of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark<'t> {
    /// The unit of its value.
    Unit(&'t str),
    /// A line of help.
    Help(&'t str),
    /// The name of one of its values.
    Value(i64, &'t str),
}

impl<'t> Note<'t> {
    fn parse(line: &'t str) -> Option<Self> {
        let (path, rest) = line.strip_prefix('.')?.split_once(' ')?;
        let (what, rest) = rest.split_once(' ')?;
        let remark = match what {
            "unit" => Remark::Unit(rest),
            "help" => Remark::Help(rest),
            "value" => {
                let (value, name) = rest.split_once(' ')?;
                Remark::Value(value.parse().ok()?, name)
            }
            _ => return None,
        };
        Some(Self { path, remark })
    }
}

/// The types that a description lists. What is no line of a type, or of a note behind one, is skipped.
pub fn types(text: &str) -> impl Iterator<Item = DescribedType<'_>> {
    let mut rest = text;
    core::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
            rest = behind;
            let Some((name, descriptor)) = line.strip_prefix('=').and_then(|line| line.split_once(' '))
            else {
                continue;
            };
            let end = behind.find("\n=").map_or(behind.len(), |at| at + 1);
            let (notes, behind) = if behind.starts_with('=') { ("", behind) } else { behind.split_at(end) };
            rest = behind;
            return Some(DescribedType { name, descriptor, notes });
        }
    })
}
