"""A batch that is killed at any moment goes on where it was: every hand-in ends with exactly one final result, the one
that an undisturbed batch gives."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest

from tlcourse.errors import UsageError
from tlcourse.grading.gradebook.gradebook import Gradebook

EXAMPLE = Path(__file__).parents[2] / "example_course"
SCRIPT = Path(__file__).with_name("quick_batch.py")
WORDS = ("passes", "fails", "crashes", "slow", "")


def kill_after(
    command: list[str], seconds: float, env: dict[str, str], *, at_work: Callable[[], bool] = lambda: True
) -> bool:
    """Start a command and SIGKILL it so long after it is at work; whether it was still running then."""
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not at_work():
            time.sleep(0.02)
        with contextlib.suppress(subprocess.TimeoutExpired):
            assert process.wait(seconds) == 0, process.stderr.read() if process.stderr else ""
            return False
        process.send_signal(signal.SIGKILL)
        process.wait()
    return True


def results(gradebook: Path) -> dict[str, tuple[object, ...]]:
    """Of each owner the one final result, without what differs from run to run."""
    found = {}
    with Gradebook.reading(gradebook) as book:
        (batch,) = book.batches()  # never a second one
        for handin in book.handins(batch.id):
            final = [verdict for verdict in book.history(handin.id) if verdict.outcome != "infra"]
            assert len({verdict.round for verdict in final}) == len(final), (handin.owner, final)
            # of each attempt that came in one result; all but the newest may have been overtaken before it had any
            assert final[-1].round == handin.round, (handin.owner, final)
            assert len(final) <= handin.attempt, (handin.owner, final)
            document = book.document(final[-1].id)
            values = [(check.id, check.value, check.passed) for check in document.checks]
            history = [verdict.sha256 for verdict in final]
            found[handin.owner] = (final[-1].outcome, final[-1].points, history, str(values), handin.attempt)
    return found


def brightspace(folder: Path, numbers: range, day: int) -> None:
    """Folders of a download, each with an attempt of that day."""
    for number in numbers:
        own = folder / f"{number}-{day} - s{number:03} - Oct {day}, 2025 1107 AM"
        own.mkdir(parents=True)
        if word := WORDS[(number + day) % len(WORDS)]:
            (own / "solution.py").write_text(f"# {word}\n# {number} {day}\n")


def open_of(gradebook: Path) -> tuple[int, int]:
    """How many hand-ins a killed batch has left, and of how many; 0 where it did not come so far."""
    with contextlib.suppress(UsageError), Gradebook.reading(gradebook) as book:
        for batch in book.batches():
            return len(book.open_handins(batch.id)), len(book.handins(batch.id))
    return 0, 0


@pytest.mark.slow
@pytest.mark.parametrize("kills", [14, pytest.param(50, marks=pytest.mark.nightly)])
def test_kills_at_random_moments_lose_nothing_and_grade_nothing_twice(kills, tmp_path, own_home):
    """Of a batch, and of a later download that comes into it: 50 of its 100 hand-ins anew, and 50 more.

    Fifty kills nightly.
    """
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    downloads = tmp_path / "first", tmp_path / "later"
    brightspace(downloads[0], range(100), 3)
    brightspace(downloads[1], range(50, 150), 4)

    def command(name: str, part: int) -> list[str]:
        return [sys.executable, str(SCRIPT), str(tmp_path / name / "g.sqlite"), str(downloads[part]), str(EXAMPLE)]

    begin = time.monotonic()
    assert not kill_after(command("undisturbed", 0), 300, env)
    whole = time.monotonic() - begin
    assert not kill_after(command("undisturbed", 1), 300, env)
    expected = results(tmp_path / "undisturbed" / "g.sqlite")
    assert [len(expected), sum(one[-1] == 2 for one in expected.values())] == [150, 50]
    seed = random.SystemRandom().randrange(10**6)
    rng = random.Random(seed)
    part, midway = 0, [0, 0]
    for kill in range(kills):
        book = tmp_path / "killed" / "g.sqlite"
        before = open_of(book)
        if kill % 2:  # also while it starts, which takes the longest on a busy machine
            killed = kill_after(command("killed", part), rng.uniform(0.05, 0.7) * whole, env)
        else:
            at_work = partial(lambda book, before: open_of(book) != before, book, before)
            killed = kill_after(command("killed", part), rng.uniform(0, 0.2) * whole, env, at_work=at_work)
        if killed:
            left, of = open_of(book)
            midway[part] += 0 < left < of
        elif part == 0:
            part = 1
        else:  # it came to its end: another one, for the kills that are left
            assert results(tmp_path / "killed" / "g.sqlite") == expected, seed
            (tmp_path / "killed").rename(tmp_path / f"killed-{kill}")
            part = 0
        if part == 0 and kill == kills // 2 - 1:  # the later download has its kills even where they are few
            assert not kill_after(command("killed", 0), 300, env)
            part = 1
    assert min(midway) >= kills // 14, "hardly any kill met a batch at work"
    for last in (0, 1)[part:]:
        assert not kill_after(command("killed", last), 300, env)
    assert results(tmp_path / "killed" / "g.sqlite") == expected, seed
    left_half = list((tmp_path / "killed" / "g.sqlite.handins").glob("half-*"))
    assert left_half == []


@pytest.mark.slow
def test_the_real_batch_killed_in_the_fork_server_goes_on_and_leaves_no_process(tmp_path, own_home):
    env = {**os.environ, "TLCOURSE_HOME": str(own_home), "TLCOURSE_SECRET": "a secret that is long enough"}
    reference = (EXAMPLE / "graders" / "references" / "line.py").read_text()
    folder = tmp_path / "submissions"
    for number in range(8):
        (folder / f"s{number}").mkdir(parents=True)
        source = reference if number % 2 else reference.replace("return y, z", "return y, 0 * z")
        (folder / f"s{number}" / "solution.py").write_text(f"# {number}\n{source}")

    def command(name: str, *more: str) -> list[str]:
        start = [sys.executable, "-m", "tlcourse", "batch", "line", str(folder), "--course", str(EXAMPLE)]
        return [*start, "--gradebook", str(tmp_path / name / "g.sqlite"), "--plain", *more]

    assert not kill_after(command("undisturbed"), 300, env)
    rng = random.Random()
    book = tmp_path / "killed" / "g.sqlite"
    kill_after(command("killed", "--resume"), rng.uniform(0, 0.5), env, at_work=lambda: 0 < open_of(book)[0] < 8)
    kill_after(command("killed", "--resume"), rng.uniform(0.3, 7.0), env)
    assert not kill_after(command("killed", "--resume"), 300, env)
    assert results(book) == results(tmp_path / "undisturbed" / "g.sqlite")
    until = time.monotonic() + 60
    mark = str(tmp_path)
    while left := [p for p in psutil.process_iter(["cmdline"]) if mark in " ".join(p.info["cmdline"] or [])]:
        assert time.monotonic() < until, left
        time.sleep(0.2)
