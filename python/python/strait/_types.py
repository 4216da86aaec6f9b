"""Types of values: declared by `message`, as a NumPy dtype, or one of the scalars, with the shape that Rust has.

A `Type` has the canonical descriptor (`shape`; the grammar is in FORMAT.md) that Rust's `message!` gives the same
struct, and packs and unpacks values. NumPy is imported only where a dtype is given.
"""

import dataclasses
import itertools
import struct
import sys

from ._errors import WrongSize, WrongType
from ._strait import shape_hash

_SCALARS = {
    "u8": "B", "u16": "H", "u32": "I", "u64": "Q",
    "i8": "b", "i16": "h", "i32": "i", "i64": "q",
    "f32": "f", "f64": "d",
}  # fmt: skip


class Type:
    """A type whose every bit pattern is a value and which has no padding. `type * n` is an array of n."""

    shape: str
    size: int
    align: int

    @property
    def hash(self):
        """What a region's directory stores for the type."""
        return shape_hash(self.shape)

    def __mul__(self, count):
        return Array(self, count)

    def __eq__(self, other):
        return isinstance(other, Type) and self.shape == other.shape

    def __hash__(self):
        return hash(self.shape)

    def __repr__(self):
        return f"<strait.Type {self.shape}>"

    def pack(self, value):
        """The bytes of a value."""
        try:
            flat = []
            self._flatten(value, flat)
            return self._struct.pack(*flat)
        except (struct.error, TypeError, OverflowError) as error:
            raise WrongType(f"{value!r:.80} is no value of {self.shape}: {self._culprit(value) or error}") from None

    def _culprit(self, value):
        """What is wrong with the first part that is no value of its type, and which it is; `None` if there is none."""
        try:
            parts = self._parts(value)
        except TypeError:
            return None
        for name, declared, part in parts:
            try:
                declared.pack(part)
            except WrongType as error:
                return f"{name}: {error}" if isinstance(name, str) else f"[{name}]: {error}"
        return None

    def _parts(self, value):
        """The parts of a value, each with its name or index and its type."""
        return ()

    def unpack(self, data):
        """The value of these bytes."""
        if len(data) != self.size:
            raise WrongSize(f"{len(data)} bytes are no value of {self.shape}, which has {self.size}")
        return self._build(iter(self._struct.unpack(data)))

    def _prepare(self):
        self._struct = struct.Struct("<" + self._format)


class Scalar(Type):
    """A number."""

    def __init__(self, name):
        self.shape, self._format = name, _SCALARS[name]
        self._prepare()
        self.size = self.align = self._struct.size

    def _flatten(self, value, flat):
        flat.append(value)

    def _build(self, flat):
        return next(flat)


class Array(Type):
    """A fixed number of values of one type, as a tuple; any sequence packs."""

    def __init__(self, element, count):
        if not isinstance(count, int) or count < 1:
            raise WrongType(f"an array has a length of 1 or more, not {count!r}")
        self.element, self.count = type_of(element), count
        self.shape = f"[{count}]{self.element.shape}"
        self.size, self.align = self.element.size * count, self.element.align
        self._format = self.element._format * count
        self._prepare()

    def _flatten(self, value, flat):
        for _, element, part in self._parts(value):
            element._flatten(part, flat)

    def _parts(self, value):
        if len(value) != self.count:
            raise WrongType(f"an array of {self.count} values is needed, not of {len(value)}")
        return zip(range(self.count), itertools.repeat(self.element), value)

    def _build(self, flat):
        return tuple(self.element._build(flat) for _ in range(self.count))


class Struct(Type):
    """Named fields, laid out as C does; `make` builds a value from the fields in order."""

    def __init__(self, name, fields, make):
        if not fields:
            raise WrongType(f"{name} has no fields; give it one at least")
        self.fields = {field: type_of(declared) for field, declared in fields.items()}
        self.name, self._make = name, make
        self.align = max(field.align for field in self.fields.values())
        end, parts = 0, []
        for field, declared in self.fields.items():
            gap = -end % declared.align
            if gap:
                raise WrongType(f"{name} has {gap} bytes of padding before {field}; put them in as a field")
            parts.append(f"{field}:{declared.shape}@{end};")
            end += declared.size
        if end % self.align:
            raise WrongType(f"{name} has {-end % self.align} bytes of padding at its end; put them in as a field")
        self.size = end
        self.shape = "{" + "".join(parts) + f"size={end}}}"
        self._format = "".join(field._format for field in self.fields.values())
        self._prepare()

    def _flatten(self, value, flat):
        for _, declared, part in self._parts(value):
            declared._flatten(part, flat)

    def _parts(self, value):
        if isinstance(value, dict):
            if value.keys() != self.fields.keys():
                raise WrongType(f"the fields {', '.join(self.fields)} are needed, not {', '.join(map(str, value))}")
            values = [value[field] for field in self.fields]
        elif isinstance(value, (tuple, list)):
            if len(value) != len(self.fields):
                raise WrongType(f"{len(self.fields)} fields are needed, not {len(value)}")
            values = value
        else:
            try:
                values = [getattr(value, field) for field in self.fields]
            except AttributeError as error:
                raise TypeError(error) from None
        return zip(self.fields, self.fields.values(), values)

    def _build(self, flat):
        return self._make(*[field._build(flat) for field in self.fields.values()])


