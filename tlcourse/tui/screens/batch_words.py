"""What the Batch screen says: the summary of a batch, and a line for each hand-in and each person."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tlcourse.grading.batch.state import BatchState
from tlcourse.grading.gradebook.deadlines import Kept
from tlcourse.grading.gradebook.people import STATES, PersonStatus
from tlcourse.grading.gradebook.records import BatchRecord, GradeStatus
from tlcourse.presenting.verdict import OUTCOMES
from tlcourse.presenting.words import due, duration
from tlcourse.text import counted, typed
from tlcourse.tui.clusters import on as on_backend
from tlcourse.tui.screens.hand_in import clean
from tlcourse.tui.text import Text

_CAUSES, _OWNERS = 8, 3
_MARKS = {"unmatched": ("?", "doubt"), "nothing": ("–", "bad"), "by hand": ("✓", "good"), "to mark": ("○", "muted")}


def states_in_words(people: list[PersonStatus]) -> str:
    """`110 people: 104 graded, 3 handed in nothing, 2 not matched, 1 excused`."""
    counts = Counter(one.state for one in people)
    words = {**STATES, "by hand": "set by hand", "to mark": "waiting for marks by hand"}
    said = ", ".join(f"{number} {words[state]}" for state, number in counts.most_common())
    return f"{counted(len(people), 'person', 'people')}: {said}"


def summary(record: BatchRecord, state: BatchState, asked: int, people: list[PersonStatus], kept: Kept | None) -> Text:
    text = Text()
    going = "is being graded" if state.going else "stopped" if state.waiting or state.infra else "done"
    text.append(f"{state.final} of {state.total} graded, {going}\n", style="bold")
    facts = []
    if state.rate_per_minute is not None:
        facts.append(f"{state.rate_per_minute:.1f} a minute")
    if state.seconds_left is not None:
        facts.append(f"about {duration(state.seconds_left)} left")
    if facts:
        text.append(", ".join(facts) + "\n", style="not bold")
    for outcome, number in sorted(state.counts.items(), key=lambda item: -item[1]):
        text.append(f"{number:>5}  {OUTCOMES[outcome].full}\n", style=f"not bold ${OUTCOMES[outcome].tone}")
    if state.waiting:
        text.append(f"{state.waiting:>5}  {OUTCOMES['waiting'].word}\n", style="not bold")
    text.append(f"{states_in_words(people)}\n", style="not bold")
    if kept is not None and kept.deadline is not None:
        text.append(f"due {due(kept.deadline)}\n", style="not bold")
    if asked:
        said = f"{counted(asked, 'open request')}: tlcourse ta requests {record.exercise}\n"
        text.append(said, style="not bold")
    text.append(f"graded {on_backend(record.settings.get('on', 'local'))}\n", style="not bold dim")
    if state.queue:
        text.append(f"{clean(state.queue)}\n", style="not bold")
    for owner, seconds in state.running:
        text.append(f"now: {clean(owner)} {seconds:.0f} s\n", style="not bold")
    if state.failures:
        text.append("Failures by cause\n", style="bold")
    for group in state.failures[:_CAUSES]:
        names = ", ".join(clean(owner) for owner in group.owners[:_OWNERS])
        more = f" and {len(group.owners) - _OWNERS} more" if len(group.owners) > _OWNERS else ""
        text.append(f"{len(group.owners)} × {group.outcome}: {clean(group.cause)} ({names}{more})\n", style="not bold")
    for owner, seconds in state.slowest:
        text.append(f"slow: {clean(owner)} {seconds:.0f} s\n", style="not bold dim")
    if not state.going and state.waiting:
        text.append(
            f"\nContinue with: tlcourse batch {record.exercise} {typed(record.source)} --resume\n", style="italic"
        )
    return text


def handin_line(status: GradeStatus, asked: set[str]) -> Text:
    """One hand-in: a symbol, its owner, the outcome in words, the points, and what is not as for all others."""
    outcome = OUTCOMES[status.outcome]
    points = "" if status.points is None else f" {status.points:g}"
    more = ["overridden"] if status.override is not None else []
    if unset := status.to_mark(""):
        more.append(f"to mark by hand: {', '.join(unset)}")
    if status.late is not None and status.late.days:
        more.append(f"{counted(status.late.days, 'day')} late")
    own = {p: got for p in status.handin.members if (got := status.points_of(p)) != status.points}
    if len(own) > _OWNERS:
        more.append(f"{len(own)} with points of their own")
    elif own:
        said = (f"{clean(person)} {'none' if got is None else f'{got:g}'}" for person, got in own.items())
        more.append(f"but {', '.join(said)}")
    if asked & {status.handin.key, *(f"person:{one}" for one in status.handin.members)}:
        more.append("a request")
    if status.handin.left_behind:
        more.append("counts for nobody")
    text = Text(no_wrap=True, overflow="ellipsis").append(f"{outcome.mark} ", style=f"${outcome.tone}")
    text.append(f"{clean(status.handin.owner)}  ")
    text.append(f"{outcome.word}{points}" + (f" ({'; '.join(more)})" if more else ""))
    return text


def person_line(person: PersonStatus, status: GradeStatus | None, asked: set[str]) -> Text:
    """One person: a symbol, the name, the group, the state, the points, how late, and whether they ask for a look."""
    outcome = OUTCOMES[status.outcome] if status is not None else None
    mark, tone = (outcome.mark, outcome.tone) if outcome else _MARKS.get(person.state, ("–", "muted"))
    word = outcome.word if outcome and person.state in ("graded", "waiting", "ours") else STATES[person.state]
    points = "" if person.points is None else f" {person.points:g}"
    more = []
    late = status.late_of(person.person.id) if status is not None else None
    if late is not None and late.days:
        more.append(f"{counted(late.days, 'day')} late")
    if f"person:{person.person.id}" in asked or (status is not None and status.handin.key in asked):
        more.append("a request")
    text = Text(no_wrap=True, overflow="ellipsis").append(f"{mark} ", style=f"${tone}")
    text.append(f"{clean(person.named)}  ")
    text.append(f"{clean(person.group)}  " if person.group else "", style="dim")
    text.append(f"{word}{points}" + (f" ({'; '.join(more)})" if more else ""))
    return text


def export_command(record: BatchRecord, *, newest: bool, course: Path | None) -> str:
    """The command that makes the file which the batch's own platform takes, filled into its own export."""
    form = {
        **{one: f"{one} --template THEIR-EXPORT.csv --output marks.csv" for one in ("brightspace", "canvas", "moodle")},
        "gradescope": "gradescope --output results.zip",
    }.get(record.platform, "csv --output marks.csv")
    which = "" if newest else f" --batch {record.id}"
    where = f" --course {typed(str(course))}" if course else ""
    return f"tlcourse ta export {record.exercise} --format {form}{which}{where}"
