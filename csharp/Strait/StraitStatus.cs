namespace Strait
{
    /// <summary>How a call went, by the numbers of <c>strait_status</c> in strait.h, which says more of each.</summary>
    public enum StraitStatus
    {
        /// <summary>It went well.</summary>
        Ok = 0,
        /// <summary>An argument is out of range.</summary>
        BadArgument = 1,
        /// <summary>Memory is not aligned.</summary>
        Misaligned = 2,
        /// <summary>The object is not open.</summary>
        NotOpen = 3,
        /// <summary>The object is in use, in another thread for example.</summary>
        InUse = 4,
        /// <summary>The call does not fit the object's state.</summary>
        WrongState = 5,
        /// <summary>The bytes are not as many as the channel's type has.</summary>
        WrongSize = 6,
        /// <summary>The region is shorter than it must be.</summary>
        TooShort = 20,
        /// <summary>The region's creator has not finished, or died.</summary>
        Uninitialised = 21,
        /// <summary>The region was made by a machine of another byte order.</summary>
        ByteOrder = 22,
        /// <summary>This is not a strait region.</summary>
        NotARegion = 23,
        /// <summary>The region has another version of the format.</summary>
        Version = 24,
        /// <summary>The region has features that this library does not know.</summary>
        Features = 25,
        /// <summary>The region is damaged.</summary>
        Damaged = 26,
        /// <summary>Every place in the participant table is taken.</summary>
        TableFull = 27,
        /// <summary>The plan cannot work.</summary>
        BadPlan = 28,
        /// <summary>There is no such channel or region.</summary>
        NotFound = 40,
        /// <summary>The channel is of another kind.</summary>
        Kind = 41,
        /// <summary>The channel carries another type, or the type cannot be shared.</summary>
        Type = 42,
        /// <summary>Another participant has the role or the lock, and is not proven dead.</summary>
        Busy = 43,
        /// <summary>The region was opened to look only.</summary>
        ReadOnly = 44,
        /// <summary>The plan gives the role to another domain.</summary>
        Domain = 45,
        /// <summary>The plan gives the lock to two domains without common atomics.</summary>
        NoCommonAtomics = 46,
        /// <summary>A peer broke the protocol.</summary>
        Fault = 47,
        /// <summary>This process is a forked child of the one that opened the region.</summary>
        Forked = 48,
        /// <summary>No space now; it may come.</summary>
        Full = 60,
        /// <summary>There is nothing now; it may come.</summary>
        Empty = 61,
        /// <summary>It took longer than the time allowed.</summary>
        TimedOut = 62,
        /// <summary>Longer than the channel's maximum.</summary>
        TooLarge = 63,
        /// <summary>The buffer is shorter than the message, which stays where it is.</summary>
        TooSmall = 64,
        /// <summary>The value read is the one that was read last.</summary>
        Stale = 65,
        /// <summary>Others were faster in each of a bounded number of tries.</summary>
        Contended = 66,
        /// <summary>The writer has overtaken this reader, which has lost values.</summary>
        Lagged = 67,
        /// <summary>The other side is proven dead, or was there and has left.</summary>
        PeerGone = 68,
        /// <summary>The region was removed or made anew, and the other side cannot come; open it again.</summary>
        Replaced = 69,
        /// <summary>Locked, and the last owner died with the lock.</summary>
        OwnerDied = 80,
        /// <summary>This participant has the lock already.</summary>
        Deadlock = 81,
        /// <summary>The lock was given up unrepaired; re-initialise it.</summary>
        Poisoned = 82,
        /// <summary>The lock or permit was not this participant's any more.</summary>
        NotOwner = 83,
        /// <summary>The dead owner was editing in place, so there is nothing to roll back to.</summary>
        InPlace = 84,
        /// <summary>The count would pass its maximum.</summary>
        Overflow = 85,
        /// <summary>The queues do not share a doorbell.</summary>
        NoDoorbell = 86,
        /// <summary>There is something under this name or path already.</summary>
        AlreadyExists = 100,
        /// <summary>No space on the file system.</summary>
        NoSpace = 101,
        /// <summary>The system does not permit it.</summary>
        NotPermitted = 102,
        /// <summary>The file is not to be trusted: its kind, owner, mode or number of names.</summary>
        NotTrusted = 103,
        /// <summary>The name cannot be one, or the directory does not exist.</summary>
        BadName = 104,
        /// <summary>The memory could not be locked.</summary>
        NotLocked = 105,
        /// <summary>This system cannot do it, or some other error of the system.</summary>
        System = 106,
        /// <summary>The other end is closed.</summary>
        Closed = 107,
        /// <summary>The server is proven dead, and the request has not run.</summary>
        DidNotRun = 120,
        /// <summary>The server is proven dead, and the request may have run.</summary>
        MayHaveRun = 121,
        /// <summary>The server refused the request.</summary>
        Refused = 122,
        /// <summary>The ticket names no call that is out.</summary>
        UnknownTicket = 123,
        /// <summary>The client has cancelled the call.</summary>
        Cancelled = 124,
    }
}
