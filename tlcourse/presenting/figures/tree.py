"""Questions one after the other; with answers given, the branch that they lead along is lit."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from tlcourse.course.figure import DecisionTree, Node
from tlcourse.presenting.figures.canvas import wrapped
from tlcourse.presenting.marks import TRACK, Line, Run


def tree(figure: DecisionTree, width: int, answers: Sequence[int] | None = None) -> list[Line]:
    """The chart. With `answers` (the number of the answer, from 0, to each question on the way) it is a walk."""
    lines = [*_question(figure.ask, width, on=answers is not None, now=answers is not None and not answers)]
    lines += _branches(figure.answers, "", "", width, answers, on=answers is not None)
    return lines


def asked(figure: DecisionTree, answers: Sequence[int]) -> tuple[str, list[Node]]:
    """The question after those answers, and what may be answered; where they lead, and nothing, at the end."""
    ask, nodes = figure.ask, figure.answers
    for number in answers:
        node = nodes[number]
        ask, nodes = node.ask or node.say, node.answers
    return ask, nodes


def _question(text: str, width: int, *, on: bool, now: bool) -> list[Line]:
    return wrapped(text, width, "bold reverse $next" if now else "bold $next" if on else "bold")


def _branches(
    nodes: list[Node], before: str, styled: str, width: int, answers: Sequence[int] | None, *, on: bool
) -> list[Line]:
    walked = answers is not None
    chosen = answers[0] if on and answers else None
    broad = max(cell_len(node.answer) for node in nodes)
    lines: list[Line] = []
    for number, node in enumerate(nodes):
        last = number == len(nodes) - 1
        lit = on and chosen == number
        open_ = on and chosen is None
        pale = walked and not lit and not open_
        rule = TRACK if pale else "$next" if lit else "$muted"
        answer = "bold $next" if lit or open_ else "$muted" if pale else "$next"
        spare = "─" * (broad - cell_len(node.answer))
        # above a branch that is lit the rule on its left is lit too
        below = on and chosen is not None and chosen > number
        head: Line = [
            *_before(before, styled),
            Run("╰─ " if last else "├─ ", "$next" if lit or below else rule),
            Run(node.answer, answer),
            Run(f" {spare}─▶ ", rule),
        ]
        room = max(width - cell_len(before) - broad - 7, 14)
        if node.ask:
            text = _question(
                node.ask, room, on=lit, now=bool(lit and answers is not None and len(answers) == 1 and node.answers)
            )
            if pale:
                text = [[Run(run.text, "$muted") for run in line] for line in text]
        else:
            text = _leaf(node, room, pale=pale, lit=lit)
        inner = before + ("   " if last else "│  ") + " " * (broad + 4)
        looks = (
            styled + ("$" if below and not last else " " if last else "|") + " " * (cell_len(inner) - len(styled) - 1)
        )
        lines.append([*head, *text[0]])
        follow = before + ("   " if last else "│  ")
        bar = "│" if node.answers else " "
        for line in text[1:]:
            lines.append(
                [*_before(follow, looks), Run(" " * (broad + 4) + (f"{bar} " if node.ask else ""), "$muted"), *line]
            )
        if node.answers:
            rest = answers[1:] if lit and answers else (answers if walked else None)
            lines += _branches(node.answers, inner, looks, width, rest, on=lit)
    return lines


def _before(before: str, styled: str) -> Line:
    return [
        Run(character, "$next" if at < len(styled) and styled[at] == "$" else "$muted")
        for at, character in enumerate(before)
    ]


def _leaf(node: Node, width: int, *, pale: bool, lit: bool) -> list[Line]:
    name, _, rest = node.say.partition("\n")
    style = "$muted" if pale else f"bold {'reverse ' if lit else ''}${node.role or 'done'}"
    return [*wrapped(name, width, style), *wrapped(rest, width, "$muted")]
