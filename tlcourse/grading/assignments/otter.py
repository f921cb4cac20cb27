"""Assignments in Otter-Grader's notebook format: raw cells open and close blocks, with YAML below their first line.

What each mark means stands in Otter's documents, "Notebook Format". Its first format, with marks in Markdown, is told
to be that and not read.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from tlcourse.grading.assignments.assignment import Assignment, Cell, Piece, Question, Test, title_of, tree_of
from tlcourse.grading.assignments.otter_solutions import without_solutions

_BOUNDARY = re.compile(
    r"#\s*(?:(ASSIGNMENT\s+CONFIG)|(BEGIN|END)\s+(QUESTION|PROMPT|SOLUTION|TESTS))\s*", re.IGNORECASE
)
_FENCED = re.compile(r"\s*```otter[ \t]*\n(.*?)\n?```\s*", re.DOTALL)
_FIRST_FORMAT = re.compile(r"```\s*\n\s*(?:BEGIN|END) (?:QUESTION|ASSIGNMENT)|```\s*\n\s*assignment:", re.IGNORECASE)
_IGNORE = re.compile(r"\s*#\s*IGNORE\b", re.IGNORECASE)
_CONFIG = re.compile(r"\s*[rR]?(\"\"\"|''')\s*#\s*(BEGIN|END) TEST CONFIG", re.IGNORECASE)
_WRITE_HERE = "*Write your answer here.*"
# What else an assignment can ask of Otter, and what there is here in its place.
_SETTINGS = {
    "seed": "each test begins with a seed of its own; tests that need a certain one set it",
    "variables": "nothing is graded from logs",
    "save_environment": "nothing is graded from logs",
    "environment": "install what it lists where tlcourse grades",
    "autograder_files": "put them into graders/NAME/data by hand",
    "plugins": "there are none here; tlcourse ta export writes marks for learning platforms",
    "python_version": "tlcourse grades with the Python that it runs in",
    "config_file": "read it, and set what it says in exercise.yaml",
    "template_pdf": "print the notebook, or leave it away",
    "solutions_pdf": "print the notebook, or leave it away",
}


def is_one(cells: Sequence[Cell]) -> bool:
    """Whether a notebook is written in this format, or in Otter's first one."""
    return any(boundary(cell) or _of_first_format(cell) for cell in cells)


def _of_first_format(cell: Cell) -> bool:
    return cell.kind == "markdown" and _FIRST_FORMAT.search(cell.source) is not None


def boundary(cell: Cell) -> tuple[str, str] | None:
    """What a cell marks, such as `BEGIN QUESTION`, and the YAML below; None where it marks nothing."""
    text = cell.source
    if cell.kind == "markdown":
        fenced = _FENCED.fullmatch(text)
        text = fenced[1] if fenced else ""
    elif cell.kind == "code":
        return None
    first, _, rest = text.lstrip().partition("\n")
    found = _BOUNDARY.fullmatch(first)
    if found is None:
        return None
    return ("CONFIG" if found[1] else f"{found[2]} {found[3]}".upper()), rest


def read(cells: Sequence[Cell], name: str) -> Assignment:
    """The assignment; what is wrong with its marks is noted, and read as was probably meant."""
    reading = _Reading(Assignment("Otter-Grader", name))
    for cell in cells:
        if _of_first_format(cell):
            what, remedy = "it marks a block in Otter's first format", "bring it to raw cells as Otter's documents show"
            reading.found.note(cell.number, what, remedy)
        elif (mark := boundary(cell)) is not None:
            reading.at_mark(cell, *mark)
        else:
            reading.at_cell(cell)
    reading.close_question(cells[-1] if cells else None)
    return reading.found


