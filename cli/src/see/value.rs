//! Values of described types: as text, as JSON, and from text.

#[cfg(feature = "record")]
pub mod template;
mod written;

use serde_json::{Map, Number, Value};

use super::types::{Notes, Scalar, Tree, Type};

#[cfg(any(feature = "record", feature = "serve"))]
pub use written::from_json;
use written::parse;
pub use written::{from_hex, hex};

/// A value that has no fields: of a field, or an array of scalars.
pub struct Leaf<'a> {
    /// The path of its field, with the places in arrays; empty of a value that is no struct.
    pub path: String,
    tree: &'a Tree,
    notes: Option<&'a Notes>,
    bytes: &'a [u8],
}

/// A scalar of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Read {
    Unsigned(u64),
    Signed(i64),
    /// A float of four bytes.
    Single(f32),
    Double(f64),
}

impl Read {
    /// The scalar in these bytes, 8 at most.
    fn of(scalar: Scalar, bytes: &[u8]) -> Self {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        let word = u64::from_le_bytes(wide);
        let unused = 64 - 8 * bytes.len() as u32;
        match scalar {
            Scalar::Unsigned => Self::Unsigned(word),
            Scalar::Signed => Self::Signed((word << unused).cast_signed() >> unused),
            Scalar::Float if bytes.len() == 4 => Self::Single(f32::from_bits(word as u32)),
            Scalar::Float => Self::Double(f64::from_bits(word)),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Unsigned(value) => value.to_string(),
            Self::Signed(value) => value.to_string(),
            Self::Single(value) => value.to_string(),
            Self::Double(value) => value.to_string(),
        }
    }

    /// What JSON has no number for is null.
    fn json(self) -> Value {
        match self {
            Self::Unsigned(value) => value.into(),
            Self::Signed(value) => value.into(),
            // By its text, which is as short as that of four bytes is.
            Self::Single(value) => {
                value.to_string().parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
            }
            Self::Double(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
        }
    }

    /// Whether it is the named value, of so many bytes: of an unsigned one, by its bits.
    fn is(self, named: i64, size: usize) -> bool {
        match self {
            Self::Unsigned(value) => value == bits_of(named, size),
            Self::Signed(value) => value == named,
            Self::Single(_) | Self::Double(_) => false,
        }
    }
}

/// A named value as an unsigned one of so many bytes.
fn bits_of(named: i64, size: usize) -> u64 {
    named.cast_unsigned() & u64::MAX >> (64 - 8 * size)
}

/// The elements of an array of scalars, or a scalar alone.
fn scalars<'a>(tree: &Tree, bytes: &'a [u8]) -> Box<dyn Iterator<Item = Read> + 'a> {
    match tree {
        Tree::Array(_, element) => match **element {
            Tree::Scalar(scalar, size) => {
                Box::new(bytes.chunks_exact(size).map(move |one| Read::of(scalar, one)))
            }
            _ => Box::new(std::iter::empty()),
        },
        Tree::Scalar(scalar, _) => Box::new(std::iter::once(Read::of(*scalar, bytes))),
        Tree::Struct(_) => Box::new(std::iter::empty()),
    }
}

