"""Every command that the documents, the lessons or a message name is there, with its options, and names what exists."""

from __future__ import annotations

import ast
import functools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from tlcourse.cli.main import add_all, application
from tlcourse.course.lab import load_labs
from tlcourse.course.loader import load_course

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    path
    for pattern in ("*.md", "docs/*.md", "docs/decisions/*.md", "exercises/*/*.md", "graders/references/*.md")
    for path in sorted(ROOT.glob(pattern))
] + sorted(path for folder in ("content", "template") for path in (ROOT / "tlcourse" / folder).rglob("*.md"))
SOURCES = sorted((ROOT / "tlcourse").rglob("*.py"))
FENCED = re.compile(r"^ *```[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^(?: {4}|\t).*\btlcourse .*$", re.MULTILINE)
INLINE = re.compile(r"(?<!`)`(?!`)((?:[^`\n]|\n(?!\n))+)`(?!`)")
COMMENT = re.compile(r"(^|\s)#(\s.*)?$")


class Line(NamedTuple):
    """A command line; `whole` if it stands in a listing, to be given as it is."""

    text: str
    whole: bool


def lines_of(document: str) -> Iterator[Line]:
    """The command lines of a Markdown text: those of its listings, and those between backticks."""
    for listing in FENCED.findall(document):
        yield from (Line(line.strip(), True) for line in listing.splitlines() if "tlcourse " in line)
    prose = FENCED.sub("", document)
    yield from (Line(line.strip(), True) for line in INDENTED.findall(prose) if "`" not in line)
    yield from (Line(" ".join(text.split()), False) for text in INLINE.findall(prose) if text.startswith("tlcourse "))


def commands_in(text: str) -> Iterator[list[str]]:
    """What `tlcourse` is given in a shell's line, each time that it is called there."""
    reader = shlex.shlex(COMMENT.sub("", text), posix=True, punctuation_chars=True)
    reader.whitespace_split, reader.commenters = True, ""
    words = list(reader)
    starts = [i for i, word in enumerate(words) if Path(word).name == "tlcourse" and (i == 0 or words[i - 1] == "&&")]
    for start in starts:
        end = next((i for i in range(start, len(words)) if set(words[i]) <= set("();<>|&")), len(words))
        yield [word for word in words[start + 1 : end] if word != "…"]


@functools.cache
def whole_command() -> Any:
    """The application with every command imported."""
    app = application()
    add_all(app)
    return typer.main.get_command(app)


def problem_of(arguments: list[str], *, whole: bool) -> str:
    """What is wrong with a command line, or nothing; a mention in prose (not `whole`) may stop early."""
    command, rest, said = whole_command(), arguments, "tlcourse"
    while children := getattr(command, "commands", None):
        if not rest:
            return "names no command of the group" if whole else ""
        if rest[0] not in children:
            return "" if rest == ["--help"] else f"{said} has no command {rest[0]!r}"
        command, rest, said = children[rest[0]], rest[1:], f"{said} {rest[0]}"
    if "--help" in rest:
        return ""
    try:
        context = command.make_context(said, list(rest))
    except typer.BadParameter.__base__ as error:  # type: ignore[misc]  # UsageError, which Typer keeps to itself
        missing = type(error).__name__ == "MissingParameter"
        return "" if missing and not whole else error.format_message()
    return misnamed(said, context.params)


@functools.cache
def names_for(command: str) -> tuple[str, set[str]]:
    """The parameter of a command that names something of the bundled course, and what there is."""
    course = load_course()
    if command == "tlcourse lesson show":
        return "unit", set(course.lessons)
    if command.startswith("tlcourse quiz"):
        return ("names" if command.endswith("export") else "name"), {*course.quizzes, *course.mixed}
    if command.startswith("tlcourse lab"):
        return "name", set(load_labs(course.folder, [unit.id for unit in course.about.units]))
    return "exercise", set(course.exercises)


def misnamed(command: str, values: dict[str, Any]) -> str:
    """Which exercise, unit, quiz or lab is not one of the bundled course; words in capitals stand for any."""
    if values.get("course"):
        return ""
    parameter, known = names_for(command)
    given = values.get(parameter) or ()
    unknown = [name for name in ([given] if isinstance(given, str) else given) if name not in known]
    return "".join(f"there is no {name!r} in the bundled course" for name in unknown if not name.isupper())


