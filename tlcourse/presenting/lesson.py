"""A lesson's text in parts: prose in Markdown, and what is drawn: figures and formulas.

A formula stands between `$$` and `$$` in lines of its own, or between `$` and `$` within a sentence. An image stands
alone in its line, `![what is to be seen](FILE)`, and its file beside the text. A question of the unit's quizzes stands
alone in its line, too: `[Question](question/ID)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct

from tlcourse.course.lab import Lab, load_labs
from tlcourse.course.markdown import QUESTION, fences
from tlcourse.course.model import LoadedCourse
from tlcourse.presenting import figures
from tlcourse.presenting.figures.canvas import widest, wrapped
from tlcourse.presenting.formula import FormulaError, block, inline
from tlcourse.presenting.images import why_no_image
from tlcourse.presenting.marks import Line, Run
from tlcourse.presenting.prompt import in_words as prompt_in_words
from tlcourse.quiz.kinds import Question

_FENCE = re.compile(r"^(`{3,}|~{3,})\s*(\S*)")
_DISPLAYED = re.compile(r"^( *)\$\$(.*?)(\$\$)?\s*\Z", re.DOTALL)
_WITHIN = re.compile(r"(`[^`\n]*`)|(?<![\\$])\$(?=[^\s$])((?:[^$\n]|\n(?!\n))*?[^\s$\\])\$(?![\d$])")
_IMAGE = re.compile(r"^!\[([^\[\]]*)\]\(\s*<?([^()<>\s]+)>?(?:\s+\"[^\"]*\")?\s*\)\s*\Z")
_IMAGE_WITHIN = re.compile(r"(`[^`\n]*`)|!\[([^\[\]]*)\]\([^()]*\)")
_COMMAND = re.compile(r"(?<=\))\s\(`tlcourse\s[^`]*`\)")
_SKELETON = re.compile(r"`tlcourse\s+write\s+init\s+([\w-]+)`")
_BY_KEY = re.compile(r"\s\(`e`\s+in\s+the\s+app\)")
_MEANING = re.compile(r"([\\`*_\[\]|<])")
INDENT = 4
"""Of a formula in lines of its own."""
ANSI = {
    "next": "bright_blue", "live": "bright_blue", "done": "green", "good": "green", "partial": "yellow",
    "wrong": "red", "due": "bright_yellow", "source": "bright_cyan", "target": "yellow", "method": "magenta",
    "control": "bright_black", "lab": "blue", "muted": "bright_black", "line": "bright_black",
    "foreground": "color(255)", "heat-1": "color(236)", "heat-2": "color(23)", "heat-3": "color(24)",
    "heat-4": "color(25)",
}  # fmt: skip
"""Roles in the sixteen colours that a terminal has itself, for what is printed there; shades have 256."""


class Part(Struct, frozen=True):
    """A piece of a lesson: its kind, what stands in it, its first line in the lesson, from 1, and its indentation.

    What stands in an image are two lines: its file, and what is to be seen; in a question its identifier.
    """

    kind: Literal["prose", "figure", "math", "image", "question"]
    text: str
    line: int = 1
    indent: str = ""

    @property
    def alt(self) -> str:
        """Of an image: what is to be seen."""
        return self.text.partition("\n")[2]

    @property
    def target(self) -> str:
        """Of an image: its file, as the lesson names it."""
        return self.text.partition("\n")[0]


def parts(text: str) -> Iterator[Part]:
    """The pieces in order."""
    prose: list[str] = []
    inside: list[str] = []
    mark = kind = indent = ""
    start = since = 1
    for number, line in enumerate(text.splitlines(), start=1):
        opened = not mark
        if opened and (found := _FENCE.match(line)):
            mark, kind = found[1], found[2]
            drawn = kind in ("figure", "math")
            rest = indent = ""
        elif opened and (found := _DISPLAYED.match(line)):
            mark, kind, drawn, rest = "$$", "math", True, found[2].strip()
            indent, closed = found[1], bool(found[3])
        elif opened and (found := _IMAGE.match(line)):
            yield Part("prose", "\n".join(prose), since)
            yield Part("image", f"{found[2]}\n{found[1].strip()}", number)
            prose, since = [], number + 1
            continue
        elif opened and (found := QUESTION.match(line)):
            yield Part("prose", "\n".join(prose), since)
            yield Part("question", found[1], number)
            prose, since = [], number + 1
            continue
        elif opened:
            prose.append(line)
            continue
        if opened:
            if not drawn:
                prose.append(line)
                continue
            yield Part("prose", "\n".join(prose), since)
            prose, inside, start = [], [rest] if rest else [], number + (not rest)
            if mark == "$$" and closed:
                yield Part("math", rest, number, indent)
                mark, since = "", number + 1
            continue
        ends = line.strip() == mark or (mark == "$$" and line.rstrip().endswith("$$"))
        if not drawn:
            prose.append(line)
        elif not ends:
            inside.append(line)
        else:
            inside += [line.rstrip().removesuffix("$$")] if mark == "$$" and line.strip() != mark else []
            yield Part("figure" if kind == "figure" else "math", "\n".join(inside), start, indent)
            since = number + 1
        if ends:
            mark = ""
    yield Part("prose", "\n".join([*prose, *(inside if mark and drawn else [])]), since)


def as_markdown(text: str) -> str:
    """The Markdown of the app: figures, formulas, images, questions are fences of those names.

    Formulas in sentences are Unicode.

    A command after a link says how to get there without the app, and is left out; one that gives a skeleton is a link.
    """
    found = []
    for part in parts(text):
        prose = part.kind == "prose"
        lines = ["```" + part.kind, *part.text.splitlines(), "```"]  # within a list it stays there
        found.append(within(_without_commands(part.text)) if prose else "\n".join(part.indent + line for line in lines))
    return "\n".join(found)


def _without_commands(prose: str) -> str:
    return _BY_KEY.sub(" (`e`)", _SKELETON.sub(r"[\1](write/\1)", _COMMAND.sub("", prose)))


def within(prose: str) -> str:
    """Prose with the formulas of its sentences set, and nothing in them that Markdown would take for its own."""
    found: list[str] = []
    mark = ""
    for paragraph in re.split(r"(^(?:`{3,}|~{3,}).*$)", prose, flags=re.MULTILINE):
        if paragraph.startswith(("```", "~~~")):
            fence = _FENCE.match(paragraph)
            mark = "" if mark and paragraph.strip() == mark else mark or (fence[1] if fence else "")
            found.append(paragraph)
        else:
            found.append(paragraph if mark else _WITHIN.sub(_set, _IMAGE_WITHIN.sub(_words_of, paragraph)))
    return "".join(found)


def _words_of(found: re.Match[str]) -> str:
    """An image within a sentence has no room: its words stand there."""
    return found[1] or found[2]


def _set(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    try:
        return _MEANING.sub(r"\\\1", inline(" ".join(found[2].split())))
    except FormulaError:
        return found[0]


def for_a_terminal(style: str) -> str:
    """A style of a run with the terminal's colours in place of roles."""
    return re.sub(r"\$([a-z0-9-]+)", lambda role: ANSI.get(role[1], "default"), style)


