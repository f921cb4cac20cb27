"""Getting a file over the network, into its place only when its checksum holds.

What arrived before a connection broke, or before somebody pressed Ctrl+C, is kept beside the target; the next attempt
continues there where the server can.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tlcourse.errors import UnableError
from tlcourse.storage import sha256_of_file

_TIMEOUT_S = 20.0
_CHUNK = 1 << 18
_LONGEST = 4 << 30  # bytes; no file that is asked for here is nearly as large
_ALLOWED = ("https://", "http://127.0.0.1:")  # the latter: a tunnel to a mirror, and tests
Tell = Callable[[str], None]


def download(url: str, target: Path, sha256: str, remedy: str, tell: Tell = lambda _: None) -> None:
    """Write what `url` holds to `target`; `sha256` is its checksum, or the first digits of it.

    Raises:
        UnableError: there is no network, the server refuses, the disk is full, or the checksum does not match.
    """
    if target.is_file() and sha256_of_file(target).startswith(sha256):
        return
    # What an earlier attempt left is taken over by renaming it, so that two commands never write to one file.
    part, mine = (target.with_name(f".{target.name}.{ending}") for ending in ("part", os.getpid()))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            part.replace(mine)
        try:
            while True:
                continued = mine.exists()
                _receive(url, mine, tell)
                found = sha256_of_file(mine)
                if found.startswith(sha256):
                    mine.replace(target)
                    return
                mine.unlink()
                if not continued:  # else the file has changed at its origin since: once more, from its beginning
                    raise UnableError(
                        f"{url} is not what was expected: its SHA-256 is {found[:16]}…, not {sha256[:16]}….",
                        cause="the download was changed on its way, or the file was replaced at its origin.",
                        remedy=remedy,
                    )
        finally:
            with contextlib.suppress(FileNotFoundError):
                mine.replace(part)
    except (OSError, http.client.HTTPException) as error:  # urllib's errors are OSErrors, too
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        cause = "the network or the server failed; the same command continues where it stopped."
        if isinstance(error, urllib.error.HTTPError):
            cause = f"the server answered {error.code}: the file was moved, or the server is busy."
        raise UnableError(f"{url} could not be downloaded: {reason}.", cause=cause, remedy=remedy) from None


def _receive(url: str, path: Path, tell: Tell) -> None:
    """Append to `path` what it still lacks; raises OSError where the connection breaks before the end."""
    if not url.startswith(_ALLOWED):
        raise OSError(f"{url} is not an https address")
    start = path.stat().st_size if path.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})  # noqa: S310
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT_S)  # noqa: S310 - _ALLOWED, see above
    except urllib.error.HTTPError as error:
        if error.code == 416 and start:  # nothing lies beyond `start`: the checksum tells whether that is the end
            return
        raise
    with answer, path.open("ab" if answer.status == 206 else "wb") as stream:
        length = stream.tell()
        size = length + int(answer.headers.get("Content-Length") or 0)
        of = f" ({size / 1e6:.1f} MB)" if size > length else ""
        tell(f"Downloading {url}{of}" + (f", continuing at {length / 1e6:.1f} MB" if length else ""))
        while chunk := answer.read(_CHUNK):
            length += len(chunk)
            if length > _LONGEST:
                raise OSError("it does not end")
            stream.write(chunk)
        if length < size:
            raise OSError(f"the connection broke after {length / 1e6:.1f} of {size / 1e6:.1f} MB")
