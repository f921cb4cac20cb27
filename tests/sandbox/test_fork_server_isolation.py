"""What a run in the fork server can see and do: as much as in a bubblewrap sandbox, and nothing of its siblings."""

from __future__ import annotations

import signal
import threading

import psutil
import pytest
from environment import shown_in_tmp

from tlcourse.execution.supervise import run
from tlcourse.sandbox.choose import choose
from tlcourse.sandbox.fork_server import ForkServerSandbox

CENSUS = """
def lines(path, *keys):
    return [line.split() for line in open(path) if line.startswith(keys or line[:1])]
import resource
told["root"] = sorted(os.listdir("/"))
told["dev"] = sorted(set(os.listdir("/dev")) - {"console", "core"})
told["empty"] = [sorted(os.listdir(path)) for path in ("/tmp", "/dev/shm", "/etc")]
told["inputs"] = sorted(os.listdir("/inputs")), sorted(os.listdir("/submission"))
told["who"] = os.getuid(), os.getgid(), socket.gethostname(), os.getcwd()
told["env"] = dict(os.environ)
told["privileges"] = lines("/proc/self/status", "Cap", "NoNewPrivs", "Seccomp:")
limits = [name for name in dir(resource) if name.startswith("RLIMIT")]
told["limits"] = {name: resource.getrlimit(getattr(resource, name)) for name in limits}
told["links"] = sorted(line[0] for line in lines("/proc/net/dev"))
told["processes"] = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
told["descriptors"] = len(os.listdir("/proc/self/fd"))
told["signals"] = lines("/proc/self/status", "SigBlk", "SigIgn", "SigCgt")
paths = ("/", "/usr", "/inputs", "/submission", "/etc", "/dev", "/tmp", "/dev/shm")
told["writable"] = [path for path in paths if os.access(path, os.W_OK)]
told["size"] = [os.statvfs(path).f_blocks * os.statvfs(path).f_frsize for path in ("/tmp", "/dev/shm")]
told["threads"] = torch.get_num_threads(), len(os.listdir("/proc/self/task"))
told["streams"] = [(s.encoding, s.errors, s.line_buffering) for s in (sys.stdin, sys.stdout, sys.stderr)]
"""


@pytest.mark.slow
def test_a_run_finds_the_same_world_in_the_fork_server_as_behind_a_sandbox_of_its_own(
    fork_server_sandbox, job_for, tells, told
):
    bubblewrap_, _ = choose("bubblewrap")
    there = told(run(job_for(tells(CENSUS), scratch_mb=64), bubblewrap_, lambda _: None))
    here = told(run(job_for(tells(CENSUS), scratch_mb=64), fork_server_sandbox, lambda _: None))
    assert here == there
    assert here["writable"] == ["/tmp", "/dev/shm"]
    assert here["inputs"] == [["task_spec.json", "train.safetensors", "val.safetensors"], ["solution.py"]]


def test_nothing_of_a_run_is_there_for_the_next(fork_server_sandbox, job_for, tells, told):
    leaves = """
        for path in ("/tmp/left", "/dev/shm/left", os.path.expanduser("~/left")):
            open(path, "w").write("the solution")
        os.environ["LEFT"] = sys.modules["left"] = torch.left = json.left = "the solution"
        subprocess.Popen(["/usr/bin/sleep", "600"], start_new_session=True)
        """
    looks = """
        told["files"] = os.listdir("/tmp") + os.listdir("/dev/shm") + os.listdir(os.path.expanduser("~"))
        told["names"] = ["LEFT" in os.environ, "left" in sys.modules, hasattr(torch, "left"), hasattr(json, "left")]
        told["processes"] = len([name for name in os.listdir("/proc") if name.isdigit()])
        """
    assert run(job_for(tells(leaves)), fork_server_sandbox, lambda _: None).status == "done"
    seen = told(run(job_for(tells(looks)), fork_server_sandbox, lambda _: None))
    seen["files"] = sorted(set(seen["files"]) - shown_in_tmp())
    assert seen == {"files": [], "names": [False] * 4, "processes": 2}


HOLDS_A_SECRET = """
    for path in ("/tmp/secret", "/dev/shm/secret"):
        open(path, "w").write("the solution")
    listener = socket.socket(socket.AF_UNIX); listener.bind("\\0secret"); listener.listen()
    web = socket.socket(); web.bind(("127.0.0.1", 8123)); web.listen()
    import multiprocessing.shared_memory as shared
    memory = shared.SharedMemory("shared", create=True, size=16)
    open("/tmp/ready", "w").close()
    task.log(1, ready=1)
    time.sleep(6)
    told["alive"] = True
"""
PRIES = """
    def tries(act):
        try:
            return str(act())
        except OSError as error:
            return type(error).__name__
    def connects(family, address):
        with socket.socket(family) as one:
            one.settimeout(2)
            one.connect(address)
    import multiprocessing.shared_memory as shared
    told["processes"] = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    told["files"] = os.listdir("/tmp") + os.listdir("/dev/shm")
    told["abstract"] = tries(lambda: connects(socket.AF_UNIX, "\\0secret"))
    told["loopback"] = tries(lambda: connects(socket.AF_INET, ("127.0.0.1", 8123)))
    told["memory"] = tries(lambda: shared.SharedMemory("shared"))
    told["kill all"] = tries(lambda: os.kill(-1, signal.SIGKILL))
    told["kill init"] = tries(lambda: os.kill(1, signal.SIGKILL))
    told["stop init"] = tries(lambda: os.kill(1, signal.SIGSTOP))
    told["init"] = [tries(lambda: open(f"/proc/1/{name}", "rb").read(1)) for name in ("mem", "environ", "maps")]
    told["init's files"] = [tries(lambda: os.listdir(f"/proc/1/{name}")) for name in ("fd", "root", "cwd")]
    told["spool"] = [os.path.exists(path) for path in ("/spool", "/newroot", "/proc/1/root/spool", "/inputs/../spool")]
"""


