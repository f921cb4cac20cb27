"""Row 25 of the list of threats: notebooks that are hostile, or none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk import MB


def notebook(*cells: str, **fields: object) -> bytes:
    made = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": cell} for cell in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4, **fields}).encode()


@pytest.mark.slow
def test_a_notebook_full_of_shell_escapes_is_graded_by_its_python(tl, tmp_path):
    reference = (Path(__file__).parent.parent / "example_course/graders/references/line.py").read_text()
    victim = tmp_path / "victim"
    victim.mkdir()
    cells = [
        f"!rm -rf {victim}\n%run evil.py\nfiles = !rm -r {victim}",
        f"%%bash\nrm -rf {victim}",
        f"get_ipython().system('rm -rf {victim}')\nget_ipython().run_cell_magic('bash', '', 'rm -rf {victim}')",
        "IN_COLAB = 'google.colab' in str(get_ipython())",
        "%%time\n" + reference,
    ]
    (tmp_path / "solution.ipynb").write_bytes(notebook(*cells))
    done = tl("grade", "line", "solution.ipynb", "--sandbox", "none", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["outcome"] == "pass"
    assert any("cell 1: 3 line(s)" in message for message in result["messages"])
    assert any("cell 2: the whole cell, which is for %%bash" in message for message in result["messages"])
    assert victim.is_dir()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is empty"),
        (b"[]", "nbformat"),
        (b"{}", "nbformat"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [3]}', "no list of cells"),
        (b'{"nbformat": 4, "cells": []}', "no code cell"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "cell 1 of all has no source"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}', "no source"),
        (b'{"nbformat": 99, "cells": []}', "format 99"),
        (b'{"nbformat": 3}', "today's format"),
        (b'{"nbformat": 2, "worksheets": [{"cells": 5}]}', "today's format"),
        (notebook("x", metadata={"kernelspec": {"language": "R\x1b[2J"}}), "R\\x1b"),
        (b"[" * 200_000, "deeply"),
        (b'{"a":' * 100_000, "deeply"),
        ('{"nbformat": 4, "x": "Übung"}'.encode("latin-1"), "UTF-8"),
        ('{"nbformat": 4}'.encode("utf-16"), "UTF-8"),
        (b'{"nbformat": 4, "x": "' + b"a" * (21 * MB) + b'"}', "clear all outputs"),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_a_notebook_that_cannot_be_read_says_why(desk, data, why):
    desk.refuses(data, why, name="solution.ipynb")


def test_outputs_may_be_anything(desk):
    cells = [{"cell_type": "code", "outputs": {"a": [None] * 100_000}, "source": ["x = 1\n", "y = 2"]}]
    data = json.dumps({"nbformat": 4, "cells": cells}).encode()
    submission = desk.hand_in(data, "solution.ipynb")
    assert "x = 1\ny = 2\n" in (submission.folder / "solution.py").read_text()
