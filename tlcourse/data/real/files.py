"""A data set that is a folder of files with known checksums: found, verified as it is read, copied here, downloaded."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from tlcourse import paths
from tlcourse.data.real.download import Tell, download
from tlcourse.errors import UnableError, UsageError

_MOST = 256 << 20  # bytes; the largest file that is listed has 54 MB
Read = Callable[[str], bytes]


class Here(Struct, frozen=True):
    """Where a set lies on this machine, and what of it, where that may be a part."""

    where: str
    detail: str = ""


class Verified(Struct, frozen=True):
    """What reading a set of files whole has shown; no problems: it is as it should be."""

    name: str
    where: str
    problems: list[str]


class Remote(Struct, frozen=True):
    """A file on the network."""

    url: str
    sha256: str


class Files(Struct, frozen=True, kw_only=True):
    """Files of one folder below a data folder; a `DataSet`."""

    name: str
    title: str
    source: str
    folder: str
    used_by: tuple[str, ...] = ()
    beside: str = ""
    """The file or folder without which the set is not here, where another set lies in the same folder."""
    sums: dict[str, str] = {}
    """The SHA-256 of each file by its name below the folder."""
    gzipped: bool = False
    """Whether `sums` are of what is inside: the same content can be packed in more than one way."""
    downloads: dict[str, Remote] = {}
    """Each file on the network; empty where there is no public address with a checksum."""
    archive: Remote | None = None
    """Or a ZIP archive of the whole folder."""
    within: tuple[str, ...] = ()
    """Further folders in which a copy may hold them, as the authors' archive does."""

    @property
    def remedy(self) -> str:
        """The command that brings them here."""
        copy = f"from a copy: tlcourse data get {self.name} --from PATH, or: export TLCOURSE_DATA=FOLDER"
        return f"tlcourse data get {self.name}, or {copy}" if self.downloads or self.archive else copy

    def find(self) -> Path | None:
        """The folder, if there is one; nothing is opened."""
        found = paths.find_real_data(self.folder)
        return found if found is not None and found.is_dir() and (found / self.beside).exists() else None

    def here(self) -> Here | None:
        """See `DataSet`."""
        found = self.find()
        return None if found is None else Here(str(found))

    def verify(self) -> list[Verified]:
        """See `DataSet`."""
        found = self.find()
        return [] if found is None else [Verified(self.name, str(found), self.problems(found))]

    def names(self, folder: Path) -> list[str]:
        """The files that belong to the set."""
        del folder
        return list(self.sums)

    def content(self, name: str, data: bytes) -> bytes:
        """What is in a file, unpacked; raises ValueError where it is not what it should be."""
        found = _unpacked(data) if self.gzipped else data
        if hashlib.sha256(found).hexdigest() != self.sums[name]:
            raise ValueError("its content is not what was expected")
        return found

    def lacking(self, names: list[str]) -> list[str]:
        """What is missing among files of these names, where that is not seen by reading each; empty otherwise."""
        del names
        return []

    def problems(self, folder: Path) -> list[str]:
        """What is missing or changed in a folder; empty when everything is as it should be."""
        names = self.names(folder)
        return self.lacking(names) + [problem for name in names if (problem := self._checked(folder, name)[0])]

    def required(self) -> Path:
        """The folder; raises UnableError if it is not on this machine."""
        folder = self.find()
        if folder is None:
            raise UnableError(
                f"{self.title} are not on this machine.",
                cause=f"no folder {self.folder} in {' or '.join(map(str, paths.real_data_folders()))}.",
                remedy=self.remedy,
            )
        return folder

    def read(self, name: str) -> bytes:
        """The content of one file, unpacked; raises UnableError unless it is what is listed."""
        folder = self.required()
        problem, data = self._checked(folder, name)
        if problem:
            raise self.damaged(folder, problem)
        return data

    def damaged(self, folder: Path, why: str) -> UnableError:
        """The error about files that are here and cannot be used."""
        return UnableError(
            f"{self.title} in {folder} are damaged.",
            cause=f"{why}.",
            remedy=f"tlcourse data verify {self.name} – and then {self.remedy}",
        )

    def fetch(self, which: str | None, source: Path | None, tell: Tell) -> Path:
        """See `DataSet`; all files are verified before the first is put into its place."""
        if which is not None:
            raise UsageError(
                f"{self.name} is one set of files; {which!r} says nothing about it.",
                cause="a path without --from." if Path(which).exists() else "one word too many.",
                remedy=f"tlcourse data get {self.name} [--from PATH]",
            )
        if source is None and not self.downloads and not self.archive:
            raise UnableError(
                f"There is no public address with a checksum for {self.title}.", remedy=f"take them {self.remedy}"
            )
        own = paths.own_real_data()
        target, kept = own / self.folder, own / ".downloads" / self.name
        own.mkdir(parents=True, exist_ok=True)
        copy = source or self._downloaded(kept, tell)
        with tempfile.TemporaryDirectory(prefix=f".{self.name}-", dir=own) as temporary:
            made = Path(temporary)
            with self._opened(copy) as (names, read):
                if lacking := self.lacking(names):
                    raise self._unusable(copy, lacking[0])
                for name in names:
                    (made / name).parent.mkdir(parents=True, exist_ok=True)
                    (made / name).write_bytes(self._verified(copy, name, read))
            for name in set(self.names(target)) - set(names):
                (target / name).unlink()
            for name in names:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (made / name).replace(target / name)
        shutil.rmtree(kept, ignore_errors=True)
        with contextlib.suppress(OSError):
            kept.parent.rmdir()
        return target

    def _downloaded(self, folder: Path, tell: Tell) -> Path:
        """A copy from the network: what arrived stays in `folder` until the set is complete."""
        remedy = f"tlcourse data get {self.name} – or, from a copy: tlcourse data get {self.name} --from PATH"
        if self.archive:
            path = folder / f"{self.folder}.zip"
            download(self.archive.url, path, self.archive.sha256, remedy, tell)
            return path
        for name, remote in self.downloads.items():
            download(remote.url, folder / name, remote.sha256, remedy, tell)
        return folder

    @contextlib.contextmanager
    def _opened(self, copy: Path) -> Iterator[tuple[list[str], Read]]:
        """The names in a copy, a folder or a ZIP archive, and a function from a name to bytes."""
        if copy.is_dir():
            inner = (copy / place for place in (self.folder, *self.within))
            folder = next((place for place in inner if place.is_dir()), copy)
            yield self.names(folder), lambda name: (folder / name).read_bytes()
            return
        if not self.archive:
            raise self._unusable(copy, "it is not a folder")
        try:
            archive = zipfile.ZipFile(copy)
        except (OSError, zipfile.BadZipFile):
            raise self._unusable(copy, "it is neither a folder nor a ZIP archive") from None
        with archive:
            yield self.names(copy), lambda name: _member(archive, f"{self.folder}/{name}")

    def _verified(self, copy: Path, name: str, read: Read) -> bytes:
        try:
            data = read(name)
            self.content(name, data)
        except (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
            raise self._unusable(copy, f"{name}: {_why(error)}") from None
        return data

    def _unusable(self, copy: Path, why: str) -> UsageError:
        archive = f", or the original {self.folder}.zip" if self.archive else ""
        return UsageError(
            f"{copy} does not hold {self.title[0].lower()}{self.title[1:]}.",
            cause=f"{why}.",
            remedy=f"name a folder with the original files under their own names{archive}.",
        )

    def _checked(self, folder: Path, name: str) -> tuple[str, bytes]:
        """What is wrong with a file – empty where nothing is – and its content."""
        try:
            return "", self.content(name, (folder / name).read_bytes())
        except (OSError, ValueError, EOFError) as error:
            return f"{name}: {_why(error)}", b""


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A file of an archive; raises KeyError where it has none of that name."""
    info = archive.getinfo(name)
    if info.file_size > _MOST:
        raise ValueError(f"it unpacks to {info.file_size} bytes")
    return archive.read(info)


def _unpacked(packed: bytes) -> bytes:
    """What a gzip file holds, at most `_MOST` bytes of it; raises ValueError and EOFError where it holds nothing."""
    stream = zlib.decompressobj(wbits=31)
    try:
        data = stream.decompress(packed, _MOST)
    except zlib.error as error:
        raise ValueError(f"it is not a gzip file ({error})") from None
    if not stream.eof:
        raise EOFError("it is cut short, or unpacks to more than it should")
    return data


def _why(error: Exception) -> str:
    if isinstance(error, KeyError):
        return "it is missing"
    return getattr(error, "strerror", None) or str(error)