@pytest.mark.slow
def test_siblings_at_once_neither_see_nor_signal_nor_reach_each_other(fork_server_sandbox, job_for, tells, told):
    ready, reports = threading.Event(), []

    def hold() -> None:
        reports.append(
            run(
                job_for(tells(HOLDS_A_SECRET)),
                fork_server_sandbox,
                lambda event: event["type"] == "metric" and ready.set(),
            )
        )

    holder = threading.Thread(target=hold)
    holder.start()
    assert ready.wait(60)
    seen = told(run(job_for(tells(PRIES)), fork_server_sandbox, lambda _: None))
    holder.join()
    seen["files"] = sorted(set(seen["files"]) - shown_in_tmp())
    assert seen == {
        "processes": [1, 2],
        "files": [],
        "abstract": "ConnectionRefusedError",
        "loopback": "ConnectionRefusedError",
        "memory": "FileNotFoundError",
        "kill all": "ProcessLookupError",
        "kill init": "None",  # sent, and ignored: it is pid 1
        "stop init": "None",
        "init": ["PermissionError"] * 3,
        "init's files": ["PermissionError"] * 3,
        "spool": [False] * 4,
    }
    assert told(reports[0]) == {"alive": True}


FORBIDDEN = """
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    def refused(*arguments):
        ctypes.set_errno(0)
        return libc.syscall(*arguments) < 0 and ctypes.get_errno() == 1
    told["unshare"] = refused(272, 0x10000000)
    told["mount"] = refused(165, b"tmpfs", b"/tmp", b"tmpfs", 0, None)
    told["umount"] = refused(166, b"/proc", 2)
    told["ptrace"] = refused(101, 16, 1, 0, 0)
    told["setns"] = refused(308, 0, 0)
    told["io_uring"] = refused(425, 1, 0)
"""


@pytest.mark.skipif("platform.machine() != 'x86_64'", reason="numbers of x86-64")
def test_the_calls_that_lead_out_of_a_sandbox_are_refused(fork_server_sandbox, job_for, tells, told):
    assert set(told(run(job_for(tells(FORBIDDEN)), fork_server_sandbox, lambda _: None)).values()) == {True}


def test_a_daemon_that_ignores_signals_ends_with_its_run(fork_server_sandbox, job_for, tells):
    source = tells("""
        code = "import os, signal, time\\n" \\
            "for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)\\n" \\
            "os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0)\\n" \\
            "time.sleep(600) # tlcourse-daemon"
        subprocess.run(["/usr/bin/python3", "-c", code])
        """)
    assert run(job_for(source), fork_server_sandbox, lambda _: None).status == "done"
    assert not [one for one in psutil.process_iter(["cmdline"]) if "tlcourse-daemon" in str(one.info["cmdline"])]


def test_a_run_never_reaches_its_parent_so_the_next_is_served_by_the_same(fork_server_sandbox, job_for, tells):
    before = fork_server_sandbox.prewarm().pid
    attack = """
        for pid in [1, -1, os.getppid(), os.getpgid(1), *range(3, 200)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        """
    assert run(job_for(tells(attack)), fork_server_sandbox, lambda _: None).status == "done"
    assert fork_server_sandbox.prewarm().pid == before


HEARS = """
told["heard"] = [name for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
                 if signal.getsignal(getattr(signal, name)) in (signal.SIG_DFL, signal.default_int_handler)]
"""


@pytest.fixture
def deaf():
    """This process, as `nohup … &` starts one."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bubblewrap", "fork-server", "none"])
def test_a_run_hears_signals_however_its_grader_was_started(deaf, job_for, tells, told, name):
    with ForkServerSandbox() as fresh:
        sandbox = fresh if name == "fork-server" else choose(name)[0]
        heard = told(run(job_for(tells(HEARS)), sandbox, lambda _: None))["heard"]
    assert heard == ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]


DRAWS = """
    import random, numpy
    told["drawn"] = random.random(), numpy.random.rand(), torch.rand(1).item()
    told["urandom"] = os.urandom(8).hex()
"""


def test_generators_are_seeded_by_the_job_and_are_not_those_of_the_parent(fork_server_sandbox, job_for, tells, told):
    one, same, other = (
        told(run(job_for(tells(DRAWS), seed=seed), fork_server_sandbox, lambda _: None)) for seed in (1, 1, 2)
    )
    assert one["drawn"] == same["drawn"]
    assert one["urandom"] != same["urandom"]
    assert all(a != b for a, b in zip(one["drawn"], other["drawn"], strict=True))
