"""The author's checks: what no single file can show to be wrong. Problems read `file:line: what, expected what`.

A course is loaded only where `problems_of` finds nothing. `author check` also looks at lessons as a terminal of 80
columns shows them, and at what is covered where (`coverage.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.cells import cell_len

from tlcourse.course import markdown
from tlcourse.course.deadline import deadline_of, zone_of
from tlcourse.course.lab import read_labs
from tlcourse.course.model import OUTER, Exercise, LoadedCourse, Quiz, Unit
from tlcourse.course.parts import FunctionsPart, ManualPart
from tlcourse.course.spec import Output
from tlcourse.errors import UnableError, UsageError
from tlcourse.located import at
from tlcourse.text import misspelt

WIDTH = 76
"""What is left of 80 columns inside the margins of a listing."""
_LINK = re.compile(r"(?<!!)\[[^\[\]]*\]\(([^()\s]+)\)")
_FORMULA = re.compile(r"(?<!\\)\$(?=[^\s$])[^$]*?[^\s$\\]\$(?!\d)")
_PLACED = re.compile(r"\[[^\[\]]*\]\(question/([^()\s]*)\)")
_INLINE_CODE = re.compile(r"`[^`]*`")


def problems_of(course: LoadedCourse) -> list[str]:
    """Every problem of a course that was decoded; empty when it is sound."""
    return [
        *_install_problems(course),
        *_unit_problems(course),
        *_quiz_problems(course),
        *_exercise_problems(course),
        *_deadline_problems(course),
    ]


# A bare name would be that of whoever registers it; an address without a hash or a commit may change overnight.
_PINNED = re.compile(
    r"(?:tlcourse(?:\[[a-z,]+\])? @ )?"
    r"(?:https://[\w.~:/%+-]+\.(?:whl|tar\.gz|zip)\#sha256=[0-9a-f]{64}|git\+https://[\w.~:/%+-]+@[0-9a-f]{40})",
    re.ASCII,
)


def _install_problems(course: LoadedCourse) -> Iterator[str]:
    if course.about.install and not _PINNED.fullmatch(course.about.install):
        yield (
            f"{at(course.folder / 'course.yaml', 'install')}: install is no pinned address, expected "
            "https://…/tlcourse….whl#sha256=… or git+https://…@COMMIT (40 digits), which nobody else can change"
        )


def _unit_problems(course: LoadedCourse) -> Iterator[str]:
    path = course.folder / "course.yaml"
    units = course.about.units
    objectives = [objective.id for unit in units for objective in unit.objectives]
    for name, ids in (("unit", [unit.id for unit in units]), ("objective", objectives)):
        for repeated in (i for i, count in Counter(ids).items() if count > 1):
            yield f"{at(path, repeated)}: {name} `{repeated}` stands twice, expected ids that differ"
    for unit in units:
        for exercise in (name for name in unit.exercises if name not in course.exercises):
            known = ", ".join(course.exercises) or "none"
            yield f"{at(path, unit.id)}: exercise `{exercise}` is not known, expected one of: {known}"
        if unit.lesson is not None and not unit.objectives:
            yield f"{at(path, unit.id)}: unit `{unit.id}` has no objectives, expected at least one"


def _quiz_problems(course: LoadedCourse) -> Iterator[str]:
    objectives = {objective.id for unit in course.about.units for objective in unit.objectives}
    linked = sections_of(course)
    for name, quiz in course.quizzes.items():
        path = course.folder / "quizzes" / f"{name}.yaml"
        if quiz.id != name:
            yield f"{path}:1: id is `{quiz.id}`, expected `{name}` as in the file's name"
        if name in course.mixed:
            yield f"{path}:1: id is `{name}`, which the mixed quiz of a unit has, expected another one"
        for repeated in _repeated_ids(quiz):
            yield f"{at(path, repeated)}: question `{repeated}` stands twice, expected ids that differ"
        for question in quiz.questions:
            where = at(path, question.id)
            for problem in question.problems():
                yield f"{where}: question `{question.id}` {problem}"
            if question.objective not in objectives:
                yield f"{where}: objective `{question.objective}` is in no unit, expected one of course.yaml"
            if question.section not in linked:
                yield f"{where}: section `{question.section}` is in no lesson, expected unit-id#heading"


def _repeated_ids(quiz: Quiz) -> list[str]:
    return [i for i, count in Counter(question.id for question in quiz.questions).items() if count > 1]


def _exercise_problems(course: LoadedCourse) -> Iterator[str]:
    for exercise in course.exercises.values():
        path = exercise.folder / "exercise.yaml"
        in_files = exercise.about.needs_no_grader and exercise.grader is None and exercise.about.generator is None
        if exercise.about.model and not in_files and not {"train", "val", "test"} <= exercise.about.sizes.keys():
            yield f"{at(path, 'sizes')}: sizes lack train, val or test, expected all three"
        ids = [check.id for check in exercise.about.checks]
        for repeated in (i for i, count in Counter(ids).items() if count > 1):
            yield f"{at(path, repeated)}: check `{repeated}` stands twice, expected ids that differ"
        by_hand = Counter(item.id for item in exercise.about.manual)
        for repeated in (i for i, count in by_hand.items() if count > 1 or i in ids):
            yield f"{at(path, 'rubric')}: `{repeated}` of a rubric stands twice, expected other ids"
        if exercise.about.policy.clear > exercise.about.policy.doubt:
            yield f"{at(path, 'policy')}: policy.clear is above policy.doubt, expected a level at most as high"
        for output in exercise.about.outputs:
            if output.by_task and not output.shape:
                yield f"{at(path, 'outputs')}: `{output.name}` is by task and has no shape, expected [tasks, …]"
            if wrong := _problem_of_output(output, graph=exercise.about.graph):
                yield f"{at(path, 'outputs')}: `{output.name}` {wrong}"
        yield from _part_problems(exercise.about, path)


def _problem_of_output(output: Output, *, graph: bool) -> str:
    """What does not fit together in an output's form; "" where all does."""
    if output.dtype == "bytes" and (not output.rows or output.shape):
        return "is a text, expected `rows`, the most bytes that one has, and no shape"
    if output.rows_of and not output.rows:
        return "has `rows_of` alone, expected `rows`, the most that an item has, as well"
    if output.by_task and output.rows:
        return "is by task and has rows, expected one of the two"
    if graph and (output.rows or output.dtype != "float32"):
        return "is no float32 of one shape, expected such where `graph` is true"
    return ""


