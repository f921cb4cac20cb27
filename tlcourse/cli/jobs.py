"""`tlcourse jobs`: runs on clusters, found again whenever one looks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tlcourse.cli import out
from tlcourse.cli.options import Events, Json, Plain
from tlcourse.errors import InfraError, TlcourseError, UsageError

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.request import Request, Requests
    from tlcourse.grading.result import Result

app = typer.Typer(help="Runs on clusters.", no_args_is_help=True)
RunNumber = Annotated[str, typer.Argument(metavar="RUN", help="Its number in `tlcourse jobs list`, or: last")]
_COLLECT_S = 20.0


@app.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Those that ended long ago too.")] = False,
    kept: Annotated[bool, typer.Option("--kept", help="What is known here; no cluster is asked.")] = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Say how every run stands; those that have ended are fetched and marked now."""
    from tlcourse.cli.cluster import requests

    known = requests()
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
    from tlcourse.cli.cluster import attend, requests
    from tlcourse.cli.grade import EXIT_CODES
    from tlcourse.cli.verdict import Live, lines

    kept = requests()
    one = kept.find(run)
    exercise = _exercise(one)
    result = kept.result(one)
    if result is None:
        _refuse_ended(one)
        live = Live(plain=plain)
        with kept.attending(one) as free:
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
    """Take a run back: its jobs are cancelled, and nothing is counted."""
    from tlcourse.cli.cluster import requests
    from tlcourse.cluster.pool import shell_for
    from tlcourse.cluster.sbatch_errors import BusyError
    from tlcourse.cluster.shell import ConnectionLostError
    from tlcourse.cluster.submit import cancel_arrays, unreachable

    kept = requests()
    one = kept.find(run)
    if one.state == "open":
        shell = shell_for(one.settings, one.profile)
        journal = kept.journal(one)
        try:
            cancel_arrays(shell, journal.open)
        except ConnectionLostError as error:
            raise unreachable(shell, error) from None
        except BusyError as error:
            raise InfraError(
                f"Run {one.id} was not cancelled. {error}",
                cause="Slurm is busy on the cluster, or is being restarted.",
                remedy=f"give the command again in a minute: tlcourse jobs cancel {one.id}",
            ) from None
        for sent in journal.open:
            sent.over = True
            journal.keep(sent)
        kept.end(one, "cancelled")
    if json:
        out.document({"schema": 1, "job": _row(one)})
    else:
        out.say(_line(_row(one), plain=plain))


def _facts(kept: Requests, open_: list[Request]) -> dict[str, dict[str, Any]]:
    """What the clusters say of open runs, each asked once; what has ended is collected."""
    found: dict[str, dict[str, Any]] = {}
    by_profile: dict[tuple[str, str | None], list[Request]] = {}
    for one in open_:
        by_profile.setdefault((one.profile, one.settings.host), []).append(one)
    for same in by_profile.values():
        try:
            found.update(_ask(kept, same))
        except TlcourseError as error:
            found.update({one.id: {"said": error.what, "reached": False} for one in same})
    return found


def _ask(kept: Requests, same: list[Request]) -> dict[str, dict[str, Any]]:
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


def _collect(kept: Requests, one: Request) -> dict[str, Any]:
    """Fetch and mark what has ended; where a further run is needed, it is sent, and looked at next time."""
    from tlcourse.grading.request import NotYetError

    with kept.attending(one) as free:
        if not free:
            return {"said": "Another tlcourse is attending to it."}
        try:
            result = kept.carry_out(one, _exercise(one), lambda _: None, wait_s=_COLLECT_S)
        except NotYetError:
            return {"said": "It is not ended yet, or was sent again."}
        except TlcourseError as error:
            if not any(sent.job for sent in kept.journal(one).open):
                kept.end(one, "failed", error.what)
            return {"said": error.what}
    _record(one, result)
    return {}


def _record(one: Request, result: Result) -> None:
    """A verdict that comes late counts as one that came at once."""
    from tlcourse.cli.grade import record

    if one.scored:
        record(result, Path(one.course) if one.course else None)


def _exercise(one: Request) -> LoadedExercise:
    from tlcourse.cli.exercise import find

    return find(one.exercise, Path(one.course) if one.course else None)


def _refuse_ended(one: Request) -> None:
    if one.state != "open":
        raise UsageError(
            f"Run {one.id} {'was cancelled' if one.state == 'cancelled' else 'failed'}, and has no verdict.",
            cause=one.said,
            remedy=f"send it again: tlcourse grade {one.exercise} {one.path} --on {one.profile}",
        )


def _attended(one: Request) -> UsageError:
    return UsageError(
        f"Run {one.id} is attended to already.", cause="another tlcourse follows it.", remedy="tlcourse jobs list"
    )


def _row(one: Request) -> dict[str, Any]:
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
