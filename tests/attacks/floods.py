"""Attempts to fill what is written to: scratch, printed text, events, predictions."""

from __future__ import annotations

from tests.attacks.case import Case, outcomes

_NO_SPACE = outcomes("crash", "memory", "output")

CASES = [
    Case(
        29,
        "fill-the-disk",
        "scratch grew beyond its bound",
        """
        with contextlib.suppress(OSError):
            for number in range(10**6):
                with open(f"{os.environ['TMPDIR']}/{number}", "wb") as stream:
                    stream.write(bytes(2**20))
        time.sleep(0.5)
        open(os.environ["TMPDIR"] + "/last", "wb").write(bytes(2**22))
        """,
        outcomes=_NO_SPACE,
        limits={"scratch_mb": 8},
    ),
    Case(
        29,
        "one-file-too-large",
        "a file grew beyond its bound",
        "open(os.environ['TMPDIR'] + '/x', 'wb').write(bytes(2**25))",
        outcomes=_NO_SPACE,
        limits={"scratch_mb": 8},
        quick=True,
    ),
    Case(
        29,
        "files-below-a-path-too-long",
        "files whose path is longer than a path may be were not counted",
        """
        os.chdir(os.environ["TMPDIR"])
        for _ in range(200):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
        for number in range(200):
            with open(str(number), "wb") as stream:
                stream.write(bytes(2**20))
        time.sleep(20)
        """,
        outcomes=_NO_SPACE,
        limits={"scratch_mb": 8, "wall_time_s": 30},
    ),
    Case(
        29,
        "files-in-a-folder-that-cannot-be-listed",
        "files in a folder without the right to read it were not counted",
        """
        os.chdir(os.environ["TMPDIR"])
        os.mkdir("closed", 0o300)
        for number in range(200):
            with open(f"closed/{number}", "wb") as stream:
                stream.write(bytes(2**20))
        time.sleep(20)
        """,
        outcomes=_NO_SPACE,
        limits={"scratch_mb": 8, "wall_time_s": 30},
    ),
    Case(
        29,
        "files-that-only-a-mapping-holds",
        "removed files that are still mapped were not counted",
        """
        import mmap
        keep = []
        for _ in range(30):
            with open(os.environ["TMPDIR"] + "/x", "w+b") as stream:
                os.unlink(stream.name)
                stream.truncate(2**22)
                one = mmap.mmap(stream.fileno(), 2**22)
            one.write(b"x" * 2**22)
            one.madvise(mmap.MADV_DONTNEED)
            keep.append(one)
        libc.close_range(3, 1000, 0)  # Python's mapping keeps a copy of the descriptor
        time.sleep(20)
        """,
        outcomes=_NO_SPACE,
        limits={"scratch_mb": 8, "wall_time_s": 30},
    ),
    Case(
        29,
        "a-million-empty-files",
        "empty files, which no byte count sees, filled the file system",
        """
        with contextlib.suppress(OSError):
            for number in range(10**6):
                os.close(os.open(f"{os.environ['TMPDIR']}/{number}", os.O_CREAT))
        time.sleep(60)
        """,
        outcomes=outcomes("output"),
        said="files",
        limits={"scratch_mb": 8, "wall_time_s": 60},
    ),
    Case(
        30,
        "gigabytes-on-standard-output",
        "what was printed filled the grader's memory",
        "while True: os.write(1, b'x' * 65536)",
        outcomes=outcomes("output"),
        said="more than 2048 kB",
        quick=True,
    ),
    Case(
        30,
        "gigabytes-on-standard-error",
        "what was printed filled the grader's memory",
        "while True: os.write(2, b'\\xff' * 65536)",
        outcomes=outcomes("output"),
    ),
    Case(
        30,
        "gigabytes-of-events",
        "events filled the grader's memory",
        """
        events, _ = pipes()
        while True:
            os.write(events, b'{"v": 1, "type": "log", "text": "' + b"x" * 60000 + b'"}\\n')
        """,
        outcomes=outcomes("output"),
    ),
    Case(
        30,
        "a-million-metrics",
        "metrics filled the grader's memory or the report",
        """
        for step in range(10**6):
            task.log(step, loss=1.0)
        """,
        outcomes=outcomes("output"),
    ),
    Case(
        30,
        "events-without-an-end",
        "a line without an end filled the grader's memory",
        """
        events, _ = pipes()
        while True:
            os.write(events, b"x" * 65536)
        """,
        outcomes=outcomes("output"),
    ),
    Case(
        30,
        "garbage-on-every-channel",
        "garbage raised an exception of the grader's",
        """
        events, results = pipes()
        for _ in range(20):
            os.write(events, os.urandom(2000))
        os.write(1, os.urandom(2000))
        os.write(results, os.urandom(100))
        time.sleep(0.3)
        """,
        outcomes=outcomes("invalid"),
    ),
]
