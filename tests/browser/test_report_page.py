"""Pages in a real browser: they lay out, nothing is loaded, nothing runs, whatever names and messages hold."""

from __future__ import annotations

import functools
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from results import overridden

from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.presenting.report.report_files import write_all

pytestmark = pytest.mark.slow
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=3000"),
)
ATTACK = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """`browser(page)`: the document after the browser has laid it out and run what would run."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    profile = tmp_path_factory.mktemp("profile")

    @functools.cache  # a browser starts for each page
    def dumped(page: Path, *more: str) -> str:
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *more, "--dump-dom", page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout

    return dumped


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The folder that a batch of a small, partly hostile class leaves."""
    here = tmp_path_factory.mktemp("report")
    path = Path(__file__).parents[1] / "grading" / "batch" / "quick_batch.py"
    spec = importlib.util.spec_from_file_location("quick_batch", path)
    quick = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(quick)
    names = {"anna": "passes", "bo": "fails", "cleo & <b>co": "crashes", "dora onerror=x": ""}
    for name, word in names.items():
        (here / "handins" / name).mkdir(parents=True)
        if word:
            (here / "handins" / name / "solution.py").write_text(f"# {word}")
    from tlcourse.course.loader import load_course

    course = Path(__file__).parents[1] / "example_course"
    quick.batch(here / "g.sqlite", here / "handins", course)
    with Gradebook.writing(here / "g.sqlite", "a test") as book:
        (batch,) = book.batches()
        key = book.handins(batch.id)[0].key
        overridden(book, key, 1.0, who=ATTACK[:80], why=ATTACK)
        write_all(book, batch, load_course(course).exercises["line"], here / "out")
    return here / "out"


def test_the_report_is_laid_out_with_its_plots_and_rows(browser, out):
    document = browser(out / "report.html")
    assert len(re.findall(r'<tr id="h\d+">', document)) == 4
    assert document.count("<svg") == 3
    assert document.count("<rect") >= 4


def test_nothing_in_a_report_or_in_feedback_runs_or_is_loaded(browser, out):
    pages = [out / "report.html", *sorted(out.glob("feedback/*/feedback.html"))]
    assert len(pages) == 5
    for page in pages:
        document = browser(page)
        title = re.search(r"<title>(.*?)</title>", document)
        assert title
        assert title[1] != "hacked"
        assert "<script" not in document
        assert "<img" not in document


def test_the_page_needs_no_more_width_than_a_small_window_has(browser, out, tmp_path):
    """Measured by a script of ours, in a copy whose policy lets it run."""
    text = (out / "report.html").read_text()
    probe = "<script>document.title = document.documentElement.scrollWidth + ' of ' + innerWidth</script></body>"
    copy = tmp_path / "probe.html"
    copy.write_text(re.sub(r"<meta http-equiv=.*?>", "", text).replace("</body>", probe))
    for width in (1200, 600):
        title = re.search(r"<title>(\d+) of (\d+)</title>", browser(copy, f"--window-size={width},800"))
        assert title
        assert int(title[1]) <= int(title[2]), title[0]
