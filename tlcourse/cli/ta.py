"""`tlcourse ta`: for teaching assistants and lecturers."""

from __future__ import annotations

import typer

from tlcourse.cli import fairness, ta_decide, ta_regrade, ta_report

app = typer.Typer(help="For assistants and lecturers.", no_args_is_help=True, rich_markup_mode=None)
app.command("report")(ta_report.report)
app.command("feedback")(ta_report.feedback)
app.command("override")(ta_decide.override)
app.command("regrade")(ta_regrade.regrade)
app.command("export")(ta_decide.export)
app.command("similar")(ta_report.similar)
app.command("fairness")(fairness.fairness)
app.add_typer(ta_decide.secret_app, name="secret")