def _part_problems(about: Exercise, path: Path) -> Iterator[str]:
    """Parts that do not fit each other, or the checks."""
    scored = [part for part in about.parts if not isinstance(part, ManualPart)]
    for repeated in (i for i, count in Counter(part.id for part in about.parts).items() if count > 1):
        yield f"{at(path, repeated)}: part `{repeated}` stands twice, expected ids that differ"
    for kind, count in Counter(part.kind for part in scored).items():
        if count > 1:
            yield f"{at(path, 'parts')}: {count} parts of kind {kind}, expected one at most"
    known = [part.id for part in scored]
    for rule in about.checks:
        if rule.part and rule.part not in known:
            named = ", ".join(known) or "none, as people mark all of it"
            yield f"{at(path, rule.id)}: check `{rule.id}` belongs to `{rule.part}`, expected one of: {named}"
        elif not rule.part and len(known) != 1:
            wanted = f"`part:` with one of: {', '.join(known)}" if known else "none, as people mark all of it"
            yield f"{at(path, rule.id)}: check `{rule.id}` says no part, expected {wanted}"
    for part in scored:
        if not about.checks_of(part):
            yield f"{at(path, part.id)}: part `{part.id}` has no check, expected at least one"
        for rule in about.checks_of(part):
            if rule.metric and isinstance(part, FunctionsPart):
                yield f"{at(path, rule.id)}: check `{rule.id}` of functions has a metric, expected none: cases decide"
        if isinstance(part, FunctionsPart) and part.after and (about.model is None or part.after != about.model.id):
            yield f"{at(path, part.id)}: `{part.id}` comes after `{part.after}`, expected the model's id, or none"
    if about.model and not about.outputs:
        yield f"{at(path, 'outputs')}: no outputs, expected what the module of `{about.model.id}` returns"
    if about.board and about.board not in (
        fit := [rule.id for rule in about.checks_of(about.model)] if about.model else []
    ):
        named = f"one of: {', '.join(fit)}" if fit else "none: only a model's checks have validation items"
        yield f"{at(path, 'board')}: the board goes by `{about.board}`, expected {named}"
    if not about.max_points:
        yield f"{at(path, 'checks')}: no points without what comes on top, expected some"


