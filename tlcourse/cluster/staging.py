"""The work folder on the cluster, filled with what is not there yet, and the Python environment in it.

Everything goes through one shell command's standard input as a tar archive: that needs nothing on the other side but
sh and tar, and the same way serves this machine and SSH. What lies under its hash is sent once. Python is the one that
the profile names, or an environment that is made from it once.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from tlcourse.cluster.plan import SETUP_FAILED, in_container, start_lines
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.shell import LOCK, Done, Shell, expanded_path, quoted
from tlcourse.cluster.slurm import PLAIN, on_cluster
from tlcourse.errors import InfraError
from tlcourse.sandbox.interpreter import PACKAGE
from tlcourse.text import harmless

KEPT_DAYS, ENV_DAYS = 30, 90
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
                f"w={expanded_path(work)}",
                'mkdir -p "$w/blobs" "$w/code" "$w/jobs" "$w/env" && chmod 700 "$w" && cd "$w" && pwd -P || exit 3',
                f"find blobs jobs code -mindepth 1 -maxdepth 1 -mtime +{KEPT_DAYS} -exec rm -rf {{}} + 2>/dev/null",
                f"find env -mindepth 1 -maxdepth 1 -mtime +{ENV_DAYS} -exec rm -rf {{}} + 2>/dev/null",
                "find . -mindepth 1 -maxdepth 1 -name 'incoming.*' -mtime +1 -exec rm -rf {} + 2>/dev/null",
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
        """Have this version of tlcourse there, without the graders, as one file; returns the archive's path."""
        digest, data = package_archive()
        name = f"{digest}.tar"
        there = f"cd {quoted(self.work)}/code && if [ -f {name} ]; then touch {name}; else echo lacking; fi"
        if self._ran(there).text.split() == ["lacking"]:
            self._unpack({name: data}, "code")
        return f"{self.work}/code/{name}"

    def send_folder(self, name: str, files: Mapping[str, bytes], folders: tuple[str, ...] = ()) -> str:
        """A new folder `jobs/NAME` with these files and empty folders: there whole, or not at all."""
        self._unpack_archive(archive_of(files, folders), f"jobs/{name}")
        return f"{self.work}/jobs/{name}"

    def _unpack(self, files: Mapping[str, bytes], into: str) -> None:
        """Each file appears under its name when it is whole."""
        command = (
            f'umask 077; cd {quoted(self.work)} && t=$(mktemp -d ./incoming.XXXXXX) && tar -xf - -C "$t" '
            f'&& mv -f "$t"/* {quoted(into)}/; code=$?; rm -rf "$t"; exit $code'
        )
        self._ran(command, archive_of(files, ()), SEND_S)

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

    def clean(self, clusters: str = "") -> Removed:
        """Remove everything that no job needs which waits or runs; raises InfraError where Slurm does not say which.

        `clusters`: those that the profile names, of several that share a login.
        """
        script = _CLEAN.format(work=quoted(self.work), plain=PLAIN, clusters=on_cluster(clusters))
        done = self.shell.run(script, timeout=600)
        lines = [line.split() for line in done.text.splitlines()]
        last = next((words for words in reversed(lines) if words[:1] == ["removed"]), None)
        if done.code != 0 or last is None:
            said = (done.err.strip().splitlines() or ["no answer"])[-1]
            raise InfraError(
                f"{self.work} on {self.shell.name} was not cleaned: {said}",
                cause="Slurm did not say which jobs run, and their data must stay.",
                remedy=f"tlcourse config check {self.shell.profile}",
            )
        return Removed(int(last[1]), int(last[2]) / 1024, [words[1] for words in lines if words[:1] == ["kept"]])

    def forget(self, folder: str) -> None:
        """Remove the folder of an array that is over."""
        if folder.startswith(f"{self.work}/jobs/"):
            self.shell.run(f"rm -rf {quoted(folder)}")


class Removed(Struct, frozen=True):
    """What a cleaning removed, and the arrays whose folders it left."""

    files: int
    mb: float
    kept: list[str]


# Slurm is asked first: where it does not answer, nothing is known to have ended, and nothing is removed.
_CLEAN = """
cd {work} || exit 3
{plain}
alive=$(squeue -a -h{clusters} -u "$(id -un)" -o '%j') || exit 4
size() {{ du -sk blobs code env jobs | awk '{{ s += $1 }} END {{ print s }}'; }}
files() {{ find blobs code env jobs -type f | wc -l; }}
before=$(files) size=$(size)
for folder in jobs/*; do
    [ -d "$folder" ] || continue
    name=${{folder#jobs/}}
    if printf '%s\\n' "$alive" | grep -qxF "$name"; then echo "kept $name"; else rm -rf "$folder"; fi
done
if [ -z "$(ls jobs)" ]; then rm -rf blobs code env incoming.* sandbox-*; mkdir -p blobs code env; fi
echo "removed $((before - $(files))) $((size - $(size)))"
"""


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


def archive_of(files: Mapping[str, bytes], folders: tuple[str, ...]) -> bytes:
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
    return archive_of({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}, ())


@functools.cache
def package_archive() -> tuple[str, bytes]:
    """This package as (hash, archive), without graders: what the compute node imports."""
    files = {}
    for path in sorted(PACKAGE.rglob("*")):
        parts = path.relative_to(PACKAGE).parts
        if path.is_file() and not _LEFT_OUT.intersection(parts) and not path.name.endswith(".pyc"):
            files["/".join((PACKAGE.name, *parts))] = path.read_bytes()
    data = archive_of(files, ())
    return hashlib.sha256(data).hexdigest()[:24], data


