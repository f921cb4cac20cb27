"""Whether torch is here, and the command that installs what fits this machine.

The light installation has none: lessons, quizzes, authoring, marks and reports need none. What trains asks here first,
so that it ends with a command to type, and not as a submission's crash or as an internal error.
"""

from __future__ import annotations

import contextlib
import importlib.util
import shlex
import shutil
import sys
from pathlib import Path

from tlcourse.errors import UnableError

REQUIREMENTS = ("torch>=2.6", "torchvision>=0.21")
"""As the extra `torch` of pyproject.toml has them."""
PUBLISHED = "5.4 GB"
"""What the full installation takes on the disk of a Linux machine, with torch as it is published."""


def is_here(package: str) -> bool:
    """Whether a package, as `import` names it, can be found; it is not imported."""
    with contextlib.suppress(ImportError, ValueError):
        return importlib.util.find_spec(package) is not None
    return False


def missing() -> str:
    """`torch and torchvision are`, or `torchvision is`, for a sentence; "" where both are here."""
    names = [name for name in ("torch", "torchvision") if not is_here(name)]
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'}" if names else ""


def require_torch(what: str) -> None:
    """Raise UnableError where `what`, the beginning of a sentence, has no torch or no torchvision here."""
    if said := missing():
        raise UnableError(
            f"{what} needs torch: {said} not installed here.",
            cause="this is the light installation of tlcourse, without what trains networks; "
            "tlcourse doctor names the build that fits this machine.",
            remedy=command(),
        )


def command(*options: str) -> str:
    """What installs torch into the environment of this process, from wherever pip takes its packages."""
    python, wanted = _typed(sys.executable), " ".join([*options, _wanted()])
    if not is_here("pip") and shutil.which("uv"):  # as in the environments that uv makes
        return f"uv pip install --python {python} {wanted}"
    return f"{_pip()} {wanted}"


def fitting_command() -> str:
    """What installs the build for this machine's card, or for its processor; "" where `command` does.

    Published for macOS and Windows, torch holds no CUDA. For Linux it does, and takes five times the room.
    """
    if not sys.platform.startswith("linux") or has_nvidia():
        return ""
    backend = "auto" if Path("/dev/kfd").exists() else "cpu"  # the door to AMD's cards
    options = f"--python {_typed(sys.executable)} --torch-backend {backend} {_wanted()}"
    if shutil.which("uv"):
        return f"uv pip install {options}"
    return f"{_pip()} uv && {_typed(sys.executable)} -m uv pip install {options}"


def has_nvidia() -> bool:
    """Whether NVIDIA's driver is here: with a card, or waiting for one."""
    return shutil.which("nvidia-smi") is not None or Path("/dev/nvidiactl").exists()


def _pip() -> str:
    python = _typed(sys.executable)
    return f"{python} -m pip install" if is_here("pip") else f"{python} -m ensurepip && {python} -m pip install"


def _wanted() -> str:
    return " ".join(_typed(one) for one in REQUIREMENTS)


def _typed(text: str) -> str:
    """Quoted for this system's shell; Windows' knows double quotes alone."""
    if sys.platform == "win32":
        return f'"{text}"' if set(text) & set(" <>&|^") else text
    return shlex.quote(text)
