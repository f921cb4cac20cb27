"""Small changes to the modules that decide about marks: does a test of the module notice each of them? Uses mutmut.

    python benchmarks/mutants.py                      # every module of the table
    python benchmarks/mutants.py decide handins       # some of them
    python benchmarks/mutants.py decide --show        # with the diff of every mutant that survives
    python benchmarks/mutants.py handins --function newest

Needs `pip install -e '.[mutants]'`. Each module is changed in a copy of the tree and judged by its own tests alone. A
mutant that survives must stand in `benchmarks/mutants_survivors.yaml` with the reason why no test need notice it.
Ends with 1 where a survivor has no reason there, where a reason there is about no survivor, or where fewer than 90 % of
a module's mutants are killed, those with a reason counted as surviving. Not part of `.ci/run`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import yaml
from msgspec import Struct
from mutants_in_forks import Judged, Task

ROOT = Path(__file__).resolve().parents[1]
SURVIVORS = Path(__file__).with_name("mutants_survivors.yaml")
LEAST = 0.90
LEFT_OUT = r"^\s*_log\."
"""Calls whose texts only developers read."""
_QUIZ = ("answer_input", "drawn", "exchanging", "marking", "problems", "reading", "showing")
MODULES = {
    "decide": (
        "tlcourse/grading/scoring/decide.py",
        ["tests/grading/scoring/test_decide.py", "tests/grading/scoring/test_fixed_items.py"],
    ),
    "loader": (
        "tlcourse/course/loader.py tlcourse/course/kept.py",
        ["tests/course/test_loader.py", "tests/course/test_cache.py"],
    ),
    "handins": (
        "tlcourse/grading/lms/handins.py tlcourse/grading/lms/newest_attempt.py",
        ["tests/grading/lms/test_handins.py", "tests/grading/lms/test_identity.py"],
    ),
    "judge": ("tlcourse/execution/judge.py", ["tests/execution/test_judge.py"]),
    "supervise": (
        "tlcourse/execution/supervise.py",
        ["tests/execution/test_supervise.py", "tests/execution/test_run_limits.py"],
    ),
    "quiz": (  # not cases.py: it is texts, and a test recomputes what they say
        "tlcourse/quiz/kinds/[!c]*.py tlcourse/quiz/kinds/classify.py",
        [f"tests/quiz/kinds/test_{name}.py" for name in _QUIZ],
    ),
}
"""Short name → the module, or patterns of several, and the tests that must notice what happens to it."""


class Survivor(Struct, frozen=True):
    """A mutant that no test noticed: the line before and after, and why that is right."""

    was: str
    now: str
    why: str = ""


def main() -> int:
    """Print a line a module and a line a survivor; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "modules", nargs="*", metavar="MODULE", help=f"of {', '.join(MODULES)}; all where none is named"
    )
    parser.add_argument("--show", action="store_true", help="print the diffs of all survivors")
    parser.add_argument("--function", default="", help="only mutants of functions with this in their name")
    arguments = parser.parse_args()
    if unknown := set(arguments.modules) - MODULES.keys():
        parser.error(f"not in the table: {', '.join(sorted(unknown))}")
    reasons = {
        name: [Survivor(**entry) for entry in entries]
        for name, entries in yaml.safe_load(SURVIVORS.read_text()).items()
    }
    wrong = False
    for name in arguments.modules or MODULES:
        known = reasons.get(name, [])
        mutants = judged(name, known, arguments.function)
        wrong |= report(name, mutants, known, show=arguments.show, whole=not arguments.function)
    return int(wrong)


def judged(name: str, known: list[Survivor], function: str = "") -> list[Judged]:
    """What became of the mutants of a module, in a copy of the tree that is gone afterwards."""
    module, tests = MODULES[name]
    with tempfile.TemporaryDirectory(prefix="tlcourse-mutants-") as folder:
        tree, outcomes = Path(folder, "tlcourse"), Path(folder, "outcomes")
        copy_tree(tree)
        with (tree / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(f"\n[tool.mutmut]\nsource_paths = ['tlcourse']\ndo_not_mutate_patterns = [{LEFT_OUT!r}]\n")
        modules = sorted({str(path.relative_to(tree)) for pattern in module.split() for path in tree.glob(pattern)})
        task = Task(modules, tests, [(one.was, one.now) for one in known], function)
        ran = subprocess.run(
            [sys.executable, tree / "benchmarks" / "mutants_in_forks.py", outcomes],
            cwd=tree,
            input=msgspec.json.encode(task),
            capture_output=True,
        )
        if ran.returncode != 0:
            sys.exit(f"{name}: {ran.stdout.decode()[-3000:]}\n{ran.stderr.decode()[-3000:]}")
        return msgspec.json.decode(b"[" + b",".join(outcomes.read_bytes().splitlines()) + b"]", type=list[Judged])


def copy_tree(into: Path) -> None:
    """The files of the checkout that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name)


def report(name: str, mutants: list[Judged], known: list[Survivor], *, show: bool, whole: bool) -> bool:
    """Print what became of the mutants of a module; returns whether something is to be done."""
    why = {(one.was, one.now): one.why for one in known}
    survivors = [one for one in mutants if not one.by]
    new = [one for one in survivors if (one.was, one.now) not in why]
    killed = len(mutants) - len(survivors)
    print(
        f"{name:10} {len(mutants):4} mutants, {killed:4} killed ({killed / len(mutants):.1%}), "
        f"{sum(not one.in_time for one in mutants)} of them by their time; "
        f"{len(survivors) - len(new)} survive with a reason, {len(new)} without",
        flush=True,
    )
    for one in survivors if show else new:
        reason = why.get((one.was, one.now), "")
        print(f"\n{one.diff}" if show else f"    {one.was}\n  → {one.now}", *([f"({reason})"] if reason else []))
    stale = why.keys() - {(one.was, one.now) for one in survivors} if whole else set()
    for was, now in sorted(stale):
        print(f"  no longer survives, so its reason can go: {was} → {now}")
    if killed / len(mutants) < LEAST:
        print(f"  fewer than {LEAST:.0%} are killed")
    return bool(new or stale or killed / len(mutants) < LEAST)


if __name__ == "__main__":
    sys.exit(main())
