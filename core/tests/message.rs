//! Structural hashes: descriptors of nested structs and arrays, pinned values, and the same values
//! from Python and from C.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use strait_core::{Message, format::Shape};

strait_core::message! {
    /// A point.
    struct Point {
        x: f32,
        y: f32,
    }

    /// What a drive reports; every scalar is in it.
    struct Drive {
        time_ns: u64,
        offset: i64,
        torque: f64,
        id: u32,
        error: i32,
        path: [Point; 3],
        code: u16,
        temperature: i16,
        flags: [u8; 3],
        mode: i8,
        table: [[u32; 2]; 4],
    }

    struct Empty {}
}

const DRIVE: &str = "{time_ns:u64@0;offset:i64@8;torque:f64@16;id:u32@24;error:i32@28;\
    path:[3]{x:f32@0;y:f32@4;size=8}@32;code:u16@56;temperature:i16@58;flags:[3]u8@60;mode:i8@63;\
    table:[4][2]u32@64;size=96}";

fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

#[test]
fn descriptors_say_names_kinds_offsets_and_sizes() {
    assert_eq!(Point::SHAPE.to_string(), "{x:f32@0;y:f32@4;size=8}");
    assert_eq!(Drive::SHAPE.to_string(), DRIVE);
    assert_eq!(Empty::SHAPE.to_string(), "{size=0}");
    assert_eq!(<[[i16; 1]; 0]>::SHAPE.to_string(), "[0][1]i16");
    let scalars =
        [u8::SHAPE, u16::SHAPE, u32::SHAPE, u64::SHAPE, i8::SHAPE, i16::SHAPE, i32::SHAPE, i64::SHAPE];
    let names: Vec<_> = scalars.iter().map(Shape::to_string).collect();
    assert_eq!(names, ["u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64"]);
    assert_eq!((f32::SHAPE.to_string(), f64::SHAPE.to_string()), ("f32".into(), "f64".into()));
}

#[test]
fn the_hash_is_fnv_1a_of_the_descriptor() {
    for (hash, descriptor) in [
        (u8::HASH, "u8".to_owned()),
        (Point::HASH, Point::SHAPE.to_string()),
        (Drive::HASH, DRIVE.to_owned()),
        (Empty::HASH, "{size=0}".to_owned()),
        (<[f64; 100]>::HASH, "[100]f64".to_owned()),
        (<[u8; 1_234_567_890]>::HASH, "[1234567890]u8".to_owned()),
    ] {
        assert_eq!(hash, fnv(&descriptor), "{descriptor}");
    }
}

/// Hashes stand in regions and in other programs: they must never change.
#[test]
fn hashes_are_pinned() {
    assert_eq!(u8::HASH, 0x08C4_8207_B567_53D8);
    assert_eq!(u32::HASH, 0x4D2B_DF19_3E85_26D1);
    assert_eq!(f64::HASH, 0xDD74_4C18_FF7E_A1AB);
    assert_eq!(<[u16; 8]>::HASH, 0x72F0_579A_D7D0_C4D3);
    assert_eq!(Point::HASH, 0x2B8F_55E6_F8FA_21E6);
    assert_eq!(Drive::HASH, 0xE04F_8348_8185_9B76);
}

#[test]
fn whatever_differs_in_structure_differs_in_its_hash() {
    mod other {
        strait_core::message! {
            pub struct Point { pub x: f32, pub z: f32 }
        }
    }
    mod swapped {
        strait_core::message! {
            pub struct Point { pub y: f32, pub x: f32 }
        }
    }
    mod typed {
        strait_core::message! {
            pub struct Point { pub x: f32, pub y: u32 }
        }
    }
    mod renamed {
        strait_core::message! {
            pub struct Place { pub x: f32, pub y: f32 }
        }
    }
    let mut hashes = vec![
        Point::HASH,
        other::Point::HASH,
        swapped::Point::HASH,
        typed::Point::HASH,
        <[Point; 1]>::HASH,
        <[f32; 2]>::HASH,
        <[[f32; 2]; 1]>::HASH,
        <[[f32; 1]; 2]>::HASH,
        f32::HASH,
        u32::HASH,
        Empty::HASH,
    ];
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
    assert_eq!(renamed::Place::HASH, Point::HASH, "the type's own name is no part of it");
}

