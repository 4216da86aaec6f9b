//! The canonical text of a contract, of which its hash is made, and the sizes that follow from its functions.
//!
//! ```text
//! Drive                                             the contract's name
//! move_to({angle_rad:f64@0;size=8})->{...;size=16}  a function: its name, its argument's shape, its answer's
//! note({text:[24]u8@0;size=24})                     a function without an answer
//! ```
//!
//! Every line ends in a line feed. A function's number is its line's, so the first one has 1. The shapes are written
//! as FORMAT.md says, and contain no parentheses.

use crate::ground::message::{Message, Shape, ValueType};

use super::Contract;

/// A function of a contract.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its argument's shape.
    pub request: Shape,
    /// Bytes of its argument.
    pub request_len: usize,
    /// Its answer's shape; `None` if it is posted and has no answer.
    pub answer: Option<Shape>,
    /// Bytes of its answer.
    pub answer_len: usize,
}

impl Function {
    /// A function that answers.
    #[must_use]
    pub const fn call<Req: Message, Ans: Message>(name: &'static str) -> Self {
        let (request, answer) = (Req::SHAPE, Some(Ans::SHAPE));
        Self { name, request, request_len: size_of::<Req>(), answer, answer_len: size_of::<Ans>() }
    }

    /// A function without an answer.
    #[must_use]
    pub const fn post<Req: Message>(name: &'static str) -> Self {
        Self { name, request: Req::SHAPE, request_len: size_of::<Req>(), answer: None, answer_len: 0 }
    }
}

/// The function number by which a client asks for the server's text.
pub(super) const DESCRIBE: u32 = 0;
/// Bytes of such a request: the client's hash, and the offset in the text.
pub(super) const DESCRIBE_LEN: usize = 12;
/// Bytes of the hash that comes before a piece of text.
pub(super) const HASH_LEN: usize = 8;
/// Bytes of the hash and of the smallest piece: a place of an answer is then one cache line.
pub(super) const PIECE_LEN: usize = HASH_LEN + 20;

/// The type of answers of every contract's channel, by which a client knows that it may ask for the text. It may not
/// ask any other server: that could take the question for an order.
pub(super) const ANSWER_HASH: u64 = Shape::hash_of(b"strait contract 1");

const fn longer(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// Words of a request in a region: the function number, and room for the largest argument.
#[must_use]
pub const fn request_words(functions: &[Function]) -> usize {
    let (mut largest, mut i) = (DESCRIBE_LEN, 0);
    while i < functions.len() {
        largest = longer(largest, functions[i].request_len);
        i += 1;
    }
    1 + largest.div_ceil(4)
}

/// Words of an answer in a region: the function number, and room for the largest answer.
#[must_use]
pub const fn answer_words(functions: &[Function]) -> usize {
    let (mut largest, mut i) = (PIECE_LEN, 0);
    while i < functions.len() {
        largest = longer(largest, functions[i].answer_len);
        i += 1;
    }
    1 + largest.div_ceil(4)
}

/// Bytes of a buffer for a stream's frames, either way.
#[must_use]
pub const fn stream_buffer(functions: &[Function]) -> usize {
    crate::stream::OVERHEAD + 4 * longer(request_words(functions), answer_words(functions))
}

/// The number of the function of this name.
///
/// # Panics
///
/// If there is none, which the macro excludes.
#[must_use]
pub const fn number(functions: &[Function], name: &str) -> u32 {
    let mut i = 0;
    while i < functions.len() {
        if is_same(functions[i].name.as_bytes(), name.as_bytes()) {
            return i as u32 + 1;
        }
        i += 1;
    }
    panic!("the contract has no function of that name")
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// The types of a contract's channel of calls.
pub(super) const fn types_of<K: Contract>() -> (ValueType, ValueType) {
    let request = ValueType { hash: K::HASH, size: size_of::<K::Request>() as u32 };
    (request, ValueType { hash: ANSWER_HASH, size: size_of::<K::Answer>() as u32 })
}

/// The function of this number.
pub(super) fn function<K: Contract>(number: u32) -> Option<&'static Function> {
    K::FUNCTIONS.get((number as usize).checked_sub(1)?)
}

/// Where the text is written: bytes beyond the end are counted, and not written.
struct Sheet<'a> {
    into: &'a mut [u8],
    len: usize,
}

impl Sheet<'_> {
    const fn byte(&mut self, byte: u8) {
        if self.len < self.into.len() {
            self.into[self.len] = byte;
        }
        self.len += 1;
    }

    const fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            self.byte(bytes[i]);
            i += 1;
        }
    }

    const fn number(&mut self, number: usize) {
        if number >= 10 {
            self.number(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8);
    }

    const fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Scalar(name) => self.text(name),
            Shape::Array(len, element) => {
                self.byte(b'[');
                self.number(*len);
                self.byte(b']');
                self.shape(element);
            }
            Shape::Struct(fields, size) => {
                self.byte(b'{');
                let mut i = 0;
                while i < fields.len() {
                    self.text(fields[i].name);
                    self.byte(b':');
                    self.shape(&fields[i].shape);
                    self.byte(b'@');
                    self.number(fields[i].offset);
                    self.byte(b';');
                    i += 1;
                }
                self.text("size=");
                self.number(*size);
                self.byte(b'}');
            }
        }
    }

    const fn contract(&mut self, name: &str, functions: &[Function]) {
        self.text(name);
        self.byte(b'\n');
        let mut i = 0;
        while i < functions.len() {
            self.text(functions[i].name);
            self.byte(b'(');
            self.shape(&functions[i].request);
            self.byte(b')');
            if let Some(answer) = &functions[i].answer {
                self.text("->");
                self.shape(answer);
            }
            self.byte(b'\n');
            i += 1;
        }
    }
}

/// Bytes of a contract's text.
#[must_use]
pub const fn text_len(name: &str, functions: &[Function]) -> usize {
    let mut sheet = Sheet { into: &mut [], len: 0 };
    sheet.contract(name, functions);
    sheet.len
}

/// A contract's text, which has this many bytes.
#[must_use]
pub const fn text<const LEN: usize>(name: &str, functions: &[Function]) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    let mut sheet = Sheet { into: &mut bytes, len: 0 };
    sheet.contract(name, functions);
    bytes
}

/// The text that these bytes are.
///
/// # Panics
///
/// If they are not UTF-8, which names in Rust always are.
#[must_use]
pub const fn as_text(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("a contract's text is not UTF-8"),
    }
}
