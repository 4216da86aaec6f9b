"""Types have the shape and the hash that Rust's `message!` gives them."""

from typing import Annotated, Tuple

import pytest
import strait
from tests_types import PLAN, Gains, Torque

np = pytest.importorskip("numpy")


def test_shapes_are_those_of_rust():
    # As in the documentation of `message!` in core and in the facade.
    @strait.message
    class Reading:
        time_ns: strait.u64
        angle_rad: strait.f64

    @strait.message
    class Sample:
        time_ns: strait.u64
        value: strait.f32 * 2

    assert strait.type_of(Reading).shape == "{time_ns:u64@0;angle_rad:f64@8;size=16}"
    assert strait.type_of(Sample).shape == "{time_ns:u64@0;value:[2]f32@8;size=16}"
    assert strait.type_of(Gains).shape == (
        "{version:u64@0;table:[4]f64@8;last:{axis:u32@0;newton_metres:f32@4;size=8}@40;size=48}"
    )
    assert (strait.f32 * 3 * 2).shape == "[2][3]f32"
    assert strait.type_of(Torque) == strait.type_of(np.dtype([("axis", "<u4"), ("newton_metres", "<f4")]))


def test_hashes_are_those_of_rust():
    """The values that core/tests/message.rs pins, of the same types."""

    @strait.message
    class Point:
        x: strait.f32
        y: strait.f32

    @strait.message
    class Drive:
        time_ns: strait.u64
        offset: strait.i64
        torque: strait.f64
        id: strait.u32
        error: strait.i32
        path: strait.type_of(Point) * 3
        code: strait.u16
        temperature: strait.i16
        flags: strait.u8 * 3
        mode: strait.i8
        table: strait.u32 * 2 * 4

    assert strait.u8.hash == 0x08C48207B56753D8
    assert strait.u32.hash == 0x4D2BDF193E8526D1
    assert strait.f64.hash == 0xDD744C18FF7EA1AB
    assert (strait.u16 * 8).hash == 0x72F0579AD7D0C4D3
    assert strait.type_of(Point).hash == 0x2B8F55E6F8FA21E6
    assert strait.type_of(Drive).hash == 0xE04F834881859B76


def test_what_is_annotated_for_type_checkers_declares_the_same():
    @strait.message
    class Annotates:
        axis: Annotated[int, strait.u32]
        table: Annotated[Tuple[float, ...], strait.f32 * 3]

    @strait.message
    class Plain:
        axis: strait.u32
        table: strait.f32 * 3

    assert strait.type_of(Annotates) == strait.type_of(Plain)


def test_annotations_may_be_texts():
    @strait.message
    class Texts:
        axis: "strait.u32"
        newton_metres: "Annotated[float, strait.f32]"

    assert strait.type_of(Texts) == strait.type_of(Torque)
    with pytest.raises(strait.WrongType, match="Lost.axis"):

        @strait.message
        class Lost:
            axis: "nowhere.u32"


def test_numpy_dtypes_declare_types():
    inner = np.dtype([("axis", "<u4"), ("newton_metres", "<f4")])
    dtype = np.dtype([("version", "<u8"), ("table", "<f8", 4), ("last", inner)])
    assert strait.type_of(dtype) == strait.type_of(Gains)
    assert strait.type_of(np.float32).shape == "f32"
    assert strait.type_of(np.dtype(("<i2", (2, 3)))).shape == "[2][3]i16"


@pytest.mark.parametrize(
    "dtype",
    [
        np.dtype(">u4"),
        np.dtype("?"),
        np.dtype("<f2"),
        np.dtype("U3"),
        np.dtype([("a", "u1"), ("b", "<u4")]),
        np.dtype([("a", "<u4"), ("b", "u1")]),
        np.dtype({"names": ["a", "b"], "formats": ["u1", "<u4"], "offsets": [0, 4]}),
        np.dtype({"names": ["a"], "formats": ["u1"], "itemsize": 2}),
    ],
)
def test_dtypes_that_rust_cannot_have_are_refused(dtype):
    with pytest.raises(strait.WrongType):
        strait.type_of(dtype)


def test_padding_is_refused():
    with pytest.raises(strait.WrongType, match="3 bytes of padding before large"):

        @strait.message
        class Holed:
            small: strait.u8
            large: strait.u32

    with pytest.raises(strait.WrongType, match="padding at its end"):

        @strait.message
        class Short:
            large: strait.u32
            small: strait.u8

    with pytest.raises(strait.WrongType):

        @strait.message
        class Unstorable:
            on: bool


def test_numpy_values_go_in_and_come_out(name):
    dtype = np.dtype([("axis", "<u4"), ("newton_metres", "<f4")])
    region = strait.Region.create(name, PLAN)
    producer, consumer = region.typed_producer("torque", dtype), region.typed_consumer("torque", dtype)
    values = np.array([(1, 0.5), (2, 1.5)], dtype=dtype)
    for value in [values[0], {"axis": 1, "newton_metres": 0.5}, (1, 0.5)]:
        producer.try_send(value)
        got = consumer.try_recv()
        assert got.dtype == dtype and got == values[0]
    for wrong in [values, {"axis": 1}, "text", (1, 2, 3)]:
        with pytest.raises(strait.WrongType):
            producer.try_send(wrong)
    # What a message declares, NumPy's scalars fill too.
    own = region.latest_writer("state", Torque)
    own.publish(Torque(np.uint32(3), np.float32(0.25)))
    read = region.latest_reader("state", dtype).read().value
    assert (read["axis"], read["newton_metres"]) == (3, 0.25)


def test_arrays_of_numpy_go_in_and_come_out(name):
    image = np.dtype(("<u2", (4, 8)))
    region = strait.Region.create(name, strait.Plan([strait.latest("image", image)]))
    sent = np.arange(32, dtype="<u2").reshape(4, 8)
    region.latest_writer("image", image).publish(sent)
    got = region.latest_reader("image", image).read().value
    assert got.shape == (4, 8) and (got == sent).all()
    got[0, 0] = 5


def test_a_wrong_value_names_its_part():
    gains = strait.type_of(Gains)
    right = {"version": 1, "table": (1.0,) * 4, "last": (2, 0.5)}
    assert gains.unpack(gains.pack(right)).last == Torque(2, 0.5)
    cases = [
        ({"version": -1}, r"version: -1 is no value of u64"),
        ({"table": (1.0, 2.0, "x", 4.0)}, r"table: .* \[2\]: 'x' is no value of f64"),
        ({"table": 5}, r"table: 5 is no value of \[4\]f64"),
        ({"last": Torque(2**32, 0.5)}, r"last: .* axis: 4294967296 is no value of u32"),
        ({"last": "text"}, r"last: 'text' is no value"),
    ]
    for wrong, said in cases:
        with pytest.raises(strait.WrongType, match=said):
            gains.pack({**right, **wrong})
