"""`tlcourse lab`: live experiments with the lecture's methods."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, Events, Json, Plain
from tlcourse.cli.own_record import own_record
from tlcourse.errors import ExitCode, UsageError
from tlcourse.text import counted, misspelt

if TYPE_CHECKING:
    from tlcourse.course.lab import Lab
    from tlcourse.labs.recorded import RecordedRun
    from tlcourse.labs.result import KeptRun, LabResult

app = typer.Typer(
    help="Run the lecture's methods, each beside its control.", no_args_is_help=True, rich_markup_mode=None
)
_MOST = 3
"""Earlier runs at a time; with more nobody could tell them apart on the screen."""
LabName = Annotated[str, typer.Argument(metavar="NAME", help="See: tlcourse lab list")]


@app.command("list")
def list_labs(course: CourseFolder = None, json: Json = False, plain: Plain = False) -> None:
    """All labs of the course, in the order of its units, and what you have done with each."""
    from tlcourse.course.loader import load_course
    from tlcourse.labs.result import kept_runs
    from tlcourse.presenting.lab_run import state

    labs = list(_labs(course).values())
    with own_record() as record:
        predictions = record.predictions(load_course(course).about.id)
    runs = {lab.id: len(kept_runs(lab.id)) for lab in labs}
    right = {lab.id: predictions[lab.id][1] if lab.id in predictions else None for lab in labs}
    if json:
        rows = [
            {"id": lab.id, "title": lab.title, "unit": lab.unit, "claim": lab.claim, "runs": runs[lab.id],
             "predicted": lab.id in predictions, "right": right[lab.id] if runs[lab.id] else None}
            for lab in labs
        ]  # fmt: skip
        out.document({"schema": 1, "labs": rows})
        return
    for lab in labs:
        done = state(right[lab.id], runs[lab.id]).text
        if plain:
            out.say(f"lab: {lab.id}: {lab.title}: {done}")
        else:
            out.say(f"{lab.id:<22} {lab.title:<44} {done}\n{'':<22} {lab.claim}")


@app.command("show")
def show(
    name: LabName,
    runs: Annotated[bool, typer.Option("--runs", help="Its kept runs instead, for play and --overlay.")] = False,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """The claim, the question to answer first, the arms and the settings of a lab."""
    from tlcourse.course.loader import load_course
    from tlcourse.labs.result import kept_runs

    lab = _find(name, course)
    if runs:
        _show_runs(lab, json=json)
        return
    if json:
        out.document({"schema": 1, "lab": lab, "kept_runs": kept_runs(lab.id)})
        return
    with own_record() as record:
        options = lab.prediction.shown(lab.id, record.seed(load_course(course).about.id))
    out.say(f"{lab.title}\n\nClaim: {lab.claim}\n\nPredict first: {lab.prediction.prompt}")
    for letter, option in zip("abcdefgh", options, strict=False):
        out.say(f"  {letter}) {option.text}")
    out.say("\nArms:")
    for arm in lab.arms:
        out.say(f"  {arm.id:<14} {arm.title} ({arm.role})")
    out.say("\nSettings (--set NAME=VALUE):")
    for one in lab.settings:
        out.say(f"  {one.id:<14} {one.default:g}  from {one.low:g} to {one.high:g}: {one.help}")
    if plain:
        return
    out.say(f"\nThe lesson: tlcourse lesson show {lab.unit}")
    out.say(f"Run it: tlcourse lab run {lab.id} --seeds 8")
    if "full" in lab.data:
        out.say(f"On real data: tlcourse lab run {lab.id} --data full")


@app.command("run")
def run(
    name: LabName,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="K=V", help="Change a setting.")] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=100, help="Runs; from 2 on there are intervals.")] = 1,
    first: Annotated[int, typer.Option("--first-seed", min=0, help="The seed of the first run.")] = 1,
    overlay: Annotated[
        list[int] | None,
        typer.Option("--overlay", metavar="RUN", help="Show a kept run beside it; may be given three times."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="Seeds side by side; 0: as many as cores.")] = 0,
    data: Annotated[
        str,
        typer.Option("--data", metavar="mini|full", help="full: real data, where `lab show` names them."),
    ] = "mini",
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
    events: Events = False,
) -> None:
    """Train every arm, and compare method and control; the run is kept, and can be shown again."""
    import msgspec

    from tlcourse.labs.result import LabResult, Recorder
    from tlcourse.labs.runner import run_lab, settings_of

    lab = _find(name, course)
    chosen = settings_of(lab, _pairs(settings or []))
    earlier = _overlaid(lab, overlay or [])
    recorder, result = Recorder(lab.id), None

    def take(event: dict[str, Any]) -> None:
        recorder.take(event)
        if events:
            out.event(event)
        elif event["type"] == "note":
            out.note(event["text"])
        elif event["type"] == "seed":
            values = "  ".join(f"{arm} {value:.3f}" for arm, value in event["values"].items())
            out.note(f"seed {event['seed']}: {values}  ({event['seconds']:.1f} s)")

    try:
        with out.waiting(f"Training {len(lab.arms)} arms", quiet=json or plain or events):
            result = run_lab(lab, chosen, list(range(first, first + seeds)), take, data=data, jobs=jobs)
    finally:
        recorder.close(result)
    assert isinstance(result, LabResult)
    if events:
        out.event({"v": 1, "type": "result", "result": result})
        return
    document = msgspec.to_builtins(result)
    if json and earlier:
        document["overlay"] = msgspec.to_builtins(earlier)
    _show(lab, document, json=json, plain=plain, number=recorder.number)
    if not json:
        for line in _beside(result, earlier, plain=plain):
            out.say(line)


@app.command("play")
def play(
    name: LabName,
    number: Annotated[
        int | None, typer.Argument(metavar="RUN", min=1, help="One of your runs; default: the recorded one.")
    ] = None,
    ascii_only: Annotated[bool, typer.Option("--ascii", help="No character beyond ASCII.")] = False,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Play a run that was recorded, without torch; where there is no terminal, say what its result was."""
    from tlcourse.cli.start import on_a_terminal, open_app
    from tlcourse.paths import content_folder

    if json or plain or not on_a_terminal():
        _tell(_find(name, course), number, course, json=json, plain=plain)
        return
    known = Path(name).name == name and (content_folder(course) / "labs" / f"{name}.yaml").is_file()
    if number is not None or not known:
        _run_of(_find(name, course), number, course)  # it is there; else the app reads the labs, once
    open_app(course, ascii_only=ascii_only, route=f"play/{name}/{number or 0}")


