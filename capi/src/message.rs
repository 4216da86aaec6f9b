//! Types that a C program describes by tables: their hashes, the text that lists them, and what a region lists.

use core::ffi::{CStr, c_char};

use strait_core::format::describe::{Description, DescriptionError};
use strait_core::{Attachment, port::Port as _};

use crate::port::CPort;
use crate::region::attached;
use crate::{arg, strait_region_t, strait_status};

/// Scalars of a field, as the macros of fields name them: what it is, and its bytes.
pub const STRAIT_SCALAR_U8: u32 = 0x101;
/// See `STRAIT_SCALAR_U8`.
pub const STRAIT_SCALAR_U16: u32 = 0x102;
/// See `STRAIT_SCALAR_U8`.
pub const STRAIT_SCALAR_U32: u32 = 0x104;
/// See `STRAIT_SCALAR_U8`.
pub const STRAIT_SCALAR_U64: u32 = 0x108;
/// See `STRAIT_SCALAR_U8`.
pub const STRAIT_SCALAR_I8: u32 = 0x201;
/// See `STRAIT_SCALAR_U8`.
pub const STRAIT_SCALAR_I16: u32 = 0x202;
/// See `STRAIT_SCALAR_U8`.
pub const STRAIT_SCALAR_I32: u32 = 0x204;
/// See `STRAIT_SCALAR_U8`.
pub const STRAIT_SCALAR_I64: u32 = 0x208;
/// See `STRAIT_SCALAR_U8`.
pub const STRAIT_SCALAR_F32: u32 = 0x304;
/// See `STRAIT_SCALAR_U8`.
pub const STRAIT_SCALAR_F64: u32 = 0x308;

/// Messages within each other: more than any sane type has.
const MAX_DEPTH: u32 = 32;

/// A name of a field's value.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct strait_named_value_t {
    /// The name, without spaces.
    pub name: *const c_char,
    /// The value.
    pub value: i64,
}

/// A field of a message. Made by `STRAIT_FIELD` and its siblings.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct strait_field_t {
    /// Its name.
    pub name: *const c_char,
    /// `STRAIT_SCALAR_...`; 0 of a message within the message.
    pub scalar: u32,
    /// Where it is in the message.
    pub offset: u32,
    /// Its bytes, with all elements.
    pub size: u32,
    /// Of an array, how many elements it has; 0 of a single value.
    pub count: u32,
    /// The message within the message.
    pub nested: *const strait_message_t,
    /// The unit of its value; may be null.
    pub unit: *const c_char,
    /// A line of help; may be null.
    pub help: *const c_char,
    /// Names of its values; null if there are none.
    pub values: *const strait_named_value_t,
    /// How many.
    pub value_count: u32,
}

/// A message: a struct of numbers, arrays of them and other messages, without padding. Made by `STRAIT_MESSAGE`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct strait_message_t {
    /// Its name, for people; may be empty.
    pub name: *const c_char,
    /// The fields, in their order.
    pub fields: *const strait_field_t,
    /// How many.
    pub field_count: u32,
    /// Bytes of the struct.
    pub size: u32,
}

/// Where text goes.
trait Sink {
    fn byte(&mut self, byte: u8);

    fn put(&mut self, text: &[u8]) {
        text.iter().for_each(|&byte| self.byte(byte));
    }

    fn number(&mut self, number: u64) {
        if number >= 10 {
            self.number(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8);
    }

    /// A line's end in the text becomes a space.
    fn line(&mut self, text: &[u8]) {
        text.iter().for_each(|&byte| self.byte(if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    }
}

/// FNV-1a, 64 bits.
struct Hash(u64);

impl Sink for Hash {
    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    }
}

/// Text as far as there is room for it, and its length.
struct Text<'b> {
    into: &'b mut [u8],
    len: usize,
}

impl Sink for Text<'_> {
    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.into.get_mut(self.len) {
            *place = byte;
        }
        self.len += 1;
    }
}

/// The text at a pointer, or none if that is null.
///
/// # Safety
///
/// It must be null or lead to a text that ends with a NUL, which nobody changes for as long as `'a`.
unsafe fn text<'a>(at: *const c_char) -> &'a [u8] {
    if at.is_null() {
        return &[];
    }
    // SAFETY: a text that ends with a NUL, by the caller's promise.
    unsafe { CStr::from_ptr(at) }.to_bytes()
}

/// The fields that lead to one, from the inside.
struct Path<'p> {
    outer: Option<&'p Path<'p>>,
    name: &'p [u8],
}

impl Path<'_> {
    fn put(&self, out: &mut impl Sink) {
        if let Some(outer) = self.outer {
            outer.put(out);
            out.byte(b'.');
        }
        out.put(self.name);
    }
}

