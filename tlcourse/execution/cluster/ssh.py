"""OpenSSH as a sub-process: people's ssh_config, jump hosts, agents and two-factor logins work as they always do.

One connection is shared by all commands (ControlMaster) and stays a while. No password is asked for here, and none is
kept: who needs one logs in with `tlcourse config check PROFILE` in a terminal, and that connection is then used.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

from tlcourse.errors import InfraError, UnableError
from tlcourse.execution.cluster.shell import TIMEOUT_S, ConnectionLostError, Done, quoted, run_process
from tlcourse.execution.log import harmless

PERSIST_S = 600
_TRANSPORT = 255


class SshShell:
    """Commands on another machine."""

    def __init__(self, host: str, ssh_config: str | None = None) -> None:
        """Raises UnableError where there is no ssh."""
        if shutil.which("ssh") is None:
            raise UnableError("There is no ssh on this machine.", remedy="install OpenSSH's client.")
        self.name = host
        self._command = ["ssh", *(("-F", str(Path(ssh_config).expanduser())) if ssh_config else ())]
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
        """Run it with the remote sh, whatever the login shell is; raises ConnectionLostError."""
        line = [*self._command, *self._options, "-T", self.name, f"exec sh -c {quoted(command)}"]
        done = run_process(line, stdin, timeout)
        if done.code == _TRANSPORT:
            raise ConnectionLostError(said(done.err) or "ssh ended without a message")
        return done

    def log_in(self) -> bool:
        """Let a person answer what the other side asks, in this terminal; the connection then serves `run`."""
        asking = [word if word != "BatchMode=yes" else "BatchMode=no" for word in self._options]
        return subprocess.run([*self._command, *asking, self.name, "true"], check=False).returncode == 0

    def close(self) -> None:
        """End the shared connection, if it is there."""
        line = [*self._command, *self._options, "-O", "exit", self.name]
        subprocess.run(line, capture_output=True, check=False, stdin=subprocess.DEVNULL)


def control_folder() -> Path:
    """A short path (a socket's may have 104 characters) that only this user can enter; raises InfraError."""
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
