"""The work folder on the cluster, filled with what is not there yet, and the Python environment in it.

Everything goes through one shell command's standard input as a tar archive: that needs nothing on the other side but
sh and tar, and the same way serves this machine and SSH. What lies under its hash is sent once. Python is the one that
the profile names, or an environment that is made from it once.
"""

from __future__ import annotations

import functools
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tlcourse.cluster.plan import in_container, start_lines
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.shell import LOCK, Done, Shell, quoted
from tlcourse.errors import InfraError
from tlcourse.sandbox.interpreter import PACKAGE
from tlcourse.text import harmless

KEPT_DAYS = 30
SEND_S = 900.0
_FULL = ("no space left", "disk quota exceeded", "file too large")
# Never travels: graders above all. What a cache left is of no use there.
_LEFT_OUT = {"graders", "__pycache__", ".mypy_cache"}


class RemoteStore:
    """A work folder that was opened."""

    def __init__(self, shell: Shell, work: str) -> None:
        """Make the folder, mode 0700; raises InfraError where that fails, ConnectionLostError."""
        self.shell = shell
        opening = "; ".join(
            (
                "umask 077",
                f"w={_expandable(work)}",
                'mkdir -p "$w/blobs" "$w/code" "$w/jobs" "$w/env" && chmod 700 "$w" && cd "$w" && pwd -P || exit 3',
                f"find blobs jobs code -mindepth 1 -maxdepth 1 -mtime +{KEPT_DAYS} -exec rm -rf {{}} + 2>/dev/null",
                "exit 0",
            )
        )
        done = shell.run(opening)
        if done.code != 0 or not done.text.strip():
            raise _unusable(work, shell, done)
        self.work = done.text.strip().splitlines()[-1]

    def send_blobs(self, blobs: Mapping[str, bytes]) -> int:
        """Have every blob lie under its hash; returns how many were sent."""
        if not blobs:
            return 0
        # a hash that is there is touched, so that it is not swept while it is used
        asking = f'cd {quoted(self.work)}/blobs && while read -r h; do touch -c "$h"; [ -f "$h" ] || echo "$h"; done'
        done = self._ran(asking, "\n".join(blobs).encode() + b"\n")
        wanted = set(done.text.split()) & set(blobs)
        if wanted:
            self._unpack({name: blobs[name] for name in wanted}, "blobs")
        return len(wanted)

    def send_code(self) -> str:
        """Have this version of tlcourse there, without the graders; returns the folder for PYTHONPATH."""
        digest, data = package_archive()
        folder = f"{self.work}/code/{digest}"
        if (
            "there"
            not in self._ran(f"if [ -d {quoted(folder)} ]; then touch {quoted(folder)}; echo there; fi").text.split()
        ):
            self._unpack_archive(data, f"code/{digest}")
        return folder

    def send_folder(self, name: str, files: Mapping[str, bytes], folders: tuple[str, ...] = ()) -> str:
        """A new folder `jobs/NAME` with these files and empty folders: there whole, or not at all."""
        self._unpack_archive(_archive(files, folders), f"jobs/{name}")
        return f"{self.work}/jobs/{name}"

    def _unpack(self, files: Mapping[str, bytes], into: str) -> None:
        """Each file appears under its name when it is whole."""
        command = (
            f'umask 077; cd {quoted(self.work)} && t=$(mktemp -d ./incoming.XXXXXX) && tar -xf - -C "$t" '
            f'&& mv -f "$t"/* {quoted(into)}/; code=$?; rm -rf "$t"; exit $code'
        )
        self._ran(command, _archive(files, ()), SEND_S)

    def _unpack_archive(self, data: bytes, target: str) -> None:
        """The archive becomes the folder `target`; one that is there already stays."""
        command = (
            f'umask 077; cd {quoted(self.work)} && t=$(mktemp -d ./incoming.XXXXXX) && tar -xf - -C "$t" '
            f'&& if [ -d {quoted(target)} ]; then :; else mv -T "$t" {quoted(target)} 2>/dev/null || '
            f'mv "$t" {quoted(target)}; fi; code=$?; [ -d "$t" ] && rm -rf "$t"; exit $code'
        )
        self._ran(command, data, SEND_S)

    def _ran(self, command: str, stdin: bytes = b"", timeout: float = 60.0) -> Done:
        done = self.shell.run(command, stdin, timeout)
        if done.code != 0:
            raise _unusable(self.work, self.shell, done)
        return done

    def full(self) -> bool:
        """Whether nothing can be written there any more."""
        write = f"cd {quoted(self.work)} && head -c 65536 /dev/zero >full.$$; code=$?; rm -f full.$$; exit $code"
        done = self.shell.run(write)
        return done.code != 0 and any(words in done.err.lower() for words in _FULL)

    def job_log(self, folder: str) -> str:
        """The last lines that an array's jobs printed themselves: why Python did not start, for example."""
        done = self.shell.run(f"cd {quoted(folder)}/log && tail -q -n 12 ./*.txt | tail -c 4000")
        return harmless(done.text)

    def forget(self, folder: str) -> None:
        """Remove the folder of an array that is over."""
        if folder.startswith(f"{self.work}/jobs/"):
            self.shell.run(f"rm -rf {quoted(folder)}")


