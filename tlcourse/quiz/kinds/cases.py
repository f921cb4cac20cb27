"""Drawn cases of transfer, whose truth is known because they were built from it.

Each case is two joint distributions P(x, y), one of the source and one of the target, over a few inputs and labels.
`setting` asks for the kind of transfer after Pan and Yang (2010), doi:10.1109/TKDE.2009.191, table 2;
`shift` asks which factor of the joint has moved.
"""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Literal

from msgspec import Struct

from tlcourse.quiz.kinds.question import Option

Joint = dict[tuple[str, str], Fraction]
"""P(x, y) by (x, y)."""
_HUNDRED = 100
_STORIES = (
    ("mail of office A", "mail of office B", ('"free"', 'no "free"'), ("spam", "ham")),
    ("scanner A", "scanner B", ("dark spot", "no spot"), ("ill", "well")),
    ("the summer's visitors", "the winter's visitors", ("by train", "by car"), ("returns", "does not")),
    ("machine 1", "machine 2", ("loud", "quiet"), ("worn", "sound")),
    ("last year's flats", "this year's flats", ("in the centre", "in a suburb"), ("sold", "not sold")),
)
_SETTINGS = ("inductive", "transductive", "unsupervised", "none")
_SHIFTS = ("covariate", "label", "concept", "none")


class Case(Struct, frozen=True):
    """What is shown, and the answers with their reasons; the one that is true is marked correct."""

    text: str
    options: list[Option]
    truth: str


def draw_case(family: Literal["setting", "shift"], seed: int) -> Case:
    """A case of a family; the same seed draws the same case. Raises ValueError for a family that is not known."""
    dice = random.Random(f"{family}/{seed}")  # noqa: S311 - a case to practise on, no secret
    if family == "setting":
        return _draw_setting(dice)
    if family == "shift":
        return _draw_shift(dice)
    raise ValueError(f"there is no family of cases called {family!r}")


def marginal_x(joint: Joint) -> dict[str, Fraction]:
    """P(x)."""
    return _summed(joint, 0)


def marginal_y(joint: Joint) -> dict[str, Fraction]:
    """P(y)."""
    return _summed(joint, 1)


def y_given_x(joint: Joint) -> Joint:
    """P(y | x), by (x, y)."""
    total = marginal_x(joint)
    return {(x, y): share / total[x] for (x, y), share in joint.items()}


def x_given_y(joint: Joint) -> Joint:
    """P(x | y), by (x, y)."""
    total = marginal_y(joint)
    return {(x, y): share / total[y] for (x, y), share in joint.items()}


def shift_between(source: Joint, target: Joint) -> str:
    """Which one factor differs: covariate, label, concept, none; `several` when no one factor explains it."""
    if source == target:
        return "none"
    if y_given_x(source) == y_given_x(target):
        return "covariate"
    if x_given_y(source) == x_given_y(target):
        return "label"
    return "concept" if marginal_x(source) == marginal_x(target) else "several"


# -- which factor moved --------------------------------------------------------------------------------------------


def _draw_shift(dice: random.Random) -> Case:
    here, there, inputs, labels = dice.choice(_STORIES)
    truth = dice.choice(_SHIFTS)
    while True:
        source = _from_causes(dice, inputs, labels) if truth == "label" else _from_inputs(dice, inputs, labels)
        target = _moved(dice, source, truth)
        if shift_between(source, target) == truth and _worth_asking(source) and _worth_asking(target):
            break
    text = f"{_table(here, source)}\n\n{_table(there, target)}"
    return Case(text, [_shift_option(name, source, target, truth) for name in _SHIFTS], truth)


def _moved(dice: random.Random, joint: Joint, truth: str) -> Joint:
    """The joint with one factor drawn anew."""
    inputs, labels = list(marginal_x(joint)), list(marginal_y(joint))
    first = _tenths(dice)
    if truth == "covariate":
        new = {inputs[0]: first, inputs[1]: 1 - first}
        return {(x, y): new[x] * share for (x, y), share in y_given_x(joint).items()}
    if truth == "label":
        new = {labels[0]: first, labels[1]: 1 - first}
        return {(x, y): new[y] * share for (x, y), share in x_given_y(joint).items()}
    if truth == "concept":
        total = marginal_x(joint)
        return {
            (x, y): total[x] * share
            for x in inputs
            for chance in (_another_tenth(dice, y_given_x(joint)[x, labels[0]]),)
            for y, share in zip(labels, (chance, 1 - chance), strict=True)
        }
    return joint


def _worth_asking(joint: Joint) -> bool:
    """Shown in whole hundredths, and input and label depend on each other: else P(y) says nothing about P(x)."""
    whole = all((share * _HUNDRED).denominator == 1 and share > 0 for share in joint.values())
    return whole and len(set(y_given_x(joint).values())) > 2


def _shift_option(name: str, source: Joint, target: Joint, truth: str) -> Option:
    x = next(iter(marginal_x(source)))
    y = next(iter(marginal_y(source)))
    px = f"P({x}) is {_number(marginal_x(source)[x])} and {_number(marginal_x(target)[x])}"
    py = f"P({y}) is {_number(marginal_y(source)[y])} and {_number(marginal_y(target)[y])}"
    forward = f"P({y} | {x}) is {_number(y_given_x(source)[x, y])} and {_number(y_given_x(target)[x, y])}"
    backward = f"P({x} | {y}) is {_number(x_given_y(source)[x, y])} and {_number(x_given_y(target)[x, y])}"
    facts = {
        "covariate": ("Covariate shift: P(x) moved, P(y | x) stayed", f"{px}; {forward}"),
        "label": ("Label shift: P(y) moved, P(x | y) stayed", f"{py}; {backward}"),
        "concept": ("Concept shift: P(y | x) moved, P(x) stayed", f"{forward}; {px}"),
        "none": ("No shift: the joint is the same", f"{px}; {forward}"),
    }
    text, fact = facts[name]
    ending = "." if name == truth else ". That is not what this answer says."
    return Option(text, f"In source and target {fact}{ending}", name == truth)


