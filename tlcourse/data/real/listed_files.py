"""A folder of files with known checksums: found, verified as it is read, copied here, or downloaded."""

from __future__ import annotations

import hashlib
import io
import tempfile
from pathlib import Path
from typing import Any

from msgspec import Struct

from tlcourse.data.real import folders
from tlcourse.data.real.download import Tell, download
from tlcourse.errors import UnableError, UsageError

_MOST = 256 << 20  # bytes; the largest file that is listed has 54 MB


class ListedFiles(Struct, frozen=True):
    """Files of one folder below a data folder, each with the checksum of what is compared."""

    name: str
    title: str
    folder: str
    sums: dict[str, str]
    downloads: dict[str, tuple[str, str]] = {}
    """Address and SHA-256 of the file as it is downloaded; empty where there is no public address with a checksum."""
    unpacked: bool = False
    """Compare what is inside a `.gz`: the same content can be packed in more than one way."""

    @property
    def remedy(self) -> str:
        """The command that brings them here."""
        copy = f"from a copy: tlcourse data get {self.name} --from PATH, or: export TLCOURSE_DATA=FOLDER"
        return f"tlcourse data get {self.name}, or {copy}" if self.downloads else copy


def find(files: ListedFiles) -> Path | None:
    """The folder, where there is one; nothing is opened."""
    found = folders.find(files.folder)
    return found if found is not None and found.is_dir() else None


def read(files: ListedFiles, name: str) -> bytes:
    """The content of one file, unpacked where that is compared; raises UnableError unless it is what is listed."""
    folder = find(files)
    if folder is None:
        raise UnableError(
            f"{files.title} are not on this machine.",
            cause=f"no folder {files.folder} in {' or '.join(map(str, folders.folders()))}.",
            remedy=files.remedy,
        )
    problem, data = _checked(files, folder, name)
    if problem:
        raise UnableError(
            f"{files.title} in {folder} are damaged.",
            cause=f"{problem}.",
            remedy=f"tlcourse data verify {files.name} – and then {files.remedy}",
        )
    return data


def read_mat(files: ListedFiles, name: str) -> dict[str, Any]:
    """The arrays of one MATLAB file; raises UnableError as `read` does, and where SciPy is not installed."""
    data = read(files, name)
    try:
        from scipy.io import loadmat
    except ImportError:
        raise UnableError(
            "SciPy, which reads these files, is not installed.", remedy="python -m pip install 'tlcourse[lab]'"
        ) from None
    found: dict[str, Any] = loadmat(io.BytesIO(data))
    return found


def problems_of(files: ListedFiles, folder: Path) -> list[str]:
    """What is missing or changed in a folder; empty when all is as listed."""
    return [problem for name in files.sums if (problem := _checked(files, folder, name)[0])]


def get(files: ListedFiles, source: Path | None, tell: Tell) -> Path:
    """Put all of them into the user's data folder, from the network or from the folder `source`.

    Returns the folder. Raises UnableError and UsageError; then the files that were there stay as they were.
    """
    target = folders.own_folder() / files.folder
    if source is None and not files.downloads:
        raise UnableError(
            f"There is no public address with a checksum for {files.title}.", remedy=f"take them {files.remedy}"
        )
    if source is not None and not source.is_dir():
        raise UsageError(f"{source} is no folder.", remedy=f"name the folder that holds {next(iter(files.sums))}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{files.name}-", dir=target.parent) as temporary:
        made = Path(temporary) / "made"
        for name in files.sums:
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            if source is None:
                address, digest = files.downloads[name]
                download(address, made / name, digest, f"tlcourse data get {files.name} --from PATH", tell)
            else:
                (made / name).write_bytes(_from_copy(files, source, name))
        target.mkdir(exist_ok=True)
        for name in files.sums:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).replace(target / name)
    return target


def _from_copy(files: ListedFiles, source: Path, name: str) -> bytes:
    inner = source / files.folder
    folder = inner if inner.is_dir() else source
    problem, _ = _checked(files, folder, name)
    if problem:
        raise UsageError(
            f"{source} does not hold {files.title}.",
            cause=f"{problem}.",
            remedy="name a folder with the original files, under their own names.",
        )
    return (folder / name).read_bytes()


def _checked(files: ListedFiles, folder: Path, name: str) -> tuple[str, bytes]:
    """What is wrong with a file – empty where nothing is – and its content."""
    try:
        packed = (folder / name).read_bytes()
        data = _unpacked(packed) if files.unpacked else packed
    except (OSError, EOFError, ValueError) as error:
        return f"{name}: {getattr(error, 'strerror', None) or error}", b""
    if hashlib.sha256(data).hexdigest() != files.sums[name]:
        return f"{name}: its content is not what was expected", b""
    return "", data


def _unpacked(packed: bytes) -> bytes:
    """What a gzip file holds, at most `_MOST` bytes of it; raises ValueError and EOFError where it is none."""
    import zlib

    stream = zlib.decompressobj(wbits=31)
    try:
        data = stream.decompress(packed, _MOST)
    except zlib.error as error:
        raise ValueError(f"it is no gzip file ({error})") from None
    if not stream.eof:
        raise EOFError("it is cut short, or unpacks to more than it should")
    return data
