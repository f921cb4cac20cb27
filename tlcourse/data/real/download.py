"""Getting a file over the network, into its place only when its checksum holds."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tlcourse.errors import UnableError

_TIMEOUT_S = 20.0
_CHUNK = 1 << 18
_MOST = 4 << 30  # bytes; no file that is asked for here is nearly as large
Tell = Callable[[str], None]


def download(url: str, target: Path, sha256: str, remedy: str, tell: Tell = lambda _: None) -> None:
    """Write what `url` holds to `target`; `sha256` is its checksum, or the first digits of it.

    Raises:
        UnableError: there is no network, the server says no, the disk is full, or the checksum is another one.
    """
    tell(f"Downloading {url}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".download-", dir=target.parent)
        part = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                found = _copy(url, stream.write)
            if not found.startswith(sha256):
                raise UnableError(
                    f"What {url} gave is not what was expected: its SHA-256 is {found[:16]}…, not {sha256[:16]}….",
                    cause="the download was cut or changed on its way, or the file was replaced at its origin.",
                    remedy=remedy,
                )
            part.replace(target)
        finally:
            with contextlib.suppress(FileNotFoundError):
                part.unlink()
    except OSError as error:  # urllib's errors are OSErrors, too
        reason = getattr(error, "reason", None) or error.strerror or error
        raise UnableError(f"{url} cannot be had: {reason}.", cause="there is no network here.", remedy=remedy) from None


def _copy(url: str, write: Callable[[bytes], object]) -> str:
    """Pass the bytes of `url` to `write`; returns their SHA-256."""
    if not url.startswith("https://"):
        raise OSError(f"{url} is no https address")
    digest, length = hashlib.sha256(), 0
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - https, see above
        while chunk := answer.read(_CHUNK):
            length += len(chunk)
            if length > _MOST:
                raise OSError("it does not end")
            digest.update(chunk)
            write(chunk)
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
