"""`tlcourse doctor`: what works on this machine, and what would mend the rest."""

from __future__ import annotations

import typer

from tlcourse.cli import out
from tlcourse.cli.options import Json, Plain
from tlcourse.errors import ExitCode


def doctor(json: Json = False, plain: Plain = False) -> None:
    """Say what works on this machine, and what would mend the rest."""
    from tlcourse.presenting.machine import examine

    findings = examine()
    fit = all(finding.works for finding in findings if finding.needed)
    if json:
        out.document({"schema": 1, "fit": fit, "findings": findings})
    else:
        for finding in findings:
            mark = "✓ works  " if finding.works else "✗ lacks  " if finding.needed else "– without"
            if plain:
                mark = "works:" if finding.works else "lacks:" if finding.needed else "without:"
            out.say(f"{mark} {finding.name}: {finding.detail}")
            if finding.remedy and not finding.works:
                out.say(f"{'remedy:' if plain else '          to mend it:'} {finding.remedy}")
    if not fit:
        raise typer.Exit(ExitCode.UNABLE)
