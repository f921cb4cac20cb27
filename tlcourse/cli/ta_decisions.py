"""What the staff decides of marks: a row each, with who, when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out, ta_merge
from tlcourse.cli.options import ExerciseName, Json, Plain
from tlcourse.cli.staff_options import ChosenBatch, Who
from tlcourse.errors import UsageError
from tlcourse.presenting.words import in_points
from tlcourse.storage import user
from tlcourse.text import line, typed

if TYPE_CHECKING:
    pass


def override(
    exercise: ExerciseName,
    whom: Annotated[
        str,
        typer.Argument(metavar="WHO", help="A group, a folder, or anybody of the lists: id, user name, address, name."),
    ],
    chosen: ChosenBatch,
    points: Annotated[float | None, typer.Option("--points", min=0, help="The points that count.")] = None,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Let the graded points count again.")] = False,
    excuse: Annotated[bool, typer.Option("--excuse", help="No mark is to be given, and none is missing.")] = False,
    show_why: Annotated[bool, typer.Option("--show-why", help="Tell the reason to whom it concerns.")] = False,
    who: Who = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Set somebody's points by hand: a new row with who, when and why, which a regrade leaves in force."""
    from tlcourse.grading.gradebook.changes import decide
    from tlcourse.presenting.report.report_data import max_points

    if (points is not None) + withdraw + excuse != 1:
        raise UsageError("Give one of --points, --withdraw, --excuse.", remedy='such as: --points 8 --why "…"')
    if not why.strip():
        raise UsageError(
            "An override needs its reason.", cause="marks that were changed are asked about later.", remedy='--why "…"'
        )
    with chosen.writing(exercise, "tlcourse ta override") as (found, book, record):
        most = max_points(record, found)
        if points is not None and not points <= most:
            raise UsageError(
                f"{points:g} points are more than the {most:g} of {found.about.id}.", remedy=f"--points {most:g}"
            )
        by = who or user()
        done = decide(book, record, whom, points, who=by, why=why.strip(), excused=excuse, shown=show_why)
    words = "excused" if excuse else "as graded" if points is None else f"{points:g}"
    if json:
        decided = {"target": done.targets[0], "targets": done.targets, "points": points, "excused": excuse}
        out.document({"schema": 1, "exercise": found.about.id, **decided})
    elif plain:
        out.say("\n".join([*(f"target: {target}" for target in done.targets), f"points: {words}"]))
    elif points is None:
        out.say(f"{whom}: " + ("excused." if excuse else "the graded points count again."))
    else:
        out.say(f"{whom}: {in_points(points)}.")
    for one in done.said:
        out.note(one)


