"""What a run may use is counted in seconds of the reference machine, however slow or busy this one is."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from tlcourse.course.checks import unfair_limits
from tlcourse.course.loader import load_course
from tlcourse.errors import UsageError
from tlcourse.execution import speed
from tlcourse.execution.speed import Speed
from tlcourse.execution.supervise import run
from tlcourse.execution.worker.task import Task


@pytest.fixture
def measured(monkeypatch):
    """Numbers of threads for which a speed was measured; `measured.next` is what is found, and kept."""
    monkeypatch.delenv(speed.GIVEN)

    class Measured(list):
        next = Speed(0.8, busy=False, at=0.0)

    made = Measured()

    def measure(threads):
        made.append(threads)
        file = speed.file_of(threads)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(speed.as_kept(made.next))
        return made.next

    monkeypatch.setattr(speed, "measure", measure)
    return made


def test_the_speed_is_measured_once_for_a_machine_and_a_number_of_threads(measured):
    said = []
    assert speed.speed_here(2, said.append) == 0.8
    assert speed.speed_here(2, said.append) == 0.8
    assert speed.speed_here(1, said.append) == 0.8
    speed.forget()  # as in another process
    assert speed.speed_here(2, said.append) == 0.8
    assert measured == [2, 1]
    assert said == [speed.MEASURING, speed.MEASURING]


def test_what_was_measured_beside_other_work_counts_for_some_minutes(measured):
    measured.next = Speed(0.6, busy=True, at=time.time())
    assert speed.speed_here(2) == 0.6
    speed.forget()
    assert speed.speed_here(2) == 0.6
    measured.next = Speed(0.6, busy=True, at=time.time() - 3600)
    speed.measure(2)
    speed.forget()
    measured.next = Speed(0.9, busy=False, at=0.0)
    assert speed.speed_here(2) == 0.9
    assert measured == [2, 2, 2]


def test_two_measurements_beside_other_work_that_agree_are_kept():
    first, second = (Speed(value, busy=True, at=0.0) for value in (0.8, 0.86))
    assert speed.settled(first, None).busy
    assert not speed.settled(second, first).busy
    assert speed.settled(Speed(0.6, busy=True, at=0.0), first).busy


def test_a_damaged_file_is_measured_again(measured):
    speed.speed_here(2)
    for data in (b"no JSON", b'{"speed": 0.0, "busy": false, "at": 0.0}', b'{"speed": 1e300, "busy": false, "at": 0}'):
        speed.file_of(2).write_bytes(data)
        speed.forget()
        assert speed.speed_here(2) == 0.8
    assert measured == [2] * 4


def test_a_variable_says_it_where_measuring_is_of_no_use(measured, monkeypatch):
    monkeypatch.setenv(speed.GIVEN, "0.25")
    assert speed.speed_here(2) == 0.25
    for wrong in ("fast", "0", "-1", "inf", "nan", "1e-300", "1e300"):
        monkeypatch.setenv(speed.GIVEN, wrong)
        with pytest.raises(UsageError, match="which is not a speed"):
            speed.speed_here(2)
    assert measured == []


def test_before_anything_was_measured_a_core_counts_as_one_of_the_reference_machine(measured):
    assert (speed.known_speed(1), speed.known_speed(2), speed.known_speed(8)) == (0.5, 1.0, 4.0)
    assert measured == []


def test_limits_are_those_of_this_machine(job_for):
    job = job_for("mine = 1", threads=2, cpu_s=180, wall_time_s=720)
    at = {speed_: replace(job, task_spec=replace(job.task_spec, speed=speed_)) for speed_ in (0.5, 1.0, 2.0)}
    found = {speed_: speed.limits_here(one, gpu=False) for speed_, one in at.items()}
    assert {speed_: (one.cpu_s, one.wall_time_s) for speed_, one in found.items()} == {
        0.5: (720, 1440),  # CPU seconds of two threads; twice as long by the clock
        1.0: (360, 720),
        2.0: (180, 720),
    }
    for one in found.values():
        assert one.wall_time_s >= 4 * one.cpu_s / 2
    given = speed.limits_here(replace(at[0.5], wall_time_given=True), gpu=False)
    assert (given.cpu_s, given.wall_time_s) == (720, 720)
    assert speed.limits_here(at[0.5], gpu=True).wall_time_s == 180


def test_a_run_on_a_gpu_measures_nothing(job_for, measured):
    job = job_for("mine = 1", device="cuda")
    assert speed.at_own_speed(job).task_spec.speed == 0.5
    assert measured == []


def test_the_limits_of_the_course_leave_a_busy_machine_four_times_as_long():
    course = load_course()
    assert list(unfair_limits(course)) == []
    for exercise in course.exercises.values():  # and the handouts say both
        said = " ".join((exercise.folder / "handout.md").read_text(encoding="utf-8").split())
        asked, limit = exercise.about.seconds, exercise.about.limits.cpu_s
        assert f"should take at most {asked:g} s, which is `task.seconds`; it is stopped at {limit:g} s" in said


def test_an_author_is_told_of_limits_that_a_busy_machine_meets_first():
    course = load_course()
    about = course.exercises["ex2"].about
    tight = replace(about, limits=replace(about.limits, cpu_s=50, wall_time_s=100))
    changed = replace(course, exercises={"ex2": replace(course.exercises["ex2"], about=tight)})
    too_little, too_soon = (problem.partition("cpu_s is")[2] or problem for problem in unfair_limits(changed))
    assert too_little == " 50, expected at least `seconds`, which is asked of fit"
    assert "wall_time_s is 100, expected at least 200: 4 times cpu_s" in too_soon


SECONDS_LEFT = """
import multiprocessing, time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
def fit(task):
    begin = task.seconds_left
    time.sleep(0.5)
    slept = task.seconds_left
    burn(0.5)
    burnt = task.seconds_left
    child = multiprocessing.get_context("fork").Process(target=burn, args=(0.5,))
    child.start()
    while child.is_alive() and task.seconds_left > burnt - 0.5: time.sleep(0.05)
    alive = task.seconds_left
    child.join()
    task.log(1, slept=begin - slept, burnt=slept - burnt, child=burnt - alive, ended=burnt - task.seconds_left)
"""


def test_seconds_left_falls_with_what_was_computed_and_not_with_what_was_waited(job_for, fork_server_sandbox):
    job = job_for(SECONDS_LEFT)
    job = replace(job, task_spec=replace(job.task_spec, speed=2.0))
    (metric,) = run(job, fork_server_sandbox, lambda _: None).metrics
    fell = metric["values"]
    assert 0 <= fell["slept"] < 0.4  # the clock: 0.5, at twice the speed
    assert 1.0 <= fell["burnt"] < 1.4
    assert 0.5 <= fell["child"] <= fell["ended"]
    assert 1.0 <= fell["ended"] < 1.8


def test_at_home_the_same_holds(monkeypatch):
    monkeypatch.setenv(speed.GIVEN, "0.5")
    task = Task.local("ex3", device="cpu")
    begin = task.seconds_left
    time.sleep(0.3)
    assert begin - task.seconds_left < 0.2
