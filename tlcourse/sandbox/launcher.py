"""Starting processes from a thread that lives as long as this process does.

`--die-with-parent` (PR_SET_PDEATHSIG) means the *thread* that started a process. A fork server outlives the thread
that happened to need it first, so that thread must not be the one to start it.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def launch(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """`subprocess.Popen(command, **options)`, started by the long-lived thread."""
    return _thread(os.getpid()).submit(_popen, command, options).result()


def _popen(command: Sequence[str], options: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, **options)


@functools.cache
def _thread(process: int) -> ThreadPoolExecutor:
    """One a process: a forked copy of this one has the object, but not its thread."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="tlcourse-launcher")