def _deadline_problems(course: LoadedCourse) -> Iterator[str]:
    """Dates and zones that cannot be read; not asked where this machine has no list of zones."""
    try:
        if course.about.zone:
            zone_of(course.about.zone)
    except UsageError as error:
        yield f"{at(course.folder / 'course.yaml', 'zone')}: {error.what} Expected: {error.remedy}"
        return
    except UnableError:
        return
    for exercise in course.exercises.values():
        try:
            deadline_of(course.about, exercise.about)
        except UsageError as error:
            yield f"{at(exercise.folder / 'exercise.yaml', 'due')}: due: {error.what} Expected: {error.remedy}"
        except UnableError:
            return


def lost_places(course: LoadedCourse) -> Iterator[str]:
    """Checks of exercises that are said to be taught where nothing is."""
    places = {*course.lessons, *sections_of(course), *pages_of(course)}
    for exercise in course.exercises.values():
        path = exercise.folder / "exercise.yaml"
        for rule in exercise.about.checks:
            for place in (place for place in rule.taught if place not in places):
                yield (
                    f"{at(path, rule.id)}: check `{rule.id}` is taught in `{place}`, expected a place of the course:"
                    " unit#heading, lab/NAME, write/NAME"
                )


def unfair_limits(course: LoadedCourse) -> Iterator[str]:
    """Limits that end what is asked for, or that a busy machine meets before the CPU's limit does."""
    for exercise in course.exercises.values():
        limits, path = exercise.about.limits, exercise.folder / "exercise.yaml"
        if exercise.about.model and limits.cpu_s < exercise.about.seconds:
            yield f"{at(path, 'limits')}: cpu_s is {limits.cpu_s:g}, expected at least `seconds`, which is asked of fit"
        if limits.wall_time_s < OUTER * limits.cpu_s:
            yield (
                f"{at(path, 'limits')}: wall_time_s is {limits.wall_time_s:g}, expected at least "
                f"{OUTER * limits.cpu_s:g}: {OUTER} times cpu_s, as a busy machine takes longer by the clock"
            )


def problems_of_lessons(course: LoadedCourse) -> Iterator[str]:
    """Every such problem of a course, as `file:line: what, and what was expected`."""
    places = {
        name: {markdown.slug(text) for _, text in markdown.headings(lesson.body)}
        for name, lesson in course.lessons.items()
    }
    pages = pages_of(course)
    for unit in course.about.units:
        if unit.lesson is None or unit.id not in course.lessons:
            continue
        path = course.folder / unit.lesson
        for number, line, listed in _lines(path.read_text(encoding="utf-8")):
            for problem in _problems_of_line(line, listed, unit.id, places, pages):
                yield f"{path}:{number}: {problem}"
        yield from _problems_of_questions(course, unit, path)
        takes, says = markdown.minutes_of(course.lessons[unit.id].body), course.lessons[unit.id].minutes
        if abs(takes - says) > max(2, takes / 5):
            yield f"{at(path, 'minutes')}: minutes is {says}, expected {takes}: what its text takes to read and answer"
        promised = len(unit.objectives)
        said = _promises(course.lessons[unit.id].body)
        if said not in (0, promised):
            where = at(course.folder / "course.yaml", unit.id)
            yield f"{where}: unit `{unit.id}` has {promised} objectives and its lesson names {said}, expected as many"


