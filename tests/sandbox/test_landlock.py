"""The landlock sandbox: what it takes away by itself, and that it says what it is. Attacks on it: tests/attacks."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time

import psutil
import pytest
from runs import MODEL

from tlcourse.execution.supervise import run
from tlcourse.sandbox import choose, landlock, seccomp
from tlcourse.sandbox.base import Finding


@pytest.fixture(scope="module")
def landlock_sandbox():
    from tlcourse.sandbox.landlock_sandbox import LandlockSandbox, probe

    if not (found := probe()).available:
        pytest.skip(found.detail)
    return LandlockSandbox()


@pytest.mark.slow
def test_a_run_gives_its_predictions_and_leaves_nothing(landlock_sandbox, job_for, tells, told):
    report = run(
        job_for(tells("told['home'] = os.listdir(os.environ['HOME']); told['uid'] = os.getuid()")),
        landlock_sandbox,
        print,
    )
    assert told(report)["home"] == ["submission"]
    assert report.sandbox == "landlock"
    assert len(report.results) > 32
    if os.geteuid() == 0:
        assert told(report)["uid"] >= 64200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "limits", "status", "said"),
    [
        ("time.sleep(600)", {"wall_time_s": 3}, "timeout", "3 s are allowed"),
        ("x = torch.ones(2**28); time.sleep(60)", {"memory_mb": 900}, "memory", "900 MB are allowed"),
        (
            "for i in range(9):\n    open(f'x{i}', 'wb').write(bytes(2**20))\ntime.sleep(60)",
            {"scratch_mb": 4},
            "output",
            "4 MB are allowed",
        ),
        (
            "keep = []\nfor i in range(9):\n    keep.append(open('x', 'wb')); os.unlink('x')\n"
            "    keep[-1].write(bytes(2**20))\n    keep[-1].flush()\ntime.sleep(60)",
            {"scratch_mb": 4},
            "output",
            "4 MB are allowed",
        ),
    ],
    ids=["time", "memory", "scratch", "removed files that are still open"],
)
def test_each_limit_has_its_outcome(landlock_sandbox, job_for, tells, body, limits, status, said):
    report = run(job_for(tells(body), **limits), landlock_sandbox, lambda _: None)
    assert report.status == status, report
    assert said in report.message


def test_landlock_opens_a_folder_that_holds_a_hidden_one_entry_by_entry(tmp_path):
    for name in ("package/course", "package/_bundled/graders", "package/_bundled/exercises", "other"):
        (tmp_path / name).mkdir(parents=True)
    hidden = str(tmp_path / "package/_bundled/graders")
    rights = landlock.without([str(tmp_path)], [hidden])
    read = {name.removeprefix(f"{tmp_path}/") for name, right in rights.items() if right == landlock.READ}
    assert read == {"package/course", "package/_bundled/exercises", "other"}
    assert hidden not in rights


HIDES = """
import sys
from tlcourse.sandbox import reaper, landlock
reaper.prctl(38, 1)
folder = sys.argv[1]
rights = landlock.without(["/usr", *sys.path[1:], folder], [folder + "/graders"])
landlock.enter({**rights, sys.base_prefix: landlock.READ}.items())
print(open(folder + "/lesson").read())
try:
    open(folder + "/graders/secret")
except PermissionError:
    print("hidden")
"""


def test_what_is_hidden_in_a_visible_folder_cannot_be_opened(landlock_sandbox, tmp_path):
    (tmp_path / "graders").mkdir()
    (tmp_path / "graders/secret").write_text("the answers")
    (tmp_path / "lesson").write_text("a lesson")
    done = subprocess.run(
        [sys.executable, "-c", HIDES, str(tmp_path)], capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.stdout.split("\n")[:2] == ["a lesson", "hidden"], done.stderr


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("signals", [True, False])
def test_the_filter_is_stricter_than_that_of_a_sandbox_with_namespaces(machine, signals):
    plain, strict = seccomp.program(machine), seccomp.program(machine, namespaces=False, signals=signals)
    assert plain is not None
    assert strict is not None
    assert len(strict) > len(plain)
    assert len(strict) % 8 == 0
    assert len(strict) // 8 < 4096  # the kernel's bound


def no(name):
    return lambda: Finding(name, False, f"no {name} here", f"get {name}")


def test_without_user_namespaces_the_landlock_sandbox_is_chosen_and_says_so(landlock_sandbox, monkeypatch):
    monkeypatch.setattr(choose, "_bubblewrap", no("bubblewrap"))
    sandbox, notice = choose.choose("auto")
    assert sandbox.name == "landlock"
    assert "landlock sandbox" in notice
    assert "no bubblewrap here" in notice
    assert "get bubblewrap" in notice


def test_without_landlock_too_there_is_no_sandbox_and_one_line_says_so(monkeypatch):
    monkeypatch.setattr(choose, "_bubblewrap", no("bubblewrap"))
    monkeypatch.setattr(choose, "_landlock", no("landlock"))
    sandbox, notice = choose.choose("auto")
    assert sandbox.name == "none"
    assert "for your own code only" in notice


def test_a_kernel_without_landlock_is_said_to_have_none(monkeypatch):
    from tlcourse.sandbox import landlock_sandbox

    monkeypatch.setattr(landlock, "abilities", lambda: landlock.Abilities(0))
    found = landlock_sandbox.probe.__wrapped__()
    assert not found.available
    assert "no Landlock" in found.detail
    assert "lsm=" in found.remedy


SIGNALS = """
import fcntl, os, signal, struct, sys
from tlcourse.sandbox import reaper, seccomp
reaper.prctl(38, 1)
seccomp.enter(seccomp.program(namespaces=False, signals=False))
for pid in (os.getppid(), os.getpid(), -1):
    try:
        os.kill(pid, signal.SIGCONT)
        print("sent")
    except PermissionError:
        print("refused")
