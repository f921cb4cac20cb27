"""Attempts to take more than is allowed: processes, and memory of every kind."""

from __future__ import annotations

from tests.attacks.case import Case, LandlockGap, outcomes

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
        limits={"wall_time_s": 6, "processes": 64, "cpu_s": 6},
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
        "keep = [os.urandom(2**20) * 16 for _ in range(10**6)]",
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
        "tables-of-pages",
        "the kernel's tables for pages that hold nothing took memory that is no process's own",
        """
        import mmap, numpy
        keep = []
        for _ in range(20):  # a byte in every 2 MB of 64 GB: 32768 tables of 4 kB, and not one page
            one = mmap.mmap(-1, 2**36, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ)
            one.madvise(mmap.MADV_NOHUGEPAGE)
            keep.append(one)
            numpy.frombuffer(one, numpy.uint8)[:: 2**21].sum()
            time.sleep(0.1)
        tell(took="2.5 GB")
        """,
        outcomes=outcomes("memory"),
        said="MB are allowed",
        told={"took": None},
        limits={"memory_mb": 900},
    ),
    Case(
        28,
        "buffers-of-pipes",
        "the kernel's buffers of pipes took memory that is no process's own",
        """
        tell(given=call(278, 1, struct.pack("PN", 0, 0), 0, 0))  # vmsplice: pages that are in no process any more
        for _ in range(120):
            if os.fork() == 0:
                keep = []
                with contextlib.suppress(OSError):
                    while True:
                        one, other = os.pipe()
                        keep.append(one)
                        os.set_blocking(other, False)
                        with contextlib.suppress(BlockingIOError):
                            while True:
                                os.write(other, bytes(4096))
                        os.close(other)
                time.sleep(60)
        time.sleep(8)
        tell(took="3 GB")
        """,
        outcomes=outcomes("memory"),
        said="MB are allowed",
        told={"took": None, "given": "EPERM"},
        limits={"memory_mb": 1400, "wall_time_s": 40},
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
        limits={"memory_mb": 700, "wall_time_s": 20},
        landlock_gap=LandlockGap(
            "no network namespace in which to count sockets: making a pair is refused instead",
            outcomes=outcomes("crash", "timeout", "memory"),
            succeeds=False,
        ),
    ),
]
