"""Which sandbox: the strongest that this machine can build, or the one that was asked for."""

from __future__ import annotations

import sys

from tlcourse.errors import UnableError, UsageError
from tlcourse.sandbox import NAMES
from tlcourse.sandbox.base import Finding, NoSandbox, Sandbox
from tlcourse.sandbox.view import refuse_what_is_private

_SYSTEMS = {"darwin": "macOS", "win32": "Windows"}
_WSL = "install WSL (wsl --install), and tlcourse in it"


def findings() -> list[Finding]:
    """Every sandbox, strongest first, and whether this machine can build it."""
    return [_bubblewrap(), _fork_server(), _landlock(), _none()]


def _none() -> Finding:
    if sys.platform == "win32":
        return Finding(NoSandbox.name, False, "what limits and ends a run is not there on Windows", _WSL)
    return Finding(NoSandbox.name, True, "a separate process without labels; for your own code only")


def refuse_windows() -> None:
    """Raise UnableError there: hand-ins can be neither copied safely nor run, nor a cluster be reached."""
    if not (none := _none()).available:
        raise UnableError(
            "Windows itself runs no solution, and sends none to a cluster; WSL does.",
            cause=f"{none.detail}. Lessons, quizzes, recorded labs, authoring and reports work.",
            remedy=none.remedy,
        )


def _not_on_linux(name: str, what: str) -> Finding:
    here = _SYSTEMS.get(sys.platform, sys.platform)
    remedy = _WSL if sys.platform == "win32" else "use a Linux machine, or a cluster: --on PROFILE"
    return Finding(name, False, f"{what} Linux, this is {here}", remedy)


def _bubblewrap() -> Finding:
    if not sys.platform.startswith("linux"):
        return _not_on_linux("bubblewrap", "bubblewrap needs")
    from tlcourse.sandbox import bubblewrap  # Linux only

    return bubblewrap.probe()


def _fork_server() -> Finding:
    if not sys.platform.startswith("linux"):
        return _not_on_linux("fork-server", "bubblewrap needs")
    from tlcourse.sandbox import fork_server  # Linux only

    return fork_server.probe()


def _landlock() -> Finding:
    if not sys.platform.startswith("linux"):
        return _not_on_linux("landlock", "Landlock needs")
    from tlcourse.sandbox import landlock_sandbox  # Linux only

    return landlock_sandbox.probe()


def choose(sandbox_kind: str, *, gpu: bool = False) -> tuple[Sandbox, str]:
    """The sandbox, and a line that says what was missing (empty for bubblewrap): bubblewrap, else landlock, else none.

    A fork server must not touch a GPU: a run that would use one (`gpu`) gets bubblewrap, and the line says so.

    Raises UsageError for an unknown name, and UnableError where the sandbox that was asked for cannot be built, or
    would show something private of this user (`view.py`).
    """
    if sandbox_kind not in NAMES:
        raise UsageError(f"There is no sandbox {sandbox_kind!r}.", remedy=f"use one of: {', '.join(NAMES)}.")
    refuse_windows()
    if sandbox_kind == "none":
        return NoSandbox(), ""
    refuse_what_is_private()
    if sandbox_kind == "fork-server" and not gpu:
        return _fork_server_sandbox(), ""
    if sandbox_kind == "landlock":
        return _landlock_sandbox()
    finding = _bubblewrap()
    if finding.available:
        from tlcourse.sandbox.bubblewrap import BubblewrapSandbox

        return (
            BubblewrapSandbox(),
            "A run on a GPU starts in a bubblewrap sandbox." if sandbox_kind == "fork-server" else "",
        )
    if sandbox_kind in ("bubblewrap", "fork-server"):
        raise UnableError(
            f"This machine cannot isolate a run: {finding.detail}.",
            cause="the sandbox needs bubblewrap and user namespaces.",
            remedy=finding.remedy or "tlcourse doctor",
        )
    if not gpu and _landlock().available:
        sandbox, notice = _landlock_sandbox()
        return (
            sandbox,
            f"{notice} bubblewrap would be stronger, but {finding.detail}. {finding.remedy}".strip(),
        )
    return (
        NoSandbox(),
        f"Runs without a sandbox, for your own code only: {finding.detail} – {finding.remedy}".removesuffix(" – "),
    )


def _fork_server_sandbox() -> Sandbox:
    finding = _fork_server()
    if not finding.available:
        raise UnableError(
            f"This machine cannot isolate a run: {finding.detail}.",
            cause="the fork server needs bubblewrap and nested user namespaces.",
            remedy=finding.remedy or "tlcourse doctor",
        )
    from tlcourse.sandbox.fork_server import shared

    return shared()


def _landlock_sandbox() -> tuple[Sandbox, str]:
    finding = _landlock()
    if not finding.available:
        raise UnableError(
            f"This machine cannot isolate a run: {finding.detail}.",
            cause="the landlock sandbox needs Landlock.",
            remedy=finding.remedy or "tlcourse doctor",
        )
    from tlcourse.sandbox.landlock_sandbox import NOTICE, LandlockSandbox

    return LandlockSandbox(), NOTICE
