"""Attempts on what is shown of the machine: this package and its copies, mounts, /proc, files that runs share."""

from __future__ import annotations

from tests.attacks.case import Case, LandlockGap, outcomes

_ANY = outcomes("fail", "crash", "memory", "timeout", "output", "invalid")
SHOWN_OF_THE_PACKAGE = (
    *("__init__.py", "text.py", "course/__init__.py", "course/spec.py", "execution/__init__.py"),
    *("execution/answers.py", "execution/arrays.py", "execution/events.py", "execution/items.py"),
    *("execution/worker", "methods", "content/weights"),
)
"""What may be seen of it, written down a second time on purpose: whoever shows more has to mean it."""
_NOT_MACHINE_WIDE = "no PID namespace: process 1 is the machine's, and nothing of it is shown"

CASES = [
    Case(
        4,
        "import-what-the-wheel-holds",
        "a grader, a reference, a generator, a lab or the grading was imported from the package",
        """
        import importlib
        imported = []
        for name in ("graders", "graders.references.ex2_multitask", "tlcourse._bundled.graders.ex2_multitask",
                     "tlcourse._bundled.graders.references.ex2_multitask", "tlcourse.grading.grade", "tlcourse.grading.secret",
                     "tlcourse.data.synthetic.stars", "tlcourse.data.synthetic.insects", "tlcourse.data.synthetic",
                     "tlcourse.data", "tlcourse.labs", "tlcourse.labs.experiments.losses", "tlcourse.course.loader",
                     "tlcourse.sandbox.seccomp", "tlcourse.sandbox.interpreter", "tlcourse.cli.main", "tlcourse.tui.app"):
            try:
                found = importlib.import_module(name)
            except ImportError:
                continue
            if found.__file__ and not name.startswith("tlcourse.sandbox"):
                imported.append(name)
        tell(imported=imported, methods=importlib.import_module("tlcourse.methods.sharing").__name__)
        """,
        told={"imported": [], "methods": "tlcourse.methods.sharing"},
        quick=True,
    ),
    Case(
        4,
        "draw-more-data-than-were-given",
        "labelled data beside those that were given could be drawn",
        """
        import importlib
        from tlcourse import Task
        given = Task.local("line", seed=5)
        tell(same=len(given.train) == len(task.train) and bool((given.train.tensors[0] == task.train.tensors[0]).all()),
             make=tries(importlib.import_module, "tlcourse.data.synthetic.insects"))
        """,
        told={"same": True, "make": "ModuleNotFoundError"},
    ),
    Case(
        4,
        "list-the-package",
        "a file of this package was there that the worker does not import",
        f"""
        import tlcourse
        root = os.path.dirname(tlcourse.__file__)
        known = {SHOWN_OF_THE_PACKAGE}
        files = [os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root, followlinks=True)
                 for name in names]
        tell(others=[name for name in files if not name.startswith(known)], some=len(files) > 20)
        """,
        told={"others": [], "some": True},
    ),
    Case(
        4,
        "a-reference-in-another-copy",
        "the reference of a second copy of this package, below a folder that is shown, was read",
        """
        import glob
        known = {sys.prefix, sys.base_prefix, "/usr", "/usr/local", *sys.path}
        places = [*known, *(os.path.realpath(one) for one in known)]
        ways = ("/tlcourse/_bundled", "/lib*/python3*/site-packages/tlcourse/_bundled", "/lib*/python3*/dist-packages/tlcourse/_bundled",
                "/src/*", "/src/*/*", "/share/*", "/local/src/*", "/envs/*/lib/python3*/site-packages/tlcourse/_bundled", "")
        found = [path for place in places for way in ways for path in glob.glob(place + way + "/graders/**/*.py", recursive=True)]
        tell(read=[path for path in found if tries(lambda: open(path).read()) == "done"][:5])
        """,
        told={"read": []},
    ),
    Case(
        6,
        "what-mounts-tell",
        "the list of mounts named the folder of the labels, or let a file of the machine be found",
        """
        text = ""
        with contextlib.suppress(OSError):
            text = open("/proc/self/mountinfo").read() + open("/proc/mounts").read()
        tell(named=[word for word in ("@FOLDER@", "labels.json", "example_course", "gradebook") if word in text])
        """,
        told={"named": []},
    ),
    Case(
        5,
        "what-proc-tells",
        "memory or tables of the kernel, or of process 1, were read",
        """
        def some(name):
            with open("/proc/" + name, "rb", buffering=0) as stream:
                assert stream.read(100)
        names = ("kcore", "slabinfo", "timer_list", "kpagecount", "kpageflags", "vmallocinfo", "pagetypeinfo", "sched_debug",
                 "1/environ", "1/maps", "1/smaps", "1/auxv", "1/stack", "1/syscall", "1/io", "1/fd/0", "1/mem")
        tell(read=[name for name in names if tries(some, name) == "done"])
        """,
        told={"read": []},
    ),
    Case(
        5,
        "look-into-process-1",
        "the root, the folder, the program or a descriptor of process 1 was reached",
        """
        ways = ("root", "cwd", "exe", "ns/mnt", "map_files")
        tell(reached=[way for way in ways if tries(os.stat, "/proc/1/" + way) == "done" and tries(os.readlink, "/proc/1/" + way) == "done"],
             listed=tries(os.listdir, "/proc/1/fd") == "done")
        """,
        told={"reached": [], "listed": False},
    ),
    Case(
        5,
        "write-the-memory-of-process-1",
        "the memory of the process above all others could be opened, and code be run in it",
        """
        def opened(mode):
            open("/proc/1/mem", mode, buffering=0).close()
        tell(read=tries(opened, "rb"), write=tries(opened, "r+b"), maps=tries(lambda: open("/proc/1/maps").read()))
        """,
        told={"read": "PermissionError", "write": "PermissionError", "maps": "PermissionError"},
    ),
    Case(
        37,
        "process-1-is-filtered",
        "process 1 was outside the filter, or had privileges",
        """
        with contextlib.suppress(PermissionError):
            status = dict(line.split(":", 1) for line in open("/proc/1/status").read().splitlines() if ":" in line)
            tell(**{name: status[name].strip() for name in ("Seccomp", "NoNewPrivs", "CapEff", "CapPrm", "CapBnd")})
        """,
        told={"Seccomp": "2", "NoNewPrivs": "1", **dict.fromkeys(("CapEff", "CapPrm", "CapBnd"), "0" * 16)},
        landlock_gap=LandlockGap(_NOT_MACHINE_WIDE, told={"Seccomp": None}, succeeds=False),
    ),
    Case(
        7,
        "what-is-open",
        "a descriptor was open that is none of the protocol's five",
        """
        listed = os.open("/proc/self/fd", os.O_RDONLY)
        links = {name: os.readlink("/proc/self/fd/" + name) for name in os.listdir(listed) if tries(os.stat, "/proc/self/fd/" + name) == "done"}
        others = [link for name, link in links.items() if not link.startswith("pipe:") and int(name) != listed and not link.endswith("/fd")]
        tell(others=others, pipes=len([link for link in links.values() if link.startswith("pipe:")]))
        """,
        told={"others": ["/dev/null"], "pipes": 5},
        alone=True,
    ),
    Case(
        5,
        "the-page-cache-of-shared-files",
        "to ask what is in the page cache, or to drop it, failed the grader or a run beside it",
        """
        f = open(torch.__file__, "rb")
        libc.mmap.restype = ctypes.c_void_p
        for _ in range(200):
            at = libc.mmap(None, 4096, 1, 1, f.fileno(), 0)
            libc.mincore(ctypes.c_void_p(at), 4096, (ctypes.c_ubyte * 1)())
            libc.munmap(ctypes.c_void_p(at), 4096)
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        """,
        sibling=True,
    ),
    Case(
        9,
        "hold-a-lock-on-a-shared-file",
        "a lock on a file that all runs are shown stopped another run, or the grader",
        """
        import fcntl
        held = []
        for path in (torch.__file__, os.__file__, str(task.folder / "solution.py")):
            held.append(open(path, "rb"))
            fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(held[-1], fcntl.LOCK_SH | fcntl.LOCK_NB)
        time.sleep(3)
        """,
        outcomes=outcomes("fail", "crash"),
        sibling=True,
    ),
    Case(
        9,
        "a-lock-that-outlives-its-run",
        "a lock of the run before was still held",
        """
        import fcntl
        held = open(os.__file__, "rb")
        fcntl.flock(held, fcntl.LOCK_EX)
        if os.fork() == 0:
            os.setsid()
            time.sleep(300)
        """,
        then="""
        import fcntl
        with open(os.__file__, "rb") as again:
            tell(free=tries(fcntl.flock, again, fcntl.LOCK_EX | fcntl.LOCK_NB))
        """,
        told={"free": "done"},
    ),
    Case(
        9,
        "names-of-the-whole-machine",
        "two runs could meet under a name that is the whole machine's: queues, keys, semaphores",
        """
        tell(queue=call(240, b"/meet", 0o102, 0o666, None), key=call(250, 0, -3, 1), semaphores=call(64, 77, 1, 0o1666))
        """,
        told={"queue": "EPERM", "key": "EPERM", "semaphores": "EPERM"},
    ),
    Case(
        3,
        "search-the-memory-of-the-last-run",
        "something of the run before was found in memory that forks of one parent share",
        """
        keep = [b"NEEDLE-" + b"OF-THE-LAST-RUN" for _ in range(1000)]
        """,
        then="""
        found = 0
        with contextlib.suppress(OSError), open("/proc/self/mem", "rb", buffering=0) as memory:
            for line in open("/proc/self/maps").read().splitlines():
                words = line.split()
                begin, end = (int(word, 16) for word in words[0].split("-"))
                if (len(words) == 5 or "heap" in line) and words[1].startswith("rw-p") and end - begin < 200 * 2**20:
                    with contextlib.suppress(OSError, ValueError):
                        memory.seek(begin)
                        found += memory.read(end - begin).count(b"NEEDLE-" + b"OF-THE-LAST-RUN")
        tell(found=found > 6)
        """,
        told={"found": False},
    ),
    Case(
        13,
        "rewrite-its-own-code",
        "writing over its own code made the worker say more than predictions",
        """
        with open("/proc/self/mem", "r+b", buffering=0) as memory:
            memory.seek(ctypes.cast(libc.getppid, ctypes.c_void_p).value)
            memory.write(bytes([0xC3]))
        import tlcourse.execution.worker.main as main
        main.device_name = main.predict.check_shape = main.predict.as_tuple = lambda *a: (torch.zeros(400),) * 2
        """,
        outcomes=_ANY,
    ),
    Case(
        13,
        "feed-oneself-the-test-inputs",
        "a standard input that a submission filled itself led to an internal error",
        """
        from safetensors.torch import save
        data = save({"x": torch.zeros(400, 2)})
        own = os.open(f"/proc/self/fd/{inputs()}", os.O_WRONLY)
        threading.Thread(target=os.write, args=(own, struct.pack("<Q", len(data)) + data), daemon=True).start()
        time.sleep(0.3)
        """,
        outcomes=_ANY,
    ),
]
