//! Values as JSON, written down at once: a recorder does this for each message.

use std::io::Write;

use serde_json::Value;

use crate::see::schema;
use crate::see::types::{Scalar, Tree};

/// How the values of a type are written: what is the same in all of them is made ready once.
pub struct Template {
    size: usize,
    steps: Vec<Step>,
}

/// A part of the text. Numbers are taken from the bytes, one behind the other.
enum Step {
    /// What is the same in all values.
    Text(Vec<u8>),
    /// A number.
    One(Number),
    /// So many numbers, with commas between them.
    Row(usize, Number),
    /// So many elements, with commas between them.
    Each(usize, Vec<Step>),
}

/// A number's kind and its bytes.
#[derive(Clone, Copy)]
enum Number {
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
}

impl Number {
    fn of(scalar: Scalar, size: usize) -> Self {
        match (scalar, size) {
            (Scalar::Unsigned, 1) => Self::U8,
            (Scalar::Unsigned, 2) => Self::U16,
            (Scalar::Unsigned, 4) => Self::U32,
            (Scalar::Unsigned, _) => Self::U64,
            (Scalar::Signed, 1) => Self::I8,
            (Scalar::Signed, 2) => Self::I16,
            (Scalar::Signed, 4) => Self::I32,
            (Scalar::Signed, _) => Self::I64,
            (Scalar::Float, 4) => Self::F32,
            (Scalar::Float, _) => Self::F64,
        }
    }
}

impl Template {
    /// Of this type; a value that is no struct is the only field of an object.
    pub fn new(tree: &Tree) -> Self {
        let mut steps = Vec::new();
        match tree {
            Tree::Struct(_) => add(tree, &mut steps),
            alone => {
                text(&mut steps, &format!("{{\"{}\":", schema::ALONE));
                add(alone, &mut steps);
                text(&mut steps, "}");
            }
        }
        Self { size: tree.size(), steps }
    }

    /// Bytes of a value.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Adds a value, of as many bytes as its type has, to a text.
    pub fn write(&self, mut bytes: &[u8], out: &mut Vec<u8>) {
        write(&self.steps, &mut bytes, out);
    }
}

/// Adds a text, to the one that is before it if there is one.
fn text(steps: &mut Vec<Step>, more: &str) {
    match steps.last_mut() {
        Some(Step::Text(text)) => text.extend(more.as_bytes()),
        _ => steps.push(Step::Text(more.into())),
    }
}

fn add(tree: &Tree, steps: &mut Vec<Step>) {
    match tree {
        Tree::Scalar(scalar, size) => steps.push(Step::One(Number::of(*scalar, *size))),
        Tree::Array(len, element) => {
            text(steps, "[");
            steps.push(match **element {
                Tree::Scalar(scalar, size) => Step::Row(*len, Number::of(scalar, size)),
                _ => {
                    let mut each = Vec::new();
                    add(element, &mut each);
                    Step::Each(*len, each)
                }
            });
            text(steps, "]");
        }
        Tree::Struct(fields) => {
            for (n, (name, field)) in fields.iter().enumerate() {
                let before = if n == 0 { '{' } else { ',' };
                text(steps, &format!("{before}{}:", Value::from(&**name)));
                add(field, steps);
            }
            text(steps, "}");
        }
    }
}

fn write(steps: &[Step], bytes: &mut &[u8], out: &mut Vec<u8>) {
    for step in steps {
        match step {
            Step::Text(text) => out.extend_from_slice(text),
            Step::One(number) => write_numbers(*number, 1, bytes, out),
            Step::Row(count, number) => write_numbers(*number, *count, bytes, out),
            Step::Each(count, steps) => {
                for n in 0..*count {
                    if n > 0 {
                        out.push(b',');
                    }
                    write(steps, bytes, out);
                }
            }
        }
    }
}

