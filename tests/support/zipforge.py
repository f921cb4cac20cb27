"""ZIPs made byte by byte, so that they can lie: about sizes, names, places, checksums and numbers of entries."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from typing import Any

UTF8, ENCRYPTED = 0x800, 0x1
REGULAR, SYMLINK, FIFO, CHARACTER, BLOCK, SOCKET = 0o100644, 0o120777, 0o010644, 0o020644, 0o060644, 0o140644


@dataclass
class Member:
    """One entry; None means the truth."""

    name: bytes
    data: bytes = b""
    method: int = 8
    flags: int = UTF8
    mode: int = REGULAR
    extra: bytes = b""
    packed: bytes | None = None
    crc: int | None = None
    size: int | None = None
    packed_size: int | None = None
    local_name: bytes | None = None
    offset: int | None = None
    hidden: bool = False
    """It has no local header: its data are another entry's."""


class Forged(bytes):
    """A ZIP that knows what it was made of: so it can be forged again as somebody's part of a larger one."""

    members: tuple[Member, ...]
    lies: dict[str, Any]
    """What its directory says of itself against the truth."""

    def below(self, folder: bytes, *others: Member) -> Forged:
        """The same entries in `folder`, and `others` behind them."""

        def moved(member: Member) -> Member:
            local = None if member.local_name is None else folder + b"/" + member.local_name
            return replace(member, name=folder + b"/" + member.name, local_name=local)

        return forge(*map(moved, self.members), *others, **self.lies)


def deflated(data: bytes) -> bytes:
    """`data` as an entry holds it."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    return pack.compress(data) + pack.flush()


def forge(
    *members: Member,
    count: int | None = None,
    directory_size: int | None = None,
    directory_offset: int | None = None,
    comment: bytes = b"",
    prefix: bytes = b"",
) -> Forged:
    """The bytes of a ZIP of these members, whose directory may lie as well."""
    lies = {"count": count, "directory_size": directory_size, "directory_offset": directory_offset}
    given = {name: value for name, value in lies.items() if value is not None}
    body, directory = bytearray(prefix), bytearray()
    for member in members:
        packed = member.packed
        if packed is None:
            packed = member.data if member.method == 0 else deflated(member.data)
        crc = zlib.crc32(member.data) if member.crc is None else member.crc
        size = len(member.data) if member.size is None else member.size
        packed_size = len(packed) if member.packed_size is None else member.packed_size
        offset = len(body) if member.offset is None else member.offset
        numbers = (number & 0xFFFFFFFF for number in (crc, packed_size, size))
        common = struct.pack("<HHHHIII", member.flags, member.method, 0, 33, *numbers)
        local = member.name if member.local_name is None else member.local_name
        if not member.hidden:
            body += b"PK\x03\x04" + struct.pack("<H", 20) + common
            body += struct.pack("<HH", len(local) & 0xFFFF, len(member.extra)) + local + member.extra + packed
        directory += b"PK\x01\x02" + struct.pack("<HH", 0x0314, 20) + common
        directory += struct.pack("<HHHHHI", len(member.name) & 0xFFFF, len(member.extra), 0, 0, 0, member.mode << 16)
        directory += struct.pack("<I", offset & 0xFFFFFFFF) + member.name + member.extra
    number = (len(members) if count is None else count) & 0xFFFF
    end = struct.pack(
        "<HHHHIIH",
        *(0, 0, number, number),
        (len(directory) if directory_size is None else directory_size) & 0xFFFFFFFF,
        (len(body) if directory_offset is None else directory_offset) & 0xFFFFFFFF,
        len(comment),
    )
    made = Forged(bytes(body + directory) + b"PK\x05\x06" + end + comment)
    made.members, made.lies = members, given | ({"comment": comment} if comment else {})
    return made
