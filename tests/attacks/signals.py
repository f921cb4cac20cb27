"""Attempts to signal others by less known ways, and to use up what the kernel keeps for signals and descriptors."""

from __future__ import annotations

from tests.attacks.case import Case, outcomes

_ANY = outcomes("fail", "crash", "memory", "timeout", "output", "invalid")
_TABLE = """
        # close_range(…, CLOSE_RANGE_UNSHARE) would give this thread a table of descriptors of its own, which no look at
        # its process shows
        def table_of_its_own():
            return call(436, 4000000, 4000000, 2)
"""

CASES = [
    Case(
        33,
        "signal-group-zero",
        "a signal to one's own group, by a queue or by a descriptor of a process, reached the grader",
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)
            for act in (lambda: os.kill(0, number), lambda: os.killpg(os.getpgid(0), number)):
                tries(act)
        descriptor = libc.syscall(434, @GRADER_PID@, 0)
        tell(queued=call(129, @GRADER_PID@, 15, bytes(128)), thread=call(234, @GRADER_PID@, @GRADER_PID@, 15),
             descriptor=call(424, descriptor, 9, None, 0) == "done")
        time.sleep(0.3)
        """,
        outcomes=_ANY,
        told={"descriptor": False},
        sibling=True,
    ),
    Case(
        33,
        "signal-by-way-of-a-pipe",
        "the kernel was made to send a signal that the run may not send itself (F_SETOWN, F_SETSIG, O_ASYNC)",
        """
        import fcntl
        reader, writer = os.pipe()
        owner = [tries(fcntl.fcntl, reader, fcntl.F_SETOWN, pid) for pid in (@GRADER_PID@, -@GRADER_PID@)]
        tries(lambda: fcntl.fcntl(reader, 15, struct.pack("ii", 1, @GRADER_PID@)))
        tries(lambda: fcntl.fcntl(reader, 10, signal.SIGKILL))
        tries(lambda: fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK))
        tries(lambda: fcntl.ioctl(reader, 0x5452, struct.pack("i", 1)))
        tries(lambda: fcntl.ioctl(reader, 0x8901, struct.pack("i", @GRADER_PID@)))
        os.write(writer, b"x")
        tell(owner="done" in owner)
        time.sleep(0.3)
        """,
        told={"owner": False},
        sibling=True,
    ),
    Case(
        33,
        "interrupt-process-1",
        "a signal ended process 1, and with it the run went unseen",
        """
        for number in range(1, 65):
            with contextlib.suppress(OSError):
                os.kill(1, number)
        time.sleep(0.3)
        tell(alive=True)
        """,
        told={"alive": True},
    ),
    Case(
        31,
        "stop-the-process-above",
        "a child stopped its parent, and the run had no end",
        """
        if os.fork() == 0:
            os.kill(os.getppid(), signal.SIGSTOP)
            time.sleep(300)
            os._exit(0)
        time.sleep(100)
        """,
        limits={"wall_time_s": 4},
        outcomes=outcomes("timeout"),
    ),
    Case(
        11,
        "the-status-of-a-start-that-failed",
        "an exit status that says that no worker came to be was believed",
        "os._exit(125)",
        outcomes=outcomes("crash"),
        said="exit status 125",
    ),
    Case(
        32,
        "descriptors-in-flight",
        "a pipe that was on its way through a socket was waited for",
        """
        one, other = socket.socketpair()
        socket.send_fds(one, [b"x"], [*pipes(), 0, 1])
        if os.fork() == 0:
            os.setsid()
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
            time.sleep(200)
        """,
        outcomes=outcomes("fail", "crash"),
    ),
    Case(
        28,
        "a-table-of-descriptors-of-its-own",
        "a thread got a table of descriptors that no look at its process shows",
        """
        calls = {"close": (436, 4000000, 4000000, 2), "unshare": (272, 0x400), "clone": (56, 0x100 | 0x800 | 0x10000, 0, 0, 0, 0)}
        tell(**{name: call(*arguments) for name, arguments in calls.items()}, clone3=call(435, bytes(88), 88))
        """,
        told={"close": "EPERM", "unshare": "EPERM", "clone": "EPERM", "clone3": "ENOSYS"},
    ),
    Case(
        28,
        "pipes-in-many-threads",
        "pipes that threads hold were not counted as memory",
        _TABLE
        + """
        made, own = [], []
        def fill():
            own.append(table_of_its_own())
            mine = 0
            with contextlib.suppress(OSError):
                for _ in range(2000):
                    _, writer = os.pipe()
                    os.set_blocking(writer, False)
                    with contextlib.suppress(BlockingIOError):
                        while True:
                            mine += os.write(writer, bytes(4096))
            made.append(mine)
        threads = [threading.Thread(target=fill) for _ in range(40)]
        for one in threads: one.start()
        for one in threads: one.join()
        tell(own=sorted(set(own)), within=sum(made) < 200 * 2**20)
        """,
        told={"own": ["EPERM"], "within": True},
        limits={"memory_mb": 900},
    ),
    Case(
        29,
        "removed-files-in-a-thread",
        "removed files that a thread holds were not counted as scratch",
        _TABLE
        + """
        def fill():
            tell(own=table_of_its_own())
            for number in range(24):
                path = os.path.join(os.environ["TMPDIR"], f"f{number}")
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
                os.unlink(path)
                for _ in range(10):
                    os.write(descriptor, bytes(2**20))
            tell(wrote=240)
            time.sleep(20)
        one = threading.Thread(target=fill)
        one.start()
        one.join()
        """,
        told={"own": "EPERM"},
        outcomes=outcomes("fail", "crash", "memory", "output"),
        limits={"scratch_mb": 16, "wall_time_s": 30},
    ),
    Case(
        28,
        "timers-of-the-user",
        "a run used up the timers of the user who grades",
        """
        made, timer = 0, ctypes.c_void_p()
        while made < 100000 and libc.timer_create(1, None, ctypes.byref(timer)) == 0:
            made += 1
        tell(few=made <= 1024)
        """,
        told={"few": True},
    ),
    Case(
        28,
        "signals-that-wait",
        "a run filled the table of waiting signals of the user who grades",
        """
        number = signal.SIGRTMIN + 5
        signal.pthread_sigmask(signal.SIG_BLOCK, [number])
        sent = 0
        while sent < 100000 and call(129, os.getpid(), int(number), struct.pack("iii", int(number), 0, -1) + bytes(116)) == "done":
            sent += 1
        tell(few=sent <= 1024)
        """,
        told={"few": True},
    ),
    Case(
        28,
        "pseudo-terminals",
        "the terminals of the machine, of which there is a fixed number, were taken",
        """
        made = 0
        with contextlib.suppress(OSError):
            for _ in range(4000):
                os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
                made += 1
        tell(made=made, pair=tries(os.openpty) == "done")
        """,
        told={"made": 0, "pair": False},
    ),
    Case(
        28,
        "record-locks",
        "many locks of single bytes harmed the run beside it, or were held when the run had ended",
        """
        import fcntl
        held = os.open(os.path.join(os.environ["TMPDIR"], "locks"), os.O_RDWR | os.O_CREAT)
        for number in range(10000):  # of alternate bytes, which cannot be merged
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 2**40 - 2 * number)
        """,
        outcomes=outcomes("fail", "memory"),
        sibling=True,
    ),
    Case(
        28,
        "extended-attributes",
        "attributes of files in scratch were not counted",
        """
        wrote = 0
        for place in ("/dev/shm", os.environ["TMPDIR"]):
            with contextlib.suppress(OSError):
                for number in range(6000):
                    path = os.path.join(place, f"x{number}")
                    open(path, "w").close()
                    os.setxattr(path, "user.a", bytes(60000))
                    wrote += 60000
        """,
        outcomes=outcomes("fail", "memory", "output"),
        limits={"memory_mb": 900, "wall_time_s": 30},
    ),
    Case(
        28,
        "odd-names-of-processes",
        "a process whose name holds brackets, lines or no UTF-8 was not counted",
        """
        for name in (b"a) R 1 1 1", b"\\xff\\xfe(", b"x\\ny", b") Z 0 0"):
            if os.fork() == 0:
                libc.prctl(15, name, 0, 0, 0)
                keep = os.urandom(2**20) * 150
                time.sleep(60)
        time.sleep(60)
        """,
        limits={"memory_mb": 600, "wall_time_s": 30},
        outcomes=outcomes("memory"),
    ),
    Case(
        24,
        "characters-that-hide",
        "escapes in two pieces, C1 characters or a separator of lines came out",
        """
        print("A\\u2066C\\u2069 \\x9b31m \\x1b]8;;http://evil\\x07link\\x1b]8;;\\x07 \\x1bP1$tx\\x1b\\\\ \\x1b_Gi=1\\x1b\\\\ \\u202e", flush=True)
        for piece in (b"\\x1b", b"[31mred\\x1b", b"]0;title\\x07\\n", b"\\xc2", b"\\x9b31m split\\n"):
            os.write(1, piece)
            time.sleep(0.1)
        raise RuntimeError("line\\u2066 [bold red]x[/] \\x1b[2J")
        """,
        outcomes=outcomes("crash"),
    ),
    Case(
        37,
        "older-socket-families",
        "a socket of an older family reached the kernel, or had its module loaded",
        """
        families = [*range(3, 10), *range(11, 16), *range(17, 50)]
        tell(answers=sorted({call(41, family, kind, 0) for family in families for kind in (1, 2, 3, 5)}))
        """,
        told={"answers": ["EPERM"]},
    ),
    Case(
        37,
        "protocols-of-other-modules",
        "SCTP, DCCP, UDP-Lite, MPTCP, L2TP, ICMP or raw packets reached the kernel",
        """
        asked = {"sctp": (2, 1, 132), "sequences": (2, 5, 132), "dccp": (2, 6, 33), "udplite": (2, 2, 136), "mptcp": (2, 1, 262),
                 "l2tp": (2, 2, 115), "icmp": (2, 2, 1), "smc": (43, 1, 0), "raw": (2, 3, 255), "icmp6": (10, 2, 58)}
        tell(answers=sorted({call(41, *one) for one in asked.values()}))
        """,
        told={"answers": ["EPERM"]},
    ),
    Case(
        37,
        "netlink-beyond-routes",
        "the kernel's tables of keys, filters, audits or devices were asked over netlink",
        "tell(answers=sorted({call(41, 16, kind, protocol) for kind in (2, 3) for protocol in range(1, 23)}))",
        told={"answers": ["EPERM"]},
    ),
    Case(
        37,
        "socket-pairs-of-other-families",
        "a pair of sockets was made in a family that is refused",
        "tell(answers=sorted({call(53, family, 1, 0, bytes(8)) for family in (2, 10, 16, 17, 30, 38, 40, 44)}))",
        told={"answers": ["EPERM"]},
    ),
    Case(
        37,
        "newer-system-calls",
        "a call that the filter does not know harmed the run beside it",
        """
        known = {"futex_waitv": 449, "home_node": 450, "shadow_stack": 453, "futex_wake": 454, "statmount": 457, "listmount": 458,
                 "lsm": 461, "file_getattr": 468, "listns": 470, "process_mrelease": 448, "lookup_dcookie": 212, "iopl": 172,
                 "ioperm": 173, "sethostname": 170, "settimeofday": 164, "vhangup": 153, "migrate_pages": 256, "sysfs": 139}
        tell(changed=[name for name in ("iopl", "sethostname", "settimeofday", "vhangup") if call(known[name], 3, 0, 0) == "done"])
        for number in known.values():
            call(number, 0, 0, 0, 0, 0, 0)
        """,
        told={"changed": []},
        sibling=True,
    ),
]
