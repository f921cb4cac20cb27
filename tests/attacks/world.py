"""The world around a run: secrets that an attack may look for, files it may harm, services it may contact.

The attacker is told where everything is: what protects it is the sandbox, not a name that is hard to guess.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType

_GRADERS = Path(__file__).parent.parent / "example_course" / "graders"


def secret() -> str:
    """A word that nobody could have made up."""
    return f"SECRET-{secrets.token_hex(12)}"


class Surroundings:
    """What one grader process holds for all of its runs: its environment, its descriptors, a neighbour process."""

    def __init__(self) -> None:
        self.in_environment, self.in_file, self.in_arguments = secret(), secret(), secret()
        os.environ["COURSE_SECRET_SEED"] = self.in_environment
        os.environ["SSH_AUTH_SOCK"] = "/run/user/1000/ssh-agent"
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - stays open, so that it can be inherited
        self._file.write(self.in_file.encode())
        self._file.flush()
        os.set_inheritable(self._file.fileno(), True)
        neighbour = [sys.executable, "-c", "import time; time.sleep(3600)", self.in_arguments]
        self.neighbour = subprocess.Popen(neighbour, env={**os.environ, "TOKEN": self.in_arguments})

    @property
    def secrets(self) -> list[str]:
        """What no run may bring out."""
        return [self.in_environment, self.in_file, self.in_arguments]

    def close(self) -> None:
        """End the neighbour."""
        self.neighbour.kill()
        self.neighbour.wait()
        self._file.close()


class World:
    """What one case may find and harm."""

    def __init__(self) -> None:
        self.mark = f"tl{secrets.token_hex(6)}"
        self.contacted: list[str] = []
        self._secret, self._private = secret(), secret()
        self.folder = Path(tempfile.mkdtemp(prefix="attacked-"))
        self.folder.chmod(0o755)
        (self.folder / "labels.json").write_text(f'{{"y": "{self._secret}"}}')
        (self.folder / "private.json").write_text(f'{{"seed": "{self._private}"}}')
        (self.folder / "private.json").chmod(0o600)
        self._before = self._fingerprint()
        self._open_services()

    @property
    def secrets(self) -> list[str]:
        """What no run may bring out; the last is a line of the exercise's grader."""
        return [self._secret, self._private, "Two lines: y = 2a + 1, z = 3b - 1."]

    @property
    def values(self) -> dict[str, str]:
        """What the attacker is told."""
        return {
            "MARK": self.mark,
            "FOLDER": str(self.folder),
            "GRADERS": str(_GRADERS),
            "HOST": os.uname().nodename,
            "GRADER_PID": str(os.getpid()),
            "TCP": str(self._tcp.getsockname()[1]),
            "UDP": str(self._udp.getsockname()[1]),
            "ABSTRACT": f"\\0{self.mark}",
            "SOCKET": str(self.folder / "agent.socket"),
        }

    def _open_services(self) -> None:
        self._tcp, self._udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        self._abstract, self._named = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        self._tcp.bind(("127.0.0.1", 0))
        self._udp.bind(("127.0.0.1", 0))
        self._abstract.bind(f"\0{self.mark}")
        self._named.bind(str(self.folder / "agent.socket"))
        (self.folder / "agent.socket").chmod(0o777)
        self._selector = selectors.DefaultSelector()
        for name in ("tcp", "udp", "abstract", "named"):
            service = getattr(self, f"_{name}")
            service.setblocking(False)
            if name != "udp":
                service.listen()
            self._selector.register(service, selectors.EVENT_READ, name)
        self._stop, self._wake = os.pipe()
        self._selector.register(self._stop, selectors.EVENT_READ, "stop")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data == "stop":
                    return
                self.contacted.append(key.data)
                with contextlib.suppress(OSError):
                    if key.data == "udp":
                        key.fileobj.recvfrom(1000)  # type: ignore[union-attr]
                    else:
                        connection, _ = key.fileobj.accept()  # type: ignore[union-attr]
                        connection.send(self._secret.encode())
                        connection.close()

    def _fingerprint(self) -> dict[str, str]:
        """Everything about the files of this world, and of the graders, that an attack could change."""
        found = {}
        for path in sorted([*self.folder.rglob("*"), *_GRADERS.rglob("*.py"), self.folder]):
            info = path.lstat()
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            found[str(path)] = f"{info.st_mode:o} {info.st_uid} {info.st_mtime_ns * path.is_file()} {content}"
        found.pop(str(self.folder / "agent.socket"), None)
        return found

    def changed(self) -> list[str]:
        """The files that are new, gone, or other than they were."""
        after = self._fingerprint()
        return sorted(path for path in {*after, *self._before} if after.get(path) != self._before.get(path))

    def __enter__(self) -> World:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        os.write(self._wake, b".")
        self._thread.join()
        for service in (self._tcp, self._udp, self._abstract, self._named):
            service.close()
        self._selector.close()
        os.close(self._stop)
        os.close(self._wake)
        shutil.rmtree(self.folder, ignore_errors=True)