def _run_of(lab: Lab, number: int | None, course: Path | None) -> RecordedRun:
    """A kept run, or the recorded one; raises UsageError where there is none."""
    import json

    from tlcourse.labs.recorded import read_run, recorded
    from tlcourse.labs.result import replay
    from tlcourse.paths import content_folder

    given = recorded(content_folder(course), lab.id) if number is None else None
    return given or read_run(json.dumps(event) for event in replay(lab.id, number))


def _tell(lab: Lab, number: int | None, course: Path | None, *, json: bool, plain: bool) -> None:
    import msgspec

    run = _run_of(lab, number, course)
    result = msgspec.to_builtins(run.result)
    if json:
        about = msgspec.to_builtins(run.about)
        out.document({"schema": 2, "lab": lab.id, "about": about, "events": run.events, "result": result})
        return
    if run.about is not None:
        facts = run.about
        out.say(
            f"Recorded {facts.date} with tlcourse {facts.tlcourse}, torch {facts.torch}; {facts.seconds:g} s a seed"
        )
    for line in _curves(run.events, lab.moves):
        out.say(line)
    if result is None:
        out.say("This run ended without a result.")
        raise typer.Exit(ExitCode.NOT_PASSED)
    _show(lab, result, json=False, plain=plain, number=number)


def _show(lab: Lab, result: dict[str, Any], *, json: bool, plain: bool, number: int | None) -> None:
    if json:
        out.document(result)
        return
    say = out.say
    papers = [paper.title for paper in lab.paper]
    better = "higher is better" if lab.measure.better == "higher" else "lower is better"
    say(f"{lab.measure.title} ({better}), {len(result['seeds'])} seed(s), {result['seconds']:.0f} s")
    for arm in result["arms"]:
        low, high = arm["interval"]
        interval = f"  {low:.3f} to {high:.3f} at 95 %" if low is not None else ""
        figures = "".join(f"   paper: {arm['paper'][title]:g}" for title in papers if title in arm["paper"])
        if plain:
            say(f"arm: {arm['id']}: {arm['role']}: {arm['mean']:.4f}{interval}{figures}")
        else:
            say(f"  {arm['title']:<34} {arm['role']:<9} {arm['mean']:7.3f}{interval}{figures}")
    for paper in lab.paper:
        say(f"Paper: {paper.title}." + (f" {paper.note}" if paper.note else ""))
    say(result["verdict"])
    if not plain:
        say("\n" + lab.explanation.rstrip())
        say("\n" + _as_a_command(lab))
        if number:
            out.note(f"Kept as run {number}; again: tlcourse lab play {lab.id} {number}")


