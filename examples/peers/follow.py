#!/usr/bin/env python3
"""Lists a region's channels, or follows a queue of frames, as FORMAT.md says; nothing is stored.

    follow.py REGION                     the directory
    follow.py REGION CHANNEL [FRAMES]    frames as they come: sequence, tag, payload in hexadecimal

REGION is a name, or a path if it holds a slash.
"""
import mmap
import sys
import time

KINDS = {1: "frames", 2: "slots", 3: "compact", 4: "latest", 5: "mutex", 6: "semaphore", 7: "permits",
         8: "broadcast"}
PAD = 0xFFFFFFFF


def crc32c(words):
    crc = 0xFFFFFFFF
    for word in words:
        crc ^= word
        for _ in range(32):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def up(number, multiple):
    return -(-number // multiple) * multiple


class Region:
    def __init__(self, place):
        with open(place if "/" in place else "/dev/shm/strait." + place, "rb") as file:
            self.bytes = memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
        whole = len(self.bytes) // 4 * 4
        # A word is loaded by one access of 32 bits, as the format asks: struct would go byte by byte.
        self.words = self.bytes[:whole].cast("I")
        self.check()

    def word(self, offset):
        return self.words[offset // 4]

    def check(self):
        if sys.byteorder != "little":
            sys.exit("regions need a little-endian machine")
        if len(self.bytes) < 128:
            sys.exit("shorter than a header")
        magic, version, header, entry, total, _, incompat = self.words[:7]
        if magic != 0x54525453:
            sys.exit({0: "not initialised (yet)", 0x53545254: "of the other byte order"}.get(magic, "no region"))
        if version != 1:
            sys.exit(f"the region has format version {version}, this program knows 1")
        if incompat != 0:
            sys.exit(f"the region has features that this program does not know ({incompat:#x})")
        self.line, self.participants, self.places, self.channels, checksum = self.words[11:16]
        directory = 128 + 128 * self.channels
        if total > len(self.bytes) or (header, entry) != (128, 128) or directory > self.participants:
            sys.exit("the header contradicts itself")
        words = list(self.words[: directory // 4])
        words[15] = 0
        if crc32c(words) != checksum:
            sys.exit("the checksum is another")

    def directory(self):
        for offset in range(128, 128 + 128 * self.channels, 128):
            name = bytes(self.bytes[offset : offset + 32]).rstrip(b"\0").decode()
            keys = "kind flags group capacity stride maximum hash_low hash_high domain_a domain_b a b c data".split()
            yield name, dict(zip(keys, self.words[offset // 4 + 8 : offset // 4 + 22]))

    def list(self):
        live = sum(self.word(self.participants + 64 * i) >> 30 == 1 for i in range(self.places))
        print(f"{self.channels} channels, {live} participants of {self.places}, line {self.line}")
        for name, at in self.directory():
            kind = KINDS.get(at["kind"], f"kind {at['kind']}")
            hash_ = at["hash_high"] << 32 | at["hash_low"]
            print(f"{name:31} {kind:9} capacity {at['capacity']}, maximum {at['maximum']}, type {hash_:016x}")

    def follow(self, name, frames):
        """Yields (sequence, tag, payload) of a queue of frames, as many as it asked for."""
        at = dict(self.directory()).get(name)
        if at is None or at["kind"] != 1:
            sys.exit(f"there is no queue of frames named {name}")
        capacity, mark, head, data = at["capacity"], at["a"], at["b"], at["data"]
        reach = 4 * (16 + up(at["maximum"], 16)) - 16
        pos, behind_pad = self.word(head), False
        while frames > 0:
            place = data + pos % capacity
            commit, tag, sequence = (self.word(place + offset) for offset in (0, 4, 8))
            length = commit & 0x7FFFFFFF
            is_frame = commit >> 31 == 1 and length <= min(at["maximum"], capacity - pos % capacity - 16)
            payload = bytes(self.bytes[place + 16 : place + 16 + length]) if is_frame else b""
            # After the copy: is it what it was?
            written = (self.word(mark) + reach - pos) % 2**32
            released = (self.word(head) - pos) % 2**32
            whole = written <= capacity or released == 0 or released >= 2**31
            if not whole or commit and not is_frame and (commit != PAD or behind_pad):
                pos, behind_pad = self.word(head), False
            elif commit == 0:
                time.sleep(0.0005)
            elif commit == PAD:
                pos, behind_pad = (pos + capacity - pos % capacity) % 2**32, True
            else:
                yield sequence, tag, payload
                pos, behind_pad = (pos + 16 + up(length, 16)) % 2**32, False
                frames -= 1


def main():
    if len(sys.argv) not in (2, 3, 4):
        sys.exit(__doc__)
    region = Region(sys.argv[1])
    if len(sys.argv) == 2:
        return region.list()
    frames = int(sys.argv[3]) if len(sys.argv) == 4 else sys.maxsize
    for sequence, tag, payload in region.follow(sys.argv[2], frames):
        print(sequence, tag, payload.hex(), flush=True)


if __name__ == "__main__":
    main()
