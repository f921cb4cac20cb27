"""What keeps a release from being made (`scripts/release.py`); `.ci/run` carries the whole out."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("release", ROOT / "scripts" / "release.py")
assert spec is not None
assert spec.loader is not None
release = importlib.util.module_from_spec(spec)
spec.loader.exec_module(release)

OPEN, CUT = (
    "# Changelog\n\n## Unreleased\n\n## 0.1.0 – 2026-01-02\n",
    "# Changelog\n\n## 0.2.0 – 2026-11-30\n\n## 0.1.0\n",
)


@pytest.mark.parametrize(
    ("cited", "changelog", "tags", "final", "said"),
    [
        ("0.2.0", OPEN, [], False, []),
        ("0.2.0", CUT, [], False, []),
        ("0.2.0", CUT, ["v0.2.0"], True, []),
        ("0.1.0", OPEN, [], False, ["CITATION.cff says version 0.1.0, expected 0.2.0"]),
        ("0.2.0", OPEN, ["v0.2.0"], True, ["CHANGELOG.md begins with `Unreleased`, expected `0.2.0 – YEAR-MONTH-DAY`"]),
        ("0.2.0", CUT, [], True, ["the tag v0.2.0 does not stand at this commit: git tag v0.2.0"]),
        ("0.2.0", CUT, ["v0.2.0", "v0.1.0"], True, ["the tag v0.1.0 stands here, expected v0.2.0"]),
    ],
)
def test_version_newest_heading_and_tag_are_one(cited, changelog, tags, final, said):
    citation = f"cff-version: 1.2.0\nversion: {cited}\n"
    assert list(release.problems_of_versions("0.2.0", citation, changelog, tags, final=final)) == said


def test_the_version_stands_in_one_place():
    import tlcourse

    assert release.version_of((ROOT / "tlcourse" / "__init__.py").read_text()) == tlcourse.__version__
    assert 'version = "' not in (ROOT / "pyproject.toml").read_text().partition("[tool.")[0]


ABOUT = """Metadata-Version: 2.4
Name: tlcourse
Version: 0.2.0
License-Expression: MIT
License-File: LICENSE
Description-Content-Type: text/markdown

# tlcourse
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ABOUT + "See [PyTorch](https://example.org/) and `share/doc/tlcourse/students.md`.\n", ""),
        (ABOUT + "See [students](docs/students.md).\n", "holds `](docs/students.md)`"),
        (ABOUT + "![A picture](https://example.org/x.svg)\n", "holds `![`"),
        (ABOUT.replace("0.2.0", "0.3.0"), "says version 0.3.0, expected 0.2.0"),
        (ABOUT.replace("MIT", "Apache-2.0"), "expected MIT in LICENSE"),
        (ABOUT.replace("0.2.0", "two"), "METADATA: "),
        (ABOUT.replace("License-Expression", "Licence-Expression"), "METADATA: "),
        (ABOUT.partition("\n\n")[0] + "\n\n", "no description"),
    ],
)
def test_what_an_index_would_refuse_or_show_broken_is_found(text, said):
    found = "\n".join(release.problems_of_metadata(text.encode(), "0.2.0"))
    assert (said in found) if said else not found


@pytest.fixture
def tree(tmp_path):
    """A small checkout, and the wheel that would be right for it."""
    secret = "def fit(task):\n    return 'the solution'\n"
    files = {
        "tlcourse/__init__.py": "",
        "docs/students.md": "# Students\n",
        "graders/references/ex2_multitask.py": secret,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    about = "tlcourse-0.2.0.dist-info"
    carried = {
        "tlcourse/__init__.py": b"",
        "tlcourse/_bundled/graders/ex2_multitask.py": b"def make(): ...\n",
        "tlcourse/_bundled/graders/solutions.zip": b"PK",
        "tlcourse-0.2.0.data/data/share/doc/tlcourse/students.md": b"# Students\n",
        f"{about}/METADATA": (ABOUT + "`share/doc/tlcourse/students.md`\n").encode(),
        f"{about}/licenses/LICENSE": b"MIT",
    }
    return tmp_path, carried, secret.encode()


def test_a_wheel_with_all_that_it_should_have_and_nothing_else_is_right(tree):
    root, carried, _ = tree
    assert list(release.problems_of_contents(carried, root)) == []


@pytest.mark.parametrize(
    ("taken", "put", "said"),
    [
        ("tlcourse-0.2.0.dist-info/licenses/LICENSE", "", "lacks licenses/LICENSE"),
        ("tlcourse/_bundled/graders/solutions.zip", "", "lacks tlcourse/_bundled/graders/solutions.zip"),
        ("tlcourse-0.2.0.data/data/share/doc/tlcourse/students.md", "", "names share/doc/tlcourse/students.md, which"),
        ("", "tests/test_x.py", "holds tests/test_x.py, which is no part of it"),
        ("", "tlcourse/__pycache__/x.pyc", "is no part of it"),
        ("", ".git/config", "is no part of it"),
        ("", "tlcourse/help.txt", "holds graders/references/ex2_multitask.py in plain text"),
    ],
)
def test_what_a_wheel_lacks_or_should_not_hold_is_named(tree, taken, put, said):
    root, carried, secret = tree
    carried = {name: data for name, data in carried.items() if name != taken} | (
        {put: b"# see\n" + secret} if put else {}
    )
    assert said in "\n".join(release.problems_of_contents(carried, root))
