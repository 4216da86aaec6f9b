//! Types as a region describes them: parsed from descriptors, and believed no further than they add up.

use std::collections::HashMap;

use strait::format::describe::{DescribedType, Remark, types};
use strait::format::{Entry, Shape};

/// Structs and arrays within each other: more than any sane type has.
const MAX_DEPTH: usize = 32;
/// The largest value that is taken apart.
const MAX_SIZE: usize = 1 << 24;

/// The most values without fields in a type that is taken apart: each is shown with its path.
const MAX_LEAVES: usize = 1 << 16;

/// A scalar's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    Unsigned,
    Signed,
    Float,
}

/// A type's structure.
#[derive(Debug, PartialEq)]
pub enum Tree {
    /// A scalar of so many bytes.
    Scalar(Scalar, usize),
    /// So many elements.
    Array(usize, Box<Tree>),
    /// Fields, one behind the other.
    Struct(Vec<(String, Tree)>),
}

/// What people are told of a field.
#[derive(Debug, Default, PartialEq)]
pub struct Notes {
    pub unit: Option<String>,
    pub help: Option<String>,
    pub values: Vec<(i64, String)>,
}

/// A type that can be shown.
#[derive(Debug)]
pub struct Type {
    /// Its name; empty if it has none.
    #[cfg_attr(
        not(any(feature = "record", feature = "serve")),
        expect(dead_code, reason = "recordings name types")
    )]
    pub name: String,
    pub tree: Tree,
    /// By the path of a field, without the places in arrays.
    pub notes: HashMap<String, Notes>,
}

const SCALARS: [(&str, Scalar, usize); 10] = [
    ("u8", Scalar::Unsigned, 1),
    ("u16", Scalar::Unsigned, 2),
    ("u32", Scalar::Unsigned, 4),
    ("u64", Scalar::Unsigned, 8),
    ("i8", Scalar::Signed, 1),
    ("i16", Scalar::Signed, 2),
    ("i32", Scalar::Signed, 4),
    ("i64", Scalar::Signed, 8),
    ("f32", Scalar::Float, 4),
    ("f64", Scalar::Float, 8),
];

impl Tree {
    /// The structure of a descriptor. `None` of one that does not add up: then no value is as long as it says.
    pub fn parse(descriptor: &str) -> Option<Self> {
        let mut rest = descriptor;
        let tree = parse(&mut rest, MAX_DEPTH)?;
        (rest.is_empty() && tree.leaves() <= MAX_LEAVES).then_some(tree)
    }

    /// How many values without fields it has: an array of scalars is one.
    fn leaves(&self) -> usize {
        match self {
            Self::Array(len, element) if !matches!(**element, Self::Scalar(..)) => len * element.leaves(),
            Self::Struct(fields) => fields.iter().map(|(_, field)| field.leaves()).sum(),
            _ => 1,
        }
    }

    /// Bytes of a value.
    pub fn size(&self) -> usize {
        match self {
            Self::Scalar(_, size) => *size,
            Self::Array(len, element) => len * element.size(),
            Self::Struct(fields) => fields.iter().map(|(_, field)| field.size()).sum(),
        }
    }
}

/// Takes what `rest` starts with, if it does.
fn eat(rest: &mut &str, what: &str) -> Option<()> {
    *rest = rest.strip_prefix(what)?;
    Some(())
}

/// A number, in decimal.
fn number(rest: &mut &str) -> Option<usize> {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, behind) = rest.split_at(end);
    *rest = behind;
    digits.parse().ok().filter(|&number| number <= MAX_SIZE)
}

/// A type of at least one byte, and of `MAX_SIZE` at most.
fn parse(rest: &mut &str, depth: usize) -> Option<Tree> {
    let depth = depth.checked_sub(1)?;
    if eat(rest, "[").is_some() {
        let len = number(rest)?;
        eat(rest, "]")?;
        let element = parse(rest, depth)?;
        let size = len.checked_mul(element.size())?;
        return (1..=MAX_SIZE).contains(&size).then(|| Tree::Array(len, Box::new(element)));
    }
    if eat(rest, "{").is_some() {
        let (mut fields, mut end) = (Vec::new(), 0);
        while eat(rest, "size=").is_none() {
            let (name, behind) = rest.split_once(':')?;
            let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.is_empty();
            *rest = behind;
            let field = parse(rest, depth)?;
            eat(rest, "@")?;
            // Types have no padding.
            (is_name && number(rest)? == end).then_some(())?;
            eat(rest, ";")?;
            end += field.size();
            fields.push((name.to_owned(), field));
        }
        let size = number(rest)?;
        eat(rest, "}")?;
        return (size == end && (1..=MAX_SIZE).contains(&size)).then_some(Tree::Struct(fields));
    }
    let (name, scalar, size) = SCALARS.into_iter().find(|(name, ..)| rest.starts_with(name))?;
    eat(rest, name)?;
    Some(Tree::Scalar(scalar, size))
}

impl Type {
    fn of(described: &DescribedType<'_>) -> Option<Self> {
        let mut notes: HashMap<String, Notes> = HashMap::new();
        for note in described.notes() {
            let of_field = notes.entry(note.path.to_owned()).or_default();
            match note.remark {
                Remark::Unit(unit) => of_field.unit = Some(unit.to_owned()),
                Remark::Help(help) => of_field.help = Some(help.to_owned()),
                Remark::Value(value, name) => of_field.values.push((value, name.to_owned())),
                _ => {}
            }
        }
        Some(Self { name: described.name.to_owned(), tree: Tree::parse(described.descriptor)?, notes })
    }

    /// The type of a channel's values, if the text lists it; scalars need no description.
    pub fn of_channel(entry: &Entry, text: &str) -> Option<Self> {
        let scalar = || {
            let found =
                SCALARS.into_iter().find(|(name, ..)| Shape::hash_of(name.as_bytes()) == entry.type_hash)?;
            Some(Self { name: String::new(), tree: Tree::parse(found.0)?, notes: HashMap::new() })
        };
        let listed = types(text).find(|one| one.hash() == entry.type_hash);
        let found = listed.and_then(|one| Self::of(&one)).or_else(scalar)?;
        (found.tree.size() == entry.max_len as usize).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::{Scalar, Tree};

    #[test]
    fn descriptors_are_believed_if_they_add_up() {
        let tree = Tree::parse("{a:u32@0;b:[2]{c:f32@0;size=4}@4;size=12}").expect("it adds up");
        assert_eq!(tree.size(), 12);
        let Tree::Struct(fields) = tree else { panic!("a struct") };
        assert_eq!(fields[0], ("a".into(), Tree::Scalar(Scalar::Unsigned, 4)));
        for lie in [
            "",
            "u33",
            "u8x",
            "[0]u8",
            "[99999999]u64",
            "[2]",
            "{size=0}",
            "{a:u8@1;size=1}",
            "{a:u8@0;size=2}",
            "{a:u8@0;b:u8@0;size=1}",
            "{:u8@0;size=1}",
            "{a b:u8@0;size=1}",
            "{a:u8@0;size=1",
            "{a:u8@0 size=1}",
            "[4096][4096][4096][4096][4096][4096]u8",
            "[65537]{a:u8@0;size=1}",
        ] {
            assert_eq!(Tree::parse(lie), None, "{lie}");
        }
        assert_eq!(Tree::parse(&("[1]".repeat(100) + "u8")), None);
        assert_eq!(Tree::parse(&"{a:".repeat(100_000)), None);
    }
}
