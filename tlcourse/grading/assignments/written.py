"""An assignment written as an exercise of a course: what students get, the tests, the reference, what people mark."""

from __future__ import annotations

import ast
import importlib.util
import json
import keyword
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from tlcourse.course import trust
from tlcourse.course.author import IMPORTED, name_in_course
from tlcourse.course.exercise import GIVEN
from tlcourse.course.markdown import slug
from tlcourse.errors import UsageError
from tlcourse.execution.worker.stand_ins import TOP_LEVEL as STAND_INS
from tlcourse.grading.assignments import read_assignment
from tlcourse.grading.assignments.assignment import Assignment, Question, stores, tree_of
from tlcourse.grading.intake.notebook import without_magics
from tlcourse.grading.parts.cells import HIDDEN, PUBLIC, NotebookTest, to_text
from tlcourse.text import counted

PART = "functions"
_NAME = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)
_CALL_S, _CALL_MB = 10, 2048


class Imported(Struct, frozen=True):
    """What was made of an assignment."""

    course: str
    exercise: str
    format: str
    points: float
    by_tests: float
    by_hand: float
    written: list[str]
    notes: list[str]


def import_assignment(path: Path, folder: Path, name: str = "") -> Imported:
    """Write the assignment of a notebook into a course, which is made where there is none.

    Raises:
        UsageError: it is no assignment, nothing in it is marked, or the exercise is there already.
    """
    found = read_assignment(path)
    name = slug(name or path.stem)[:60].strip("-") or "assignment"
    questions = [question for question in found.questions if question.points]
    if not questions:
        raise UsageError(
            f"Nothing in {path} gives points.", cause="its questions have neither tests nor points.", remedy="add some."
        )
    files = dict(_files(found, name, questions, path.parent))
    written: list[Path] = []
    try:
        if (folder / "exercises" / name).exists() or (folder / "graders" / f"{name}.py").exists():
            raise UsageError(
                f"There is an exercise {name} in {folder} already; it was left as it is.", remedy="--name ANOTHER"
            )
        is_new = not (folder / "course.yaml").exists()
        if is_new and folder.exists() and any(folder.iterdir()):
            raise UsageError(
                f"{folder} is neither a course nor an empty folder.", remedy="name a course, or a folder to be made."
            )
        for inner, text in files.items():
            target = folder / inner
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            written.append(target)
        written += _copied(found, path.parent, folder / "exercises" / name / "data")
        written.append(_named(found, folder, name, path.name))
        if is_new:
            trust.agree_if_kept(folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}.", remedy="name another folder.") from None
    return Imported(
        course=str(folder),
        exercise=name,
        format=found.format,
        points=found.points,
        by_tests=sum(question.points for question in questions if not question.manual),
        by_hand=sum(question.points for question in questions if question.manual),
        written=[str(one) for one in written],
        notes=[str(note) for note in sorted(found.notes, key=lambda note: note.cell)],
    )


def _files(found: Assignment, name: str, questions: list[Question], beside: Path) -> Iterator[tuple[str, str]]:
    tested = [question for question in questions if not question.manual]
    by_hand = [question for question in questions if question.manual]
    below, graders = f"exercises/{name}", f"graders/{name}"
    yield f"{below}/exercise.yaml", _exercise_yaml(found, name, tested, by_hand, beside)
    yield f"{below}/handout.md", _handout(found, name, questions)
    yield f"{below}/starter.py", _as_python(found, name, for_students=True)
    yield f"{below}/starter.ipynb", _as_notebook(found)
    yield f"graders/references/{name}.py", _as_python(found, name, for_students=False)
    if tested:
        yield f"graders/{name}.py", _GRADER.format(format=found.format, name=name)
        tests = [(question, test) for question in tested for test in question.tests if test.points]
        public = [
            _cell(question, test, test.public)
            if test.public
            else NotebookTest(question.id, test.cell, test.points, kept=True)
            for question, test in tests
        ]
        hidden = [_cell(question, test, test.source) for question, test in tests if test.hidden]
        yield f"{below}/{PUBLIC}", to_text(public, "Tests that students may read, and that their own check runs.")
        if hidden:
            yield f"{graders}/{HIDDEN}", to_text(hidden, "Tests that students never see; they stay with staff.")
    answers = "\n".join(
        f"## {question.title}\n\n{piece.reference}\n"
        for question in by_hand
        for piece in found.pieces
        if piece.question == question.id and piece.kind == "markdown" and piece.reference
    )
    if answers:
        yield f"graders/references/{name}.md", f"# {found.title}: answers\n\n{answers}"
    scheme = "\n".join(f"## {one.title}\n\n{one.scheme}\n" for one in by_hand if one.scheme)
    if scheme:
        yield f"{graders}/data/marking.md", f"# How {name} is marked\n\n{scheme}"