class NumPyType(Type):
    """A NumPy dtype. Values are NumPy scalars, and arrays of a subarray dtype; what NumPy converts packs."""

    def __init__(self, dtype):
        self.dtype = dtype
        like = _like(dtype)
        self.shape, self.size, self.align = like.shape, like.size, like.align
        self._format = f"{self.size}s"

    def pack(self, value):
        import numpy

        base, dims = self.dtype.subdtype or (self.dtype, ())
        try:
            if isinstance(value, dict):
                value = tuple(value[field] for field in self.dtype.names)
            packed = numpy.array(value, dtype=base)
            if packed.shape != dims:
                raise TypeError(f"its shape is {packed.shape}, not {dims}")
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            raise WrongType(f"{value!r:.80} is no value of {self.shape}: {error}") from None
        return packed.tobytes()

    def unpack(self, data):
        import numpy

        if len(data) != self.size:
            raise WrongSize(f"{len(data)} bytes are no value of {self.shape}, which has {self.size}")
        base, dims = self.dtype.subdtype or (self.dtype, ())
        values = numpy.frombuffer(bytearray(data), dtype=base)
        return values.reshape(dims) if dims else values[0]

    def _flatten(self, value, flat):
        flat.append(self.pack(value))

    def _build(self, flat):
        return self.unpack(next(flat))


def description(declared):
    """The text that describes these types: as Rust's `describe!` makes it, of messages."""
    listed = {made.shape: made for made in declared if isinstance(made, Struct)}
    return "".join(f"={made.name} {shape}\n" for shape, made in listed.items())


def _like(dtype):
    """The type of our own with a dtype's shape, where Rust can have it."""
    if dtype.subdtype:
        base, dims = dtype.subdtype
        made = _like(base)
        for count in reversed(dims):
            made = Array(made, count)
        return made
    if dtype.names:
        fields = {name: _like(dtype.fields[name][0]) for name in dtype.names}
        made = Struct(f"the dtype {dtype}", fields, tuple)
        end = 0
        for name in dtype.names:
            if dtype.fields[name][1] != end:
                raise WrongType(f"{name} is at offset {dtype.fields[name][1]} of the dtype, not {end}; leave no gaps")
            end += fields[name].size
        if dtype.itemsize != end:
            raise WrongType(f"the dtype has {dtype.itemsize - end} bytes of padding at its end; make them a field")
        return made
    name = {"u": "u", "i": "i", "f": "f"}.get(dtype.kind, "?") + str(8 * dtype.itemsize)
    big = dtype.byteorder == ">" or (dtype.byteorder == "=" and sys.byteorder != "little")
    if name not in _SCALARS or (big and dtype.itemsize > 1):
        raise WrongType(f"the dtype {dtype} cannot be stored; give little-endian integers, floats of 4 or 8 bytes")
    return Scalar(name)


def message(cls):
    """Declares a type of values as a class with annotated fields; the class becomes a dataclass.

    >>> @strait.message
    ... class Torque:
    ...     axis: strait.u32
    ...     newton_metres: strait.f32
    ...     history: strait.f32 * 4

    A field is a scalar, an array (`type * n`), another message, or a NumPy dtype. Padding is refused, as by Rust's
    `message!`: put it in as a field. For type checkers, which take no product as a type, write
    `Annotated[tuple[float, ...], strait.f32 * 4]`.
    """
    fields = {name: _declared(cls, name, declared) for name, declared in _annotations(cls).items()}
    cls = dataclasses.dataclass(cls)
    cls.__strait_type__ = Struct(cls.__name__, fields, cls)
    return cls


def _annotations(cls):
    if sys.version_info >= (3, 14):
        import annotationlib

        return dict(annotationlib.get_annotations(cls))
    return dict(cls.__dict__.get("__annotations__", {}))


def _declared(cls, name, declared):
    if isinstance(declared, str):  # With `from __future__ import annotations`.
        try:
            declared = eval(declared, vars(sys.modules[cls.__module__]), dict(vars(cls)))
        except NameError as error:
            raise WrongType(f"{cls.__name__}.{name} has an annotation that its module cannot read: {error}") from None
    return getattr(declared, "__metadata__", [declared])[0]


def type_of(declared):
    """The `Type` of a declaration: a `Type`, a class made by `message`, a NumPy dtype or what makes one."""
    if isinstance(declared, Type):
        return declared
    if isinstance(declared, type) and "__strait_type__" in declared.__dict__:
        return declared.__strait_type__
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        if isinstance(declared, numpy.dtype):
            return NumPyType(declared)
        if isinstance(declared, type) and issubclass(declared, numpy.generic):
            return NumPyType(numpy.dtype(declared))
    raise WrongType(
        f"{declared!r:.80} declares no type; give strait.u8 to strait.f64, an array such as strait.f32 * 4, a class "
        "made by strait.message, or a NumPy dtype"
    )


u8, u16, u32, u64 = Scalar("u8"), Scalar("u16"), Scalar("u32"), Scalar("u64")
i8, i16, i32, i64 = Scalar("i8"), Scalar("i16"), Scalar("i32"), Scalar("i64")
f32, f64 = Scalar("f32"), Scalar("f64")
