"""Figures: each kind drawn to the character, told in words, checked by `author check`, and in ASCII without gaps."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from tlcourse.course.figure import Figure
from tlcourse.course.figure_reading import alt_of, read
from tlcourse.course.loader import load_course
from tlcourse.errors import ContentError
from tlcourse.presenting import figures
from tlcourse.presenting.figures import View, drawn, moves, spelt, view_of
from tlcourse.presenting.figures.canvas import widest
from tlcourse.presenting.formula import block
from tlcourse.presenting.lesson import in_words, parts, problems_of_drawings
from tlcourse.presenting.marks import plain
from tlcourse.tui.text import one_by_one, spelt_out

ALT = "alt: What is to be seen here, in words.\n"
COURSE = load_course()
FENCES = [
    (f"{name}:{part.line}", part.text)
    for name, lesson in COURSE.lessons.items()
    for part in parts(lesson.body)
    if part.kind == "figure"
]


def lines(text: str, width: int = 56, view: View | None = None) -> str:
    return "\n".join(plain(line).rstrip() for line in drawn(read(ALT + text), width, view or View()))


FLOW = """
kind: flow
rows: [[., ., up, out], [x, f, ., .], [., ., down, .]]
boxes: {x: {text: x, border: false}, out: {text: L, border: false}, down: {text: R, thick: true}}
arrows: [x -> f, f -> up, f -> down, up -> out]
backward: [{path: [out, up, f], texts: [dL, dL], roles: [source, wrong]}]
"""


def test_a_flow_joins_boxes_and_tells_what_comes_back():
    assert lines(FLOW) == (
        "                  ╭────╮\n"
        "              ╭──▶│ up ├────▶ L\n"
        "              │   ╰────╯\n"
        "        ╭───╮ │\n"
        " x ────▶│ f ├─┤\n"
        "        ╰───╯ │\n"
        "              │   ┏━━━━┓\n"
        "              ╰──▶┃ R  ┃\n"
        "                  ┗━━━━┛\n"
        "          ◀─── dL ──◀─── dL ──"
    )


def test_a_flow_that_is_too_wide_goes_down_instead():
    assert lines(FLOW, 24).splitlines()[2:7] == [
        "         ╭───╮", "         │ f │", "         ╰─┬─╯", "  ╭────────┴───────╮", "  ▼                ▼",
    ]  # fmt: skip


def test_what_comes_back_goes_leg_by_leg_and_lights_its_arrows():
    figure = read(ALT + FLOW)
    assert moves(figure) == 3
    heights = {len(drawn(figure, 56, view_of(figure, number))) for number in range(3)}
    assert len(heights) == 1  # nothing else moves while it does
    assert "├◀──── L" in lines(FLOW, view=View(step=1))
    assert "dL" not in lines(FLOW, view=View(step=0))


def test_bends_lead_an_arrow_round():
    text = "kind: flow\ndirection: down\nrows: [[x, .a], [f, .], [y, .b]]\narrows: [x -> f, f -> y, x -> .a -> .b -> y]"
    assert lines(text) == (
        "╭───╮\n"
        "│ x ├───╮\n"
        "╰─┬─╯   │\n"
        "  ▼     │\n"
        "╭───╮   │\n"
        "│ f │   │\n"
        "╰─┬─╯   │\n"
        "  ▼     │\n"
        "╭───╮   │\n"
        "│ y │◀──╯\n"
        "╰───╯"
    )


def test_a_stack_shows_every_step_and_tells_the_chosen_one():
    text = (
        "kind: stack\nsteps: [head, all]\nnotes: [few labels, many]\n"
        "layers: [{name: head, states: [new, new]}, {name: conv, states: [frozen, trained]}]"
    )
    assert lines(text) == (
        "            head      all\n"
        "╭──────╮\n"
        "│ head │  ▓▓▓▓▓▓▓▓  ▓▓▓▓▓▓▓▓\n"
        "│ conv │  ░░░░░░░░  ████████\n"
        "╰──────╯  ▓▓ new   ░░ frozen   ██ trained"
    )
    assert lines(text, view=View(step=1)).endswith("\n2 of 2: many")


def test_numbers_of_a_stack_are_bars_to_scale():
    text = "kind: stack\nsteps: [rate]\nlayers: [{name: a, states: [1.0]}, {name: b, states: [0.5]}]"
    full, half = (line.count("━") for line in lines(text).splitlines()[2:4])
    assert abs(full - 2 * half) <= 1


LORA = (
    "kind: matrix\nslider: {name: r, values: [8, 96, 384], start: 8}\n"
    "parts: [{name: W, rows: 768, columns: 768, mark: frozen}, '+', {name: B, rows: 768, columns: r, mark: trained}]"
)


def test_matrices_are_to_scale_and_count_themselves():
    small, large = lines(LORA), lines(LORA, view=View(value=384))
    assert small.splitlines()[0].count("▒") == 16
    assert "▏" in small
    assert large.splitlines()[0].count("█") == 8  # half of 16
    assert "trained 6 144 = 1 % of 589 824" in small
    assert "r  [8] 96  384" in small


TREE = (
    "kind: tree\nask: Labels?\nanswers: [{when: yes, say: 'train\\nall of it'}, "
    "{when: no, ask: Same task?, answers: [{when: yes, say: DANN}, {when: no, say: none}]}]"
)


def test_a_tree_is_read_from_top_to_bottom():
    assert lines(TREE.replace("\\n", " then ")) == (
        "Labels?\n"
        "├─ yes ─▶ train then all of it\n"
        "╰─ no ──▶ Same task?\n"
        "          ├─ yes ─▶ DANN\n"
        "          ╰─ no ──▶ none"
    )


def test_answers_light_one_branch_of_a_tree():
    styles = {run.text: run.style for line in drawn(read(ALT + TREE), 56, View(answers=(1, 0))) for run in line}
    assert styles["DANN"] == "bold reverse $done"
    assert styles["none"] == "$muted"


def test_a_grid_has_rules_and_wraps_its_cells():
    text = "kind: grid\ncolumns: [same, other]\nrows: [a, b]\ncells: [[one, two], [0.5, {text: x, share: 0.5}]]"
    assert lines(text) == (
        "    same     other\n"
        "  ╭──────┬────────────╮\n"
        "a │ one  │ two        │\n"
        "  ├──────┼────────────┤\n"
        "b │ 0.5  │ x          │\n"
        "  │      │ ━━━━━───── │\n"
        "  ╰──────┴────────────╯"
    )
    assert widest(drawn(read(ALT + text.replace("two", "word " * 40)), 56)) <= 56


def test_a_picture_has_two_columns_to_a_square_and_a_legend():
    text = "kind: picture\npanels: [{rows: [st]}, {rows: [tt]}]\nsigns: [+]\nlegend: {s: {name: source}, t: {fill: ░}}"
    assert lines(text) == "██░░ +  ░░░░\n\n██ source"


def test_points_lie_where_their_numbers_say_and_ellipses_have_their_extent():
    text = (
        "kind: points\nx: [-2, 2]\ny: [-2, 2]\nsize: [20, 5]\npanels: [{title: t, groups: ["
        "{points: [[-2, 2], [2, -2]], mark: o, name: shots}, {covariance: [[1, 0], [0, 1]]}]}]"
    )
    rows = lines(text).splitlines()
    assert rows[0] == "╭─ t ────────────────╮"
    assert rows[1][1] == "o"
    assert rows[5][20] == "o"
    assert rows[-1] == "o shots"
    dots = [at for at, character in enumerate(rows[3]) if character > "⠀" and character < "⣿"]
    assert (dots[0], dots[-1]) == (6, 15)  # one standard deviation of 5 columns to either side


def test_a_curve_begins_and_ends_at_its_numbers():
    rows = lines("kind: curve\nx: labels\nseries: [{name: m, points: [[0, 0.5], [10, 1]]}]\nsize: [20, 4]").splitlines()
    assert rows[0].startswith("  1┤")
    assert rows[0].endswith("●")
    assert rows[3].startswith("0.5┤●")
    assert rows[5] == "    0      labels     10"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: floww\n" + ALT, ":1: kind is `floww`, expected one of flow, stack, matrix"),
        ("kind: flow\nrows: [[a]]\n", "has no `alt`, expected one or two sentences that say what is to be seen"),
        (ALT + "kind: flow\nrows: [[a]]\nboxs: {}\n", "`boxs`"),
        (ALT + "kind: flow\nrows: [[a]]\narrows:\n  - a -> b\n", ":5: `b` is in no row, expected one of: a"),
        (
            ALT + "kind: stack\nsteps: [a, b]\nlayers:\n  - {name: head, states: [new]}\n",
            ":5: layer `head` has 1 states",
        ),
        (ALT + "kind: tree\nask: Why?\nanswers: [{when: yes, ask: So?}, {when: no, say: x}]\n", "has 0 answers"),
        (ALT + "kind: picture\npanels: [{rows: [x]}]\nlegend: {s: {}}\n", "`x` is in no legend"),
        (ALT + "kind: matrix\nparts: [{name: A, rows: r, columns: 3}]\n", "a size of A is `r`"),
    ],
)
def test_a_wrong_description_is_one_message_with_its_line_and_key(text, said):
    with pytest.raises(ContentError) as error:
        read(text)
    assert len(error.value.problems) == 1
    assert said in error.value.problems[0]


def test_what_cannot_be_drawn_says_in_words_what_it_would_show(tmp_path):
    broken = "kind: flow\nalt: >-\n  Two boxes,\n  one arrow.\nrows: 3\n"
    assert alt_of(broken) == "Two boxes, one arrow."
    assert plain(figures.drawn_text(broken, 56)[0]) == "[Figure: Two boxes, one arrow.]"
    path = Path(tmp_path / "l.md")
    path.write_text(f"# A\n\n```figure\n{broken}```\n")
    (problem,) = figures.problems(path)
    assert problem.startswith(f"{path}:8: rows is int")


def test_in_plain_text_a_figure_is_its_words():
    assert in_words(f"a\n\n```figure\n{ALT}kind: nothing\n```\n\nb") == (
        "a\n\n[Figure: What is to be seen here, in words.]\n\nb"
    )


GUIDE = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(figure|latex)\n(.*?)^```\n```text\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("kind", "source", "shown"), EXAMPLES)
def test_the_guide_shows_what_its_examples_draw(kind, source, shown):
    if kind == "latex":
        found = block(source.strip().strip("$").strip())
    else:
        found = tuple(plain(line).rstrip() for line in drawn(read(source), figures.NARROWEST))
    assert "\n".join(found) == shown.rstrip("\n")


def test_the_guide_has_an_example_of_every_kind():
    kinds = {
        line.removeprefix("kind: ") for _, source, _ in EXAMPLES for line in source.splitlines() if "kind: " in line
    }
    assert kinds == {one.__struct_config__.tag for one in Figure.__args__}


def test_every_figure_of_the_course_fits_and_none_is_wrong():
    assert list(problems_of_drawings(COURSE)) == []


def test_a_lab_has_a_figure_of_its_lesson_and_a_formula_that_can_be_set(tmp_path):
    for unit in COURSE.about.units:
        if unit.lesson:
            (tmp_path / unit.lesson).parent.mkdir(exist_ok=True)
            (tmp_path / unit.lesson).touch()
    (tmp_path / "labs").mkdir()
    lab = (COURSE.folder / "labs" / "lora.yaml").read_text().replace("formula: '", "figure: 9\nformula: '\\nosuch ")
    (tmp_path / "labs" / "lora.yaml").write_text(lab)
    found = list(problems_of_drawings(replace(COURSE, folder=tmp_path, exercises={})))
    assert [problem.partition("labs/")[2][:36] for problem in found] == [
        "lora.yaml:1: the formula cannot be s",
        "lora.yaml:1: figure is 9, expected a",
    ]


@pytest.mark.parametrize("lab", ["dann", "pathnet"])
def test_a_figure_is_larger_where_there_is_room_and_never_cut(lab):
    figure = read(
        [
            part.text
            for part in parts(COURSE.lessons["multi-task-learning" if lab == "pathnet" else lab].body)
            if part.kind == "figure"
        ][3 if lab == "pathnet" else 0]
    )
    usual, large = figures.drawn(figure, 130), figures.large(figure, 130, 30)
    assert widest(usual) < widest(large) <= 130
    assert len(usual) < len(large) <= 30
    assert figures.large(figure, 130, 4) == usual


@pytest.mark.parametrize(("unit", "number", "times"), [("coral", 0, 1.25), ("lora", 0, 1.5)])
def test_panels_and_areas_grow_by_as_much_as_fits(unit, number, times):
    figure = read([part.text for part in parts(COURSE.lessons[unit].body) if part.kind == "figure"][number])
    usual, large = figures.drawn(figure, 96), figures.large(figure, 96, 40)
    assert widest(usual) < widest(large) <= 96
    assert len(large) - len(usual) >= 1
    assert widest(large) <= times * widest(usual) + 2


@pytest.mark.parametrize("text", [text for _, text in FENCES], ids=[name for name, _ in FENCES])
def test_every_figure_of_the_course_can_be_had_in_ascii(text):
    figure = spelt(read(text), spelt_out)
    for width in (56, 84):
        for line in drawn(figure, width):
            shown = plain(line)
            assert one_by_one(shown).count("?") == shown.count("?")