def test_every_command_line_of_a_document_can_be_given():
    wrong, tried = [], 0
    for document in DOCUMENTS:
        for line in lines_of(document.read_text(encoding="utf-8")):
            for arguments in commands_in(line.text):
                tried += 1
                if said := problem_of(arguments, whole=line.whole):
                    wrong.append(f"{document.relative_to(ROOT)}: {line.text}\n    {said}")
    assert not wrong, "\n".join(wrong)
    assert tried > 150


NAMED = re.compile(r"(?<![\w/.-])((?:tlcourse|tests|graders|exercises|docs|benchmarks)/[\w./-]*\w)")
LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)")


def test_every_file_that_a_document_names_or_links_to_is_there():
    """Words in capitals stand for any name; the walk of docs/authoring.md speaks of the course that it makes."""
    wrong = []
    for document in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]):
        text = document.read_text(encoding="utf-8")
        gone = [link for link in LINK.findall(text) if not (document.parent / link).exists()]
        if document.name != "authoring.md":
            paths = {path for quoted in INLINE.findall(text) for path in NAMED.findall(quoted)}
            gone += [path for path in paths if not re.search("[A-Z]{3}", path) and not (ROOT / path).exists()]
        wrong += [f"{document.relative_to(ROOT)}: {name}" for name in gone]
    assert not wrong, "\n".join(wrong)


def texts_of(source: str) -> Iterator[str]:
    """The literal texts of Python code; what an f-string puts in is X."""
    inside = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def mentions_in(text: str) -> Iterator[list[str]]:
    """Commands that a message names: their words as far as they are one, options without their values."""
    names = "|".join(map(re.escape, whole_command().commands))
    for found in re.finditer(rf"\btlcourse (?=(?:{names})\b)(.*)", text):
        words = []
        for word in found[1].split():
            if word == "–":
                break
            bare = word.strip("`'\"().,;:?!")
            words.append(bare)
            if bare != word.lstrip("`'\"("):  # a comma or a full stop: the command ends here
                break
        yield words


def unknown_in(words: list[str]) -> str:
    """The command of a group, or the option, that is not there; arguments are not looked at."""
    command: Any = whole_command()
    while words and (children := getattr(command, "commands", None)):
        if words[0] not in children:
            return words[0] if words[0].islower() and "X" not in words[0] else ""
        command, words = children[words[0]], words[1:]
    options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
    return next((word for word in words if word.startswith("--") and word.split("=")[0] not in options), "")


@pytest.mark.slow
def test_every_command_that_a_message_names_is_there():
    wrong, tried = [], 0
    for source in SOURCES:
        for text in texts_of(source.read_text(encoding="utf-8")):
            for words in mentions_in(text):
                tried += 1
                if said := unknown_in(words):
                    wrong.append(f"{source.relative_to(ROOT)}: tlcourse {' '.join(words)}: {said!r} is not there")
    assert not wrong, "\n".join(wrong)
    assert tried > 150


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("    tlcourse grade ex2 --acuracy 3", "--acuracy"),
        ("    .venv/bin/python -m pip install . && .venv/bin/tlcourse strat", "'strat'"),
        ("    tlcourse grade", "exercise"),
        ("    tlcourse ta", "names no command"),
        ("`tlcourse lesson shw\nlora`", "'shw'"),
        ("```sh\ntlcourse quiz take lorry\n```", "'lorry'"),
        ("`tlcourse exercise hint ex2 many`", "many"),
    ],
)
def test_what_could_not_be_given_is_found(text, said):
    ((line, arguments),) = [(line, words) for line in lines_of(text) for words in commands_in(line.text)]
    assert said.lower() in problem_of(arguments, whole=line.whole).lower()


def test_a_mention_may_stop_early_and_a_message_that_names_nothing_is_found():
    assert problem_of(["exercise", "show"], whole=False) == problem_of(["ta"], whole=False) == ""
    (words,) = mentions_in("Give tlcourse jobs list --al, then wait.")
    assert unknown_in(words) == "--al"
