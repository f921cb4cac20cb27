"""A verdict as the exercise screen shows it: the outcome in words, every check, the first failure in full."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from tlcourse.tui.text import Text

OUTCOMES = {
    "pass": ("✓ PASS", "$good", ""),
    "fail": ("✗ FAIL", "$bad", ""),
    "crash": ("✗ CRASH", "$bad", "your code raised an error or ended its process"),
    "timeout": ("✗ TIMEOUT", "$doubt", "it took longer than it may"),
    "memory": ("✗ MEMORY", "$doubt", "it took more memory than it may"),
    "output": ("✗ OUTPUT", "$doubt", "it printed more than it may"),
    "invalid": ("✗ INVALID", "$bad", "it does not return what the handout asks for"),
    "infra": ("– GRADER FAULT", "$fault", "not yours; not counted"),
}


def verdict(result: dict[str, Any], *, scored: bool) -> RenderableType:
    """The result document in words, a table with one row a fact, so that long lines stay in their column.

    Args:
        result: The document that `tlcourse grade --json` prints.
        scored: False for `tlcourse run`, which trains without scoring.
    """
    word, colour, why = OUTCOMES[result["outcome"]]
    if not scored and result["outcome"] == "pass":
        word, why = "✓ RUNS", "trained and tried, not scored; g grades it"
    head = Text()
    head.append(word, style=f"bold {colour}")
    if scored:
        head.append(f"  {result['points']:g} of {result['max_points']:g} points", style="bold")
    if why:
        head.append(f"  ({why})")
    parts: list[RenderableType] = [head]
    checks = Table.grid(padding=(0, 2))
    checks.add_column(no_wrap=True)
    checks.add_column(ratio=1)
    explained = False
    for check in result["checks"]:
        checks.add_row(*_check(check, full=not explained))
        explained = explained or not check["passed"]
    if result["checks"]:
        parts.append(checks)
    parts += [Text(message) for message in result["messages"]]
    if result.get("problem"):
        parts += [Text(), Text(result["problem"].rstrip())]
    parts += [Text(_facts(run), style="dim") for run in result["runs"]]
    return Group(*parts)


def _check(check: dict[str, Any], *, full: bool) -> tuple[Text, Text]:
    symbol, colour = ("✓ passed", "$good") if check["passed"] else ("✗ failed", "$bad")
    if check.get("status") == "in doubt":
        symbol = "✓ passed, in doubt"
    unit = f" {check['unit']}" if check.get("unit") else ""
    sign = "≤" if check.get("direction") == "at_most" else "≥"
    low, high = check["interval"]
    text = Text()
    text.append(f"{check['title']}\n", style="bold")
    text.append(f"{check['value']:.4g}{unit}, needed {sign} {check['threshold']:g}{unit}")
    if low < high:
        text.append(f" (95 %: {low:.4g} to {high:.4g}, n = {check['n']})")
    text.append(f", {check['points']:g} of {check['max_points']:g} points")
    if not check["passed"] and check["message"] and full:
        text.append(f"\n→ {check['message']}")
    return Text(symbol, style=f"bold {colour}"), text


def _facts(run: dict[str, Any]) -> str:
    sandboxes = {
        "none": "without a sandbox",
        "bubblewrap": "in a sandbox",
        "fork-server": "in a sandbox of the fork server",
        "landlock": "in a landlock sandbox",
    }
    sandbox = sandboxes.get(run["sandbox"], run["sandbox"])
    device = run["device"] or "no device"
    return (
        f"fit took {run['fit_s']:.1f} s of {run['wall_time_s']:.1f} s on {device}, {run['peak_rss_mb']:.0f} MB, "
        f"{sandbox}, seed {run['seed']}"
    )