def mark(
    exercise: ExerciseName,
    chosen: ChosenBatch,
    whom: Annotated[
        str,
        typer.Argument(
            metavar="[WHO]", help="A group, a folder, or anybody of the lists: id, user name, address, name."
        ),
    ] = "",
    part: Annotated[
        str, typer.Argument(metavar="[PART/ITEM]", help="An item of a rubric: report/figures, or figures alone.")
    ] = "",
    points: Annotated[float | None, typer.Argument(metavar="[POINTS]", help="What it earns, from 0 on.")] = None,
    comment: Annotated[
        str | None, typer.Option("--comment", help='For whom it concerns, on an item or the whole; "" takes it away.')
    ] = None,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record; needed where a mark changes.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="As if nothing of the item had been set.")] = False,
    todo: Annotated[bool, typer.Option("--todo", help="List what is not marked yet, or was changed since.")] = False,
    who: Who = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Set the points of an item that people mark, or comment on it or the whole: a new row with who and when.

    With WHO alone, show what was handed in to be marked, and the rubric.
    """
    from tlcourse.cli import ta_marking
    from tlcourse.grading.gradebook.by_hand import Given, give, hand_marks, in_force, item_called, meant

    setting = withdraw or points is not None or comment is not None
    if todo or (whom and not part and not setting):
        if todo and (whom or setting):
            raise UsageError("--todo is of the whole class.", remedy=f"tlcourse ta mark {exercise} --todo")
        with chosen.reading(exercise) as (found, book, record):
            if todo:
                ta_marking.say_todo(found.about, book, record, json=json, plain=plain)
            else:
                ta_marking.say_sheet(found, book, record, whom, json=json, plain=plain)
        return
    if not whom or withdraw == (points is not None or comment is not None) or (points is not None and not part):
        raise UsageError(
            "Give PART and POINTS, or --comment, or --withdraw.",
            remedy=f'such as: tlcourse ta mark {exercise} "Group 7" report 3 --comment "…" – or --todo',
        )
    with chosen.writing(exercise, "tlcourse ta mark") as (found, book, record):
        name = found.about.id
        item = item_called(found.about, part) if part else None
        key = item.id if item else ""
        targets = meant(book, record.id, whom)
        given = Given(item, points, comment, withdraw)
        seen = ta_marking.seen_by(found.about, book, record, targets, key)
        give(book, name, targets, given, whom=whom, who=who or user(), why=why, seen=seen)
        marks = in_force(hand_marks(book, name))
        members = {one: f"person:{one}" for h in book.handins(record.id) if h.key in targets for one in h.members}
        alone = [one for one, target in members.items() if key in marks.get(target, {}) and target not in targets]
        unset = ta_marking.still_unset(found.about, book, record, targets[0])
    for one in alone:
        withdraw_own = f"tlcourse ta mark {name} {typed(one)} {key} --withdraw --why …"
        out.note(f"{line(one)} keeps what was set for them alone; if not: {withdraw_own}")
    now = marks.get(targets[0], {}).get(key)
    decided = {"targets": targets, "part": key, "points": now and now.points, "comment": now.comment if now else ""}
    if json:
        out.document({"schema": 1, "exercise": name, **decided, "unset": unset})
    elif plain:
        out.say("\n".join([*(f"target: {target}" for target in targets), f"part: {key}"]))
        out.say(f"points: {'' if now is None or now.points is None else f'{now.points:g}'}\nunset: {', '.join(unset)}")
    else:
        said = "withdrawn" if withdraw else "noted" if points is None else in_points(points)
        out.say(f"{whom}: {key or 'comment'}: {said}." + (f" Still to mark: {', '.join(unset)}." if unset else ""))


def requests(
    exercise: ExerciseName,
    chosen: ChosenBatch,
    add: Annotated[str, typer.Option("--add", metavar="WHO", help="Record that WHO asks, with --text.")] = "",
    answer: Annotated[
        int | None, typer.Option("--answer", metavar="NUMBER", help="Answer a request with --text, which closes it.")
    ] = None,
    text: Annotated[str, typer.Option("--text", help="What is asked, or answered; feedback shows both.")] = "",
    regrade: Annotated[
        int | None, typer.Option("--regrade", metavar="NUMBER", help="With --answer: the regrade that was made of it.")
    ] = None,
    override: Annotated[
        bool, typer.Option("--override", help="With --answer: name the override that is in force for WHO.")
    ] = False,
    who: Who = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """List requests for another look, the open ones first; record one with --add, answer one with --answer."""
    from tlcourse.grading.gradebook import by_hand
    from tlcourse.presenting.report.as_text import request_words

    if add and answer is not None:
        raise UsageError("Give one of --add, --answer.", remedy="give two commands.")
    if bool(text.strip()) != bool(add or answer is not None):
        raise UsageError("--add and --answer go with --text.", remedy='--add "Group 7" --text "…"')
    if (regrade is not None or override) and answer is None:
        raise UsageError("--regrade and --override go with --answer.", remedy='--answer NUMBER --text "…"')
    if not (add or answer is not None):
        with chosen.reading(exercise) as (found, book, _):
            listed = by_hand.requests(book, found.about.id)
    else:
        with chosen.writing(exercise, "tlcourse ta requests") as (found, book, record):
            name, said = found.about.id, by_hand.bounded(text, "The text")
            known = {one.id: one for one in by_hand.requests(book, name)}
            if add:
                targets = by_hand.meant(book, record.id, add)
                for target in targets:
                    by_hand.add_request(book, name, target, said, who=who or user())
            else:
                asked = known.get(answer or 0)
                if asked is None:
                    numbers = ", ".join(map(str, sorted(known))) or "none"
                    raise UsageError(f"{name} has no request {answer}.", remedy=f"requests: {numbers}.")
                if regrade is not None and regrade not in [one.id for one in book.regrades(record.id)]:
                    raise UsageError(
                        f"Batch {record.id} has no regrade {regrade}.", remedy=f"tlcourse ta report {name}"
                    )
                decided = book.overrides(name).get(asked.target)
                if override and decided is None:
                    raise UsageError(
                        f"No override is in force for {asked.target}.", remedy=f"tlcourse ta override {name}"
                    )
                by_hand.answer_request(
                    *(book, asked.id, said),
                    who=who or user(),
                    regrade=regrade,
                    override=decided.id if override and decided else None,
                )
            listed = by_hand.requests(book, name)
    if json:
        out.document({"schema": 1, "exercise": found.about.id, "requests": listed})
        return
    for one in listed:
        out.say(request_words(one))
    if not listed and not plain:
        out.note(f"No request: tlcourse ta requests {exercise} --add WHO --text TEXT")


def move(
    exercise: ExerciseName,
    whom: Annotated[str, typer.Argument(metavar="WHO", help="Somebody of the lists: id, user name, address or name.")],
    group: Annotated[str, typer.Argument(metavar="GROUP", help="The group whose mark is theirs from now on.")],
    chosen: ChosenBatch,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")] = "",
    who: Who = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Give somebody the mark of another group than the one they handed in with: a new row with who, when and why."""
    from tlcourse.grading.gradebook.people import group_of, person_of

    if not why.strip():
        raise UsageError("A move needs its reason.", cause="it changes a mark.", remedy='--why "…"')
    with chosen.writing(exercise, "tlcourse ta move") as (found, book, record):
        handins, groups = book.handins(record.id), book.groups(record.id)
        person = person_of(handins, book.people(record.id), whom)
        named = group_of(handins, groups, group)
        book.move(record.id, person, named, who=who or user(), why=why.strip())
    if json:
        out.document({"schema": 1, "exercise": found.about.id, "person": person, "group": named})
    else:
        out.say(f"person: {person}\ngroup: {named}" if plain else f"{person} has the mark of {named}.")


