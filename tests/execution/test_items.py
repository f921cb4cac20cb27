"""Inputs of any form travel as plain arrays, and come back as they were."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tlcourse.execution import items

ROWS = st.lists(st.integers(0, 255), max_size=5).map(lambda numbers: np.array(numbers, np.uint8))
ITEM = st.fixed_dictionaries({"text": st.binary(max_size=6), "rows": ROWS, "number": st.integers(-3, 3)})


def table(drawn):
    """A label, a text alone, and a table of inputs of three forms."""
    made = {
        "text": [one["text"] for one in drawn],
        "rows": [one["rows"] for one in drawn],
        "number": np.array([one["number"] for one in drawn]),
    }
    return {"x": made, "label": made["number"] * 2, "words": made["text"]}


def plain(value):
    """As lists, to be compared."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [one if isinstance(one, bytes) else one.tolist() for one in value]
    return value.tolist()


@given(st.lists(ITEM, min_size=1, max_size=6), st.data())
def test_what_travels_comes_back_in_any_order_as_arrays_and_as_tensors(drawn, data):
    given_ = table(drawn)
    flat = items.flattened(given_)
    assert set(flat) == {
        "x.text",
        "x.text/bytes",
        "x.rows",
        "x.rows/lengths",
        "x.number",
        "label",
        "words",
        "words/bytes",
    }
    assert items.count_in(flat, "x") == items.count_in(flat, "words") == len(drawn)
    assert plain(items.wholes(flat, items.names_in(flat))) == plain(given_)
    order = data.draw(st.permutations(range(len(drawn))))
    expected = plain(table([drawn[i] for i in order]))
    assert plain(items.wholes(items.in_order(flat, order), given_)) == expected
    tensors = {name: torch.from_numpy(array.copy()) for name, array in flat.items()}
    assert plain(items.part(items.wholes(tensors, given_), np.array(order))) == expected
    one = items.item(items.whole(tensors, "x"), order[0])
    assert (one["text"], one["number"].item()) == (drawn[order[0]]["text"], drawn[order[0]]["number"])


def test_a_plain_array_travels_as_the_object_that_it_is():
    x = np.zeros((3, 2), np.float32)
    assert items.flattened({"x": x})["x"] is x
    assert items.whole({"x": x}, "x") is x
    assert items.field({"image": x}, "x.image") is items.field(x, "x") is x


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([b"a", "b"], "`x` is a list that holds str, expected bytes"),
        ([b"a", np.zeros(2)], "`x` is a list whose item 0 is a bytes, expected an array with a length, or bytes"),
        ([np.zeros(2), np.zeros(())], r"item 1 is an array of shape \(\), expected an array with a length"),
        (None, "`x` is a NoneType, expected an array, a list of arrays or of bytes, or a table of these"),
        ({"a": {}}, "`x.a` is a dict, expected"),
        ({1: np.zeros(2)}, "`x` holds the key 1, expected lower-case names"),
        ({"a": np.zeros(3), "b": np.zeros(())}, "`x` holds {'a': 3, 'b': 0}, expected as many items under every name"),
        ([np.array([None])], "item 0 is an array of objects, expected an array with a length, or bytes"),
    ],
)
def test_what_is_no_input_is_said_with_what_was_expected(value, said):
    with pytest.raises(items.FormError, match=said):
        items.flattened({"x": value})


def test_a_label_called_as_a_part_of_the_input_does_not_travel_with_it():
    x = np.zeros((3, 2), np.float32)
    for name in ("x.class", "x/lengths"):
        with pytest.raises(items.FormError, match=f"`{name}` is called as a part of `x`, expected a name without dot"):
            items.flattened({"x": x, name: x})
    assert list(items.flattened({"x": x, "y.class": x})) == ["x", "y.class"]  # a column may be called so