impl Leaf<'_> {
    /// The value for people: with names where its values have names, and its unit.
    pub fn text(&self) -> String {
        let size = match self.tree {
            Tree::Array(_, element) => element.size(),
            alone => alone.size(),
        };
        let one = |value: Read| {
            let names = self.notes.map(|notes| &notes.values[..]).unwrap_or_default();
            let name = names.iter().find(|(named, _)| value.is(*named, size));
            name.map_or_else(|| value.text(), |(_, name)| name.clone())
        };
        let all: Vec<String> = scalars(self.tree, self.bytes).map(one).collect();
        let shown =
            if matches!(self.tree, Tree::Array(..)) { format!("[{}]", all.join(",")) } else { all.concat() };
        match self.notes.and_then(|notes| notes.unit.as_ref()) {
            Some(unit) => format!("{shown} {unit}"),
            None => shown,
        }
    }

    /// The value for programs.
    pub fn json(&self) -> Value {
        json(self.tree, self.bytes)
    }

    /// Its scalars' kind, how many bytes each has, and how many there are.
    #[cfg(feature = "record")]
    pub fn scalars(&self) -> Option<(Scalar, usize, usize)> {
        match self.tree {
            Tree::Scalar(scalar, size) => Some((*scalar, *size, 1)),
            Tree::Array(count, element) => match **element {
                Tree::Scalar(scalar, size) => Some((scalar, size, *count)),
                _ => None,
            },
            Tree::Struct(_) => None,
        }
    }

    /// The unit of its values, if that is known.
    #[cfg(feature = "record")]
    pub fn unit(&self) -> Option<&str> {
        self.notes?.unit.as_deref()
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes
    }

    /// Whether it is, or is in, the field of this path.
    pub fn is_in(&self, field: &str) -> bool {
        let rest = self.path.strip_prefix(field);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

/// The number that a scalar is, as near as a float has it.
#[cfg(feature = "record")]
pub fn number(scalar: Scalar, bytes: &[u8]) -> f64 {
    match Read::of(scalar, bytes) {
        Read::Unsigned(value) => value as f64,
        Read::Signed(value) => value as f64,
        Read::Single(value) => value.into(),
        Read::Double(value) => value,
    }
}

/// A value, of as many bytes as its type has.
pub fn json(tree: &Tree, bytes: &[u8]) -> Value {
    match tree {
        Tree::Scalar(scalar, _) => Read::of(*scalar, bytes).json(),
        Tree::Array(_, element) => bytes.chunks_exact(element.size()).map(|one| json(element, one)).collect(),
        Tree::Struct(fields) => {
            let (mut all, mut at) = (Map::new(), 0);
            for (name, field) in fields {
                let end = at + field.size();
                all.insert(name.clone(), json(field, &bytes[at..end]));
                at = end;
            }
            Value::Object(all)
        }
    }
}

impl Type {
    /// The values without fields in a value, in order; `None` if the bytes are not as many as the type has.
    pub fn leaves<'a>(&'a self, bytes: &'a [u8]) -> Option<Vec<Leaf<'a>>> {
        let mut all = Vec::new();
        (bytes.len() == self.tree.size()).then(|| self.walk(&self.tree, bytes, "", "", &mut all))?;
        Some(all)
    }

    fn walk<'a>(&'a self, tree: &'a Tree, bytes: &'a [u8], path: &str, plain: &str, all: &mut Vec<Leaf<'a>>) {
        match tree {
            Tree::Array(_, element) if !matches!(**element, Tree::Scalar(..)) => {
                for (n, one) in bytes.chunks_exact(element.size()).enumerate() {
                    self.walk(element, one, &format!("{path}[{n}]"), plain, all);
                }
            }
            Tree::Struct(fields) => {
                let mut at = 0;
                for (name, field) in fields {
                    let end = at + field.size();
                    let join =
                        |path: &str| if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    self.walk(field, &bytes[at..end], &join(path), &join(plain), all);
                    at = end;
                }
            }
            _ => all.push(Leaf { path: path.to_owned(), tree, notes: self.notes.get(plain), bytes }),
        }
    }

    /// The value that these words name: `field=value` for each field, or a number alone for a type without fields.
    ///
    /// An error is a part of a line for the user.
    pub fn parse_words(&self, words: &str) -> Result<Vec<u8>, String> {
        let zeros = vec![0; self.tree.size()];
        let leaves = self.leaves(&zeros).unwrap_or_default();
        let mut given: Vec<Option<Vec<u8>>> = vec![None; leaves.len()];
        for word in words.split_whitespace() {
            let (path, value) = word.split_once('=').unwrap_or(("", word));
            let Some(n) = leaves.iter().position(|leaf| leaf.path == path) else {
                let there: Vec<&str> = leaves.iter().map(|leaf| &*leaf.path).collect();
                return Err(match path {
                    "" => format!("'{word}' names no field; give FIELD=VALUE for {}", there.join(", ")),
                    _ => format!("there is no field '{path}'; there are {}", there.join(", ")),
                });
            };
            if given[n].replace(parse(&leaves[n], value).map_err(|why| format!("{word}: {why}"))?).is_some() {
                return Err(format!("'{path}' is given twice; give it once"));
            }
        }
        let missing: Vec<&str> = leaves
            .iter()
            .zip(&given)
            .filter(|(_, given)| given.is_none())
            .map(|(leaf, _)| &*leaf.path)
            .collect();
        match missing[..] {
            [] => Ok(given.into_iter().flatten().flatten().collect()),
            [""] => Err("the value is missing; give a number".into()),
            _ => Err(format!("{} not given; give all fields", missing.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::types::{Notes, Tree, Type};
    use super::{from_hex, hex, json};

    fn arm() -> Type {
        let tree = "{id:u8@0;turn:i8@1;pair:[2]u16@2;joints:[2]{angle:f32@0;state:u32@4;size=8}@6;size=22}";
        let values = vec![(0, "idle".into()), (1, "moving".into()), (-2, "failed".into())];
        let state = Notes { values, ..Notes::default() };
        let angle = Notes { unit: Some("rad".into()), ..Notes::default() };
        let notes = HashMap::from([("joints.state".to_string(), state), ("joints.angle".to_string(), angle)]);
        Type { name: "Arm".into(), tree: Tree::parse(tree).expect("it adds up"), notes }
    }

    const WORDS: &str = "id=200 turn=-3 pair=[1,65535] joints[0].angle=0.1 joints[0].state=moving \
        joints[1].angle=-1e3 joints[1].state=7";

    #[test]
    fn what_is_said_is_what_is_shown() {
        let (arm, bytes) = (arm(), arm().parse_words(WORDS).expect("a value"));
        let shown: Vec<_> = arm.leaves(&bytes).expect("its size").iter().map(|leaf| leaf.text()).collect();
        assert_eq!(shown, ["200", "-3", "[1,65535]", "0.1 rad", "moving", "-1000 rad", "7"]);
        let shown = json(&arm.tree, &bytes).to_string();
        assert_eq!(
            shown,
            r#"{"id":200,"joints":[{"angle":0.1,"state":1},{"angle":-1000.0,"state":7}],"pair":[1,65535],"turn":-3}"#
        );
        assert!(arm.leaves(&bytes[1..]).is_none());
        let leaves = arm.leaves(&bytes).expect("its size");
        assert_eq!(leaves.iter().filter(|leaf| leaf.is_in("joints")).count(), 4);
        assert_eq!(leaves.iter().filter(|leaf| leaf.is_in("joints[1]")).count(), 2);
        assert_eq!(leaves.iter().filter(|leaf| leaf.is_in("joint")).count(), 0);
    }

    #[test]
    fn a_name_stands_for_its_bits() {
        let arm = arm();
        let bytes = arm.parse_words(&WORDS.replace("=moving", "=failed")).expect("a value");
        assert_eq!(bytes[10..14], (-2_i32).to_le_bytes());
        assert_eq!(arm.leaves(&bytes).expect("its size")[4].text(), "failed");
    }

    #[test]
    fn a_wrong_value_is_refused() {
        for (from, to, part) in [
            ("id=200", "id=256", "from 0 to 255"),
            ("turn=-3", "turn=-129", "from -128 to 127"),
            ("=0.1", "=1e39", "too large for 32 bits"),
            ("=0.1", "=-1e999", "too large for 32 bits"),
            ("pair=[1,65535]", "pair=1", "an array"),
            ("pair=[1,65535]", "pair=[1]", "give 2"),
            ("=moving", "=flying", "one of idle, moving, failed"),
            ("id=200", "", "id not given"),
            ("id=200", "id=1 id=1", "twice"),
            ("id=200", "who=1", "no field 'who'; there are id, turn"),
            ("id=200", "200", "names no field"),
        ] {
            let why = arm().parse_words(&WORDS.replace(from, to)).expect_err("it is wrong");
            assert!(why.contains(part), "{why}");
        }
    }

    #[test]
    fn bytes_are_hexadecimal() {
        assert_eq!(from_hex("0x00ff").map(|bytes| hex(&bytes)), Some("00ff".into()));
        assert_eq!(["", "00", "0x0", "0xgg", "0xü1"].map(from_hex), [const { None }; 5]);
    }

    #[cfg(any(feature = "record", feature = "serve"))]
    #[test]
    fn what_json_names_is_what_was_written() {
        let (arm, bytes) = (arm(), arm().parse_words(WORDS).expect("a value"));
        let mut value = json(&arm.tree, &bytes);
        assert_eq!(super::from_json(&arm.tree, &value), Ok(bytes));
        value["joints"][1]["angle"] = serde_json::Value::Null;
        let back = super::from_json(&arm.tree, &value).expect("a value");
        assert_eq!(json(&arm.tree, &back), value);
        let tree = Tree::parse("[6]f32").expect("it adds up");
        let all = [f32::MIN_POSITIVE, f32::MAX, 0.1, -0.0, 16_777_217.0, 1e-45];
        let bytes = all.map(f32::to_le_bytes).concat();
        assert_eq!(super::from_json(&tree, &json(&tree, &bytes)), Ok(bytes));
        for (path, wrong, part) in [
            ("id", serde_json::json!(256), "id: is no whole number"),
            ("id", serde_json::json!("1"), "id: is no number"),
            ("pair", serde_json::json!([1]), "pair: has 1 values"),
            ("pair", serde_json::json!(1), "pair: is no array"),
            ("joints", serde_json::json!([1, 2]), "joints[0]: is no object"),
            ("joints", serde_json::json!([{}, {}]), "joints[0].angle not given"),
        ] {
            let mut value = value.clone();
            value[path] = wrong;
            let why = super::from_json(&arm.tree, &value).expect_err("it is wrong");
            assert!(why.contains(part), "{why}");
        }
    }

    #[test]
    fn what_is_no_number_is_null() {
        let tree = Tree::parse("[3]f32").expect("it adds up");
        let bytes = [f32::NAN, f32::INFINITY, 1.5].map(f32::to_le_bytes).concat();
        assert_eq!(json(&tree, &bytes).to_string(), "[null,null,1.5]");
    }
}