/// What a field is called in the region must not depend on Rust's keywords.
#[test]
fn raw_names_are_names() {
    mod raw {
        strait_core::message! {
            pub struct Event { pub r#type: u32 }
        }
    }
    assert_eq!(raw::Event::SHAPE.to_string(), "{type:u32@0;size=4}");
}

#[test]
fn values_keep_their_bytes() {
    use zerocopy::{FromBytes, IntoBytes};
    let point = Point { x: 1.5, y: -2.0 };
    let bytes = point.as_bytes();
    assert_eq!(bytes, [0, 0, 0xC0, 0x3F, 0, 0, 0, 0xC0]);
    assert_eq!(Point::read_from_bytes(bytes), Ok(point));
}

/// Runs a program on `input`; `None` if there is no such program.
fn run(command: &mut Command, input: &str) -> Option<Output> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
    child.stdin.take()?.write_all(input.as_bytes()).ok()?;
    child.wait_with_output().ok()
}

fn check(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<_> = text.lines().collect();
    let hash = |hash: u64| format!("{hash:016x}");
    assert_eq!(lines, [DRIVE.to_owned(), hash(Drive::HASH), hash(Point::HASH), hash(u8::HASH)]);
}

/// Descriptor and hash from a `ctypes` structure.
const PYTHON: &str = r#"
import ctypes as c

KINDS = {c.c_uint8: "u8", c.c_uint16: "u16", c.c_uint32: "u32", c.c_uint64: "u64", c.c_int8: "i8",
         c.c_int16: "i16", c.c_int32: "i32", c.c_int64: "i64", c.c_float: "f32", c.c_double: "f64"}

def describe(kind):
    if kind in KINDS:
        return KINDS[kind]
    if issubclass(kind, c.Array):
        return "[%d]%s" % (kind._length_, describe(kind._type_))
    fields = ["%s:%s@%d;" % (name, describe(of), getattr(kind, name).offset) for name, of in kind._fields_]
    return "{%ssize=%d}" % ("".join(fields), c.sizeof(kind))

def fnv(text):
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001b3 % 2 ** 64
    return value or 1

class Point(c.Structure):
    _fields_ = [("x", c.c_float), ("y", c.c_float)]

class Drive(c.Structure):
    _fields_ = [("time_ns", c.c_uint64), ("offset", c.c_int64), ("torque", c.c_double), ("id", c.c_uint32),
                ("error", c.c_int32), ("path", Point * 3), ("code", c.c_uint16), ("temperature", c.c_int16),
                ("flags", c.c_uint8 * 3), ("mode", c.c_int8), ("table", c.c_uint32 * 2 * 4)]

print(describe(Drive))
for kind in (Drive, Point, c.c_uint8):
    print("%016x" % fnv(describe(kind)))
"#;

#[test]
fn python_agrees() {
    match run(Command::new("python3").arg("-"), PYTHON) {
        Some(output) => check(&output),
        None => println!("skipped: there is no python3"),
    }
}

/// Descriptor and hash in C, from `offsetof` and `sizeof`.
const C: &str = r#"
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

struct point { float x, y; };
struct drive {
    uint64_t time_ns; int64_t offset; double torque; uint32_t id; int32_t error; struct point path[3];
    uint16_t code; int16_t temperature; uint8_t flags[3]; int8_t mode; uint32_t table[4][2];
};

static uint64_t fnv(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash ? hash : 1;
}

int main(void) {
    char point[100], drive[1000];
    snprintf(point, sizeof point, "{x:f32@%zu;y:f32@%zu;size=%zu}", offsetof(struct point, x),
             offsetof(struct point, y), sizeof(struct point));
#define AT(field) offsetof(struct drive, field)
    snprintf(drive, sizeof drive,
             "{time_ns:u64@%zu;offset:i64@%zu;torque:f64@%zu;id:u32@%zu;error:i32@%zu;path:[3]%s@%zu;"
             "code:u16@%zu;temperature:i16@%zu;flags:[3]u8@%zu;mode:i8@%zu;table:[4][2]u32@%zu;size=%zu}",
             AT(time_ns), AT(offset), AT(torque), AT(id), AT(error), point, AT(path), AT(code),
             AT(temperature), AT(flags), AT(mode), AT(table), sizeof(struct drive));
    printf("%s\n%016" PRIx64 "\n%016" PRIx64 "\n%016" PRIx64 "\n", drive, fnv(drive), fnv(point), fnv("u8"));
    return 0;
}
"#;

#[test]
fn c_agrees() {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("structural_hash");
    let compiler =
        run(Command::new("cc").args(["-x", "c", "-std=c99", "-Wall", "-o"]).arg(&program).arg("-"), C);
    let Some(compiled) = compiler else {
        println!("skipped: there is no cc");
        return;
    };
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    check(&run(&mut Command::new(&program), "").expect("it was just made"));
}
