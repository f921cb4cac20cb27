"""`tlcourse ta`: for teaching assistants and lecturers."""

from __future__ import annotations

import typer

from tlcourse.cli import fairness

app = typer.Typer(help="For assistants and lecturers.", no_args_is_help=True, rich_markup_mode=None)
app.command("fairness")(fairness.fairness)