def full_error(work: str, shell: Shell) -> InfraError:
    """What is said when the work folder is full."""
    return InfraError(
        f"The work folder {work} on {shell.name} is full.",
        cause="its file system has no room left, or your quota is used up.",
        remedy=f"make room there, or choose another folder: tlcourse config set {shell.profile} work=FOLDER",
    )


def _unusable(work: str, shell: Shell, done: Done) -> InfraError:
    words = done.err.strip()
    if any(full in words.lower() for full in _FULL):
        return full_error(work, shell)
    last = words.splitlines()[-1][:300] if words else f"exit status {done.code}"
    return InfraError(
        f"The work folder {work} on {shell.name} cannot be used: {last}",
        cause="it does not exist and cannot be made there, or belongs to somebody else.",
        remedy=f"choose another: tlcourse config set {shell.profile} work=FOLDER",
    )


def _expandable(path: str) -> str:
    """For a shell: `~` and $NAMES are the other side's, and nothing else means anything (see Profile.work)."""
    if path == "~" or path.startswith("~/"):
        path = "$HOME" + path[1:]
    return f'"{path}"'


def _archive(files: Mapping[str, bytes], folders: tuple[str, ...]) -> bytes:
    """A tar archive whose bytes depend on what is in it alone."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in folders:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o700
            archive.addfile(entry)
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o600
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def folder_archive(folder: Path) -> bytes:
    """The regular files of a submission."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return _archive({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}, ())


@functools.cache
def package_archive() -> tuple[str, bytes]:
    """This package as (hash, archive), without graders: what the compute node imports."""
    files = {}
    for path in sorted(PACKAGE.rglob("*")):
        parts = path.relative_to(PACKAGE).parts
        if path.is_file() and not _LEFT_OUT.intersection(parts) and not path.name.endswith(".pyc"):
            files["/".join((PACKAGE.name, *parts))] = path.read_bytes()
    data = _archive(files, ())
    return hashlib.sha256(data).hexdigest()[:24], data


INSTALL_S = 3600.0

# One at a time; `ready` says that it is whole. A cut connection leaves it running, and whoever asks next waits for it.
_MAKE = """
trap '' HUP PIPE
cd {work}/env || exit 3
{lock}
lock {key} 3600 60 || exit 4
[ -f {key}/ready ] && exit 0
rm -rf {key}
{{
{lines}
{make} && {install}
}} >{key}.log 2>&1 </dev/null || {{ tail -n 5 {key}.log >&2; exit 5; }}
touch {key}/ready
"""


def python_for(store: RemoteStore, profile: Profile) -> str:
    """The interpreter that jobs start; makes the environment where it is not there yet. Raises InfraError."""
    if profile.packages is None:
        return profile.python
    folder = f"{store.work}/env/{environment_key(profile)}"
    if store.shell.run(f"[ -f {quoted(folder)}/ready ]").code == 0:
        return f"{folder}/bin/python"
    done = store.shell.run(_script(store.work, profile), timeout=INSTALL_S)
    if done.code != 0:
        last = (done.err.strip().splitlines() or [f"exit status {done.code}"])[-1][:300]
        raise InfraError(
            f"The Python environment on {store.shell.name} could not be made: {last}",
            cause="`python` of the profile has no venv or pip, or the login node reaches no package index.",
            remedy="name a Python that has torch (the profile's `python`, without `packages`), or load a module first.",
        )
    return f"{folder}/bin/python"


def environment_key(profile: Profile) -> str:
    """Another list, Python, module or image means another environment."""
    container = profile.container.image if profile.container else ""
    parts = [profile.python, container, *profile.modules, *profile.pip_options, "|", *(profile.packages or [])]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _script(work: str, profile: Profile) -> str:
    key = environment_key(profile)
    packages = profile.packages or []
    install = [f"{work}/env/{key}/bin/python", "-m", "pip", "install", "--quiet", *profile.pip_options, *packages]
    make = [profile.python, "-m", "venv", *(() if packages else ("--without-pip",)), f"{work}/env/{key}"]
    return _MAKE.format(
        lock=LOCK,
        work=quoted(work),
        key=key,
        lines="\n".join(line for line in start_lines(profile, "") if not line.startswith("export PYTHONPATH")),
        make=in_container(profile, make, (work,)),
        install=in_container(profile, install, (work,)) if packages else "true",
    )
