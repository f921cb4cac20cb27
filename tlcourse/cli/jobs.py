"""`tlcourse jobs`: runs on clusters, found again whenever one looks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tlcourse.cli import out
from tlcourse.cli.options import Events, Json, Plain
from tlcourse.errors import TlcourseError, UsageError

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.remote_grading import RunStore, SavedRun
    from tlcourse.grading.result import Result

app = typer.Typer(help="Runs on clusters.", no_args_is_help=True)
RunNumber = Annotated[str, typer.Argument(metavar="RUN", help="Its number in `tlcourse jobs list`, or: last")]


@app.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Those that ended long ago too.")] = False,
    kept: Annotated[bool, typer.Option("--kept", help="What is known here; no cluster is asked.")] = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Say how every run stands; those that have ended are fetched and marked now."""
    from tlcourse.cli.cluster import run_store

    known = run_store()
    shown = [one for one in known.all() if all_ or one.state == "open" or time.time() - one.created < 14 * 86400]
    facts = {} if kept else _facts(known, [one for one in shown if one.state == "open"])
    rows = [{**_row(one), **facts.get(one.id, {})} for one in (known.find(one.id) for one in shown)]
    if json:
        out.document({"schema": 1, "jobs": rows})
        return
    if not rows:
        out.say("No run was sent to a cluster. Send one: tlcourse grade ex2 --on PROFILE")
    for row in rows:
        out.say(_line(row, plain=plain))


@app.command("tail")
def tail(run: RunNumber = "last", json: Json = False, plain: Plain = False, events: Events = False) -> None:
    """Follow a run to its end, from its beginning; then its verdict. ctrl-c leaves it running."""
    from tlcourse.cli.cluster import attend, run_store
    from tlcourse.cli.grade import EXIT_CODES
    from tlcourse.cli.verdict import Live, lines

    kept = run_store()
    one = kept.find(run)
    exercise = _exercise(one)
    result = kept.result(one)
    if result is None:
        _refuse_ended(one)
        live = Live(plain=plain)
        with kept.watched(one) as free:
            if not free:
                raise _attended(one)
            try:
                result = attend(kept, one, exercise, out.event if events else live.show, asks=False)
            finally:
                live.clear()
        _record(one, result)
    if events:
        out.event({"v": 1, "type": "verdict", "result": result})
        raise typer.Exit(EXIT_CODES[result.outcome])
    if json:
        out.document(result)
    for line in lines(exercise, result, plain=plain, scored=one.scored):
        (out.note if json else out.say)(line)
    raise typer.Exit(EXIT_CODES[result.outcome])


@app.command("cancel")
def cancel(run: RunNumber, json: Json = False, plain: Plain = False) -> None:
    """Cancel a run: its jobs end, and nothing is counted."""
    from tlcourse.cli.cluster import run_store

    kept = run_store()
    one = kept.find(run)
    if one.state == "open":
        kept.cancel(one)
    if json:
        out.document({"schema": 1, "job": _row(one)})
    else:
        out.say(_line(_row(one), plain=plain))


def _facts(kept: RunStore, open_: list[SavedRun]) -> dict[str, dict[str, Any]]:
    """What the clusters say of open runs, each asked once; what has ended is collected."""
    found: dict[str, dict[str, Any]] = {}
    by_profile: dict[tuple[str, str | None], list[SavedRun]] = {}
    for one in open_:
        by_profile.setdefault((one.profile, one.settings.host), []).append(one)
    for same in by_profile.values():
        try:
            found.update(_ask(kept, same))
        except TlcourseError as error:
            found.update({one.id: {"said": error.what, "reached": False} for one in same})
    return found