INSTALL_S = 3600.0

# One at a time; `ready` says that it is whole. A cut connection leaves it running, and whoever asks next waits for it.
# Half of one is of no use, and may be what fills the disk.
_MAKE = """
trap '' HUP PIPE
cd {work}/env || exit 3
{lock}
lock {key} 3600 60 || exit 4
[ -f {key}/ready ] && exit 0
rm -rf {key}
free=$(df -Pk . 2>/dev/null | awk 'NR == 2 {{ print $4 }}')
if [ "${{free:-{needs}}}" -lt {needs} ]; then echo "$free" >&2; exit 7; fi
(
{lines}
{make} && {keep} && {install}
) >{key}.log 2>&1 </dev/null || {{ tail -n 5 {key}.log >&2; rm -rf {key}; exit 5; }}
touch {key}/ready
"""
TORCH_KB = 5_400_000
"""What an environment with torch for CUDA takes: 5.4 GB, and 24,794 files, were counted in one."""
_NO_ROOM = 7


def python_for(store: RemoteStore, profile: Profile) -> str:
    """The interpreter that jobs start; makes the environment where it is not there yet. Raises InfraError."""
    if profile.packages is None:
        return profile.python
    folder = f"{store.work}/env/{environment_key(profile)}"
    if environment_is_there(store, profile):
        return f"{folder}/bin/python"
    done = store.shell.run(in_login_shell(profile, _script(store.work, profile)), timeout=INSTALL_S)
    if done.code == 0:
        return f"{folder}/bin/python"
    if done.code == _NO_ROOM:
        free = int(done.err.split()[-1]) / 1e6
        raise InfraError(
            f"The Python environment needs {TORCH_KB / 1e6:.1f} GB, and {free:.1f} GB are free in {store.work} on "
            f"{store.shell.name}.",
            cause="torch is large, and a home often is small.",
            remedy=f"choose a folder with more room: tlcourse config set {store.shell.profile} work=FOLDER – or name a "
            "Python that has torch, without `packages`.",
        )
    if store.full() or any(words in done.err.lower() for words in _FULL):
        raise full_error(store.work, store.shell)
    lines = [line for line in harmless(done.err).splitlines() if line.strip()] or [f"exit status {done.code}"]
    setup = next((line for line in lines if line.startswith(SETUP_FAILED)), None)
    raise InfraError(
        f"The Python environment on {store.shell.name} could not be made: {(setup or lines[-1])[:300]}",
        cause="the set-up of the profile does not hold there."
        if setup
        else "`python` of the profile has no venv or pip, or the login node reaches no package index.",
        remedy=f"tlcourse config show {store.shell.profile}, and correct `setup` or `modules`."
        if setup
        else "name a Python that has torch (the profile's `python`, without `packages`), or load a module first.",
    )


def environment_is_there(store: RemoteStore, profile: Profile) -> bool:
    """Whether no environment needs to be made; one that is there counts as used."""
    if profile.packages is None:
        return True
    folder = f"{store.work}/env/{environment_key(profile)}"
    return store.shell.run(f"[ -f {quoted(folder)}/ready ] && touch -c {quoted(folder)}").code == 0


# What `python` has stays visible where torch is not installed anew: a module's, a container's or another environment's
# torch is kept. (--system-site-packages would show those of the Python from which that environment was made.)
_OWN = "import sys; print(*(p for p in sys.path if p.endswith(('site-packages', 'dist-packages'))), sep='\\n')"


def _has_torch(profile: Profile) -> bool:
    return any(re.match(r"torch(?![a-z0-9_-])", package) for package in profile.packages or [])


def environment_key(profile: Profile) -> str:
    """Another list, Python, set-up, module or image means another environment."""
    container = profile.container.image if profile.container else ""
    before = [profile.python, container, *profile.setup, "|", *profile.module_paths, "|", *profile.modules]
    parts = [*before, "|", *profile.pip_options, "|", *(profile.packages or [])]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def in_login_shell(profile: Profile, script: str) -> str:
    """The script as a job runs it: by bash as a login shell, where the site defines `module`."""
    return f"exec bash -lc {quoted(script)}" if profile.login_shell else script


def _script(work: str, profile: Profile) -> str:
    key = environment_key(profile)
    packages = profile.packages or []
    install = [f"{work}/env/{key}/bin/python", "-m", "pip", "install", "--quiet", *profile.pip_options, *packages]
    make = [profile.python, "-m", "venv", *(() if packages else ("--without-pip",)), f"{work}/env/{key}"]
    own = in_container(profile, [profile.python, "-c", _OWN])
    keep = f'{own} >{key}/own.pth && mv {key}/own.pth "$(ls -d {key}/lib*/python3*/site-packages | head -n 1)"'
    return _MAKE.format(
        lock=LOCK,
        work=quoted(work),
        key=key,
        needs=TORCH_KB if _has_torch(profile) else 50_000,
        lines="\n".join(start_lines(profile)),
        make=in_container(profile, make, (quoted(work),)),
        keep="true" if _has_torch(profile) else keep,
        install=in_container(profile, install, (quoted(work),)) if packages else "true",
    )
