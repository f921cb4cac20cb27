"""Formulas in two dimensions, in one line, and in ASCII."""

import pytest

from tlcourse.presenting.formula import FormulaError, block, inline
from tlcourse.presenting.lesson import as_markdown, parts, within
from tlcourse.tui.text import one_by_one, spelt_out


@pytest.mark.parametrize(
    ("source", "drawn"),
    [
        (r"W = W_0 + \frac{\alpha}{r} \cdot B A", "          α\nW = W₀ + ─── · BA\n          r"),
        (r"n_\text{eff} = \frac{\left(\sum w_i\right)^2}{\sum w_i^2}",
         "        (∑ wᵢ)²\nn    = ─────────\n eff     ∑ wᵢ²"),
        (r"\sum_{i=1}^n x_i", " n\n ∑  xᵢ\ni=1"),
        (r"x^{1/2} y_s^2", " 1/2\nx   yₛ²"),
        (r"\sqrt{a+b}", "  _____\n╲╱a + b"),
        (r"\begin{pmatrix} 1 & 0 \\ 0 & -1 \end{pmatrix}", "⎛ 1  0  ⎞\n⎝ 0  −1 ⎠"),
        (r"\lambda(p) = \frac{2}{1 + e^{-10p}} - 1",
         "            2\nλ(p) = ─────────── − 1\n        1 + e⁻¹⁰ᵖ"),
        (r"a &= b \\ &= c", "a = b\n  = c"),
        (r"P(y \mid x) = 1", "P(y | x) = 1"),
        (r"\mathrm{C}_\text{in}", "C\n in"),  # words stay words
    ],
)  # fmt: skip
def test_a_formula_is_set_in_two_dimensions(source, drawn):
    assert "\n".join(block(source)) == drawn


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (r"\frac{\sigma^2}{n}", "σ²/n"),
        (r"\frac{a+b}{3}", "(a + b)/3"),
        (r"-\lambda L_d", "−λL_d"),
        (r"\sqrt{n}", "√n"),
        (r"\hat{y}_t", "ŷₜ"),
    ],
)
def test_in_a_sentence_it_is_one_line(source, line):
    assert inline(source) == line


def test_a_formula_that_is_too_wide_goes_on_below():
    assert block(r"a = 1 \qquad b = 2", width=18) == ("a = 1        b = 2",)
    assert block(r"a = 1 \qquad b = 2", width=17) == ("a = 1", "", "b = 2")


def test_in_ascii_symbols_are_words_and_no_digit_of_a_script_is_lost():
    assert "\n".join(block(r"\lambda x^2 \ge W_0", spelt_out)) == "        2\nlambda x  >= W\n              0"
    tall = block(r"\left(\frac{\alpha}{r}\right)", spelt_out)
    assert [one_by_one(line) for line in tall] == ["/  alpha  \\", "| ------- |", "\\    r    /"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (r"\foo", r"`\foo` is not known"),
        (r"\frac{1}", "ends too early"),
        (r"{a", "a `{` without `}`"),
        (r"a}", "`}` without its beginning"),
        (r"\left( a", r"a `\left` without `\right`"),
        ("{" * 200, "nested too deeply"),
        (r"\frac" * 5000, "nested too deeply"),
    ],
)
def test_what_cannot_be_set_says_why(source, said):
    with pytest.raises(FormulaError, match=said.replace("\\", r"\\").replace("{", r"\{").replace("}", r"\}")):
        block(source)


def test_a_sentence_keeps_its_code_its_prices_and_its_marks():
    assert within(r"of $w^*$, `$HOME`, $5 and $6") == r"of w\*, `$HOME`, $5 and $6"
    assert within("$x_d$") == r"x\_d"  # Markdown takes no underscore of it


def test_a_lesson_falls_into_prose_figures_and_formulas_with_their_lines():
    text = "one\n\n$$\na\n$$\n\n$$ b $$\n\n```figure\nkind: x\n```\n```python\n$$\n```\nend"
    found = [(part.kind, part.line, part.text.strip()) for part in parts(text) if part.text.strip()]
    assert found == [
        ("prose", 1, "one"),
        ("math", 4, "a"),
        ("math", 7, "b"),
        ("figure", 10, "kind: x"),
        ("prose", 12, "```python\n$$\n```\nend"),
    ]
    assert "```math\na\n```" in as_markdown(text)
    assert as_markdown("3. one\n\n   $$\n   a\n   $$\n").endswith("   ```math\n      a\n   ```\n")
