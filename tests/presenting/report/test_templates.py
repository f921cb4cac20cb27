"""Whatever text stands in whatever variable of a page: it is shown as text, and adds no tag and no attribute."""

from __future__ import annotations

import html.parser
from functools import cache
from pathlib import Path

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import meta
from markupsafe import Markup

from tlcourse.presenting.report import as_html
from tlcourse.presenting.report.as_html import environment

FOLDER = Path(as_html.__file__).parent / "templates"
PAGES = ("board", "cell", "course", "feedback", "report", "similar")
ATTACK = "</title></style></pre><img src=x onerror=\"f()\" 'a='><script>f()</script>{{ 7*7 }}&lt;"
TEXTS = st.one_of(
    st.just(ATTACK),
    st.text(alphabet=st.sampled_from("<>&\"'= /abx;#{}%\n"), max_size=60).map(lambda text: text + "<b c=d>"),
    st.text(max_size=60),
)


class Anything:
    """Stands for any variable: its parts, its items and what its methods return are hostile text as well."""

    def __init__(self, text, name="", seen=None):
        self._text, self._name, self._seen = text, name, {} if seen is None else seen

    def _part(self, name):
        return Anything(self._text, f"{self._name}.{name}", self._seen)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._part(name)

    def __getitem__(self, key):
        return self._part("item")

    def __iter__(self):
        return iter([self._part("first"), self._part("second")])

    def __call__(self, *arguments):
        return self._part("result")

    def __len__(self):
        return 2

    def __float__(self):
        return 0.5

    def __rmul__(self, number):
        return number

    def __str__(self):
        self._seen[self._name] = True
        return self._text


class Structure(html.parser.HTMLParser):
    """The tags of a page in their order, each with the names of its attributes; and its text."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, *(name for name, _ in attributes)))

    def handle_endtag(self, tag):
        self.tags.append(("/" + tag,))

    def handle_comment(self, data):
        self.tags.append(("!",))

    def handle_data(self, data):
        self.text.append(data)


def structure(page):
    found = Structure()
    found.feed(page)
    found.close()
    return found


def variables_of(name):
    source = (FOLDER / f"{name}.html.j2").read_text(encoding="utf-8")
    return meta.find_undeclared_variables(environment().parse(source))


def rendered(name, text):
    """The page with hostile text in all of its variables, and the names of those that were shown."""
    seen = {}
    given_ = {variable: Anything(text, variable, seen) for variable in variables_of(name)}
    figures = [as_html.Figure(Markup(as_html.plot_bars([(text, 2)], words=text)), Anything(text, "words", seen))]
    given_ |= {variable: figures for variable in ("curves", "figures") if variable in given_}
    return environment().get_template(f"{name}.html.j2").render(given_), seen


@cache
def usual_tags(name):
    return structure(rendered(name, "x")[0]).tags


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(TEXTS)
def test_no_text_in_any_variable_adds_a_tag_or_an_attribute(text):
    for name in PAGES:
        page, seen = rendered(name, text)
        assert structure(page).tags == usual_tags(name)
        assert len(seen) >= {"board": 4, "cell": 10, "course": 10, "feedback": 12, "report": 25, "similar": 4}[name]


def test_hostile_text_is_shown_as_it_is_and_run_as_nothing():
    for name in PAGES:
        page, _ = rendered(name, ATTACK)
        assert ATTACK in "".join(structure(page).text)
        assert "<script" not in page
        assert "<img src=x" not in page
        assert "49" not in page


@settings(deadline=None)
@given(TEXTS)
def test_no_text_adds_anything_to_a_drawing(text):
    drawings = [
        lambda some: as_html.plot_lines({some: [(0, 1), (1, 2)]}, across=some, words=some),
        lambda some: as_html.plot_bars([(some, 2)], words=some),
        lambda some: as_html.plot_histogram([1.0, 2.0], 1.5, words=some),
    ]
    for draw in drawings:
        assert structure(draw(text)).tags == structure(draw("x")).tags


def test_all_templates_are_pages_or_parts_of_them_and_none_marks_a_text_as_safe():
    files = sorted(path.name for path in FOLDER.iterdir())
    assert files == sorted([*(f"{name}.html.j2" for name in PAGES), "page.html.j2", "parts.html.j2"])
    for file in files:
        source = (FOLDER / file).read_text(encoding="utf-8")
        assert "|safe" not in source.replace(" ", "")
        assert "autoescape" not in source


def test_a_variable_that_nobody_gave_is_an_error_and_no_empty_place():
    with pytest.raises(jinja2.UndefinedError):
        environment().get_template("similar.html.j2").render(title="x")