def _cell(question: Question, test: Any, source: str) -> NotebookTest:
    return NotebookTest(
        check=question.id,
        cell=test.cell,
        points=test.points,
        source=source,
        expects=test.expects,
        partial=test.partial,
        failed=test.failed,
    )


_GRADER = '''"""The tests of an assignment of {format}: they stand in files of their own, a cell each.

`exercises/{name}/data/tests.py` has those that students may read, `graders/{name}/data/hidden.py` the others.
"""

from tlcourse.grading.parts.cells import measure_cells, cells_of


def cases(seed, data):
    """The test cells; in a copy for students those that they may read."""
    return cells_of(__file__)


def measure_calls(cases, answers):
    """What the tests of each check earned, as a share of its points."""
    return measure_cells(cases, answers)
'''


def _exercise_yaml(found: Assignment, name: str, tested: list[Question], by_hand: list[Question], beside: Path) -> str:
    questions = counted(len(tested) + len(by_hand), "question")

    def said(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)  # JSON's strings are YAML's

    lines = [
        f"id: {name}",
        f"title: {said(found.title)}",
        f"summary: {said(f'Imported from {found.format}: {questions}.')}",
        "parts:",
    ]
    if tested:
        defines = json.dumps(_defines(found), ensure_ascii=False)
        lines.append(f"  - {{id: {PART}, kind: functions, call_s: {_CALL_S}, call_mb: {_CALL_MB}, defines: {defines}}}")
    for question in by_hand:
        lines += [
            f"  - id: {question.id}",
            "    kind: manual",
            f"    cells: {question.id}",
            f"    rubric: [{{id: {question.id}, text: {said(question.title)}, points: {_number(question.points)}}}]",
        ]
    if tested:
        lines.append("checks:")
    for question in tested:
        credit = "threshold: 1" if question.all_or_nothing else "credit: share"
        lines.append(
            f"  - {{id: {question.id}, title: {said(question.title)}, {credit}, points: {_number(question.points)}}}"
        )
    if any(test.hidden for question in tested for test in question.tests if test.points):
        lines.append("hidden_data: true")
    if needed := _packages(found, beside):
        lines.append(f"packages: [{', '.join(needed)}]")
    return "\n".join(lines) + "\n"


def _number(points: float) -> str:
    """To the last digit: no point is lost to rounding."""
    short = f"{points:.10g}"
    return short if float(short) == points else repr(points)


def _defines(found: Assignment) -> list[str]:
    """What students write: functions, classes and values of which they get less than the reference has."""
    asked: dict[str, None] = {}
    everything: dict[str, None] = {}
    for piece in found.pieces:
        tree = tree_of(without_magics(piece.reference)[0]) if piece.kind == "code" and piece.reference else None
        if tree is None:
            continue
        given = tree_of(piece.student or "")
        same = {ast.dump(node) for node in given.body} if given is not None else set()
        for node in tree.body:
            names = [one for one in stores([node]) if _NAME.match(one) and not keyword.iskeyword(one)]
            if isinstance(node, ast.Import | ast.ImportFrom):
                continue
            everything |= dict.fromkeys(names)
            asked |= {} if ast.dump(node) in same else dict.fromkeys(names)
    return list(asked or everything or {"solution": None})


def _packages(found: Assignment, beside: Path) -> list[str]:
    """What code and tests import beside what every grading has, where it is required or installed; others are told."""
    sources = [text for piece in found.pieces if piece.kind == "code" for text in (piece.student, piece.reference)]
    sources += [test.source for question in found.questions for test in question.tests]
    own = {Path(file).stem for file in found.files}
    names: set[str] = set()
    for source in sources:
        tree = tree_of(without_magics(source)[0]) if source else None
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    names -= {*GIVEN, *STAND_INS, *sys.stdlib_module_names, *own, "tlcourse", "__future__"}
    listed = " ".join([*found.packages, *_required(found, beside)]).lower().replace("_", "-")
    for name in sorted(names):
        known = importlib.util.find_spec(name) is not None or name.lower().replace("_", "-") in listed
        if not known:
            remedy = "name it under packages in exercise.yaml if it is a package, or hand it out as a file"
            found.note(0, f"`{name}` is imported, and is not installed here", remedy)
            names.remove(name)
    return sorted(names)


