"""No sandbox: a process of its own, which never sees labels. For one's own code, where nothing stronger works."""

from __future__ import annotations

import subprocess
import tempfile

from tlcourse.sandbox.base import Start
from tlcourse.sandbox.interpreter import worker_command


class NoSandbox:
    """A separate process with a clean environment. It can read this user's files and use the network."""

    name = "none"

    def start(self, start: Start) -> subprocess.Popen[bytes]:
        """Start the worker in its own session, so that it can be killed as a group."""
        home = str(start.inputs)
        env = {**start.env, "HOME": home, "TMPDIR": tempfile.gettempdir()}
        return subprocess.Popen(
            [*start.entering(env), *worker_command([str(start.inputs), str(start.submission), *start.arguments])],
            stdin=start.stdin,
            stdout=start.output,
            stderr=start.output,
            cwd=home,
            env=env,
            pass_fds=start.pass_fds,
            start_new_session=True,
        )
