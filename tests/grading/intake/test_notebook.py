"""Notebooks: the code cells in order; what only IPython understands goes, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcourse.errors import SubmissionError
from tlcourse.grading.intake.notebook import read_notebook, without_magics, without_outputs

ORIGIN = Path("solution.ipynb")
NAMES = st.sampled_from(["outputs", "attachments", "widgets", "source", 'a"'])


def read(*cells: str) -> tuple[str, list[str]]:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    found = read_notebook(nbformat.writes(notebook).encode(), ORIGIN)
    return found.code, found.notices


def run(*cells: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(compile(read(*cells)[0], "solution.py", "exec", dont_inherit=True), names)
    return names


def test_code_cells_come_in_order_and_prose_does_not_come():
    prose = nbformat.v4.new_markdown_cell("# !rm")
    cells = [nbformat.v4.new_code_cell("a = 1"), prose, nbformat.v4.new_code_cell("b = a + 1")]
    found = read_notebook(nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode(), ORIGIN)
    code, notices = found.code, found.notices
    assert code.index("a = 1") < code.index("b = a + 1")
    assert "rm" not in code
    assert notices == []


@pytest.mark.parametrize(
    "line",
    [
        *("!pip install x", "%matplotlib inline", "%run evil.py", "files = !ls", "here = %pwd", "!!ls", "  !ls"),
        *("?print", "print??", "print?", "/print 1", ",f a b"),
        *("get_ipython().system('ls')", "x = get_ipython().getoutput('ls')"),
    ],
)
def test_a_line_of_ipython_becomes_a_comment_and_is_told(line):
    code, notices = read(f"a = 1\n{line}\nb = 2" if not line.startswith(" ") else f"if True:\n{line}\nb = 2")
    compile(code, "solution.py", "exec")
    assert notices == ["cell 1: 1 line(s) with shell escapes or magics were dropped."]
    assert "b = 2" in code


@pytest.mark.parametrize(
    "cell",
    [
        "x = (7\n  % 4)",
        "x = '''\n%s !ls\n!ls\n%%bash\n'''",
        "x = [1, # a comment ( that opens\n2]\nassert x != 3",
        "x = '%d' \\\n % 3",
        "x = 'it''s' + \"'''\"\ny = x",
        "def f(a, /, b): return a\n\nx = f(1, 2)",
        "x = {}\nx['a'] = '!'\nx['b']='%'",
    ],
)
def test_what_is_python_stays_to_the_letter(cell):
    assert without_magics(cell) == (cell, [])
    assert "x" in run(cell)


def test_a_shell_command_takes_its_further_lines_along():
    code, _ = read("!pip install \\\n   torch \\\n   (it's\nb = 2\n")
    assert run("!pip install \\\n   torch \\\n   (it's\nb = 2\n")["b"] == 2
    assert "\nb = 2" in code


def test_a_call_of_get_ipython_goes_with_all_its_lines():
    assert run("get_ipython().run_cell_magic(\n  'bash', '',\n  'rm -rf /')\nb = 2")["b"] == 2


def test_a_timed_cell_is_python_and_a_cell_for_another_program_is_not():
    assert run("%%time\nb = 2")["b"] == 2
    assert run("\n%%capture out\nb = 2")["b"] == 2
    code, notices = read("%%writefile solution.py\nimport evil", "b = 2")
    assert "\nimport evil" not in code
    assert notices == ["cell 1: the whole cell, which is for %%writefile, was dropped."]


def test_asking_where_one_is_gives_the_answer_of_plain_python():
    names = run("IN_COLAB = 'google.colab' in str(get_ipython())\ndisplay('shown')")
    assert names["IN_COLAB"] is False


def test_future_imports_of_a_later_cell_hold():
    names = run("a = 1", "from __future__ import annotations\ndef f(x: not_defined): return x")
    assert names["f"](3) == 3


def test_an_encoding_that_a_cell_names_is_not_believed():
    assert run("# -*- coding: latin-1 -*-\nname = 'Übung'")["name"] == "Übung"


def test_half_a_surrogate_pair_becomes_its_escape():
    data = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "x = '\ud800'"}]}).encode()
    code = read_notebook(data, ORIGIN).code
    assert "x = '\\ud800'" in code


def test_a_notebook_of_format_3_is_read():
    old = nbformat.v3.new_notebook(
        worksheets=[nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell(input="a = 1", language="python")])]
    )
    assert "a = 1" in read_notebook(json.dumps(old).encode(), ORIGIN).code


def test_a_byte_order_mark_does_no_harm():
    data = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": ["a = ", "1"]}]}).encode("utf-8-sig")
    assert "a = 1" in read_notebook(data, ORIGIN).code


def test_many_magics_and_long_lines_take_no_time_to_speak_of():
    """A million characters in which each line could begin a search of all that follows."""
    for source in ("%a\n" * 300_000, " " * 1_000_000, "a" * 1_000_000, "'''" * 100_000, "f(" * 100_000 + "\n%a" * 1000):
        without_magics(source)


def test_each_cell_is_compiled_under_its_own_name_and_from_its_own_first_line(tmp_path):
    from tlcourse.execution.worker.solution import read_source

    cells = ["from __future__ import annotations\nx = get_ipython()", "%%bash\nls\nls", "\n%time\ndef fit(task): pass"]
    (tmp_path / "solution.py").write_text(read(*cells)[0])
    source = read_source(tmp_path)
    names = [f"solution.ipynb, cell {number}" for number in (1, 2, 3)]
    assert [code.co_filename for code in source.codes] == ["solution.py", *names]
    assert next(c.co_firstlineno for c in source.codes[3].co_consts if hasattr(c, "co_firstlineno")) == 3


def test_a_cell_that_writes_a_file_writes_it_and_a_file_that_is_there_is_run():
    cells = [
        "%%writefile utils.py\ndef helper(): return 1",
        "%%writefile -a utils.py\nmore = 2",
        "%run utils.py\n%run ./there.py\n%run missing.py",
        "%%writefile ../outside.py\nx = 1",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    found = read_notebook(nbformat.writes(notebook).encode(), ORIGIN, ["there.py"])
    assert found.files == {"utils.py": "def helper(): return 1\nmore = 2\n"}
    assert (
        "\nfrom utils import *  # %run utils.py\nfrom there import *  # %run ./there.py\npass  # dropped" in found.code
    )
    assert found.notices == [
        "cell 1 was written to utils.py.",
        "cell 2 was written to utils.py.",
        "cell 3: 1 line(s) with shell escapes or magics were dropped.",
        "cell 4: the whole cell, which is for %%writefile, was dropped.",
    ]


@pytest.mark.parametrize(
    "name", ["./solution.py", "././solution.py", ".//solution.py", "Solution.PY", "'./solution.ipynb'"]
)
def test_a_cell_does_not_write_over_the_solution_however_it_spells_its_name(name):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"%%writefile {name}\nx = 1")])
    found = read_notebook(nbformat.writes(notebook).encode(), ORIGIN)
    assert found.files == {}
    assert found.notices == ["cell 1: the whole cell, which is for %%writefile, was dropped."]


def test_one_file_that_two_cells_spell_differently_is_one_file():
    cells = ["%%writefile ./lib//utils.py\na = 1", "%%writefile -a lib/./utils.py\nb = 2"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    assert read_notebook(nbformat.writes(notebook).encode(), ORIGIN).files == {"lib/utils.py": "a = 1\nb = 2\n"}


def test_outputs_of_any_size_are_not_looked_at_and_the_code_is_read():
    plot = {"output_type": "display_data", "data": {"image/png": "iVBO" * (6 * 2**20), "text/html": '{"a": ["]"]}'}}
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [plot], "source": 'x = {"outputs": [1]}'}]
    cells.append({"cell_type": "markdown", "attachments": {"a.png": {"image/png": "i" * 2**20}}, "source": "a"})
    metadata = {"widgets": {"state": {"a": "b" * 2**20}}, "kernelspec": {"language": "python"}}
    data = json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4}).encode()
    assert len(data) > 24 * 2**20
    assert 'x = {"outputs": [1]}' in read_notebook(data, ORIGIN).code
    rest = without_outputs(data, ORIGIN)
    assert len(rest) < 400
    assert json.loads(rest)["cells"] == [{**cells[0], "outputs": []}, {**cells[1], "attachments": {}}]


@given(st.recursive(st.integers() | st.text(max_size=9), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)))
def test_what_is_no_output_stays_to_the_byte(value):
    def emptied(part):
        if isinstance(part, list):
            return [emptied(one) for one in part]
        if isinstance(part, dict):
            hidden = ("outputs", "attachments", "widgets")
            return {k: type(v)() if k in hidden and isinstance(v, list | dict) else emptied(v) for k, v in part.items()}
        return part

    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert json.loads(without_outputs(text.encode("utf-8", "surrogatepass"), ORIGIN)) == emptied(json.loads(text))


@given(st.binary())
def test_any_bytes_without_outputs_are_the_same_bytes(data):
    assert b"outputs" in data or without_outputs(data, ORIGIN) == data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"cells": "' + b"a" * (21 * 2**20) + b'"}', "larger than 20 MB without its outputs"),
        (b'{"outputs": [' + b"[]," * 3_000_000, "more parts than any notebook"),
        (b"{}" * 300_000, "more parts than any notebook"),
        (
            json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "(\n" * 2**20}]}).encode(),
            "1 MB of code",
        ),
    ],
    ids=["texts", "outputs", "parts", "code"],
)
def test_more_than_any_notebook_holds_is_refused_before_it_is_read(data, words):
    with pytest.raises(SubmissionError, match=words):
        read_notebook(data, ORIGIN)


def test_tests_of_nbgrader_are_left_out_and_told():
    """One that fails would end the solution; answers, marked or not, stay."""
    about = {"schema_version": 3, "locked": False, "task": False, "points": 2}
    cells = [
        nbformat.v4.new_code_cell("a = 1", metadata={"nbgrader": {**about, "grade": False, "solution": True}}),
        nbformat.v4.new_code_cell("assert a == 2", metadata={"nbgrader": {**about, "grade": True, "solution": False}}),
        nbformat.v4.new_code_cell("b = a", metadata={"nbgrader": {**about, "grade": True, "solution": True}}),
        nbformat.v4.new_code_cell("c = b", metadata={"nbgrader": "damaged"}),
    ]
    found = read_notebook(nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode(), ORIGIN)
    names: dict[str, object] = {}
    exec(compile(found.code, "solution.py", "exec"), names)
    assert (names["a"], names["b"], names["c"]) == (1, 1, 1)
    assert found.notices == ["cell 2 is a test of nbgrader: it was left out, the grader has tests of its own."]
