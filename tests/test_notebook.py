"""Grading from a notebook: `tlcourse.check()`, `%%grade`, their verdict as a small page; executed by a real kernel."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from msgspec.structs import replace
from results import result

import tlcourse
from tlcourse.errors import TlcourseError
from tlcourse.grading.scoring.error_analysis import Calibration, ErrorAnalysis
from tlcourse.notebook import Verdict

EXAMPLE = Path(__file__).parent / "example_course"
REFERENCE = (EXAMPLE / "graders" / "references" / "line.py").read_text(encoding="utf-8")
COLAB = f"""
import json, sys, types
import tlcourse
cells = ["%load_ext tlcourse", "%%grade line\\n" + {REFERENCE!r}, "import tlcourse\\ntlcourse.check()", "!pip list"]
cells = [{{"cell_type": "code", "metadata": {{}}, "outputs": [], "source": source}} for source in cells]
colab, message = types.ModuleType("google.colab"), types.ModuleType("google.colab._message")
message.blocking_request = lambda kind, request, timeout_sec: {{
    "ipynb": {{"nbformat": 4, "nbformat_minor": 0, "metadata": {{}}, "cells": cells}} if kind == "get_ipynb" else None
}}
colab._message = message
sys.modules |= {{"google": types.ModuleType("google"), "google.colab": colab, "google.colab._message": message}}
verdict = tlcourse.check("line", course={str(EXAMPLE)!r})
print(verdict.passed, verdict.points)
verdict
"""

SAVED = f"""
import json, os
import tlcourse
source = "task = tlcourse.Task.local(\\"line\\")\\ndef fit(task:\\n    return task"
cell = {{"cell_type": "code", "metadata": {{}}, "outputs": [], "source": source}}
with open("work.ipynb", "w") as file:
    json.dump({{"nbformat": 4, "nbformat_minor": 0, "metadata": {{}}, "cells": [cell]}}, file)
os.environ["JPY_SESSION_NAME"] = "where/the/server/was/started/work.ipynb"
tlcourse.check(course={str(EXAMPLE)!r})
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The outputs of each cell of a notebook that grades, as a kernel gave them."""
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    folder = tmp_path_factory.mktemp("notebook")
    sources = [
        "%load_ext tlcourse\nimport sys\nprint([name for name in ('torch', 'numpy') if name in sys.modules])",
        f"%%grade line --course {EXAMPLE} --sandbox landlock\n{REFERENCE}",
        "import tlcourse\ntlcourse.check()",
        f"tlcourse.check('line', 'nothing.py', course={str(EXAMPLE)!r})",
        SAVED,
        COLAB,
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TLCOURSE_HOME", str(folder / "home"))
        patch.setenv("TLCOURSE_TRUST_COURSE", "1")
        patch.delenv("JPY_SESSION_NAME", raising=False)
        client = nbclient.NotebookClient(
            notebook, timeout=240, allow_errors=True, resources={"metadata": {"path": str(folder)}}
        )
        client.execute()
    return [cell.outputs for cell in notebook.cells]


def shown(outputs, kind="text/html"):
    return next(one["data"][kind] for one in outputs if one["output_type"] == "execute_result")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_cells_grade_and_show_the_verdict_as_a_small_page(executed):
    loaded, cell, _, _, saved, colab = executed
    assert loaded[0]["text"] == "[]\n"  # the extension is there, and nothing heavy
    page, words = shown(cell), shown(cell, "text/plain")
    assert page.startswith('<div class="tlcourse">')
    assert '<span class="tone good">✓ PASS</span>' in page
    assert page.count('<svg class="scale good"') == 2
    assert "landlock" in page
    assert words.startswith("line: PASS, 2 of 2 points\n✓ Mean absolute error of y: ")
    # the file that Jupyter names, and the exercise that it asks Task.local for
    assert "INVALID" in shown(saved)
    assert "def fit(task:" in shown(saved)
    assert re.search(r"Graded as work\.ipynb was saved at \d\d:\d\d:\d\d\.", shown(saved))
    # Colab: as it is there, with the magics that grade; the notebook that is graded does not grade itself
    printed = "".join(one["text"] for one in colab if one["output_type"] == "stream")
    assert printed.endswith("\x1b[KTrue 2.0\n")
    assert "bubblewrap" in shown(colab) or "landlock" in shown(colab)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_an_error_is_said_without_the_lines_of_a_traceback(executed):
    _, _, unnamed, missing, _, _ = executed
    said = [
        next(one["traceback"] for one in outputs if one["output_type"] == "error") for outputs in (unnamed, missing)
    ]
    assert said[0] == ["Which exercise is it?", 'Fix: name it: tlcourse.check("ex1")']
    assert "nothing.py" in said[1][0]
    assert not any(".py, line" in line or "Traceback" in line for line in said[1])


def test_the_verdict_shows_checks_curves_and_what_went_most_wrong():
    metrics = [{"step": step, "values": {"loss": 1 / step}} for step in (1, 2, 3)]
    errors = ErrorAnalysis(1000, calibration=[Calibration("skewed", [0.5], [0.625])])
    verdict = Verdict(
        replace(result("fail", 0.0), metrics=metrics, error_analysis=errors), "Graded as a.ipynb was saved."
    )
    page = verdict._repr_html_()
    assert page.count("<polyline") == 3  # the loss, the diagonal, the calibration
    assert "What went most wrong" in page
    assert "Graded as a.ipynb was saved." in page
    assert "<script" not in page
    assert repr(verdict).splitlines()[0] == "line: FAIL, 0 of 2 points"
    assert (verdict.passed, verdict.points) == (False, 0.0)


def test_in_a_grading_it_does_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "tlcourse.execution.worker.process", object())  # which only a worker has
    assert tlcourse.check("ex2") is None
    assert tlcourse.load_ipython_extension(None) is None


def test_importing_tlcourse_stays_light():
    code = "import json, sys, tlcourse; tlcourse.check; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "msgspec", "typer", "textual", "IPython", "jinja2"} & set(json.loads(done.stdout))


def test_which_exercise_it_is_is_asked_of_the_course_that_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for course, first in ((EXAMPLE, "line"), (str(EXAMPLE), "line"), (None, "ex1")):
        with pytest.raises(TlcourseError, match="Which exercise is it") as asked:
            tlcourse.check(course=course)
        assert asked.value.remedy == f'name it: tlcourse.check("{first}")'
