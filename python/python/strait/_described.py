"""Types as a region describes them. A region may lie: what is made of it is checked against the channel's size first."""

import re
import types

from ._errors import NotDescribed
from ._types import _SCALARS, Array, NumPyType, Scalar, Struct

# Structs and arrays within each other: more than any sane type has.
_MAX_DEPTH = 32
_TOKEN = re.compile(r"\[([0-9]{1,9})\]|(\{)|([uif][0-9]{1,2})")
_END = re.compile(r"size=([0-9]{1,10})\}")
_NAME = re.compile(r"(\w+):")
_OFFSET = re.compile(r"@([0-9]{1,10});")


class _Wrong(Exception):
    """The descriptor does not add up."""


def type_of(described):
    """The `Type` of what `Region._described` returned; its values have their fields as attributes."""
    name, descriptor, size, _ = described
    try:
        made, end = _parse(name or "value", descriptor, 0, size, _MAX_DEPTH)
        if end != len(descriptor) or made.size != size:
            raise _Wrong
    except _Wrong:
        raise NotDescribed(
            f"the region describes values of {size} bytes as {descriptor:.80}, which does not add up; give the type"
        ) from None
    return made


def dtype_of(described):
    """The same as a NumPy dtype."""
    made = type_of(described)
    try:
        return NumPyType(_dtype(made)).dtype
    except ValueError as error:
        raise NotDescribed(f"NumPy has no dtype like {made.shape:.80}: {error}") from None


def notes_of(described):
    """What people are told of the fields, by their paths."""
    told = {}
    for path, what, value, text in described[3]:
        field = told.setdefault(path, {})
        if what == "value":
            field.setdefault("values", {})[value] = text
        else:
            field[what] = text
    return told


def _take(pattern, text, at):
    found = pattern.match(text, at)
    if found is None:
        raise _Wrong
    return found


def _parse(name, text, at, most, depth):
    """The type that starts at a byte, of at most so many bytes, and where it ends."""
    if depth == 0 or most < 1:
        raise _Wrong
    found = _take(_TOKEN, text, at)
    count, opens, scalar = found.groups()
    if scalar:
        if scalar not in _SCALARS or int(scalar[1:]) // 8 > most:
            raise _Wrong
        return Scalar(scalar), found.end()
    if count:
        if int(count) < 1:
            raise _Wrong
        element, at = _parse(name, text, found.end(), most // int(count), depth - 1)
        return Array(element, int(count)), at
    fields, end, at = {}, 0, found.end()
    while _END.match(text, at) is None:
        named = _take(_NAME, text, at)
        field, at = _parse(named[1], text, named.end(), most - end, depth - 1)
        offset = _take(_OFFSET, text, at)
        # Types have no padding.
        if named[1] in fields or int(offset[1]) != end or end % field.align:
            raise _Wrong
        fields[named[1]], at, end = field, offset.end(), end + field.size
    closes = _take(_END, text, at)
    if not fields or int(closes[1]) != end or end % max(field.align for field in fields.values()):
        raise _Wrong

    def make(*values):
        return types.SimpleNamespace(**dict(zip(fields, values)))

    return Struct(name, fields, make), closes.end()


def _dtype(made):
    import numpy

    if isinstance(made, Scalar):
        return numpy.dtype(f"<{made.shape[0]}{made.size}")
    if isinstance(made, Array):
        dims = []
        while isinstance(made, Array):
            dims.append(made.count)
            made = made.element
        return numpy.dtype((_dtype(made), tuple(dims)))
    return numpy.dtype([(name, _dtype(field)) for name, field in made.fields.items()])