def extend(
    exercise: ExerciseName,
    chosen: ChosenBatch,
    whom: Annotated[
        str,
        typer.Argument(metavar="[WHO]", help="A group or anybody, also before the batch; without it all are listed."),
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="'2026-11-25 12:00', in the course's zone.")
    ] = "",
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=1000, help="So many days after the deadline of the class.")
    ] = None,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="The deadline of the class, or group, holds again.")
    ] = False,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")] = "",
    who: Who = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Give a person or a group more time: a new row with who, when and why; one's own counts before the group's."""
    from tlcourse.grading.gradebook.deadlines import extend as append
    from tlcourse.grading.gradebook.deadlines import extensions, refuse_nothing, target_of
    from tlcourse.grading.lateness import Until, refuse_earlier
    from tlcourse.presenting.report.late_words import extension_words

    if not whom:
        with chosen.before_a_batch(exercise) as (found, book, _):
            listed = extensions(book, found.about.id)
        if json:
            out.document({"schema": 1, "exercise": found.about.id, "extensions": listed})
        for one in [] if json else listed:
            out.say(extension_words(one))
        return
    refuse_nothing(until, days, withdraw=withdraw)
    if not why.strip():
        raise UsageError("An extension needs its reason.", cause="others ask for the same.", remedy='--why "…"')
    more = Until(until.strip(), days or 0)
    with chosen.before_a_batch(exercise, "tlcourse ta extend") as (found, book, deadline):
        refuse_earlier(more, deadline)
        target = target_of(book, found.about.id, whom)
        append(book, found.about.id, target, more, who=who or user(), why=why.strip())
        newest = extensions(book, found.about.id)[-1]
    if json:
        out.document({"schema": 1, "exercise": found.about.id, "extension": newest})
    else:
        out.say(f"target: {target}\nuntil: {until}\ndays: {days or 0}" if plain else extension_words(newest))
        if target.startswith("named:") and not plain:
            out.note("No batch knows the class yet: it is for whoever is called so in its lists.")


def add_to(app: typer.Typer) -> None:
    """Make these commands of `tlcourse ta`."""
    app.command("override")(override)
    app.command("mark")(mark)
    app.command("requests")(requests)
    app.command("move")(move)
    app.command("merge")(ta_merge.merge)
    app.command("extend")(extend)