class _Reading:
    """Where one is in a notebook: in which question, and in which block of it."""

    def __init__(self, found: Assignment) -> None:
        self.found = found
        self.question: Question | None = None
        self.block = ""
        self.answered = False
        """Whether the question has a place for an answer."""
        self.given: list[float | None] = []
        """Points that tests say themselves."""
        self.config: dict[str, Any] = {}
        self.ok_format = True

    # -- marks -----------------------------------------------------------------------------------------------------

    def at_mark(self, cell: Cell, mark: str, text: str) -> None:
        """A cell that opens or closes a block."""
        if mark == "CONFIG":
            self._assignment(cell, self._yaml(cell, text))
            return
        verb, block = mark.split()
        if block == "QUESTION":
            self.close_question(cell if verb == "BEGIN" else None)
            if verb == "BEGIN":
                self._open_question(cell, self._yaml(cell, text))
            return
        if self.question is None:
            self.found.note(cell.number, f"{mark} outside a question", "put it between BEGIN and END QUESTION")
            return
        if verb == "BEGIN":
            if self.block:
                self._unclosed(cell.number)
            self.block = block
        elif self.block != block:
            self.found.note(cell.number, f"{mark} without a BEGIN", "remove it, or add the BEGIN")
        else:
            self.block = ""

    def _unclosed(self, at: int) -> None:
        remedy = "check where it ends: it was taken to end here"
        self.found.note(at, f"BEGIN {self.block} has no END", remedy)
        self.block = ""

    def _yaml(self, cell: Cell, text: str) -> dict[str, Any]:
        import yaml

        try:
            value = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError, ValueError):
            value = "unreadable"
        if value is not None and not isinstance(value, dict):
            self.found.note(cell.number, "its settings are not YAML of names and values", "set them by hand")
        return value if isinstance(value, dict) else {}

    def _assignment(self, cell: Cell, config: dict[str, Any]) -> None:
        if isinstance(config.get("name"), str):
            self.found.title = config["name"]
        needed = config.get("requirements")
        if isinstance(needed, list):
            self.found.packages += [str(one) for one in needed]
        elif needed:
            self.found.requirements = str(needed)
        files = config.get("files")
        self.found.files += [str(one) for one in files] if isinstance(files, list) else []
        tests = config.get("tests")
        self.ok_format = not (isinstance(tests, dict) and tests.get("ok_format") is False)
        for setting in sorted(config.keys() & _SETTINGS.keys()):
            if config[setting]:
                self.found.note(cell.number, f"the setting `{setting}`", _SETTINGS[setting])

    def _open_question(self, cell: Cell, config: dict[str, Any]) -> None:
        name = config.get("name")
        if name is None:
            self.found.note(cell.number, "a question without a name", "rename it in exercise.yaml")
        found = self.found.identifier("" if name is None else str(name), cell.number)
        self.config, self.given, self.answered = config, [], False
        self.question = Question(
            found,
            str(name or found),
            cell.number,
            0.0,
            all_or_nothing=config.get("all_or_nothing") is True,
            manual=config.get("manual") is True,
        )

    def close_question(self, by: Cell | None) -> None:
        """End the question, if there is one; `by` is where another one begins, or the notebook ends, without an END."""
        if self.question is None:
            return
        if self.block:
            self._unclosed(by.number if by else self.question.cell)
        if by is not None:
            remedy = "check where it ends: it was taken to end here"
            self.found.note(by.number, f"question `{self.question.title}` has no END QUESTION", remedy)
        question = self._with_points(self.question)
        if not question.tests and not question.manual:
            remedy = "add tests, or say manual: true"
            self.found.note(question.cell, f"question `{question.title}` has no tests and is not manual", remedy)
        elif not question.points:
            remedy = "nothing is marked; give it points in exercise.yaml if it shall count"
            self.found.note(question.cell, f"question `{question.title}` gives no points", remedy)
        self.found.questions.append(question)
        self.question = None

    def _with_points(self, question: Question) -> Question:
        given = self._points(question)
        if question.manual:
            if question.tests:
                what = f"question `{question.title}` is manual and has tests"
                self.found.note(question.cell, what, "people mark it here; its tests were left out")
            return replace(question, points=1.0 if given is None else given, tests=[])
        resolved = resolve(given, self.given)
        if given is not None and abs(sum(resolved) - given) > 1e-9:
            what = f"the tests of `{question.title}` give {sum(resolved):g} points, and the question {given:g}"
            self.found.note(question.cell, what, "the points of the tests were taken; set those of the check")
        tests = [replace(test, points=own) for test, own in zip(question.tests, resolved, strict=True)]
        return replace(question, points=sum(resolved), tests=tests)

    def _points(self, question: Question) -> float | None:
        """The points of the question; a list of them becomes those of its tests."""
        given = self.config.get("points")
        if isinstance(given, dict):
            each = given.get("each", 1)
            given = each * len(question.tests) if _is_points(each) else "unreadable"
        if isinstance(given, list) and all(_is_points(one) for one in given):
            if len(given) == len(question.tests):
                self.given = [float(one) for one in given]
                return None
            what = f"question `{question.title}` has {len(question.tests)} tests, and points for {len(given)}"
            self.found.note(question.cell, what, "their sum was taken; set the points by hand")
            return float(sum(given))
        if given is None or _is_points(given):
            return None if given is None else float(given)
        self.found.note(question.cell, f"points is `{given}`, which is not a number", "1 was taken; set it by hand")
        return None

    # -- other cells -----------------------------------------------------------------------------------------------

    def at_cell(self, cell: Cell) -> None:
        """A cell that marks nothing: for students, for staff, or a test."""
        lines = cell.source.split("\n")
        if not cell.source.strip() or _IGNORE.match(lines[0]) or cell.kind == "raw":
            return
        if self.block == "TESTS":
            self._test(cell)
        elif self.block == "PROMPT":
            self._keep(cell, cell.source, None)
        elif cell.kind == "code":
            self._code(cell)
        elif self.block == "SOLUTION":
            prompted = self.answered
            self._keep(cell, None if prompted else _WRITE_HERE, cell.source)
        else:
            if self.question is not None and not self.answered and self.question.title in ("", self.config.get("name")):
                self.question = replace(self.question, title=title_of(cell.source) or self.question.title)
            self._keep(cell, cell.source, cell.source)

    def _keep(self, cell: Cell, student: str | None, reference: str | None) -> None:
        own = self.question.id if self.question and self.question.manual and self.block else ""
        self.answered = self.answered or bool(self.block)
        assert cell.kind != "raw"
        self.found.pieces.append(Piece(cell.number, cell.kind, student, reference, own))

    def _code(self, cell: Cell) -> None:
        student, reference, problems = without_solutions(cell.source)
        for what in problems:
            self.found.note(cell.number, what, "check what students get of this cell")
        if any(line.rstrip().endswith("# SEED") for line in cell.source.split("\n")):
            remedy = "students lack the line; tests that need the seed set it themselves"
            self.found.note(cell.number, "a line with # SEED", remedy)
        if self.block == "SOLUTION" and student == reference and student.strip():
            what = "a cell of a solution in which nothing is marked # SOLUTION"
            self.found.note(cell.number, what, "students get all of it, as from Otter; mark what they shall write")
        self._keep(cell, student if student.strip() else None, reference if reference.strip() else None)

    def _test(self, cell: Cell) -> None:
        assert self.question is not None
        if cell.kind != "code":
            self.found.note(cell.number, "text between tests", "left out; move it in front of the tests")
            return
        source, config, hidden = self._test_config(cell)
        expects: str | None = cell.output
        if source.lstrip().startswith(">>> "):
            source, expects = _of_doctest(source)
        if (tree := tree_of(source)) is None:
            remedy = "left out; it may hold magics, which no test here has"
            self.found.note(cell.number, f"a test of `{self.question.title}` is not Python", remedy)
            return
        own = config.get("points")
        if own is not None and not _is_points(own):
            self.found.note(cell.number, f"points of the test are `{own}`, which is not a number", "set them by hand")
            own = None
        failed = config.get("failure_message")
        if not self.ok_format:
            source, expects = _called(tree, source), None
        self.given.append(None if own is None else float(own))
        hidden = config["hidden"] is True if "hidden" in config else hidden
        public = "" if hidden else source
        test = Test(cell.number, source, 0.0, public, expects, failed=failed if isinstance(failed, str) else "")
        self.question = replace(self.question, tests=[*self.question.tests, test])

    def _test_config(self, cell: Cell) -> tuple[str, dict[str, Any], bool]:
        """The test without its settings, those, and whether its first line says that it is hidden."""
        lines = cell.source.split("\n")
        first = next((number for number, line in enumerate(lines) if line.strip()), 0)
        hidden = lines[first].lstrip().startswith("#") and bool(re.search(r"\bhidden\b", lines[first], re.IGNORECASE))
        lines = lines[first + hidden :]
        if not (lines and (found := _CONFIG.match(lines[0])) and found[2].upper() == "BEGIN"):
            return "\n".join(lines), {}, hidden
        ends = (number for number, line in enumerate(lines) if number and _CONFIG.match(line))
        end = next(ends, 0)
        if not end:
            self.found.note(cell.number, "BEGIN TEST CONFIG has no END", "set its points by hand")
            return "\n".join(lines[1:]), {}, hidden
        return "\n".join(lines[end + 1 :]), self._yaml(cell, "\n".join(lines[1:end])), hidden


def _is_points(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6


def resolve(total: float | None, own: Sequence[float | None]) -> list[float]:
    """The points of each test, from the question's and from what tests say themselves, as Otter's documents have it."""
    said = sum(one for one in own if one is not None)
    silent = sum(one is None for one in own)
    rest = float(said == 0) if total is None else max(total - said, 0.0)
    share = rest / silent if silent else 0.0
    return [share if one is None else one for one in own]


def _called(tree: ast.Module, source: str) -> str:
    """A test that is a function, called with what its parameters name; other tests as they are."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if len(functions) != 1 or tree.body[0] is not functions[0]:
        return source
    names = [one.arg for one in functions[0].args.args]
    given = ", ".join(f"{one}=globals()" if one == "env" else f"{one}=globals().get({one!r})" for one in names)
    text = "\n".join(source.split("\n")[: functions[0].end_lineno])
    return f"{text}\n\n{functions[0].name}({given})"


def _of_doctest(text: str) -> tuple[str, str]:
    """A test that stands as in a session, `>>> f(1)` and what it gives below: its code, and what it shall print."""
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return text, ""
    return "".join(one.source for one in examples), "".join(one.want for one in examples)
