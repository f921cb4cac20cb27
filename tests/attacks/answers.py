"""Attempts to read the answers: labels, graders, seeds, other processes, what was inherited, what was left behind."""

from __future__ import annotations

from tests.attacks.case import Case, LandlockGap

_OUTSIDE = "no mount namespace: that a path exists, its size, owner and times can be seen, not what is in it"

CASES = [
    Case(
        1,
        "walk-the-file-system",
        "a label was found anywhere",
        """
        skipped = ("/proc", "/sys", "/usr", sys.prefix, sys.base_prefix)
        looked = 0
        for folder, folders, names in os.walk("/"):
            folders[:] = [f for f in folders if not os.path.join(folder, f).startswith(skipped) and f != "site-packages"]
            for name in names:
                with contextlib.suppress(OSError):
                    path = os.path.join(folder, name)
                    if os.path.isfile(path):
                        show(path)
                        looked += 1
        tell(looked=looked < 2000)
        """,
        told={"looked": True},
        quick=True,
    ),
    Case(
        1,
        "open-the-labels-by-their-path",
        "the label file was read, or is even there",
        """
        for name in ("labels.json", "private.json"):
            tell(**{name: tries(show, "@FOLDER@/" + name)})
        tell(exists=os.path.exists("@FOLDER@"))
        """,
        told={"labels.json": "FileNotFoundError", "private.json": "FileNotFoundError", "exists": False},
        landlock_gap=LandlockGap(
            _OUTSIDE,
            told={"labels.json": "PermissionError", "private.json": "PermissionError", "exists": True},
        ),
        quick=True,
    ),
    Case(
        1,
        "leave-through-proc-root-and-links",
        "a magic link of /proc, a symbolic link or a hard link led outside",
        """
        ways = ["/proc/1/root@FOLDER@/labels.json", "/proc/self/root@FOLDER@/labels.json",
                "/proc/self/cwd/../../../../../..@FOLDER@/labels.json"]
        here = os.environ["TMPDIR"]
        os.symlink("@FOLDER@/labels.json", here + "/link")
        ways.append(here + "/link")
        tell(read=[way for way in ways if tries(show, way) == "done"],
             hard=tries(os.link, "@FOLDER@/labels.json", here + "/hard") == "done")
        """,
        told={"read": [], "hard": False},
    ),
    Case(
        2,
        "names-times-and-order-of-the-inputs",
        "names, times or contents beside the training data gave labels of the test set away",
        """
        import glob
        from safetensors import safe_open
        # where the inputs lie is what the worker was told
        frame = sys._getframe()
        while frame and "inputs" not in frame.f_locals:
            frame = frame.f_back
        inputs = str(frame.f_locals["inputs"])
        names = sorted(os.listdir(inputs))
        rows = {}
        for name in names:
            if name.endswith(".safetensors"):
                with safe_open(os.path.join(inputs, name), "np") as opened:
                    rows[name] = sorted((key, opened.get_slice(key).get_shape()[0]) for key in opened.keys())
        task_spec = json.load(open(os.path.join(inputs, "task_spec.json")))
        tell(names=names, rows=rows, task_spec=sorted(task_spec))
        """,
        told={
            "names": ["task_spec.json", "train.safetensors", "val.safetensors"],
            "rows": {
                "train.safetensors": [["x", 200], ["y", 200], ["z", 200]],
                "val.safetensors": [["x", 50], ["y", 50], ["z", 50]],
            },
            "task_spec": [
                "calls",
                "checks",
                "defines",
                "device",
                "exercise",
                "graph",
                "outputs",
                "predict",
                "seconds",
                "seed",
                "speed",
                "targets",
                "threads",
                "val_predictions",
                "variant",
            ],
        },
    ),
    Case(
        3,
        "search-all-objects",
        "an array of the test set's length was in memory while fit ran",
        """
        import numpy
        # the training points, 200 of two numbers, are read as one row of 400
        known = {one.untyped_storage().data_ptr() for one in (*task.train.tensors, *task.val.tensors)}
        tell(found=[str(type(one)) for one in gc.get_objects()
                    if isinstance(one, (torch.Tensor, numpy.ndarray)) and one.shape and one.shape[0] == 400
                    and not (isinstance(one, torch.Tensor) and one.untyped_storage().data_ptr() in known)])
        """,
        told={"found": []},
        quick=True,
    ),
    Case(
        3,
        "walk-up-the-frames",
        "a caller's variables held labels, a grader or a score",
        """
        frame, names = sys._getframe(), set()
        while frame is not None:
            names |= set(frame.f_locals) | set(frame.f_globals)
            for one in list(frame.f_locals.values()):
                with contextlib.suppress(Exception):
                    if len(one) == 400:
                        print("FOUND 400 rows")
            frame = frame.f_back
        tell(names=sorted(names & {"labels", "test", "grader", "score", "checks", "threshold", "measure"}),
             modules=sorted(name for name in sys.modules if name.startswith(("tlcourse.grading", "graders"))))
        """,
        told={"names": [], "modules": []},
    ),
    Case(
        3,
        "search-while-predicting",
        "labels lay beside the test inputs when the module was called",
        """
        class Looks(torch.nn.Module):
            def forward(self, x):
                found = [one for one in gc.get_objects() if isinstance(one, torch.Tensor) and one.dim() == 1
                         and len(one) == 400 and one.untyped_storage().data_ptr() not in self.known]
                tell(labels=len(found))
                return torch.zeros(len(x)), torch.zeros(len(x))

        def fit(task):
            model = Looks()
            model.known = {one.untyped_storage().data_ptr() for one in (*task.train.tensors, *task.val.tensors)}
            return model
        """,
        whole=True,
        told={"labels": 0},
    ),
    Case(
        4,
        "read-the-grader",
        "the grader's source, or a reference solution, was read",
        """
        for name in ("line.py", "references/line.py"):
            path = "@GRADERS@/" + name
            tell(**{name: tries(lambda: print(open(path).read()))})
        """,
        told={"line.py": "FileNotFoundError", "references/line.py": "FileNotFoundError"},
        landlock_gap=LandlockGap(
            _OUTSIDE, told={"line.py": "PermissionError", "references/line.py": "PermissionError"}, succeeds=False
        ),
        quick=True,
    ),
    Case(
        4,
        "look-beside-the-package",
        "the checkout around the package was visible",
        """
        import tlcourse
        root = os.path.dirname(os.path.dirname(tlcourse.__file__))
        try:
            beside = [name for name in os.listdir(root) if name in ("graders", "tests", ".git", "exercises")]
        except OSError:
            beside = []
        hidden = os.path.join(os.path.dirname(tlcourse.__file__), "_bundled", "graders")
        inside = [os.path.join(f, n) for f, _, names in os.walk(hidden) for n in names if n.endswith(".py")]
        tell(beside=beside, inside=[path for path in inside if tries(show, path) == "done"])
        """,
        told={"beside": [], "inside": []},
    ),
    Case(
        4,
        "draw-the-test-set-from-the-seed",
        "the test inputs could be drawn from a seed that the submission knows",
        """
        import hashlib, hmac, numpy

        def split_seeds(seed):  # as the generators do, which cannot be imported here
            purposes = (f"tlcourse data: {part}".encode() for part in ("train", "val", "test"))
            made = [hmac.new(str(seed).encode(), one, hashlib.sha256).digest()[:8] for one in purposes]
            return [int.from_bytes(one, "big") for one in made]

        class Compares(torch.nn.Module):
            def forward(self, x):
                if len(x) > 64:  # a batch of training inputs comes first
                    tell(known=sum(row.tobytes() in self.known for row in x.numpy()))
                return torch.zeros(len(x)), torch.zeros(len(x))

        def fit(task):
            model = Compares()
            seeds = [one for seed in (task.seed, 20260, 0, 1) for one in split_seeds(seed)]
            drawn = [numpy.random.default_rng(seed).normal(size=(400, 2)).astype(numpy.float32) for seed in seeds]
            model.known = {row.tobytes() for rows in drawn for row in rows}
            return model
        """,
        whole=True,
        told={"known": 0},
    ),
    Case(
        5,
        "read-other-processes",
        "environment, arguments, descriptors, maps or memory of another process were read",
        """
        others = []
        ours = {os.getpid(), *(int(t) for t in os.listdir("/proc/self/task"))} if os.path.exists("/proc/self/task") else {os.getpid()}
        for pid in [1, os.getppid(), @GRADER_PID@, *range(2, 400)]:
            for name in ("environ", "cmdline", "maps", "stack"):
                with contextlib.suppress(OSError):
                    show(f"/proc/{pid}/{name}")
            with contextlib.suppress(OSError):
                for number in os.listdir(f"/proc/{pid}/fd"):
                    with contextlib.suppress(OSError):
                        if pid not in ours and os.path.isfile(f"/proc/{pid}/fd/{number}"):
                            show(f"/proc/{pid}/fd/{number}")
            if pid not in ours and tries(lambda: open(f"/proc/{pid}/mem", "rb").close()) == "done":
                others.append(pid)
        tell(memory=others)
        """,
        told={"memory": []},
        alone=True,
        quick=True,
    ),
    Case(
        5,
        "see-which-processes-exist",
        "that another process exists, and whose it is, could be seen",
        """
        tell(there=os.path.exists("/proc/@GRADER_PID@"))
        with contextlib.suppress(OSError):
            tell(others=len([name for name in os.listdir("/proc") if name.isdigit()]) > 8)
        """,
        told={"there": False},
        landlock_gap=LandlockGap(
            "no PID namespace: that a process exists, and whose it is, can be seen", told={"there": True}
        ),
    ),
    Case(
        5,
        "watch-what-others-open",
        "notices told which programs and files others on this machine open: they are about files, whoever opens them",
        """
        import fcntl
        folder = os.open("/usr/bin", os.O_RDONLY)
        def notices():  # DN_ACCESS, again and again
            signal.signal(signal.SIGIO, signal.SIG_IGN)
            fcntl.fcntl(folder, fcntl.F_NOTIFY, 1 | 0x80000000 - 2**32)
        def lease():
            mine = open(task.folder / "solution.py")
            fcntl.fcntl(mine, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        tell(inotify=call(253), inotify1=call(294, 0), fanotify=call(300, 0, 0), notices=tries(notices),
             lease=tries(lease), resident=call(451, folder, bytes(16), bytes(40), 0))
        """,
        told={
            "inotify": "EPERM",
            "inotify1": "EPERM",
            "fanotify": "EPERM",
            "notices": "PermissionError",
            "lease": "PermissionError",
            "resident": "EPERM",
        },
    ),
    Case(
        5,
        "read-memory-by-system-call",
        "the memory of the process above was read",
        """
        buffer = ctypes.create_string_buffer(64)
        local = struct.pack("PN", ctypes.addressof(buffer), 64)
        remote = struct.pack("PN", ctypes.addressof(buffer), 64)
        tell(calls=sorted({call(310, pid, local, 1, remote, 1, 0) for pid in (1, os.getppid(), @GRADER_PID@)}))
        """,
        told={"calls": ["EPERM"]},
    ),
    Case(
        6,
        "read-the-environment",
        "a variable of the grader's environment was there",
        """
        known = {"PATH", "LANG", "LC_CTYPE", "HOME", "USER", "TMPDIR", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "MKL_NUM_THREADS",
                 "OPENBLAS_NUM_THREADS", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PIP_NO_INDEX", "PWD"}
        libc.getenv.restype = ctypes.c_char_p
        tell(unexpected=sorted(name for name in os.environ if name not in known and not name.startswith(("TORCH", "KMP"))),
             seed=libc.getenv(b"COURSE_SECRET_SEED"))
        print(os.environ)
        """,
        told={"unexpected": [], "seed": None},
        quick=True,
    ),
    Case(
        6,
        "learn-the-name-of-the-machine",
        "the machine's name was seen",
        "tell(same=os.uname().nodename == '@HOST@')",
        told={"same": False},
        landlock_gap=LandlockGap(
            "no UTS namespace: the machine's name and its kernel's version can be seen", told={"same": True}
        ),
    ),
    Case(
        7,
        "use-inherited-descriptors",
        "a file that the grader had open was read through its descriptor",
        """
        for number in range(3, 600):
            with contextlib.suppress(OSError):
                data = os.pread(number, 1000, 0)
                print("FOUND", number, data)
        """,
        quick=True,
    ),
    Case(
        8,
        "learn-from-the-verdict",
        "the verdict on wrong predictions printed what was expected",
        "pass",
    ),
    Case(
        9,
        "find-what-the-last-one-left",
        "a file, a mapping, a module or a process of the submission before was found",
        """
        for path in ("/tmp", "/dev/shm", os.environ["HOME"], os.environ["TMPDIR"], "/var/tmp", "/run", task.folder):
            with contextlib.suppress(OSError):
                with open(os.path.join(path, "left-behind"), "w") as stream:
                    stream.write("the solution")
        torch.left = json.left = sys.left = True
        sys.modules["left"] = sys
        os.environ["LEFT"] = "1"
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", "@MARK@"], start_new_session=True)
        """,
        then="""
        found = []
        for path in ("/tmp", "/dev/shm", os.environ["HOME"], os.environ["TMPDIR"], "/var/tmp", "/run", task.folder):
            with contextlib.suppress(OSError):
                if os.path.exists(os.path.join(path, "left-behind")):
                    found.append(str(path))
        found += [name for name in ("torch", "json", "sys") if hasattr(sys.modules[name], "left")]
        found += [name for name in ("left",) if name in sys.modules] + [n for n in os.environ if n == "LEFT"]
        tell(found=found)
        """,
        told={"found": []},
        quick=True,
    ),
]