def _required(found: Assignment, beside: Path) -> list[str]:
    """The lines of the file that lists requirements; told where it is not beside the notebook."""
    if not found.requirements:
        return []
    try:
        return (beside / found.requirements).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        remedy = "name what solutions import under packages in exercise.yaml"
        found.note(0, f"the file `{found.requirements}` of requirements cannot be read", remedy)
        return []


def _handout(found: Assignment, name: str, questions: list[Question]) -> str:
    rows = "\n".join(
        f"| {question.title.replace('|', '/')} | {question.points:g} | {'people' if question.manual else 'tests'} |"
        for question in questions
    )
    return (
        f"# {found.title}\n\nThe notebook holds the questions: `tlcourse init {name} --notebook` writes it. Write your "
        "answers into its cells, and hand it in as it is.\n\n"
        f"| question | points | marked by |\n|---|---|---|\n{rows}\n"
    )


def _as_python(found: Assignment, name: str, *, for_students: bool) -> str:
    """The cells as Python, parted by `# %%` as editors know it; text as comments."""
    what = f"Hand in: tlcourse grade {name} solution.py" if for_students else "The reference, for staff."
    blocks = [f'"""{found.title.replace(chr(92), "/").replace(chr(34), chr(39))}. {what}"""']
    for piece in found.pieces:
        text = piece.student if for_students else piece.reference
        if not text:
            continue
        if piece.kind == "markdown":
            if for_students:
                tags = f' tags=["{piece.question}"]' if piece.question else ""
                blocks.append(f"# %% [markdown]{tags}\n" + "\n".join(f"# {line}".rstrip() for line in text.split("\n")))
            continue
        code = without_magics(text)[0]
        if for_students and tree_of(code) is None and piece.reference and tree_of(piece.reference) is not None:
            found.note(piece.number, "what students get of it is not Python", "check the marks of its solution")
            code = "\n".join(f"# {line}" for line in code.split("\n"))
        lines = code.split("\n")
        stubbed = [line if line != "raise NotImplementedError()" else "# …" for line in lines]
        tags = f' tags=["{piece.question}"]' if piece.question and for_students else ""
        blocks.append(f"# %%{tags}\n" + "\n".join(stubbed))
    return "\n\n".join(blocks) + "\n"


def _as_notebook(found: Assignment) -> str:
    from nbformat import v4, writes

    cells = []
    for piece in found.pieces:
        if piece.student is None:
            continue
        make = v4.new_code_cell if piece.kind == "code" else v4.new_markdown_cell
        tags = {"tags": [piece.question]} if piece.question else {}
        cells.append(make(piece.student, id=f"cell-{piece.number}", metadata=tags))
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "tlcourse": {IMPORTED: found.format},
    }
    return f"{writes(v4.new_notebook(cells=cells, metadata=metadata), version=4)}\n"


def _copied(found: Assignment, beside: Path, data: Path) -> Iterator[Path]:
    """The files that students get with the assignment."""
    for name in found.files:
        source = (beside / name).resolve()
        if not source.is_relative_to(beside.resolve()) or not source.is_file():
            found.note(0, f"the file `{name}` is not beside the notebook", f"put it into {data.name}/ by hand")
            continue
        data.mkdir(parents=True, exist_ok=True)
        yield Path(shutil.copyfile(source, data / source.name))


def _named(found: Assignment, folder: Path, name: str, origin: str) -> Path:
    """Name the exercise in course.yaml, which is made where there is none; returns its path."""
    path = folder / "course.yaml"
    title = json.dumps(found.title, ensure_ascii=False)
    unit = [f"- id: {name}", f"  title: {title}", f"  summary: {json.dumps(f'Imported from {origin}.')}"]
    unit.append(f"  exercises: [{name}]")
    if path.exists():
        name_in_course(path, name, unit)
    else:
        listed = "\n".join(f"  {line}" for line in unit)
        text = f"id: {slug(folder.resolve().name)[:60].strip('-') or name}\ntitle: {title}\nunits:\n{listed}\n"
        path.write_text(f"{text}exercises: [{name}]\n", encoding="utf-8")
    return path
