"""The exceptions of strait. All derive from `Error`; where a builtin says the same, they derive from that too."""


class Error(Exception):
    """An error of strait; raised itself for rare errors, which say what is wrong in their text."""


class Full(Error):
    """There is no space in the queue now."""


class Empty(Error):
    """There is nothing to receive, read or acquire now."""


class TimedOut(Error, TimeoutError):
    """The wait's time was over."""


class PeerGone(Error, ConnectionError):
    """The other side is dead or has left (of ends opened with `end_with_peer`)."""


class TooLarge(Error, ValueError):
    """The frame or value is longer than the channel's maximum."""


class WrongSize(Error, ValueError):
    """The bytes are not as many as the channel's values have."""


class WrongType(Error, TypeError):
    """The channel carries another type; or a type cannot be stored in a region; or a value is not of the type."""


class WrongKind(Error, TypeError):
    """The channel is of another kind."""


class NotFound(Error, LookupError):
    """There is no such region or channel."""


class NotDescribed(Error, LookupError):
    """The region does not describe the type of this channel."""


class AlreadyExists(Error):
    """There is a region or something else of that name already."""


class NotPermitted(Error):
    """The system, or the region's owner, does not let this user in."""


class NotARegion(Error):
    """What is under the name or path is no region that this version can use."""


class TableFull(Error):
    """Every place for participants is taken."""


class BadName(Error, ValueError):
    """The text cannot be a region's name."""


class BadPlan(Error, ValueError):
    """The plan cannot work."""


class Busy(Error):
    """Another participant has the role or the lock, and is not proven dead."""


class ReadOnly(Error):
    """The region was opened for reading alone, or was inherited by a fork."""


class Damaged(Error):
    """The channel's directory entry contradicts itself."""


class Fault(Error):
    """A peer wrote what no honest peer writes. Every later call on the endpoint says so again."""


class Deadlock(Error):
    """This participant has the lock already."""


class Poisoned(Error):
    """The lock was given up with its data unrepaired."""


class NotOwner(Error):
    """The lock or permit belongs to somebody else by now."""


class Contended(Error):
    """Others were faster in all tries; try again."""


class Overflow(Error):
    """The semaphore's count would pass its maximum."""


class InUse(Error):
    """Another thread uses this object, or has this lock."""


class Closed(Error, ValueError):
    """The object was closed."""
