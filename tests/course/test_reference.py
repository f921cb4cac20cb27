"""The reference pages and the JSON Schemas: made from the types, so that neither can fall behind them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
import yaml

from tlcourse.course.reference import COMMAND, PAGES, examples, fields_of, markdown_page, schema, types_of, write
from tlcourse.errors import UsageError
from tlcourse.located import decode

DOCS = Path(__file__).parents[2] / "docs" / "reference"


def documents(name):
    """The examples of a page as plain values."""
    return list(yaml.load_all(examples(name), Loader=yaml.BaseLoader))


def keys(value):
    """Every key of a document, wherever it stands."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from keys(inner)


@pytest.mark.parametrize("name", PAGES)
def test_each_field_has_a_sentence(name):
    without = [
        f"{kind.__module__}: {kind.__name__}.{field.name}"
        for kind in types_of(name).values()
        for field in fields_of(kind)
        if not field.meaning.endswith((".", ")", "`"))
    ]
    assert without == [], "write a sentence below the field, ending with a full stop"


@pytest.mark.parametrize("name", PAGES)
def test_the_page_in_docs_is_what_the_types_say(name):
    assert (DOCS / f"{name}.md").read_text(encoding="utf-8") == markdown_page(name), f"run: {COMMAND}"


@pytest.mark.parametrize("name", PAGES)
def test_each_example_loads(name):
    for number, text in enumerate(examples(name).split("\n---\n")):
        root = PAGES[name].root
        found = decode(text, root, Path(f"example {number}"))
        assert isinstance(found, get_args(root) or root)


@pytest.mark.parametrize("name", sorted(PAGES.keys() - {"figure"}))  # docs/authoring.md has one of each figure
def test_each_field_is_in_an_example(name):
    used = set(keys(documents(name)))
    missing = [
        f"{kind.__name__}.{field.name}"
        for kind in types_of(name).values()
        for field in fields_of(kind)
        if field.name not in used
    ]
    assert missing == [], f"use them in tlcourse/course/examples/{name}.yaml"


@pytest.mark.parametrize("name", PAGES)
def test_an_editor_accepts_the_examples_and_marks_a_misspelt_field(name):
    made = json.loads(json.dumps(schema(name)))
    jsonschema.Draft202012Validator.check_schema(made)
    validator = jsonschema.Draft202012Validator(made)
    for text in examples(name).split("\n---\n"):
        value = decode(text, dict, Path("example"))
        assert [error.message for error in validator.iter_errors(value)] == []
        wrong = copy.deepcopy(value) | {"titel": "x"}
        assert not validator.is_valid(wrong)
    assert all("description" in field for one in made["$defs"].values() for field in one["properties"].values())


def test_what_readers_set_themselves_is_no_field_of_a_file():
    assert "body" not in {field.name for field in fields_of(types_of("lesson")["Lesson"])}
    assert "visit" not in schema("quiz")["$defs"]["Ordering"]["properties"]


def test_a_type_is_said_in_words():
    rule = {field.name: field for field in fields_of(types_of("exercise")["CheckRule"])}
    assert rule["points"].value == "number > 0"
    assert rule["direction"].value == "`at_least` or `at_most`"
    assert rule["direction"].default == '"at_least"'
    assert rule["threshold"].default is None


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        list(write(tmp_path / "file", ["lab"], markdown=True))