# -- which kind of transfer ----------------------------------------------------------------------------------------


def _draw_setting(dice: random.Random) -> Case:
    here, there, inputs, labels = dice.choice(_STORIES)
    truth = dice.choice(_SETTINGS)
    source = _from_inputs(dice, inputs, labels)
    while True:
        if truth == "none":
            target = source
        elif truth == "transductive":
            target = _moved(dice, source, "covariate")
        else:  # another task, and sometimes other inputs as well: the domain does not decide
            target = _moved(dice, _moved(dice, source, "covariate") if dice.random() < 0.5 else source, "concept")
        same_task = y_given_x(source) == y_given_x(target)
        same_domain = marginal_x(source) == marginal_x(target)
        wanted = {"none": (True, True), "transductive": (True, False)}
        if (same_task, same_domain) == wanted.get(truth, (False, same_domain)):
            break
    labelled = {
        "inductive": (dice.random() < 0.7, True),
        "transductive": (True, False),
        "unsupervised": (False, False),
        "none": (True, True),
    }[truth]
    words = [f"labels: {'yes' if known else 'none'}" for known in labelled]
    text = f"{_factors(here, source, words[0])}\n\n{_factors(there, target, words[1])}"
    return Case(text, [_setting_option(name, same_task, same_domain, labelled, truth) for name in _SETTINGS], truth)


def _setting_option(name: str, same_task: bool, same_domain: bool, labelled: tuple[bool, bool], truth: str) -> Option:
    texts = {
        "inductive": "Inductive transfer: another task, with some target labels",
        "transductive": "Transductive transfer: the same task, another domain, labels only in the source",
        "unsupervised": "Unsupervised transfer: another task, no labels in source or target",
        "none": "No transfer: domain and task are the same",
    }
    task = "P(y | x) is the same, so the task is" if same_task else "P(y | x) differs, so the task does"
    domain = "P(x) is the same, so the domain is" if same_domain else "P(x) differs, so the domain does"
    where = {
        (True, True): "both are labelled",
        (True, False): "only the source is labelled",
        (False, True): "only the target is labelled",
        (False, False): "nothing is labelled",
    }[labelled]
    against = {
        "inductive": [task] * same_task + [where] * (not labelled[1]),
        "transductive": [task] * (not same_task) + [domain] * same_domain + [where] * (labelled != (True, False)),
        "unsupervised": [task] * same_task + [where] * any(labelled),
        "none": [task] * (not same_task) + [domain] * (not same_domain),
    }[name]
    reason = f"Against it: {'; '.join(against)}." if against else f"{task}; {domain}; {where}."
    return Option(texts[name], reason, name == truth)


# -- tables --------------------------------------------------------------------------------------------------------


def _from_inputs(dice: random.Random, inputs: tuple[str, str], labels: tuple[str, str]) -> Joint:
    """P(x) and P(y | x) drawn in tenths."""
    share = _tenths(dice)
    first, second = dice.sample(range(1, 10), 2)
    chances = {inputs[0]: Fraction(first, 10), inputs[1]: Fraction(second, 10)}
    total = {inputs[0]: share, inputs[1]: 1 - share}
    return {
        (x, y): total[x] * chance
        for x in inputs
        for y, chance in zip(labels, (chances[x], 1 - chances[x]), strict=True)
    }


def _from_causes(dice: random.Random, inputs: tuple[str, str], labels: tuple[str, str]) -> Joint:
    """P(y) and P(x | y) drawn in tenths."""
    turned = _from_inputs(dice, labels, inputs)
    return {(x, y): turned[y, x] for x in inputs for y in labels}


def _tenths(dice: random.Random) -> Fraction:
    return Fraction(dice.randint(1, 9), 10)


def _another_tenth(dice: random.Random, old: Fraction) -> Fraction:
    """A change that shows in every row: a reason names only one of them."""
    return dice.choice([share for n in range(1, 10) if (share := Fraction(n, 10)) != old])


def _summed(joint: Joint, position: int) -> dict[str, Fraction]:
    found: dict[str, Fraction] = {}
    for key, share in joint.items():
        found[key[position]] = found.get(key[position], Fraction(0)) + share
    return found


def _table(title: str, joint: Joint) -> str:
    labels = list(marginal_y(joint))
    rows = [f"{title}: P(x, y)", f"{'':<16}" + "".join(f"{y:>10}" for y in labels)]
    rows += [f"  {x:<14}" + "".join(f"{float(joint[x, y]):>10.2f}" for y in labels) for x in marginal_x(joint)]
    return "\n".join(rows)


def _factors(title: str, joint: Joint, labelled: str) -> str:
    first = next(iter(marginal_y(joint)))
    conditional = f"P({first} | x)"
    rows = [f"{title}, {labelled}", f"{'':<16}{'P(x)':>6}{conditional:>16}"]
    rows += [
        f"  {x:<14}{float(share):>6.2f}{float(y_given_x(joint)[x, first]):>16.2f}"
        for x, share in marginal_x(joint).items()
    ]
    return "\n".join(rows)


def _number(share: Fraction) -> str:
    return f"{float(share):.3g}"
