//! Values that users and clients write down.

#[cfg(any(feature = "record", feature = "serve"))]
use serde_json::Value;

use super::{Leaf, bits_of};
use crate::see::types::{Scalar, Tree};

/// The bytes of a value that JSON names, as [`json`] writes it: all fields, and null for a float that is no number.
///
/// An error is a part of a line for the user.
#[cfg(any(feature = "record", feature = "serve"))]
pub fn from_json(tree: &Tree, value: &Value) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(tree.size());
    put_json(tree, value, "", &mut bytes)?;
    Ok(bytes)
}

#[cfg(any(feature = "record", feature = "serve"))]
fn put_json(tree: &Tree, value: &Value, path: &str, bytes: &mut Vec<u8>) -> Result<(), String> {
    let at = |why: &str| if path.is_empty() { why.to_owned() } else { format!("{path}: {why}") };
    match (tree, value) {
        (Tree::Scalar(Scalar::Float, size), Value::Null) => {
            let nan = if *size == 4 { f32::NAN.to_bits().into() } else { f64::NAN.to_bits() };
            bytes.extend(&nan.to_le_bytes()[..*size]);
        }
        // By its text, which is the same for a float of four bytes and for the double that JSON has of it.
        (Tree::Scalar(scalar, size), Value::Number(number)) => {
            bytes.extend(parse_scalar(*scalar, *size, &number.to_string(), &[]).map_err(|why| at(&why))?);
        }
        (Tree::Array(len, element), Value::Array(all)) => {
            if all.len() != *len {
                return Err(at(&format!("has {} values; give {len}", all.len())));
            }
            for (n, one) in all.iter().enumerate() {
                put_json(element, one, &format!("{path}[{n}]"), bytes)?;
            }
        }
        (Tree::Struct(fields), Value::Object(all)) => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let one = all.get(name).ok_or_else(|| format!("{path} not given; give all fields"))?;
                put_json(field, one, &path, bytes)?;
            }
        }
        (Tree::Scalar(..), _) => return Err(at("is no number")),
        (Tree::Array(..), _) => return Err(at("is no array")),
        (Tree::Struct(_), _) => return Err(at("is no object")),
    }
    Ok(())
}

/// The bytes of a value that a word names.
pub(super) fn parse(leaf: &Leaf<'_>, word: &str) -> Result<Vec<u8>, String> {
    let names = leaf.notes.map(|notes| &notes.values[..]).unwrap_or_default();
    match leaf.tree {
        Tree::Array(len, element) => {
            let Tree::Scalar(scalar, size) = **element else { return Err("has fields of its own".into()) };
            let list = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
            let list = list.ok_or("is an array; give [VALUE,VALUE,...] without spaces")?;
            let all: Vec<&str> = list.split(',').collect();
            if all.len() != *len {
                return Err(format!("has {} values; give {len}", all.len()));
            }
            let all = all.into_iter().map(|one| parse_scalar(scalar, size, one, names));
            Ok(all.collect::<Result<Vec<_>, _>>()?.concat())
        }
        Tree::Scalar(scalar, size) => parse_scalar(*scalar, *size, word, names),
        Tree::Struct(_) => Err("has fields of its own".into()),
    }
}

fn parse_scalar(scalar: Scalar, size: usize, word: &str, names: &[(i64, String)]) -> Result<Vec<u8>, String> {
    let named = names.iter().find(|(_, name)| name == word).map(|(value, _)| match scalar {
        Scalar::Unsigned => bits_of(*value, size).to_string(),
        _ => value.to_string(),
    });
    let word = named.as_deref().unwrap_or(word);
    let bits = 8 * size as u32;
    let wrong = || {
        let there: Vec<&str> = names.iter().map(|(_, name)| &**name).collect();
        let or = if there.is_empty() { String::new() } else { format!(", or one of {}", there.join(", ")) };
        match scalar {
            Scalar::Float => format!("is no number, or too large for {bits} bits{or}"),
            Scalar::Unsigned => format!("is no whole number from 0 to {}{or}", u64::MAX >> (64 - bits)),
            Scalar::Signed => format!(
                "is no whole number from {} to {}{or}",
                i64::MIN >> (64 - bits),
                i64::MAX >> (64 - bits)
            ),
        }
    };
    let is_called_so = !word.contains(|c: char| c.is_ascii_digit());
    let word = match scalar {
        // What is too large for the type is no infinity, unless it is called one.
        Scalar::Float if size == 4 => word
            .parse()
            .ok()
            .filter(|value: &f32| value.is_finite() || is_called_so)
            .map(|value| u64::from(value.to_bits())),
        Scalar::Float => {
            word.parse().ok().filter(|value: &f64| value.is_finite() || is_called_so).map(f64::to_bits)
        }
        Scalar::Unsigned => word.parse().ok().filter(|value: &u64| *value <= u64::MAX >> (64 - bits)),
        Scalar::Signed => {
            let fits = |value: &i64| (i64::MIN >> (64 - bits)..=i64::MAX >> (64 - bits)).contains(value);
            word.parse().ok().filter(fits).map(i64::cast_unsigned)
        }
    };
    Ok(word.ok_or_else(wrong)?.to_le_bytes()[..size].to_vec())
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that `0x...` names.
pub fn from_hex(word: &str) -> Option<Vec<u8>> {
    let digits =
        word.strip_prefix("0x").filter(|digits| digits.is_ascii() && digits.len().is_multiple_of(2))?;
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}