/// Field `index` of a message.
///
/// # Safety
///
/// As for [`shape`].
unsafe fn field_of(message: &strait_message_t, index: u32) -> Result<strait_field_t, strait_status> {
    // SAFETY: there are this many, by the caller's promise.
    unsafe { arg::value(message.fields.wrapping_add(index as usize)) }
}

/// Puts a message's descriptor, and checks it.
///
/// # Safety
///
/// The message's pointers must be null or as the crate's rules say.
unsafe fn shape(message: &strait_message_t, depth: u32, out: &mut impl Sink) -> Result<(), strait_status> {
    if depth == 0 || message.field_count == 0 {
        return Err(strait_status::BadArgument);
    }
    out.byte(b'{');
    let mut end = 0_u32;
    for index in 0..message.field_count {
        // SAFETY: the caller's promise.
        let field = unsafe { field_of(message, index)? };
        // SAFETY: the caller's promise.
        let name = unsafe { text(field.name) };
        let is_name = !name.is_empty() && name.iter().all(|&c| c.is_ascii_alphanumeric() || c == b'_');
        // Types have no padding.
        if !is_name || field.offset != end {
            return Err(strait_status::BadArgument);
        }
        out.put(name);
        out.byte(b':');
        if field.count > 0 {
            out.byte(b'[');
            out.number(field.count.into());
            out.byte(b']');
        }
        let size = match (field.scalar, field.nested.is_null()) {
            (0, false) => {
                // SAFETY: the caller's promise.
                let nested = unsafe { arg::value(field.nested)? };
                // SAFETY: the caller's promise.
                unsafe { shape(&nested, depth - 1, out)? };
                nested.size
            }
            (scalar, true) => scalar_of(scalar, out).ok_or(strait_status::BadArgument)?,
            _ => return Err(strait_status::BadArgument),
        };
        let whole = size.checked_mul(field.count.max(1));
        end = end.checked_add(field.size).ok_or(strait_status::BadArgument)?;
        if whole != Some(field.size) {
            return Err(strait_status::BadArgument);
        }
        out.byte(b'@');
        out.number(field.offset.into());
        out.byte(b';');
    }
    if end != message.size {
        return Err(strait_status::BadArgument);
    }
    out.put(b"size=");
    out.number(end.into());
    out.byte(b'}');
    Ok(())
}

/// Puts a scalar; returns its bytes.
fn scalar_of(scalar: u32, out: &mut impl Sink) -> Option<u32> {
    let letter = match scalar {
        STRAIT_SCALAR_U8 | STRAIT_SCALAR_U16 | STRAIT_SCALAR_U32 | STRAIT_SCALAR_U64 => b'u',
        STRAIT_SCALAR_I8 | STRAIT_SCALAR_I16 | STRAIT_SCALAR_I32 | STRAIT_SCALAR_I64 => b'i',
        STRAIT_SCALAR_F32 | STRAIT_SCALAR_F64 => b'f',
        _ => return None,
    };
    let bytes = scalar & 0xFF;
    out.byte(letter);
    out.number((8 * bytes).into());
    Some(bytes)
}

/// Puts the notes on a message's fields. Its shape was put before, so it is sound.
///
/// # Safety
///
/// As for [`shape`].
unsafe fn notes(
    message: &strait_message_t,
    outer: Option<&Path<'_>>,
    out: &mut impl Sink,
) -> Result<(), strait_status> {
    for index in 0..message.field_count {
        // SAFETY: the caller's promise.
        let field = unsafe { field_of(message, index)? };
        // SAFETY: the caller's promise.
        let path = Path { outer, name: unsafe { text(field.name) } };
        // SAFETY: the caller's promise.
        let unit = unsafe { text(field.unit) };
        if !unit.is_empty() {
            note(&path, b" unit ", out);
            out.line(unit);
            out.byte(b'\n');
        }
        // SAFETY: the caller's promise.
        let help = unsafe { text(field.help) };
        let help = help.strip_prefix(b" ").unwrap_or(help);
        if !help.is_empty() {
            note(&path, b" help ", out);
            out.line(help);
            out.byte(b'\n');
        }
        for index in 0..field.value_count {
            // SAFETY: there are this many, by the caller's promise.
            let named = unsafe { arg::value(field.values.wrapping_add(index as usize))? };
            note(&path, b" value ", out);
            if named.value < 0 {
                out.byte(b'-');
            }
            out.number(named.value.unsigned_abs());
            out.byte(b' ');
            // SAFETY: the caller's promise.
            out.line(unsafe { text(named.name) });
            out.byte(b'\n');
        }
        if !field.nested.is_null() {
            // SAFETY: the caller's promise.
            let nested = unsafe { arg::value(field.nested)? };
            // SAFETY: the caller's promise.
            unsafe { notes(&nested, Some(&path), out)? };
        }
    }
    Ok(())
}