other = int(sys.argv[1])
reader, writer = os.pipe()
for act in (
    lambda: fcntl.fcntl(reader, fcntl.F_SETOWN, other),
    lambda: fcntl.fcntl(reader, 15, struct.pack("ii", 1, other)),
    lambda: fcntl.fcntl(reader, 10, signal.SIGKILL),
    lambda: fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK),
    lambda: fcntl.ioctl(reader, 0x5452, struct.pack("i", 1)),
    lambda: fcntl.ioctl(reader, 0x8901, struct.pack("i", other)),
):
    try:
        act()
        print("done")
    except PermissionError:
        print("refused")
os.write(writer, b"x")
"""


def test_where_landlock_does_not_bound_signals_a_run_may_send_none(landlock_sandbox):
    """Nor have the kernel send one, to whom a descriptor's owner is said to be (F_SETOWN, F_SETSIG, O_ASYNC)."""
    with subprocess.Popen(["/usr/bin/sleep", "60"]) as other:
        command = [sys.executable, "-c", SIGNALS, str(other.pid)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout.split() == ["refused"] * 9, done.stderr
        assert other.poll() is None
        other.kill()


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="without root a run has its grader's own number")
def test_a_user_that_somebody_has_is_nobodys_run(landlock_sandbox, job_for, tells, told):
    """Whatever has a run's number when it ends is ended with it. A number is held by a lock that root alone takes."""
    source = tells("told['uid'] = os.getuid()")
    with socket.socket(socket.AF_UNIX) as held:
        held.bind("\0tlcourse-uid-64200")  # as anybody can: it has no meaning
        first = told(run(job_for(source), landlock_sandbox, lambda _: None))["uid"]
    with subprocess.Popen(["/usr/bin/setpriv", f"--reuid={first}", "--clear-groups", "/usr/bin/sleep", "60"]) as other:
        while psutil.Process(other.pid).uids().real != first:
            time.sleep(0.01)
        assert told(run(job_for(source), landlock_sandbox, lambda _: None))["uid"] > first
        assert other.poll() is None
        other.kill()


PROCESSES = """
import concurrent.futures, multiprocessing as mp
from torch.utils.data import DataLoader, TensorDataset
def square(x):
    return x * x
def add(total, lock, queue):
    for _ in range(50):
        with lock:
            total.send(total_of.recv() + 1)
    queue.put("done")
def write(rank, shared, model):
    shared[rank, rank] = rank + (torch.ones(300, 300) @ torch.ones(300, 1))[0].item() / 300
    with torch.no_grad():
        model.weight.fill_(7)
def fail(rank):
    raise ValueError("of a spawned one")
def fit(task):
    global total_of
    told = {}
    loader = DataLoader(TensorDataset(torch.arange(8.0)), 4, num_workers=2, persistent_workers=True, prefetch_factor=4)
    told["loader"] = [batch[0].sum().item() for batch in loader]
    with mp.Pool(2) as pool:
        told["pool"] = pool.map(square, range(5)), pool.map(square, [torch.ones(2)])[0].tolist()
    with concurrent.futures.ProcessPoolExecutor(2) as executor:
        told["executor"] = list(executor.map(square, range(3)))
    total_of, total = mp.Pipe(duplex=False)
    total.send(0)
    lock, queue = mp.RLock(), mp.Queue()
    children = [mp.Process(target=add, args=(total, lock, queue)) for _ in range(3)]
    for child in children:
        child.start()
    told["queue"] = [queue.get(timeout=60) for _ in children]
    for child in children:
        child.join()
    told["total"] = total_of.recv()
    bounded = mp.BoundedSemaphore(2)
    told["bounded"] = [bounded.acquire(timeout=0.01) for _ in range(3)], bounded.get_value()
    bounded.release()
    bounded.release()
    try:
        bounded.release()
    except ValueError as error:
        told["released"] = str(error)
    shared, model = torch.zeros(2, 3)[:, 1:].share_memory_(), torch.nn.Linear(2, 2).share_memory()
    torch.multiprocessing.spawn(write, args=(shared, model), nprocs=2)
    told["shared"] = shared.tolist(), shared.is_shared(), torch.zeros(2).is_shared()
    told["trained"] = model.weight.grad is None, model.weight.tolist(), model.weight.requires_grad
    try:
        torch.multiprocessing.spawn(fail)
    except Exception as error:
        told["failed"] = "ValueError: of a spawned one" in str(error)
    context = mp.get_context("spawn")
    manager = context.SimpleQueue()
    context.Process(target=manager.put, args=(torch.ones(2),)).start()
    told["spawned"] = manager.get().tolist(), context.get_start_method()
    print(json.dumps(told))
    return Model()
"""


@pytest.mark.slow
def test_loaders_pools_locks_and_shared_tensors_work_without_a_shared_folder(landlock_sandbox, job_for, tells):
    report = run(job_for("import json\n" + MODEL + PROCESSES), landlock_sandbox, lambda _: None)
    assert report.status == "done", report.message
    assert json.loads(next(line for line in report.log.splitlines() if line.startswith("{"))) == {
        "loader": [6.0, 22.0],
        "pool": [[0, 1, 4, 9, 16], [1.0, 1.0]],
        "executor": [0, 1, 4],
        "queue": ["done"] * 3,
        "total": 150,
        "bounded": [[True, True, False], 0],
        "released": "semaphore or lock released too many times",
        "shared": [[[1.0, 0.0], [0.0, 2.0]], True, False],
        "trained": [True, [[7.0, 7.0], [7.0, 7.0]], True],
        "failed": True,
        "spawned": [[1.0, 1.0], "spawn"],
    }
    assert report.log.count("DataLoader loads by itself") == 1
