"""A shell on the login node: on this machine, or through OpenSSH as a sub-process.

People's ssh_config, jump hosts, agents and two-factor logins work as they always do. One connection is shared by all
commands (ControlMaster) and stays a while. No password is asked for here, and none is kept: who needs one logs in with
`tlcourse config check PROFILE` in a terminal, and that connection is then used.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import shlex
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tlcourse.errors import InfraError, UnableError
from tlcourse.paths import config_file
from tlcourse.text import harmless

TIMEOUT_S = 60.0


class Done(Struct, frozen=True):
    """How a command ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """What it printed, as text."""
        return self.out.decode("utf-8", errors="replace")


class ConnectionLostError(Exception):
    """The command may or may not have run: the way to the cluster broke. Worth another try."""


class Shell(Protocol):
    """A place that takes POSIX shell commands, each of at most some 60,000 characters: what is longer is data."""

    name: str
    """The host, in words."""
    profile: str
    """The name of the profile that leads there, for the commands that an error advises."""

    def run(self, command: str, stdin: bytes = b"", timeout: float = TIMEOUT_S) -> Done:
        """Run a command to its end; raises ConnectionLostError. An exit status other than 0 is not an error here."""
        ...

    def log_in(self) -> bool:
        """Let a person answer what the other side asks, in this terminal; whether that worked."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class HereShell:
    """This machine is the login node."""

    name = "this machine"

    def __init__(self, profile: str) -> None:
        self.profile = profile

    def run(self, command: str, stdin: bytes = b"", timeout: float = TIMEOUT_S) -> Done:
        """Run it with /bin/sh."""
        return run_process(["/bin/sh", "-c", command], stdin, timeout)

    def log_in(self) -> bool:
        """There is nothing to log in to."""
        return True

    def close(self) -> None:
        """Nothing to let go of."""


def run_process(command: list[str], stdin: bytes, timeout: float) -> Done:
    """A sub-process to its end, in a session of its own, so that a ctrl-c meant for us does not cut it short.

    Raises ConnectionLostError where it takes longer than `timeout`.
    """
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, timeout=timeout, check=False, start_new_session=True
        )
    except subprocess.TimeoutExpired:
        raise ConnectionLostError(f"no answer within {timeout:.0f} s") from None
    except OSError as error:
        raise InfraError(f"{command[0]} cannot be started: {error.strerror}.") from error
    return Done(done.returncode, done.stdout, done.stderr.decode("utf-8", errors="replace"))


def quoted(*words: str) -> str:
    """Words of a command, each as one word whatever is in it."""
    return " ".join(shlex.quote(word) for word in words)


# Without `flock`, or where the file system has no such locks (Lustre may say "Function not implemented"), a folder is
# the lock: making one succeeds once, everywhere. One that a killed script left is taken over when it is old enough.
LOCK = """
lock() {
    if command -v flock >/dev/null 2>&1; then
        exec 9>"$1.lock"
        flock -E 75 -w "$2" 9 2>/dev/null
        case $? in 0) return 0 ;; 75) return 75 ;; esac
    fi
    held=$PWD/$1.held waited=0
    until mkdir "$held" 2>/dev/null; do
        if [ -n "$(find "$held" -maxdepth 0 -mmin "+$3" 2>/dev/null)" ]; then rmdir "$held" 2>/dev/null; continue; fi
        [ "$waited" -lt "$2" ] || return 75
        sleep 1
        waited=$((waited + 1))
    done
    trap 'rmdir "$held" 2>/dev/null' EXIT
}
"""
"""A shell function: `lock NAME SECONDS MINUTES` takes the lock NAME here, waiting so long; 75 where it is not free."""

_NO_NAME = re.compile(r"\$(?![A-Za-z_]|\{[A-Za-z_][A-Za-z0-9_]*\})")


def expanded(text: str) -> str:
    """One word in which the other side's shell reads $NAME and ${NAME}, and nothing else means anything."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`")
    plain = _NO_NAME.sub(lambda _: r"\$", plain)
    return f'"{plain}"'


def expanded_path(path: str) -> str:
    """The same, of a path that may begin with `~`."""
    return expanded("$HOME" + path[1:] if path == "~" or path.startswith("~/") else path)


PERSIST_S = 600
_TRANSPORT = 255
_CHANGED_KEY = ("REMOTE HOST IDENTIFICATION HAS CHANGED", "host key is revoked")
_PADDING = b"\n" * 20  # a start-up file that reads a line or two gets these


def framed(command: str, mark: str, *, reads: bool) -> str:
    """One line for any login shell (bash, dash, fish, tcsh, which takes no line break in quotes), which runs `command`.

    What a start-up file or a wrapper prints before or after lies outside the marks, on both streams. `reads`: standard
    input begins after a line that is the mark, so that a start-up file which reads eats nothing of it.
    """
    skip = f'while IFS= read -r l; do [ "$l" = {mark} ] && break; done; [ "$l" = {mark} ] || exit 3'
    lines = [
        f"printf '%s\\n' {mark}; printf '%s\\n' {mark} >&2",
        skip if reads else ":",
        f"/bin/sh -c \"$(cat <<'{mark}'\n{command}\n{mark}\n)\"",
        f"c=$?; printf '%s %d\\n' {mark} $c; printf '%s\\n' {mark} >&2; exit $c",
    ]
    whole = base64.b64encode("\n".join(lines).encode()).decode()
    return f"exec /bin/sh -c 'exec /bin/sh -c \"$(echo {whole} | base64 -d)\"'"


