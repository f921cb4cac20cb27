"""`tlcourse prewarm` (hidden): a fork server for the terminal app, and the one command that it is asked to run.

It waits with torch imported, becomes the run when the app asks for one, and ends with it: such a run is stopped, kept
and found again as one that was not prewarmed. Until it is asked it lives as long as its standard input does, so that it
goes with the app, however the app goes.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from typing import Any

_NEEDED_MB = 2048
_MAX_REQUEST = 64 * 1024


def prewarm() -> None:
    """Wait for a line {"file": …, "arguments": […]}, and run `tlcourse ARGUMENTS`, its output in FILE."""
    import msgspec

    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        signal.signal(getattr(signal, name), _interrupt)
    asked: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True, name="tlcourse-asked").start()
    sandbox_kind = _sandbox_kind()
    request = msgspec.json.decode(asked.get(), type=dict[str, Any])
    with open(request["file"], "ab") as stream:  # noqa: PTH123
        for number in (1, 2):
            os.dup2(stream.fileno(), number)
    sys.argv = ["tlcourse", *request["arguments"], "--sandbox", sandbox_kind]
    from tlcourse.cli.main import main

    main()


def _listen(asked: queue.SimpleQueue[bytes]) -> None:
    """The one request, or the end of the app; not through `sys.stdin`, whose lock would hold up the end of Python."""
    data = b""
    while not data.endswith(b"\n"):
        chunk = os.read(0, _MAX_REQUEST)
        data += chunk
        if not chunk or len(data) > _MAX_REQUEST:
            os.kill(os.getpid(), signal.SIGTERM)
            return
    asked.put(data)


def _sandbox_kind() -> str:
    """`fork-server` once a parent is ready here; `auto` where none can start, or a run may want a GPU or all memory."""
    import psutil

    from tlcourse.errors import TlcourseError
    from tlcourse.execution.gpu import uses_gpu
    from tlcourse.sandbox.choose import choose

    if uses_gpu("auto") or psutil.virtual_memory().available < _NEEDED_MB * 2**20:
        return "auto"
    try:
        choose("fork-server")
    except TlcourseError:
        return "auto"
    return "fork-server"


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
