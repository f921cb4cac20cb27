"""What students get of the code of a cell in Otter-Grader's format: `# SOLUTION`, `# SEED`, and regions of lines."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator

_STUB = "..."

_PROMPT = re.compile(r"\s*(?:\"\"\"|''');?\s*#\s*(BEGIN|END) PROMPT\s*\Z")

_REGION = re.compile(r"(\s*)#\s*(BEGIN|END) (SOLUTION|IGNORE)( NO PROMPT)?\s*\Z")


def without_solutions(source: str) -> tuple[str, str, list[str]]:
    """The code for students, the reference's without marks, and what is wrong with the marks."""
    student: list[str] = []
    reference: list[str] = []
    problems: list[str] = []
    region = ""
    for line in source.split("\n"):
        bare = line.rstrip()
        if prompt := _PROMPT.match(bare):
            if (prompt[1] == "BEGIN") == (region == "PROMPT"):
                problems.append(f"{prompt[1]} PROMPT where none is expected")
            region = "PROMPT" if prompt[1] == "BEGIN" else ""
        elif mark := _REGION.match(bare):
            begins, kind = mark[2] == "BEGIN", mark[3]
            if begins == (region == kind) or (begins and region):
                problems.append(f"{mark[2]} {kind} {'within ' + region if region else 'without a BEGIN'}")
            if begins and kind == "SOLUTION" and not region and not mark[4]:
                student.append(f"{mark[1]}{_STUB}")
            region = kind if begins else ""
        elif region == "PROMPT":
            student.append(line)
        elif region == "SOLUTION":
            reference.append(line)
        elif region != "IGNORE" and not bare.endswith("# IGNORE"):
            for_students, for_staff = _line(line)
            student += for_students
            reference += for_staff
    if region:
        problems.append(f"BEGIN {region} has no END")
    return "\n".join(student), "\n".join(reference), problems


def _line(line: str) -> tuple[list[str], list[str]]:
    """A line outside regions, for students and for the reference."""
    bare = line.rstrip()
    for mark in ("# SOLUTION NO PROMPT", "# SEED"):
        if bare.endswith(mark):
            return [], [bare.removesuffix(mark).rstrip()]
    found = re.search(r"#\s?SOLUTION\Z", bare)
    if found is None:
        return [line], [line]
    code = bare[: found.start()].rstrip()
    indent = code[: len(code) - len(code.lstrip())]
    target = _target(code.strip())
    return [f"{indent}{target} = {_STUB}" if target else f"{indent}{_STUB}"], [code]


def _target(code: str) -> str:
    """What stands before the `=` of an assignment; empty where the line is none."""
    depth = 0
    for token in _tokens(code):
        if token.type != tokenize.OP:
            continue
        depth += (token.string in "([{") - (token.string in ")]}")
        if token.string == "=" and depth == 0:
            return code[: token.start[1]].rstrip()
    return ""


def _tokens(code: str) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.generate_tokens(io.StringIO(code).readline)
    except (tokenize.TokenError, SyntaxError):  # a line that goes on below
        return