def _as_a_command(lab: Lab) -> str:
    """How a setting is changed here: the explanation's first advice, such as "Set `shift` to 4", as a command."""
    advised = re.search(r"`(\w+)`\s+(?:to\s+)?(\d+(?:\.\d+)?)", lab.explanation)
    known = {setting.id for setting in lab.settings}
    name, value = advised.groups() if advised and advised[1] in known else ("NAME", "VALUE")
    return f"To change a setting: tlcourse lab run {lab.id} --set {name}={value}"


def _curves(events: list[dict[str, Any]], moves: str) -> Iterator[str]:
    """Every curve of the first child, and its pictures of features, in words."""
    from tlcourse.presenting.words import curve, embedding, embedding_title

    pictures: dict[str, str] = {}
    found: dict[str, list[tuple[float, float]]] = {}
    for event in events:
        if event["type"] == "metric" and event.get("seed_group", 0) == 0:
            for name, value in event["values"].items():
                with contextlib.suppress(ValueError):
                    found.setdefault(name, []).append((event["step"], float(value)))
        elif event["type"] == "embedding" and event.get("seed_group", 0) == 0:
            pictures[embedding_title(event)] = embedding(event, moves)
    for name, points in found.items():
        yield curve(name, points)
    yield from pictures.values()


def _show_runs(lab: Lab, *, json: bool) -> None:
    import msgspec

    from tlcourse.labs.result import kept_run, kept_runs

    runs = [kept_run(lab.id, number) for number in kept_runs(lab.id)]
    if json:
        out.document({"schema": 1, "lab": lab.id, "kept_runs": msgspec.to_builtins(runs)})
        return
    for one in runs:
        out.say(f"run {one.number}: {one.words}")
    if not runs:
        out.say(f"No run is kept yet: tlcourse lab run {lab.id}")


def _overlaid(lab: Lab, numbers: Sequence[int]) -> list[KeptRun]:
    """The kept runs of these numbers, before anything is trained; raises UsageError where one has nothing to show."""
    from tlcourse.labs.result import kept_run

    if len(set(numbers)) > _MOST:
        raise UsageError(f"--overlay was given {len(numbers)} runs, expected at most {_MOST}.")
    runs = [kept_run(lab.id, number) for number in dict.fromkeys(numbers)]
    for run in runs:
        if run.result is None:
            raise UsageError(
                f"Run {run.number} of {lab.id} ended without a result.",
                cause="it was stopped, diverged, or another version of the course kept it.",
                remedy=f"tlcourse lab show {lab.id} --runs lists the others.",
            )
    return runs


def _beside(result: LabResult, earlier: Sequence[KeptRun], *, plain: bool) -> Iterator[str]:
    """Each earlier run: what was set otherwise, and every arm's mean with its distance from the present one."""

    present = {arm.id: arm.mean for arm in result.arms}
    for run in earlier:
        assert run.result is not None
        other = [
            f"{name}={value:g}" for name, value in run.result.settings.items() if result.settings.get(name) != value
        ]
        seeds = len(run.result.seeds)
        about = f"{counted(seeds, 'seed')}, {', '.join(other) or 'the same settings'}"
        yield f"run {run.number}: {about}" if plain else f"\nRun {run.number} beside it ({about}):"
        for arm in run.result.arms:
            by = f"{present[arm.id] - arm.mean:+.4f}" if arm.id in present else "no such arm"
            if plain:
                yield f"run {run.number}: arm: {arm.id}: {arm.mean:.4f}, present run {by}"
            else:
                yield f"  {arm.title:<34} {arm.mean:7.3f}   present run {by}"


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign:
            raise UsageError(f"--set {one} has no `=`.", remedy="--set NAME=VALUE")
        pairs[name] = value
    return pairs


def _labs(course: Path | None) -> dict[str, Lab]:
    from tlcourse.course.lab import load_labs
    from tlcourse.course.loader import load_course

    loaded = load_course(course)
    return load_labs(loaded.folder, [unit.id for unit in loaded.about.units])


def _find(name: str, course: Path | None) -> Lab:
    labs = _labs(course)
    if name not in labs:
        raise UsageError(
            f"There is no lab {name!r}.",
            cause=misspelt(name, labs) if labs else "this course has no labs.",
            remedy=f"use one of: {', '.join(labs)}." if labs else "tlcourse lesson list",
        )
    return labs[name]