class Placed(Struct, frozen=True):
    """A question where a lesson places it: as it is asked at this visit, and the quiz under which answers are kept."""

    quiz: str
    question: Question
    right: bool | None = None
    """Whether the latest answer was right; None where there is none."""

    @property
    def command(self) -> str:
        """What asks it without the app."""
        return f"tlcourse quiz take {self.quiz} --question {self.question.id}"


def placed(course: LoadedCourse, unit: str, seed: int) -> dict[str, Placed]:
    """The questions that a lesson places, by their identifiers, drawn from `seed`: `Record.seed`."""
    wanted = {part.text for part in parts(course.lessons[unit].body) if part.kind == "question"}
    quizzes = next((one.quizzes for one in course.about.units if one.id == unit), [])
    return {
        question.id: Placed(name, question.realise(seed))
        for name in (quizzes if wanted else ())
        for question in course.quizzes[name].questions
        if question.id in wanted
    }


def asked_in_words(one: Placed | None) -> list[str]:
    """A question on paper: its prompt, its listing and choices, and the command that answers it."""
    if one is None:
        return ["[Question: it is not in the quizzes of this unit]"]
    prompt, *more = prompt_in_words(one.question.prompt.strip()).splitlines()
    return [f"Question. {prompt}", *more, *one.question.sheet(), f"Answer it with: {one.command}"]


def drawn(part: Part, width: int, questions: Mapping[str, Placed] | None = None) -> list[Line]:
    """The lines of a figure or a formula; of an image its words, of a question those on paper."""
    if part.kind == "question":
        first, *lines = asked_in_words((questions or {}).get(part.text))
        told = [line for text in lines[:-1] for line in _folded(text, width)]
        return [*wrapped(first, width, "bold"), *told, *([Run(line, "$next")] for line in lines[-1:])]
    if part.kind == "image":
        return wrapped(image_in_words(part.alt), width, "italic $muted")
    if part.kind == "figure":
        return figures.drawn_text(part.text, width)
    return [[Run(" " * INDENT), Run(line, "$live")] for line in formula_lines(part.text, width)]


def _folded(line: str, width: int) -> list[Line]:
    """A line that keeps its indentation; what does not fit stands below it, a little further in."""
    if len(line) <= width:
        return [[Run(line)]]
    indent = len(line) - len(line.lstrip())
    first, *more = wrapped(line, width - indent - 3)
    return [[Run(" " * indent), *first], *([Run(" " * (indent + 3)), *one] for one in more)]


