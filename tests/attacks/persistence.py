"""Attempts to outlive the run, to reach the grader or a sibling, to talk to the network or to a cluster."""

from __future__ import annotations

from tests.attacks.case import Case, LandlockGap, outcomes

_DAEMON = """
        code = '''import os, signal, sys, time
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
time.sleep(300)
'''
        subprocess.run([sys.executable, "-c", code, "@MARK@"])
"""

CASES = [
    Case(
        32,
        "a-daemon-that-ignores-signals",
        "a process that left its session and its parents outlived the run",
        _DAEMON,
        quick=True,
    ),
    Case(
        32,
        "daemons-without-exec",
        "forks of the worker in sessions of their own outlived the run",
        """
        for _ in range(10):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
                    time.sleep(300)
                os._exit(0)
        """,
    ),
    Case(
        32,
        "a-daemon-that-keeps-forking",
        "a process that is always another one escaped being ended",
        """
        if os.fork() == 0:
            os.setsid()
            while True:
                if os.fork():
                    os._exit(0)
                time.sleep(0.001)
        time.sleep(0.3)
        """,
        limits={"wall_time_s": 20},
    ),
    Case(
        32,
        "a-daemon-that-holds-the-pipes",
        "the grader waited for a pipe that a daemon held open",
        """
        if os.fork() == 0:
            os.setsid()
            time.sleep(300)
        """,
        limits={"wall_time_s": 60},
    ),
    Case(
        33,
        "signal-everything",
        "a signal reached the grader, the fork server or a sibling",
        """
        for pid in (-1, 1, os.getppid(), -os.getppid(), @GRADER_PID@, -@GRADER_PID@, *range(2, 1000)):
            for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
                if pid != os.getpid():
                    with contextlib.suppress(OSError):
                        os.kill(pid, number)
        """,
        sibling=True,
        quick=True,
    ),
    Case(
        33,
        "trace-everything",
        "a process was attached to",
        """
        pids = (1, os.getppid(), @GRADER_PID@, os.getpid() - 1)
        tell(attach=sorted({call(101, 16, pid, 0, 0) for pid in pids}), seize=sorted({call(101, 0x4206, pid, 0, 0) for pid in pids}))
        """,
        told={"attach": ["EPERM"], "seize": ["EPERM"]},
    ),
    Case(
        33,
        "slow-others-down",
        "priority or limits of another process were changed, or its own raised",
        """
        tell(nice=tries(os.setpriority, os.PRIO_PROCESS, @GRADER_PID@, 19) == "done",
             faster=tries(os.nice, -5) == "done",
             realtime=tries(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))) == "done",
             limits=call(302, @GRADER_PID@, 7, struct.pack("QQ", 0, 0), None) == "done",
             raised=tries(lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_FSIZE, (-1, -1))) == "done")
        """,
        told={"nice": False, "faster": False, "realtime": False, "limits": False, "raised": False},
        sibling=True,
    ),
    Case(
        34,
        "services-on-the-loopback",
        "a packet reached a service of the machine",
        """
        def connect(port):
            with socket.create_connection(("127.0.0.1", port), 3) as one:
                print("FOUND", one.recv(100))
        def send(port):
            with socket.socket(type=socket.SOCK_DGRAM) as one:
                one.sendto(b"out", ("127.0.0.1", port))
        tell(tcp=tries(connect, @TCP@) == "done", ssh=tries(connect, 22) == "done")
        tries(send, @UDP@)
        """,
        told={"tcp": False, "ssh": False},
        quick=True,
    ),
    Case(
        34,
        "addresses-outside",
        "a packet left the machine, or a name was resolved",
        """
        def connect(family, address):
            with socket.socket(family) as one:
                one.settimeout(3)
                one.connect(address)
        def send(address):
            with socket.socket(type=socket.SOCK_DGRAM) as one:
                one.sendto(b"x", address)
        tell(v4=tries(connect, socket.AF_INET, ("192.0.2.1", 80)), v6=tries(connect, socket.AF_INET6, ("2001:db8::1", 80)),
             dns=tries(send, ("192.0.2.1", 53)), name=tries(socket.getaddrinfo, "example.org", 80))
        """,
        told={"v4": "OSError", "v6": "OSError", "dns": "OSError", "name": "gaierror"},
        landlock_gap=LandlockGap(
            "no network namespace; making a socket is refused instead",
            told={"v4": "PermissionError", "v6": "PermissionError", "dns": "PermissionError", "name": "gaierror"},
            succeeds=False,
        ),
    ),
    Case(
        34,
        "abstract-sockets",
        "an abstract socket of the machine was reached",
        """
        def connect():
            with socket.socket(socket.AF_UNIX) as one:
                one.settimeout(3)
                one.connect("@ABSTRACT@")
                print("FOUND", one.recv(100))
        tell(connected=tries(connect) == "done")
        """,
        told={"connected": False},
        quick=True,
    ),
    Case(
        36,
        "sockets-with-a-name",
        "an ssh agent, munge or a container daemon was reached through its socket",
        """
        def connect(path):
            with socket.socket(socket.AF_UNIX) as one:
                one.settimeout(3)
                one.connect(path)
                print("FOUND", one.recv(100))
        paths = ("@SOCKET@", "/run/munge/munge.socket.2", "/var/run/munge/munge.socket.2", "/run/docker.sock",
                 "/run/user/1000/ssh-agent", "/run/dbus/system_bus_socket", "/run/systemd/private", "/dev/log")
        tell(connected=[path for path in paths if tries(connect, path) == "done"], agent=os.environ.get("SSH_AUTH_SOCK"))
        """,
        told={"connected": [], "agent": None},
        quick=True,
    ),
    Case(
        36,
        "submit-a-job",
        "a tool of the cluster ran with the grader's rights",
        """
        import shutil
        ran = []
        for name in ("sbatch", "srun", "scontrol", "munge", "ssh", "docker", "systemd-run", "at", "crontab"):
            if path := shutil.which(name):
                with contextlib.suppress(Exception):
                    if subprocess.run([path, "-h"], capture_output=True, timeout=5, stdin=subprocess.DEVNULL).returncode == 0:
                        ran.append(name)
        config = [path for path in ("/etc/slurm/slurm.conf", "/etc/munge/munge.key", os.path.expanduser("~/.ssh/id_rsa"))
                  if tries(show, path) == "done"]
        # the programs may be there; what makes them work – configuration, key, socket – is not
        tell(config=config, crontab="crontab" in ran)
        """,
        told={"config": [], "crontab": False},
    ),
    Case(
        34,
        "links-and-routes",
        "an interface that leads out was there, or could be made",
        """
        def links():
            with open("/proc/net/dev") as stream:
                return sorted(line.split(":")[0].strip() for line in stream if ":" in line)
        def netlink():
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as one:
                one.bind((0, 0))
                # RTM_NEWLINK of a dummy interface
                one.send(struct.pack("IHHIIBBHiII", 32, 16, 0x605, 1, 0, 0, 0, 0, 0, 0, 0))
                answer = one.recv(100)
                if struct.unpack_from("i", answer, 16)[0] != 0:
                    raise OSError("refused")
        tell(links=links(), made=tries(netlink) == "done")
        """,
        told={"links": ["lo"], "made": False},
        landlock_gap=LandlockGap(
            "no network namespace: /proc/net is not shown, and sockets are refused",
            outcomes=outcomes("crash"),
            told={},
            succeeds=False,
        ),
    ),
    Case(
        9,
        "poison-the-process-that-is-forked",
        "what a submission changed in memory was there for the next",
        """
        maps = open("/proc/self/maps").read().splitlines()
        tell(shared=[line for line in maps if "w" in line.split()[1] and line.split()[1].endswith("s")])
        # overwrite code of the C library, the value of small integers, and torch itself
        page = ctypes.cast(libc.getppid, ctypes.c_void_p).value & ~4095
        libc.mprotect(ctypes.c_void_p(page), 8192, 7)
        ctypes.memset(ctypes.cast(libc.getppid, ctypes.c_void_p).value, 0xC3, 1)
        ctypes.c_long.from_address(id(123) + 24).value = 7
        torch.zeros = torch.ones = torch.Tensor.__add__ = torch.Tensor.numpy = None
        torch.nn.Module.__call__ = lambda *a: 1 / 0
        os._exit(3)
        """,
        then="""
        numbers = [123, int("123"), 100 + 23]
        tell(numbers=numbers, torch=torch.zeros(1).add(1).item(), parent=os.getppid() >= 0)
        """,
        told={"numbers": [123, 123, 123], "torch": 1.0, "parent": True},
        quick=True,
    ),
    Case(
        9,
        "meet-the-next-run-in-memory",
        "two runs shared a page, a name or a lock",
        """
        from multiprocessing import shared_memory
        for name in ("shared", "meeting"):
            with contextlib.suppress(OSError):
                one = shared_memory.SharedMemory(name, create=True, size=4096)
                one.buf[:5] = b"HELLO"
        with contextlib.suppress(OSError):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind("\\0meeting")
            listener.listen()
        if os.fork() == 0:
            time.sleep(30)
        """,
        then="""
        from multiprocessing import shared_memory
        def connect():
            socket.socket(socket.AF_UNIX).connect("\\0meeting")
        tell(memory=[name for name in ("shared", "meeting") if tries(shared_memory.SharedMemory, name) == "done"],
             met=tries(connect) == "done")
        """,
        told={"memory": [], "met": False},
        sibling=True,
    ),
]