def _problems_of_questions(course: LoadedCourse, unit: Unit, path: Path) -> Iterator[str]:
    """Questions placed in a lesson that its unit does not have, that no reader can answer yet, or that are no line."""
    known = {question.id: question for name in unit.quizzes for question in course.quizzes[name].questions}
    order = [markdown.slug(text) for _, text in markdown.headings(course.lessons[unit.id].body)]
    here = ""
    for number, line, listed in _lines(path.read_text(encoding="utf-8")):
        if not listed and (found := markdown.headings(line)):
            here = markdown.slug(found[0][1])
        for name in [] if listed else _PLACED.findall(_INLINE_CODE.sub("", line)):
            where = f"{path}:{number}: the question `{name}`"
            if name not in known:
                cause = misspelt(name, known, otherwise="").removesuffix("?")
                instead = f": {cause}" if cause else ", the id of one that is"
                yield f"{where} is in no quiz of the unit `{unit.id}`, expected another{instead}"
                continue
            if not markdown.QUESTION.match(line):
                yield f"{where} stands within a line, expected `[Question](question/{name})` alone in its own"
            _, _, taught = known[name].section.partition(f"{unit.id}#")
            if taught in order and order.index(taught) > (order.index(here) if here else -1):
                yield f"{where} is taught in `{known[name].section}`, expected it there or further below"


def _lines(text: str) -> Iterator[tuple[int, str, bool]]:
    """Number, text, and whether it is shown as it stands, of each line after the front matter."""
    fenced = drawn = formula = False
    head = text.startswith("---\n")
    for number, line in enumerate(text.splitlines(), start=1):
        if head:
            head = number == 1 or line != "---"
        elif line.startswith(("```", "~~~")):
            fenced = not fenced
            drawn = fenced and line[3:].strip() == "figure"
        elif not drawn and not fenced and line.lstrip().startswith("$$"):
            formula = not formula and line.strip().count("$$") == 1
        elif formula:
            formula = "$$" not in line
        elif not (fenced and drawn):  # what is drawn is checked as it is drawn
            yield number, line, fenced or line.startswith("    ")


def sections_of(course: LoadedCourse) -> set[str]:
    """Every section of a lesson, as `unit#heading`."""
    return {
        f"{unit}#{markdown.slug(heading)}"
        for unit, lesson in course.lessons.items()
        for _, heading in markdown.headings(lesson.body)
    }


def pages_of(course: LoadedCourse) -> set[str]:
    """What a link may lead to beside lessons: `lab/NAME`, `quiz/NAME`, `exercise/ID`, `write/NAME`."""
    labs = read_labs(course.folder, [unit.id for unit in course.about.units])
    kinds = {
        "lab": list(labs),
        "quiz": list(course.quizzes),
        "exercise": list(course.exercises),
        "write": list(course.write_its),
    }
    return {f"{kind}/{name}" for kind, names in kinds.items() for name in names}


def _problems_of_line(
    line: str, listed: bool, unit: str, places: dict[str, set[str]], pages: set[str]
) -> Iterator[str]:
    if listed:
        if (width := cell_len(line)) > WIDTH:
            yield f"a line of {width} columns, expected at most {WIDTH} where the layout is kept"
        return
    prose = _INLINE_CODE.sub("", line)
    if "$" in _FORMULA.sub("", prose):
        yield "a raw `$`, expected a formula between two of them on one line, or code marks around it"
    longest = max((cell_len(word) for word in line.split()), default=0)
    if longest > WIDTH:
        yield f"a word of {longest} columns, expected at most {WIDTH}"
    for target in _LINK.findall(prose):
        if target not in pages and not target.startswith("question/") and not _leads(target, unit, places):
            yield (
                f"the link `{target}` leads nowhere, expected unit, unit#heading, #heading, lab/NAME, quiz/NAME,"
                " exercise/ID, write/NAME or a web address"
            )


def _leads(target: str, unit: str, places: dict[str, set[str]]) -> bool:
    if target.startswith(("https://", "http://", "mailto:")):
        return True
    name, _, section = target.partition("#")
    name = name or unit
    return name in places and (not section or section in places[name])


def _promises(body: str) -> int:
    """How many things the list at the beginning promises; 0 where there is no such list."""
    first = body.partition("\n## ")[0]
    return sum(line.startswith("- ") for line in first.splitlines()) if "you can" in first else 0