def _ask(kept: RunStore, same: list[SavedRun]) -> dict[str, dict[str, Any]]:
    from tlcourse.cluster import slurm
    from tlcourse.cluster.pool import shell_for
    from tlcourse.cluster.queue import in_words, queue_load
    from tlcourse.cluster.sbatch_errors import explain
    from tlcourse.cluster.shell import ConnectionLostError
    from tlcourse.cluster.submit import unreachable

    profile = same[0].settings
    shell = shell_for(profile, same[0].profile)
    rounds = {one.id: kept.journal(one).open for one in same}
    folders = [sent.folder for sents in rounds.values() for sent in sents if sent.folder]
    numbers = frozenset(sent.job for sents in rounds.values() for sent in sents if sent.job)
    try:
        answer = slurm.ask(shell, folders, [])
        crowded = queue_load(shell, profile, numbers)
    except ConnectionLostError as error:
        raise unreachable(shell, error) from None
    found: dict[str, dict[str, Any]] = {}
    states = answer.states or {}
    for one in same:
        state = next((states[sent.job] for sent in rounds[one.id] if sent.job in states), None)
        if state is not None and state.live:
            sentence = explain(state.state, state.reason, partition=state.partition, job=state.id)
            facts: dict[str, Any] = {"job": state.id, "slurm": state.state, "node": state.node, "said": sentence.text}
            if state.state == "PENDING" and crowded is not None:
                facts["crowd"] = in_words(crowded, profile.places)
                facts["position"] = crowded.position
            found[one.id] = facts
        else:
            found[one.id] = _collect(kept, one)
    return found


def _collect(kept: RunStore, one: SavedRun) -> dict[str, Any]:
    """Its verdict, recorded, where it has ended; else why there is none yet."""
    result = kept.collect(one, _exercise(one))
    if isinstance(result, str):
        return {"said": result}
    _record(one, result)
    return {}


def _record(one: SavedRun, result: Result) -> None:
    """A verdict that comes late counts as one that came at once."""
    from tlcourse.cli.grade import record

    if one.scored:
        record(result, Path(one.course) if one.course else None)


def _exercise(one: SavedRun) -> LoadedExercise:
    from tlcourse.course.loader import load_course

    return load_course(Path(one.course) if one.course else None).exercise(one.exercise)


def _refuse_ended(one: SavedRun) -> None:
    if one.state != "open":
        raise UsageError(
            f"Run {one.id} {'was cancelled' if one.state == 'cancelled' else 'failed'}, and has no verdict.",
            cause=one.said,
            remedy=f"send it again: tlcourse grade {one.exercise} {one.path} --on {one.profile}",
        )


def _attended(one: SavedRun) -> UsageError:
    return UsageError(
        f"Run {one.id} is followed already.", cause="another tlcourse follows it.", remedy="tlcourse jobs list"
    )


def _row(one: SavedRun) -> dict[str, Any]:
    return {
        "run": one.id,
        "command": "grade" if one.scored else "run",
        "exercise": one.exercise,
        "path": one.path,
        "on": one.profile,
        "state": one.state,
        "outcome": one.outcome,
        "points": one.points,
        "max_points": one.max_points,
        "created": one.created,
        "said": one.said,
    }


def _line(row: dict[str, Any], *, plain: bool) -> str:
    from tlcourse.text import harmless

    if row["state"] == "ended":
        state = f"{row['outcome']}, {row['points']:g} of {row['max_points']:g} points"
        state = state if row["command"] == "grade" else "runs" if row["outcome"] == "pass" else row["outcome"]
    else:
        state = row["state"] if row["state"] != "open" else row.get("slurm", "open").lower()
    parts = [row.get("said", ""), row.get("crowd", "")]
    said = "; ".join(part for part in parts if part)
    path = harmless(row["path"]).replace("\n", " ")
    head = [row["run"], row["exercise"], row["on"], state, path]
    text = "\t".join(head) if plain else f"{row['run']:>4}  {row['exercise']:<6} {row['on']:<12} {state:<24} {path}"
    return text + (f"{chr(9) if plain else '  – '}{said}" if said else "")