fn note(path: &Path<'_>, what: &[u8], out: &mut impl Sink) {
    out.byte(b'.');
    path.put(out);
    out.put(what);
}

/// The hash of a message, as of Rust's `message!` with the same fields. 0 if the message is wrong: a field that is not as
/// large as its scalar says, or padding.
///
/// # Safety
///
/// `message`, and what is in it, must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_message_hash(message: *const strait_message_t) -> u64 {
    let mut hash = Hash(0xCBF2_9CE4_8422_2325);
    // SAFETY: the caller's promise.
    let Ok(message) = (unsafe { arg::value(message) }) else { return 0 };
    // SAFETY: the caller's promise.
    match unsafe { shape(&message, MAX_DEPTH, &mut hash) } {
        Ok(()) => hash.0.max(1),
        Err(_) => 0,
    }
}

/// Writes the description of `count` messages, for `strait_plan_t`: the text that Rust's `describe!` makes of the same
/// types, with a NUL behind it. `*len` is its length without that. If `capacity` is less than `*len + 1`, it is
/// `STRAIT_STATUS_TOO_SMALL`, and `text` may be null. `STRAIT_STATUS_BAD_ARGUMENT` if a message is wrong: see
/// `strait_message_hash`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_describe(
    messages: *const *const strait_message_t,
    count: usize,
    text: *mut c_char,
    capacity: usize,
    len: *mut usize,
) -> strait_status {
    // SAFETY: the caller's promise.
    crate::status::status(unsafe { describe(messages, count, text, capacity, len) })
}

/// # Safety
///
/// As for [`strait_describe`].
unsafe fn describe(
    messages: *const *const strait_message_t,
    count: usize,
    into: *mut c_char,
    capacity: usize,
    len: *mut usize,
) -> Result<(), strait_status> {
    arg::may_answer(len)?;
    // SAFETY: the caller's promise.
    let into = unsafe { arg::buffer(into.cast::<u8>(), capacity)? };
    let mut out = Text { into, len: 0 };
    for index in 0..count {
        // SAFETY: there are this many, by the caller's promise.
        let message = unsafe { arg::value(messages.wrapping_add(index))? };
        // SAFETY: the caller's promise.
        let message = unsafe { arg::value(message)? };
        out.byte(b'=');
        // SAFETY: the caller's promise.
        out.line(unsafe { text(message.name) });
        out.byte(b' ');
        // SAFETY: the caller's promise.
        unsafe { shape(&message, MAX_DEPTH, &mut out)? };
        out.byte(b'\n');
        // SAFETY: the caller's promise.
        unsafe { notes(&message, None, &mut out)? };
    }
    let needed = out.len;
    out.byte(0);
    let fits = out.len <= out.into.len();
    // SAFETY: the caller's promise.
    unsafe { arg::answer(len, needed)? };
    if fits { Ok(()) } else { Err(strait_status::TooSmall) }
}

/// Reads the description of the region's types: text as FORMAT.md has it, with a NUL behind it. `*len` is its length without
/// that; 0 if the region has none. If `capacity` is less than `*len + 1`, it is `STRAIT_STATUS_TOO_SMALL`, and `text` may be
/// null. `STRAIT_STATUS_DAMAGED` if it does not match its checksum.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_description(
    region: *const strait_region_t,
    text: *mut c_char,
    capacity: usize,
    len: *mut usize,
) -> strait_status {
    // SAFETY: the caller's promise.
    crate::status::status(unsafe { description(region, text, capacity, len) })
}

/// # Safety
///
/// As for [`strait_description`].
unsafe fn description(
    region: *const strait_region_t,
    text: *mut c_char,
    capacity: usize,
    len: *mut usize,
) -> Result<(), strait_status> {
    arg::may_answer(len)?;
    // SAFETY: the caller's promise.
    let into = unsafe { arg::buffer(text.cast::<u8>(), capacity)? };
    let wrong = |error| match error {
        DescriptionError::TooSmall { .. } => strait_status::TooSmall,
        _ => strait_status::Damaged,
    };
    let copy = |region: &Attachment<CPort>| {
        let mem = region.port().mem();
        let found = Description::find(mem, region.header()).map_err(wrong)?;
        let needed = found.map_or(0, |found| found.len());
        // SAFETY: the caller's promise.
        unsafe { arg::answer(len, needed)? };
        let place = into.get_mut(..=needed).ok_or(strait_status::TooSmall)?;
        if let Some(found) = found {
            let text = found.read(mem, place).map_err(wrong)?;
            if text.as_bytes().contains(&0) {
                return Err(strait_status::Damaged);
            }
        }
        place[needed] = 0;
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { attached(region, copy) }
}
