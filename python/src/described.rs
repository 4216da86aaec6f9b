//! What a region says of its own types, for `strait._described`, which believes it no further than it adds up.

use pyo3::prelude::*;
use strait::Attachment;
use strait::format::Shape;
use strait::format::describe::{DescribedType, Description, Remark, types};

use crate::errors::{Damaged, NotDescribed, raised};
use crate::port::Home;

const SCALARS: [&str; 10] = ["u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64"];

/// A note: the field's path, what kind of note it is, the value that it names, and its text.
type Note = (String, &'static str, i64, String);

/// A described type: its name, its descriptor, the bytes of a value, and notes on its fields.
pub type Described = (String, String, u32, Vec<Note>);

/// The description's text; empty if the region has none.
fn text_of(region: &Attachment<Home>) -> PyResult<String> {
    let mem = strait::port::Port::mem(region.port());
    let damaged = |error| Damaged::new_err(format!("{error}"));
    let Some(found) = Description::find(mem, region.header()).map_err(damaged)? else {
        return Ok(String::new());
    };
    let mut bytes = vec![0; found.len()];
    Ok(found.read(mem, &mut bytes).map_err(damaged)?.to_owned())
}

/// The type of a channel's values, as the region lists it; a scalar needs no description.
pub fn of_channel(region: &Attachment<Home>, name: &str) -> PyResult<Described> {
    let entry = raised(region.channel(name))?;
    let text = text_of(region)?;
    if let Some(found) = types(&text).find(|one| one.hash() == entry.type_hash) {
        let name = found.name.to_owned();
        return Ok((name, found.descriptor.to_owned(), entry.max_len, notes(&found)));
    }
    let scalar = SCALARS.into_iter().find(|name| Shape::hash_of(name.as_bytes()) == entry.type_hash);
    match scalar {
        Some(scalar) => Ok((String::new(), scalar.to_owned(), entry.max_len, Vec::new())),
        None => Err(NotDescribed::new_err(format!(
            "the region does not describe the type of the channel {name}; give the type, or create the region with \
             a plan that describes its types"
        ))),
    }
}

fn notes(found: &DescribedType<'_>) -> Vec<Note> {
    let known = found.notes().filter_map(|note| {
        let (what, value, text) = match note.remark {
            Remark::Unit(unit) => ("unit", 0, unit),
            Remark::Help(help) => ("help", 0, help),
            Remark::Value(value, name) => ("value", value, name),
            _ => return None,
        };
        Some((note.path.to_owned(), what, value, text.to_owned()))
    });
    known.collect()
}
