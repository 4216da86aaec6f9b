//! The text of a description, from types that are known at compile time.

use crate::ground::message::{About, Field, Shape};

use super::TypeInfo;

/// Bytes of the text that lists these types.
#[must_use]
pub const fn text_len(types: &[TypeInfo]) -> usize {
    let mut out = Out { bytes: &mut [], len: 0 };
    put_types(&mut out, types);
    out.len
}

/// The text that lists these types, of `N` bytes: as many as [`text_len`] says.
#[must_use]
pub const fn text<const N: usize>(types: &[TypeInfo]) -> [u8; N] {
    let mut bytes = [b'\n'; N];
    put_types(&mut Out { bytes: &mut bytes, len: 0 }, types);
    bytes
}

/// Text that is put together, as far as there is room for it, and its length.
struct Out<'b> {
    bytes: &'b mut [u8],
    len: usize,
}

/// The fields that lead to one: from the inside.
struct Path<'p> {
    outer: Option<&'p Path<'p>>,
    name: &'p str,
}

impl Out<'_> {
    const fn byte(&mut self, byte: u8) {
        if self.len < self.bytes.len() {
            self.bytes[self.len] = byte;
        }
        self.len += 1;
    }

    const fn str(&mut self, text: &str) {
        self.line(text, 0);
    }

    /// Puts the text in from a byte on; a line's end in it becomes a space.
    const fn line(&mut self, text: &str, from: usize) {
        let bytes = text.as_bytes();
        let mut i = from;
        while i < bytes.len() {
            self.byte(if bytes[i] == b'\n' || bytes[i] == b'\r' { b' ' } else { bytes[i] });
            i += 1;
        }
    }

    const fn number(&mut self, number: u64) {
        if number >= 10 {
            self.number(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8);
    }

    const fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Scalar(name) => self.str(name),
            Shape::Array(len, element) => {
                self.byte(b'[');
                self.number(*len as u64);
                self.byte(b']');
                self.shape(element);
            }
            Shape::Struct(fields, size) => {
                self.byte(b'{');
                let mut i = 0;
                while i < fields.len() {
                    self.str(fields[i].name);
                    self.byte(b':');
                    self.shape(&fields[i].shape);
                    self.byte(b'@');
                    self.number(fields[i].offset as u64);
                    self.byte(b';');
                    i += 1;
                }
                self.str("size=");
                self.number(*size as u64);
                self.byte(b'}');
            }
        }
    }

    const fn path(&mut self, path: &Path<'_>) {
        if let Some(outer) = path.outer {
            self.path(outer);
            self.byte(b'.');
        }
        self.str(path.name);
    }

    /// The start of a note's line.
    const fn note(&mut self, path: &Path<'_>, what: &str) {
        self.byte(b'.');
        self.path(path);
        self.byte(b' ');
        self.str(what);
        self.byte(b' ');
    }

    const fn notes(&mut self, shape: &Shape, outer: Option<&Path<'_>>) {
        match shape {
            Shape::Scalar(_) => {}
            Shape::Array(_, element) => self.notes(element, outer),
            Shape::Struct(fields, _) => {
                let mut i = 0;
                while i < fields.len() {
                    self.field(&fields[i], &Path { outer, name: fields[i].name });
                    i += 1;
                }
            }
        }
    }

    const fn field(&mut self, field: &Field, path: &Path<'_>) {
        let About { unit, help, values } = field.about;
        if !unit.is_empty() {
            self.note(path, "unit");
            self.str(unit);
            self.byte(b'\n');
        }
        let start = if matches!(help.as_bytes(), [b' ', ..]) { 1 } else { 0 };
        if help.len() > start {
            self.note(path, "help");
            self.line(help, start);
            self.byte(b'\n');
        }
        let mut i = 0;
        while i < values.len() {
            let (name, value) = values[i];
            self.note(path, "value");
            if value < 0 {
                self.byte(b'-');
            }
            self.number(value.unsigned_abs());
            self.byte(b' ');
            self.str(name);
            self.byte(b'\n');
            i += 1;
        }
        self.notes(&field.shape, Some(path));
    }
}

const fn put_types(out: &mut Out<'_>, types: &[TypeInfo]) {
    let mut i = 0;
    while i < types.len() {
        out.byte(b'=');
        out.str(types[i].name);
        out.byte(b' ');
        out.shape(&types[i].shape);
        out.byte(b'\n');
        out.notes(&types[i].shape, None);
        i += 1;
    }
}

/// The description of some types, for [`Plan::described`](crate::Plan::described): their names, fields, and what
/// [`message!`](crate::message) was told of them. A text, made at compile time.
///
/// ```
/// strait_core::message! {
///     struct Drive {
///         /// What it does.
///         state: u32 [values = { idle = 0, moving = 1 }],
///         speed: f32 [unit = "m/s"],
///     }
/// }
/// assert_eq!(
///     strait_core::describe!(Drive),
///     "=Drive {state:u32@0;speed:f32@4;size=8}\n\
///      .state help What it does.\n.state value 0 idle\n.state value 1 moving\n.speed unit m/s\n"
/// );
/// ```
#[macro_export]
macro_rules! describe {
    ($($types:ty),+ $(,)?) => {
        const {
            const TYPES: &[$crate::format::describe::TypeInfo] =
                &[$($crate::format::describe::TypeInfo::of::<$types>()),+];
            const TEXT: &[u8] = &$crate::format::describe::text::<
                { $crate::format::describe::text_len(TYPES) },
            >(TYPES);
            match ::core::str::from_utf8(TEXT) {
                Ok(text) => text,
                Err(_) => panic!("a text of names is no UTF-8"),
            }
        }
    };
}
