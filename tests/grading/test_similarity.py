"""Similar hand-ins: copies are found under other names and in another order, the starter and the common are not."""

from __future__ import annotations

import random
import re

import pytest

from tlcourse.course.exercise import solutions
from tlcourse.course.loader import load_course
from tlcourse.grading.similarity import MAX_SOURCE, fingerprints, similar_pairs, tokens_of

STARTER = """
import torch
import torch.nn.functional as F

def fit(task):
    x, y = task.train.tensors
    model = torch.nn.Linear(x.shape[1], 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(10):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x).squeeze(1), y)
        loss.backward()
        optimizer.step()
    return model
"""
OWN = """
class Net(torch.nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Conv2d(1, width, 3), torch.nn.ReLU(), torch.nn.Flatten())
        self.head = torch.nn.Linear(width * 900, 7)
    def forward(self, x):
        features = self.body(x)
        return self.head(features), features.mean(1)

def augment(x, generator):
    flips = torch.rand(len(x), generator=generator) < 0.5
    x = torch.where(flips[:, None, None, None], x.flip(-1), x)
    return x + 0.01 * torch.randn(x.shape, generator=generator)
"""


def different(number: int) -> str:
    """A function that shares its form with no other number's."""
    rng = random.Random(number)
    lines = [f"def f{number}(a, b):"]
    for _ in range(25):
        form = rng.choice(
            [
                "a = a {0} b",
                "b = [a {0} k for k in b]",
                "if a {1} b: return a",
                "a, b = b {0} 1, a",
                "while b: b {0}= a",
            ]
        )
        lines.append("    " + form.format(rng.choice("+-*/%"), rng.choice(["<", ">", "==", "in"])))
    return "\n".join(lines)


def pairs_of(sources, **how):
    return similar_pairs(sources, {key: key.title() for key in sources}, [STARTER], **how)


def test_a_copy_with_other_names_numbers_comments_and_spaces_is_found_first():
    disguised = OWN.replace("Net", "Model").replace("features", "z").replace("64", "128").replace("flips", "f")
    disguised = "# my own work\n" + disguised.replace("\n", "\n\n")
    sources = {"anna": STARTER + OWN, "bo": STARTER + disguised, "cleo": STARTER + different(1)}
    (pair, *rest) = pairs_of(sources)
    assert pair.keys == ("anna", "bo")
    assert pair.owners == ("Anna", "Bo")
    assert pair.share > 0.9
    assert rest == []


def test_a_copied_function_in_another_place_is_found_with_its_lines():
    other = different(2) + "\n" + OWN.split("def augment")[0] + different(3)
    (pair,) = pairs_of({"anna": STARTER + OWN, "bo": other})
    own_lines = (STARTER + OWN).split("\n")
    assert any("Conv2d" in own_lines[number - 1] for number in pair.lines[0])
    assert not any("mse_loss" in own_lines[number - 1] for number in pair.lines[0])


def test_the_starters_code_says_nothing():
    assert pairs_of({"anna": STARTER, "bo": STARTER, "cleo": STARTER + different(4)}) == []


def test_what_half_the_class_has_says_nothing_and_two_copies_in_a_class_do():
    everybody = {f"s{i}": different(10 + i) + OWN for i in range(12)}
    assert pairs_of(everybody) == []
    some = {**{f"s{i}": different(10 + i) for i in range(12)}, "x": OWN + different(30), "y": different(31) + OWN}
    assert [pair.keys for pair in pairs_of(some)] == [("x", "y")]


def test_honest_solutions_of_one_task_are_not_listed():
    assert pairs_of({f"s{i}": STARTER + different(40 + i) for i in range(10)}) == []


def test_any_run_of_tokens_as_long_as_the_guarantee_is_found():
    run = OWN.split("def augment")[1]
    for number in range(5):
        one, other = different(50 + number) + run, run + different(60 + number)
        assert set(fingerprints(one)) & set(fingerprints(other))


def test_source_that_is_no_python_is_compared_all_the_same():
    broken = OWN + "\ndef (((\n\x00 'unfinished"
    assert tokens_of(broken)
    assert pairs_of({"anna": broken, "bo": broken + different(70)})[0].share > 0.8


def test_empty_and_tiny_hand_ins_are_no_pair():
    assert pairs_of({"anna": "", "bo": "", "cleo": "x = 1", "dora": "x = 1"}) == []


