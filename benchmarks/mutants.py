"""Small changes to the modules that decide about marks: does a test of the module notice each of them? Uses mutmut.

    python benchmarks/mutants.py                      # every module of the table
    python benchmarks/mutants.py decide handins       # some of them
    python benchmarks/mutants.py decide --show        # with the diff of every mutant that survives

Needs `pip install -e '.[mutants]'`. Each module is changed in a copy of the tree and judged by its own tests alone. A
mutant that survives must stand in `benchmarks/mutants_survivors.yaml` with the reason why no test need notice it.
Ends with 1 where a survivor has no reason there, where a reason there is about no survivor, or where fewer than 90 % of
a module's mutants are killed, those with a reason counted as surviving. Takes some minutes; not part of `.ci/run`.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from msgspec import Struct

ROOT = Path(__file__).resolve().parents[1]
SURVIVORS = Path(__file__).with_name("mutants_survivors.yaml")
LEAST = 0.90
MOST_MEMORY = 4 * 2**30
_QUIZ = ("answer_input", "exchanging", "marking", "problems", "reading", "showing")
MODULES = {
    "decide": (
        "tlcourse/grading/scoring/decide.py",
        ["tests/grading/scoring/test_decide.py", "tests/grading/scoring/test_fixed_items.py"],
    ),
    "loader": ("tlcourse/course/loader.py", ["tests/course/test_loader.py", "tests/course/test_cache.py"]),
    "handins": ("tlcourse/grading/lms/handins.py", ["tests/grading/lms/test_handins.py"]),
    "judge": ("tlcourse/execution/judge.py", ["tests/execution/test_judge.py"]),
    "supervise": ("tlcourse/execution/supervise.py", ["tests/execution/test_supervise.py"]),
    "quiz": (  # not cases.py: it is texts, and a test recomputes what they say
        "tlcourse/quiz/kinds/[!c]*.py tlcourse/quiz/kinds/classify.py",
        [f"tests/quiz/kinds/test_{name}.py" for name in _QUIZ],
    ),
}
"""Short name → the module, or patterns of several, and the tests that must notice what happens to it."""
_SURVIVED, _NO_TESTS = 0, 33  # mutmut's words for a mutant that no test failed, or that no test ever ran
_ARGUMENTS = ["-n0", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "-W", "default"]


class Survivor(Struct, frozen=True):
    """A mutant that no test noticed: the line before and after, and why that is right."""

    was: str
    now: str
    why: str = ""


class Outcome(Struct, frozen=True):
    """What became of a module's mutants."""

    mutants: int
    survivors: list[tuple[Survivor, str]]
    """Each with mutmut's diff."""


def main() -> int:
    """Print a line a module and a line a survivor; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "modules", nargs="*", metavar="MODULE", help=f"of {', '.join(MODULES)}; all where none is named"
    )
    parser.add_argument("--show", action="store_true", help="print the diffs of all survivors")
    parser.add_argument("--jobs", type=int, default=2, help="mutants judged side by side")
    arguments = parser.parse_args()
    if unknown := set(arguments.modules) - MODULES.keys():
        parser.error(f"not in the table: {', '.join(sorted(unknown))}")
    reasons = {
        name: [Survivor(**entry) for entry in entries]
        for name, entries in yaml.safe_load(SURVIVORS.read_text()).items()
    }
    wrong = False
    for name in arguments.modules or MODULES:
        outcome = judged(name, arguments.jobs)
        wrong |= report(name, outcome, reasons.get(name, []), show=arguments.show)
    return int(wrong)


def judged(name: str, jobs: int) -> Outcome:
    """Run mutmut on one module, in a copy of the tree that is gone afterwards."""
    module, tests = MODULES[name]
    with tempfile.TemporaryDirectory(prefix="tlcourse-mutants-") as folder:
        tree = Path(folder, "tlcourse")
        copy_tree(tree)
        modules = sorted(path for pattern in module.split() for path in tree.glob(pattern))
        settings = {
            "source_paths": ["tlcourse"],
            "only_mutate": [str(path.relative_to(tree)) for path in modules],
            "also_copy": ["exercises", "graders", "README.md"],
            "pytest_add_cli_args": _ARGUMENTS,
            "pytest_add_cli_args_test_selection": tests,
            "timeout_multiplier": 10.0,
            "timeout_constant": 5.0,
        }
        with (tree / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(
                "\n[tool.mutmut]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
            )
        ran = subprocess.run(
            [mutmut(), "run", "--max-children", str(jobs)], cwd=tree, capture_output=True, text=True, preexec_fn=bounded
        )
        found = [tree / "mutants" / f"{path.relative_to(tree)}.meta" for path in modules]
        if ran.returncode != 0 or not all(path.is_file() for path in found):
            sys.exit(f"{name}: mutmut did not finish.\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}")
        codes: dict[str, int] = {}
        for path in found:
            codes |= json.loads(path.read_text())["exit_code_by_key"]
        diffs = [diff_of(tree, key) for key, code in codes.items() if code in (_SURVIVED, _NO_TESTS)]
    return Outcome(len(codes), [(_changed(diff), diff) for diff in diffs])


def bounded() -> None:
    """A mutant that forgets a limit may keep what it is sent for ever: its memory ends it, not the machine's."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


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


def mutmut() -> str:
    """Its command, in the environment that runs this."""
    path = Path(sys.executable).with_name("mutmut")
    if not path.is_file():
        sys.exit("mutmut is not installed here: pip install -e '.[mutants]'")
    return str(path)


def diff_of(tree: Path, key: str) -> str:
    """What mutmut changed in the mutant of that name."""
    shown = subprocess.run([mutmut(), "show", key], cwd=tree, capture_output=True, text=True, check=True)
    return shown.stdout


def _changed(diff: str) -> Survivor:
    lines = diff.splitlines()
    was = [line[1:].strip() for line in lines if line.startswith("-") and not line.startswith("---")]
    now = [line[1:].strip() for line in lines if line.startswith("+") and not line.startswith("+++")]
    return Survivor(" ".join(was), " ".join(now))


def report(name: str, outcome: Outcome, reasons: list[Survivor], *, show: bool) -> bool:
    """Print what became of the mutants of a module; returns whether something is to be done."""
    why = {(known.was, known.now): known.why for known in reasons}
    killed = outcome.mutants - len(outcome.survivors)
    share = killed / outcome.mutants
    new = [(mutant, diff) for mutant, diff in outcome.survivors if (mutant.was, mutant.now) not in why]
    print(
        f"{name:10} {outcome.mutants:4} mutants, {killed:4} killed ({share:.1%}), "
        f"{len(outcome.survivors) - len(new)} survive with a reason, {len(new)} without",
        flush=True,
    )
    for mutant, diff in outcome.survivors if show else new:
        reason = why.get((mutant.was, mutant.now), "")
        print(f"\n{diff}" if show else f"    {mutant.was}\n  → {mutant.now}", *([f"({reason})"] if reason else []))
    stale = why.keys() - {(mutant.was, mutant.now) for mutant, _ in outcome.survivors}
    for was, now in sorted(stale):
        print(f"  no longer survives, so its reason can go: {was} → {now}")
    if share < LEAST:
        print(f"  fewer than {LEAST:.0%} are killed")
    return bool(new or stale or share < LEAST)


if __name__ == "__main__":
    sys.exit(main())
