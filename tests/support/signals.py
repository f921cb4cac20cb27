"""Signals in what tests start: as for a person's command, also where the tests themselves run with `nohup … &`."""

from __future__ import annotations

import signal

ASKED_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heard() -> None:
    """For `preexec_fn`: a shell starts what it puts in the background deaf to SIGINT, `nohup` to SIGHUP."""
    for number in ASKED_TO_END:
        signal.signal(number, signal.SIG_DFL)