/// Writes numbers with commas between them.
fn write_numbers(number: Number, count: usize, bytes: &mut &[u8], out: &mut Vec<u8>) {
    match number {
        Number::U8 => each(count, bytes, out, |one, out| whole(u8::from_le_bytes(one), out)),
        Number::U16 => each(count, bytes, out, |one, out| whole(u16::from_le_bytes(one), out)),
        Number::U32 => each(count, bytes, out, |one, out| whole(u32::from_le_bytes(one), out)),
        Number::U64 => each(count, bytes, out, |one, out| whole(u64::from_le_bytes(one), out)),
        Number::I8 => each(count, bytes, out, |one, out| whole(i8::from_le_bytes(one), out)),
        Number::I16 => each(count, bytes, out, |one, out| whole(i16::from_le_bytes(one), out)),
        Number::I32 => each(count, bytes, out, |one, out| whole(i32::from_le_bytes(one), out)),
        Number::I64 => each(count, bytes, out, |one, out| whole(i64::from_le_bytes(one), out)),
        Number::F32 => each(count, bytes, out, |one, out| single(f32::from_le_bytes(one), out)),
        Number::F64 => each(count, bytes, out, |one, out| double(f64::from_le_bytes(one), out)),
    }
}

fn each<const SIZE: usize>(
    count: usize,
    bytes: &mut &[u8],
    out: &mut Vec<u8>,
    write: impl Fn([u8; SIZE], &mut Vec<u8>),
) {
    for n in 0..count {
        // The type has no more bytes than the value.
        let Some((one, rest)) = bytes.split_first_chunk() else { return };
        *bytes = rest;
        if n > 0 {
            out.push(b',');
        }
        write(*one, out);
    }
}

fn whole(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn single(value: f32, out: &mut Vec<u8>) {
    // Where both write a decimal without an exponent.
    if value == 0.0 || (1e-4..1e13).contains(&value.abs()) {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value);
        if !is_midway(value.into(), text) {
            return out.extend_from_slice(text.as_bytes());
        }
    }
    rest(value.is_finite(), value, out);
}

fn double(value: f64, out: &mut Vec<u8>) {
    if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value);
        if !is_midway(value, text) {
            return out.extend_from_slice(text.as_bytes());
        }
    }
    rest(value.is_finite(), value, out);
}

/// Whether another decimal of the same length is as near to this float: the standard library, which writes what `strait
/// watch` shows, takes the upper one, and zmij the even one.
fn is_midway(value: f64, text: &str) -> bool {
    // The lowest bit of a float is its last decimal: a half has one, a quarter two.
    let (bits, fraction) = (value.to_bits(), f64::MANTISSA_DIGITS - 1);
    let exponent = (bits >> fraction & 0x7ff) as i32 - 1023;
    let lowest = exponent - (fraction - (bits | 1 << fraction).trailing_zeros()) as i32;
    // No text has more decimals than this, and most floats do.
    (-24..0).contains(&lowest)
        && text.bytes().rev().position(|byte| byte == b'.').is_some_and(|shown| -lowest == shown as i32 + 1)
}