def formula_lines(source: str, width: int = 0, spell: Callable[[str], str] | None = None) -> list[str]:
    """A displayed formula; of one that cannot be set its source."""
    try:
        return list(block(source, spell, max(width - INDENT, 1) if width else 0))
    except FormulaError:
        return source.splitlines()


def in_words(text: str, questions: Mapping[str, Placed] | None = None) -> str:
    """The lesson for whoever hears it or reads it as plain text: figures as what they show."""
    said = []
    for part in parts(text):
        if part.kind == "prose":
            said.append(within(part.text))
        elif part.kind == "figure":
            said.append(figures.in_words(part.text))
        elif part.kind == "image":
            said.append(image_in_words(part.alt))
        elif part.kind == "question":
            said.append("\n".join(asked_in_words((questions or {}).get(part.text))))
        else:
            said.append("\n".join(" " * INDENT + line for line in formula_lines(part.text)))
    return "\n".join(said)


def image_in_words(alt: str) -> str:
    """What stands where an image cannot be shown."""
    return f"[Picture: {alt or 'without words'}]"


def image_path(folder: Path | None, target: str) -> Path | None:
    """The file of an image beside a text in `folder`; None where it lies outside, on the web, or nowhere."""
    if folder is None or "://" in target:
        return None
    path = (folder / target).resolve()
    return path if path.is_relative_to(folder.resolve().parent) and path.is_file() else None


def problems_of_drawings(course: LoadedCourse) -> Iterator[str]:
    """Figures, formulas, images of a course that cannot be shown, as `file:line: what, and what was expected`."""
    lessons = [course.folder / unit.lesson for unit in course.about.units if unit.lesson and unit.id in course.lessons]
    handouts = [exercise.folder / "handout.md" for exercise in course.exercises.values()]
    for path in (*lessons, *handouts):
        yield from figures.problems(path)
        for part in parts(path.read_text(encoding="utf-8")):
            yield from _formula_problems(part, path)
            yield from _image_problems(part, path)
    for lab in load_labs(course.folder, [unit.id for unit in course.about.units]).values():
        yield from _lab_problems(lab, course)


def _lab_problems(lab: Lab, course: LoadedCourse) -> Iterator[str]:
    path = course.folder / "labs" / f"{lab.id}.yaml"
    yield from _formula_problems(Part("math", lab.formula), path)
    lesson = course.lessons.get(lab.unit)
    there = len(list(fences(lesson.body, "figure"))) if lesson else 0
    if lab.figure > max(there, 1):
        yield f"{path}:1: figure is {lab.figure}, expected at most {there}: the lesson of `{lab.unit}` has no more"


def _image_problems(part: Part, path: Path) -> Iterator[str]:
    where = f"{path}:{part.line}: the image `{part.target}`"
    if part.kind == "image":
        if not part.alt:
            yield f"{where} has no words, expected ![what is to be seen]({part.target}) for those who do not see it"
        if "://" in part.target:
            yield f"{where} is on the web, expected a file of the course: a lesson is read without a network"
        elif (found := image_path(path.parent, part.target)) is None:
            yield f"{where} is not there, expected a file beside {path.name}, or below the folder above it"
        elif (wrong := why_no_image(found)) is not None:
            yield f"{where} {wrong}, expected a PNG, JPEG, GIF or WebP picture"
    prose = part.text if part.kind == "prose" else ""
    for number, line in enumerate(unfenced(prose), start=part.line):
        if any(found[1] is None for found in _IMAGE_WITHIN.finditer(line)):
            yield f"{path}:{number}: an image within a line is shown as its words, expected it alone in its line"


def unfenced(prose: str) -> Iterator[str]:
    """The lines of prose, those of listings empty."""
    mark = ""
    for line in prose.splitlines():
        fence = _FENCE.match(line)
        if fence and not mark:
            mark = fence[1]
            yield ""
        else:
            yield "" if mark or line.startswith("    ") else line
            mark = "" if mark and line.strip() == mark else mark


def _formula_problems(part: Part, path: Path) -> Iterator[str]:
    try:
        if part.kind == "math":
            wide = widest([[Run(line)] for line in block(part.text, width=figures.NARROWEST - INDENT)]) + INDENT
            if wide > figures.NARROWEST:
                yield f"{path}:{part.line}: a formula of {wide} columns, expected at most {figures.NARROWEST}"
    except FormulaError as error:
        yield f"{path}:{part.line}: the formula cannot be set: {error}, expected LaTeX of docs/authoring.md"
    for found in _WITHIN.finditer(part.text) if part.kind == "prose" else ():
        try:
            if found[2]:
                inline(" ".join(found[2].split()))
        except FormulaError as error:
            line = part.line + part.text.count("\n", 0, found.start())
            yield f"{path}:{line}: the formula `{found[2]}` cannot be set: {error}, expected LaTeX of docs/authoring.md"