def test_tokens_are_pythons_names_by_their_kind_and_docstrings_and_comments_none():
    source = '''def f(a, b=1.5e-3):  # why
    """What it does."""
    return rb"x" 'y' + f"{a}" + len(a)
x = """a
b"""
if 0xFF_1 >= y.T: a **= .5 @ ...
'''
    said = "def name ( name , name = number ) : return text + text + len ( name ) name = text if number >= name . name"
    assert [token.text for token in tokens_of(source)] == [*said.split(), ":", "name", "**=", "number", "@", "..."]
    assert [token.line for token in tokens_of(source) if token.text in ("def", "return", "if")] == [1, 3, 6]


@pytest.mark.parametrize(
    "source",
    [
        "match" + " " * MAX_SOURCE + "x",
        '"' + "\\" * MAX_SOURCE,
        "'" * MAX_SOURCE,
        '""" ' * 25_000,
        "rb" * 50_000,
        "\\\n" * 50_000,
    ],
    ids=["soft keyword", "backslashes", "quotes", "long texts", "prefixes", "continuations"],
)
def test_a_source_made_to_hold_up_the_report_is_a_few_tokens(source):
    """Each of these took a lexer with backtracking minutes; a suite that hangs here has one again."""
    assert len(tokens_of(source)) < 50_001


REFERENCE = next(one.text for one in solutions(load_course().exercises["ex3"]) if one.kind == "reference")
KNOWN = {one.name: one.text for one in solutions(load_course().exercises["ex3"])}


def renamed_and_reordered(source: str) -> str:
    """Every name of its own another one, and the top-level blocks in the opposite order."""
    head, *blocks = source.split("\n\n\n")
    text = "\n\n\n".join([head, *reversed(blocks)])
    for number, name in enumerate(["quantile", "trunk", "width", "task", "model", "loss", "head", "step", "x", "y"]):
        text = re.sub(rf"\b{name}\w*", f"v{number}", text)
    return text


def test_a_copied_reference_is_found_under_other_names_and_in_another_order_however_many_have_it():
    copies = {f"s{i}": renamed_and_reordered(REFERENCE) + different(i) for i in range(8)}
    own = {"own": STARTER + different(80) + OWN}
    pairs = similar_pairs({**copies, **own}, {key: key.title() for key in (*copies, *own)}, [STARTER], KNOWN)
    known = [pair for pair in pairs if pair.known]
    assert [pair.keys for pair in known] == [(f"s{i}", "ex3_quantile.py") for i in range(8)]
    assert all(pair.share > 0.8 for pair in known)
    assert pairs[: len(known)] == known
    assert known[0].owners == ("S0", "ex3_quantile.py")
    assert len(known[0].lines[0]) > 30
    assert known[0].lines[1] != []


def test_a_copied_wrong_solution_is_shown_as_such():
    name = "squared_error.py"
    (pair,) = similar_pairs({"a": renamed_and_reordered(KNOWN[name])}, {"a": "Anna"}, [STARTER], KNOWN)
    assert pair.keys == ("a", name)


@pytest.mark.parametrize("exercise", load_course().exercises.values(), ids=lambda one: one.about.id)
def test_no_solution_of_the_staffs_looks_like_a_copy_of_the_reference(exercise):
    """They were written for one task by the same hands: who solves it alone shares less."""
    (reference, *wrong) = solutions(exercise)
    starter = (exercise.folder / "starter.py").read_text()
    sources = {one.name: one.text for one in wrong}
    assert similar_pairs(sources, {key: key for key in sources}, [starter], {"it": reference.text}, least=2) == []


def test_a_copy_of_an_earlier_years_hand_in_is_found_and_earlier_ones_are_not_compared_with_each_other():
    sources = {f"h{n}": different(n) for n in range(8)} | {"copied": re.sub(r"\ba\b", "other", different(100))}
    earlier = {f"e{n}": different(100 + n) for n in range(8)} | {"twin": different(101)}
    owners = {key: key for key in (*sources, *earlier)}
    (pair,) = similar_pairs(sources, owners, earlier=earlier)
    assert (pair.keys, pair.earlier) == (("copied", "e0"), True)
    assert pair.share > 0.95  # one run of tokens is common to most of them
    assert pair.lines[0] == pair.lines[1] != []


def test_what_half_of_an_earlier_class_had_says_nothing():
    common = different(7)
    sources = {"one": common + different(1), "two": different(2)}
    earlier = {f"e{n}": common + different(10 + n) for n in range(8)}
    owners = {key: key for key in (*sources, *earlier)}
    assert similar_pairs(sources, owners, earlier=earlier) == []