def unframed(done: Done, mark: str) -> Done | None:
    """What lies between the marks; None where the command was not begun, or did not end."""
    edge = mark.encode()
    _, begun, rest = done.out.partition(edge + b"\n")
    inside, ended, after = rest.rpartition(edge + b" ")
    code = after.split(b"\n", 1)[0]
    if not begun or not ended or not code.isdigit():
        return None
    err = done.err.partition(f"{mark}\n")[2]
    words, closed, _ = err.rpartition(f"{mark}\n")
    return Done(int(code), inside, words if closed else err)


class SshShell:
    """Commands on another machine."""

    def __init__(self, profile: str, host: str, ssh_config: str | None = None) -> None:
        """Raises UnableError where ssh is not installed."""
        if shutil.which("ssh") is None:
            raise UnableError("There is no ssh on this machine.", remedy="install OpenSSH's client.")
        self.name, self.profile = host, profile
        # a relative path is one beside the configuration file: not one in whatever folder this is called from
        beside = config_file().absolute().parent
        self._command = ["ssh", *(("-F", str(beside / Path(ssh_config).expanduser())) if ssh_config else ())]
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": "10",
            "ServerAliveInterval": "15",
            "ServerAliveCountMax": "3",
            "ForwardAgent": "no",
            "ForwardX11": "no",
        }
        if os.name == "posix":  # the ssh of Windows shares no connections: there every command logs in
            shared = {
                "ControlMaster": "auto",
                "ControlPath": f"{control_folder()}/%C",
                "ControlPersist": str(PERSIST_S),
            }
            options.update(shared)
        self._options = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]

    def run(self, command: str, stdin: bytes = b"", timeout: float = TIMEOUT_S) -> Done:
        """Run it with the remote sh, whatever the login shell is and prints; raises ConnectionLostError, UnableError.

        Raises UnableError too where the machine runs no command of ours, or its key is not the one that is known.
        """
        mark = secrets.token_hex(8)
        line = [*self._command, *self._options, "-T", "--", self.name, framed(command, mark, reads=bool(stdin))]
        done = run_process(line, _PADDING + f"{mark}\n".encode() + stdin if stdin else b"", timeout)
        if (found := unframed(done, mark)) is not None:
            return found
        if any(sign in done.err for sign in _CHANGED_KEY):
            raise self._changed_key(done.err)
        if done.code == _TRANSPORT:
            raise ConnectionLostError(said(done.err) or "ssh ended without a message")
        raise UnableError(
            f"{self.name} ran no command: {said(done.text + done.err) or f'exit status {done.code}'}",
            cause="its login ends before a command can run, or allows none: an account without a shell, or a start-up "
            "file (.bashrc, .cshrc) that exits or starts another program.",
            remedy=f"try: ssh {self.name} echo works",
        )

    def _changed_key(self, text: str) -> UnableError:
        places = [words.strip() for words in re.findall(r"^Offending .* key in (.+)$", harmless(text), re.MULTILINE)]
        return UnableError(
            f"The host key of {self.name} is not the one that this machine knows{f' ({places[0]})' if places else ''}.",
            cause="the machine was set up anew – or somebody else's machine answers in its place.",
            remedy="compare the key with the one that the cluster's own pages show; if it is theirs: "
            f"ssh-keygen -R {self.name.rpartition('@')[2]}",
        )

    def log_in(self) -> bool:
        """Let a person answer what the other side asks, in this terminal; the connection then serves `run`."""
        asking = [word if word != "BatchMode=yes" else "BatchMode=no" for word in self._options]
        return subprocess.run([*self._command, *asking, "--", self.name, "true"], check=False).returncode == 0

    def close(self) -> None:
        """End the shared connection, if it is there."""
        line = [*self._command, *self._options, "-O", "exit", "--", self.name]
        subprocess.run(line, capture_output=True, check=False, stdin=subprocess.DEVNULL)


def control_folder() -> Path:
    """A short path (a socket's may have 104 characters) that only this user can enter.

    Raises InfraError, and on Windows UnableError.
    """
    from tlcourse.sandbox.choose import refuse_windows

    refuse_windows()
    base = Path("/tmp") if Path("/tmp").is_dir() else Path.home()  # noqa: S108 - the folder is checked below
    folder = base / f"tlcourse-ssh-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid() or info.st_mode & 0o077:
        raise InfraError(
            f"{folder} is not a folder of yours alone.",
            cause="somebody else made it.",
            remedy=f"remove it: rm -r {folder}",
        )
    return folder


def said(text: str) -> str:
    """The last line that ssh printed, without the warnings that precede it."""
    lines = [line.strip() for line in harmless(text).splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
