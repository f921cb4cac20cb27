"""What the supervisor and a fork server say to each other, over a unix socket that carries descriptors."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from msgspec import Struct

MAX_MESSAGE = 64 * 1024
SPOOL = "/spool"
"""Where the outer sandbox shows the folders of runs; a child keeps only its own."""
HERE, GO = b"here", b"go"
"""From a child's pid 1, which thereby shows its number; and back to it, when the supervisor holds on to that number."""
STATUS = struct.Struct("=i")
"""The exit status, as `subprocess` gives it; sent last."""


SETUP_FAILED = 125
"""That status where no worker came to be: its folders or its sandboxes could not be made."""


class Ready(Struct, frozen=True):
    """The first message of a fork server."""

    threads: int
    shared_writable: int
    """Mappings that a child could write and its siblings read; there must be none."""


class Request(Struct, frozen=True):
    """One run. With it come the descriptors: run socket, stdin, output, and those that the worker knows by number."""

    folder: str
    """Its name below SPOOL."""
    arguments: list[str]
    """The worker's, after INPUTS and SUBMISSION."""
    numbers: list[int]
    """What the last descriptors must be called in the worker."""
    env: Mapping[str, str]
    limits: Mapping[str, int]
    """Of each process, as in setrlimit(2)."""
    scratch_bytes: int
    program: list[str] = []
    """Run this in place of the worker: to try the sandbox."""
