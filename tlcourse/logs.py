"""What tlcourse says about itself while it works: nothing, unless `-v` or TLCOURSE_DEBUG asks for it.

Each module has a logger of its own name. Lines go to stderr, never to stdout, which may carry a document; the app owns
the screen, and writes a file of the data folder instead. TLCOURSE_DEBUG is 1, or that file: processes inherit it, and
append to the same file.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from tlcourse.errors import InfraError

VARIABLE = "TLCOURSE_DEBUG"
_FORMAT = "%(asctime)s %(process)d %(name)s: %(message)s"


def wanted() -> bool:
    """Whether the environment asks for a log; `0` and an empty text do not."""
    return os.environ.get(VARIABLE, "0") not in ("", "0")


def start() -> None:
    """Log to where the environment says; without a word there, to stderr, as do the processes started from here."""
    value = os.environ.setdefault(VARIABLE, "1") if wanted() else "1"
    os.environ[VARIABLE] = value
    logger = logging.getLogger("tlcourse")
    if logger.handlers:
        return
    handler = logging.StreamHandler(sys.stderr) if value == "1" else _to_file(Path(value))
    handler.setFormatter(logging.Formatter(_FORMAT))
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False


def into(file: Path) -> None:
    """From now on log into `file`, begun anew; its first line names it, so that a copy of it says whence it came."""
    from tlcourse import __version__

    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    os.environ[VARIABLE] = str(file)
    logger = logging.getLogger("tlcourse")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    start()
    logger.debug("log of tlcourse %s in %s", __version__, file)


def our_mistake(error: BaseException) -> InfraError:
    """What to say of an error of ours: its traceback belongs in a file that can be sent to us, never on the screen."""
    import tempfile
    import traceback

    if os.environ.get("TLCOURSE_DEBUG"):
        traceback.print_exception(error)
    with tempfile.NamedTemporaryFile("w", prefix="tlcourse-error-", suffix=".log", delete=False) as stream:
        traceback.print_exception(error, file=stream)
    return InfraError(
        f"tlcourse itself failed ({type(error).__name__}). This is not your mistake; nothing was counted.",
        cause=str(error).splitlines()[0][:300] if str(error) else "",
        remedy=f"report it with the log at {stream.name}",
    )


def _to_file(file: Path) -> logging.Handler:
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    return logging.FileHandler(file, encoding="utf-8")