/// Writes a float that is very large, very small, between two decimals, or what JSON has no number for, which is null.
#[cold]
fn rest(is_finite: bool, value: impl std::fmt::Debug, out: &mut Vec<u8>) {
    // Writing into memory does not fail.
    let _ = if is_finite { write!(out, "{value:?}") } else { write!(out, "null") };
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Template;
    use crate::see::types::Tree;
    use crate::see::value::{self, from_json};

    fn written(tree: &Tree, bytes: &[u8]) -> String {
        let template = Template::new(tree);
        assert_eq!(template.size(), bytes.len());
        let mut text = Vec::new();
        template.write(bytes, &mut text);
        String::from_utf8(text).expect("a text")
    }

    /// The values of a row, as the recorder writes them.
    fn row(element: &str, count: usize, bytes: &[u8]) -> String {
        let text = written(&Tree::parse(&format!("[{count}]{element}")).expect("a type"), bytes);
        text.strip_prefix("{\"value\":[").and_then(|text| text.strip_suffix("]}")).expect("a row").to_owned()
    }

    #[test]
    fn fields_are_in_their_order() {
        let tree = "{id:u8@0;turn:i8@1;pair:[2]u16@2;joints:[2]{angle:f32@0;state:u32@4;size=8}@6;größe:i64@22;size=30}";
        let tree = Tree::parse(tree).expect("it adds up");
        let mut bytes = vec![200, 0xfd, 1, 0, 0xff, 0xff];
        for (angle, state) in [(0.1_f32, 1_u32), (-1e3, u32::MAX)] {
            bytes.extend(angle.to_le_bytes());
            bytes.extend(state.to_le_bytes());
        }
        bytes.extend(i64::MIN.to_le_bytes());
        let text = written(&tree, &bytes);
        assert_eq!(
            text,
            r#"{"id":200,"turn":-3,"pair":[1,65535],"joints":[{"angle":0.1,"state":1},{"angle":-1000.0,"state":4294967295}],"größe":-9223372036854775808}"#
        );
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value::json(&tree, &bytes));
        let nested = Tree::parse("[2][2]u8").expect("a type");
        assert_eq!(written(&nested, &[1, 2, 3, 4]), r#"{"value":[[1,2],[3,4]]}"#);
        assert_eq!(written(&Tree::parse("i16").expect("a type"), &[0xfe, 0xff]), r#"{"value":-2}"#);
    }

    #[test]
    fn floats_are_as_they_always_were() {
        let mut bits = 1_u64;
        let mut next = || {
            bits = bits.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            bits >> 8 ^ bits << 24
        };
        let show = |is_finite: bool, text: String| if is_finite { text } else { "null".into() };
        for _ in 0..50_000 {
            let (any, step) = (next(), next());
            // Of any size, and of those that are usual.
            let usual = (any >> 44) as f64 / 10_f64.powi((step % 12) as i32) - 100.0;
            let edge = 10_f64.powi((step % 45) as i32 - 22);
            let near = f64::from_bits(edge.to_bits() + any % 3 - 1);
            let doubles = [f64::from_bits(any), usual, edge, near, -near];
            let shown = doubles.map(|one| show(one.is_finite(), format!("{one:?}"))).join(",");
            assert_eq!(row("f64", 5, &doubles.map(f64::to_le_bytes).concat()), shown);
            let near = f32::from_bits((edge as f32).to_bits() + (any % 3) as u32 - 1);
            let singles = [f32::from_bits(any as u32), usual as f32, edge as f32, near, -near];
            let shown = singles.map(|one| show(one.is_finite(), format!("{one:?}"))).join(",");
            assert_eq!(row("f32", 5, &singles.map(f32::to_le_bytes).concat()), shown);
        }
        let midway = [1_129_377.0_f32 / 8.0, -1_129_377.0 / 8.0, 16_777_213.0 / 4.0, 1.0 / 8.0];
        let shown = midway.map(|one| format!("{one:?}")).join(",");
        assert_eq!(shown, "141172.13,-141172.13,4194303.3,0.125");
        assert_eq!(row("f32", midway.len(), &midway.map(f32::to_le_bytes).concat()), shown);
        let odd = [0.0, -0.0, f32::NAN, f32::INFINITY, 1e20, -0.5, f32::MIN_POSITIVE];
        let shown = "0.0,-0.0,null,null,1e20,-0.5,1.1754944e-38";
        assert_eq!(row("f32", odd.len(), &odd.map(f32::to_le_bytes).concat()), shown);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let (single, double) = (Tree::parse("f32").expect("a type"), Tree::parse("f64").expect("a type"));
        let mut bits = 1_u64;
        for _ in 0..100_000 {
            bits = bits.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            let low = bits as u32;
            for (tree, bytes) in [(&single, &low.to_le_bytes()[..]), (&double, &bits.to_le_bytes()[..])] {
                let text = written(tree, bytes);
                let object: Value = serde_json::from_str(&text).expect("JSON");
                if !object["value"].is_null() {
                    assert_eq!(from_json(tree, &object["value"]).as_deref(), Ok(bytes), "{text}");
                }
            }
        }
        assert_eq!(
            serde_json::from_str::<Value>(&written(&single, &f32::NAN.to_le_bytes())).expect("JSON"),
            json!({ "value": null })
        );
    }
}
