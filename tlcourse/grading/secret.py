"""The staff's secret: hidden data are drawn from it, and nothing that is stored or shown leads back to it.

The seed of a batch's data is an HMAC of the secret and the exercise, so that the same secret and submission repeat the
same verdict. What is kept beside results is a fingerprint with a salt: enough to notice another secret, no more.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from msgspec import Struct

from tlcourse.errors import UnableError, UsageError
from tlcourse.own_process import SECRET, take_secret
from tlcourse.text import typed

PUBLIC_WORDS = "Whoever guesses a seed can draw the test set from it, labels included, inside a hand-in."
_BYTES = 32
_FEWEST = 16
_SCRYPT = {"n": 2**12, "r": 8, "p": 1}


def new_secret(path: Path) -> None:
    """Write a new secret that only its owner can read.

    Raises UsageError where the file is there already, which is never overwritten, and UnableError where it cannot be
    written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            if hasattr(os, "fchmod"):  # not on Windows
                os.fchmod(stream.fileno(), 0o600)  # whatever the umask takes away
            stream.write(secrets.token_hex(_BYTES) + "\n")
    except OSError as error:
        if path.exists():
            raise UsageError(
                f"{path} is there already, and was left as it is.",
                cause="a secret was made before; verdicts can be repeated only with it.",
                remedy=f"use it: --secret {typed(str(path))} – or name another file.",
            ) from None
        raise UnableError(
            f"{path} cannot be written: {error.strerror}.",
            cause="a full disk, or missing permissions.",
            remedy="tlcourse ta secret new FILE makes it elsewhere; then give --secret FILE.",
        ) from None


def read_secret(path: Path | None) -> bytes | None:
    """The secret of a file, else of the environment, else None; raises UsageError where it is open or too short."""
    if path is None:
        said = take_secret().strip().encode()
        return _long_enough(said, SECRET) if said else None
    try:
        info = path.stat()
        text = path.read_bytes().strip()
    except OSError as error:
        raise UsageError(
            f"The secret {path} cannot be read: {error.strerror}.",
            cause="the path is misspelt, or the secret was not made yet.",
            remedy=f"tlcourse ta secret new {typed(str(path))}",
        ) from None
    if os.name == "posix" and stat.S_IMODE(info.st_mode) & 0o077:
        raise UsageError(
            f"The secret {path} can be read by others on this machine.",
            cause="its mode allows the group or everybody in.",
            remedy=f"chmod 600 {typed(str(path))} – and if it was open for long, make a new one.",
        )
    return _long_enough(text, str(path))


def data_seed(secret: bytes, exercise: str) -> int:
    """The seed of the data of a batch: 64 bits of HMAC-SHA256(secret, exercise)."""
    digest = hmac.new(secret, f"tlcourse data {exercise}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "little")


def run_key(secret: bytes, exercise: str) -> str:
    """The key from which each run of a batch is told its own numbers; nothing leads from it to the data's seed."""
    return hmac.new(secret, f"tlcourse runs {exercise}".encode(), hashlib.sha256).hexdigest()


class DataSeed(Struct, frozen=True):
    """Where the data of a batch come from: a secret, or a seed that was given."""

    source: str
    value: int
    material: bytes
    """What the fingerprint is made of; never stored."""
    run_key: str = ""
    """What each run is told is derived from it (`run_key`)."""


def seed_from(exercise: str, secret: bytes | None, given: int | None) -> DataSeed:
    """The seed that was given, else that of the secret; raises UsageError where there is neither."""
    if given is not None:
        return DataSeed("given", given, f"seed {given}".encode())
    if secret is None:
        raise UsageError(
            "A batch needs a secret, from which its hidden data are drawn.",
            cause="none was named, and the public seed is known to every student.",
            remedy="tlcourse ta secret new FILE, then --secret FILE",
        )
    return DataSeed("secret", data_seed(secret, exercise), secret, run_key(secret, exercise))


def new_salt() -> str:
    """For one batch's fingerprint."""
    return secrets.token_hex(8)


def fingerprint(secret: bytes, salt: str) -> str:
    """Tells two secrets apart; slow to compute (scrypt), because a secret from the environment may be a weak one."""
    return hashlib.scrypt(secret, salt=salt.encode(), dklen=12, **_SCRYPT).hex()


def _long_enough(secret: bytes, where: str) -> bytes:
    if len(secret) < _FEWEST:
        raise UsageError(
            f"The secret in {where} has fewer than {_FEWEST} characters.",
            cause="it was typed by hand.",
            remedy="tlcourse ta secret new FILE makes one that cannot be guessed.",
        )
    return secret
