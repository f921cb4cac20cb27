"""Attempts to go on without an end, or to take more processor time than is allowed."""

from __future__ import annotations

from tests.attacks.case import Case, outcomes

_QUICK = {"wall_time_s": 6}

CASES = [
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
        limits={"wall_time_s": 3},
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
        limits={"cpu_s": 2, "wall_time_s": 60},
    ),
    Case(
        31,
        "cpu-of-processes-that-come-and-go",
        "processor time of processes that have ended before anybody looked was not counted",
        """
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if (child := os.fork()) == 0:
                begin = time.process_time()
                while time.process_time() - begin < 0.1: pass
                os._exit(0)
            os.waitpid(child, 0)
        tell(went="on")
        """,
        outcomes=outcomes("timeout"),
        said="of CPU",
        told={"went": None},
        limits={"cpu_s": 2, "wall_time_s": 60},
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
