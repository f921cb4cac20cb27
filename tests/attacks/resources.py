"""Attempts to take more than is allowed: processes, memory of every kind, time."""

from __future__ import annotations

from tests.attacks.case import Case, Weak, outcomes

_QUICK = {"wall_s": 6}

CASES = [
    Case(
        27,
        "fork-bomb",
        "processes multiplied without end, or outlived the run",
        """
        while True:
            with contextlib.suppress(OSError):
                os.fork()
        """,
        outcomes=outcomes("timeout", "memory", "crash"),
        limits={"wall_s": 6, "processes": 64, "cpu_s": 20},
        sibling=True,
    ),
    Case(
        27,
        "thread-bomb",
        "threads multiplied without end",
        """
        made = 0
        try:
            while made < 5000:
                threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
                made += 1
        except RuntimeError:
            tell(refused=True)
        """,
        told={"refused": True},
        limits={"processes": 64},
    ),
    Case(
        28,
        "anonymous-memory",
        "more memory was taken than is allowed",
        "keep = [bytearray(2**24).replace(b'\\0', b'x') for _ in range(10**6)]",
        outcomes=outcomes("memory"),
        said="MB are allowed",
        limits={"memory_mb": 900},
        quick=True,
    ),
    Case(
        28,
        "many-small-processes",
        "processes that each stayed below the limit took more together",
        """
        for _ in range(12):
            if os.fork() == 0:
                keep = os.urandom(2**20) * 100
                time.sleep(60)
        time.sleep(60)
        """,
        outcomes=outcomes("memory"),
        said="MB are allowed",
        limits={"memory_mb": 900},
    ),
    Case(
        28,
        "memory-that-will-not-be-looked-at",
        "a process that the kernel keeps from being looked at hid its memory",
        """
        libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
        for _ in range(6):
            if os.fork() == 0:
                keep = os.urandom(2**20) * 200
                time.sleep(60)
        time.sleep(60)
        """,
        outcomes=outcomes("memory"),
        limits={"memory_mb": 900},
    ),
    Case(
        28,
        "files-in-shared-memory",
        "pages of /dev/shm and /tmp that nobody maps were not counted",
        """
        libc.prctl(4, 0, 0, 0, 0)  # and keep the grader from looking through this process
        for folder in ("/dev/shm", os.environ["TMPDIR"]):
            for number in range(60):
                with contextlib.suppress(OSError), open(f"{folder}/x{number}", "wb") as stream:
                    for _ in range(9):
                        stream.write(bytes(2**20))
        time.sleep(60)
        """,
        outcomes=outcomes("memory", "output"),
        said="are allowed",
        limits={"memory_mb": 700, "scratch_mb": 500},
    ),
    Case(
        28,
        "memory-files",
        "memory was taken through a descriptor that nothing maps",
        """
        tell(made=tries(os.memfd_create, "x"), secret=call(447, 0))
        """,
        told={"made": "PermissionError", "secret": "EPERM"},
    ),
    Case(
        28,
        "system-v-memory",
        "a segment of System V memory was taken, which outlives its maker",
        "tell(shared=call(29, 4711, 2**28, 0o1600), queue=call(68, 4711, 0o1600), semaphores=call(64, 4711, 9, 0o1600))",
        told={"shared": "EPERM", "queue": "EPERM", "semaphores": "EPERM"},
    ),
    Case(
        28,
        "shared-anonymous-memory",
        "shared mappings took more than is allowed",
        """
        import mmap
        keep = []
        for _ in range(100):
            one = mmap.mmap(-1, 2**26)
            one.write(os.urandom(2**20) * 64)
            keep.append(one)
        """,
        outcomes=outcomes("memory"),
        limits={"memory_mb": 900},
    ),
    Case(
        28,
        "a-file-mapped-and-filled",
        "a mapping of a file in scratch grew beyond its bound",
        """
        import mmap
        with open(os.environ["TMPDIR"] + "/x", "wb") as stream:
            stream.truncate(2**30)
        """,
        outcomes=outcomes("crash"),
        said="File too large",
        limits={"scratch_mb": 8},
    ),
    Case(
        28,
        "buffers-of-sockets",
        "the kernel's buffers took memory that no process holds",
        """
        keep = []
        for _ in range(64):
            if os.fork() == 0:
                for _ in range(4000):
                    one, other = socket.socketpair()
                    keep.append((one, other))
                    one.setblocking(False)
                    with contextlib.suppress(OSError):
                        while True:
                            one.send(bytes(2**16))
                time.sleep(60)
        time.sleep(60)
        """,
        outcomes=outcomes("memory", "crash"),
        limits={"memory_mb": 700, "wall_s": 20},
        weak=Weak(
            "no network namespace in which to count sockets: making a pair is refused instead",
            outcomes=outcomes("crash", "timeout", "memory"),
            succeeds=False,
        ),
    ),
    Case(
        31,
        "sleep-for-ever",
        "a run that does nothing went on",
        "time.sleep(10**6)",
        outcomes=outcomes("timeout"),
        said="are allowed",
        limits=_QUICK,
    ),
    Case(
        31,
        "a-loop-in-c-with-every-signal-masked",
        "a loop that Python cannot interrupt, deaf to signals, went on",
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
        for number in range(1, 65):
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_IGN)
        import re
        re.match("(a*)*b", "a" * 100)
        """,
        outcomes=outcomes("timeout"),
        limits=_QUICK,
    ),
    Case(
        31,
        "a-destructor-that-never-ends",
        "a loop in __del__ or atexit kept the run from ending",
        """
        import atexit
        class Stays:
            def __del__(self):
                while True: pass
        sys.stays = Stays()
        atexit.register(time.sleep, 10**6)
        threading.Thread(target=time.sleep, args=(10**6,)).start()
        """,
    ),
    Case(
        31,
        "cpu-of-many-threads",
        "processor time of several threads or processes was counted once",
        """
        for _ in range(3):
            if os.fork() == 0:
                while True: pass
        while True: pass
        """,
        outcomes=outcomes("timeout"),
        said="of CPU",
        limits={"cpu_s": 4, "wall_s": 60},
    ),
    Case(
        31,
        "stop-oneself",
        "a stopped process was waited for",
        "os.kill(os.getpid(), signal.SIGSTOP); time.sleep(100)",
        outcomes=outcomes("timeout"),
        limits=_QUICK,
    ),
    Case(
        31,
        "close-everything-and-stay",
        "a process that closed its channels was waited for",
        """
        os.closerange(0, 1000)
        time.sleep(10**6)
        """,
        outcomes=outcomes("timeout"),
        limits=_QUICK,
    ),
    Case(
        31,
        "overflow-the-stack",
        "a crash in C was an exception of the grader's",
        """
        import faulthandler
        threading.stack_size(2**16 * 4)
        libc.abort()
        """,
        outcomes=outcomes("crash"),
        said="SIGABRT",
    ),
]
