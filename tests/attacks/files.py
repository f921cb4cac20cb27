"""Attempts with files and text: pickles, packaging, read-only folders, and output that a terminal would obey."""

from __future__ import annotations

from tests.attacks.case import Case, outcomes

_HOSTILE = "\\x1b[2J\\x1b]0;owned\\x07\\x1b]8;;http://evil.example\\x1b\\\\\\r\\x9b31m\\u202ereversed\\u2066 [bold red]x[/] <script>"

# A pickle that creates a file of the world when it is read: `os.open(path, O_CREAT)`.
_PICKLE = b"cos\nopen\n(S'@FOLDER@/pwned'\nI65\ntR."

CASES = [
    Case(
        19,
        "a-pickle-in-the-hand-in",
        "the grader unpickled a file of the submission",
        "tell(here=sorted(name for name in os.listdir(task.folder) if name != 'solution.py'))",
        told={"here": ["checkpoint.pt", "model.pkl", "weights.pth"]},
        files=dict.fromkeys(("checkpoint.pt", "model.pkl", "weights.pth"), _PICKLE),
    ),
    Case(
        19,
        "a-pickle-for-predictions",
        "the grader unpickled predictions",
        """
        import pickle
        class Pwn:
            def __reduce__(self):
                return (os.open, ("@FOLDER@/pwned", os.O_CREAT | os.O_WRONLY))
        events, results = pipes()
        os.write(events, json.dumps({"v": 1, "type": "phase", "name": "fitted"}).encode() + b"\\n")
        os.read(inputs(), 8)
        os.write(results, pickle.dumps(Pwn()))
        os._exit(0)
        """,
        outcomes=outcomes("invalid"),
        said="safetensors",
    ),
    Case(
        24,
        "escapes-in-what-is-printed",
        "an escape sequence, a control character or a reordering mark reached the report",
        f'''
        print("{_HOSTILE}")
        os.write(1, b"\\x1b[6n\\x9b2J\\xff\\xfe\\x00\\n")
        os.write(2, "{_HOSTILE}".encode())
        ''',
        quick=True,
    ),
    Case(
        24,
        "escapes-in-an-exception",
        "an escape sequence of an error message reached the report",
        f'''
        raise ValueError("{_HOSTILE}")
        ''',
        outcomes=outcomes("crash"),
        quick=True,
    ),
    Case(
        24,
        "escapes-in-names-of-files-and-errors",
        "an escape sequence in the name of a file, a function or an error reached the report",
        f'''
        name = "{_HOSTILE}"
        kind = type(name, (Exception,), {{}})
        exec(compile("def f(kind):\\n    raise kind('x')\\n", name, "exec"))
        locals()["f"](kind)
        ''',
        outcomes=outcomes("crash"),
    ),
    Case(
        24,
        "escapes-in-metrics-and-events",
        "an escape sequence in the name of a metric or a device reached the screen",
        f'''
        with contextlib.suppress(Exception):
            task.log(1, **{{"{_HOSTILE}"[:30]: 1.0, "\\x1b[31mloss": 2.0}})
        events, _ = pipes()
        text = "{_HOSTILE}"
        for one in ({{"type": "started", "device": text[:50], "torch": text[:50]}},
                    {{"type": "problem", "kind": "contract", "message": text, "trace": text}},
                    {{"type": "log", "text": text}}, {{"type": "phase", "name": "fit", "note": text}},
                    {{"type": "probe", "values": {{text: 1.0}}}}):
            os.write(events, json.dumps({{"v": 1, **one}}).encode() + b"\\n")
        ''',
        outcomes=outcomes("invalid"),
    ),
    Case(
        24,
        "escapes-in-a-syntax-error",
        "an escape sequence of a source line reached the report",
        'x = "\x1b[31m\u202e" +\n',
        whole=True,
        outcomes=outcomes("invalid"),
    ),
    Case(
        26,
        "packaging-files",
        "requirements.txt, setup.py or pyproject.toml of the hand-in were installed or run",
        "tell(installed='evil_package' in sys.modules)",
        told={"installed": False},
        files={
            "requirements.txt": b"evil-package @ file:///tmp\n",
            "setup.py": b"open('@FOLDER@/pwned', 'w')\n",
            "pyproject.toml": b"[build-system]\nrequires = ['evil']\n",
            "Makefile": b"all:\n\ttouch @FOLDER@/pwned\n",
            ".gitattributes": b"* filter=evil\n",
        },
    ),
    Case(
        23,
        "rewrite-its-own-files",
        "what was hashed could be changed while it ran, or what is read-only was written",
        """
        def write(path):
            with open(path, "a") as stream:
                stream.write("# other")
        beside = os.path.join(os.path.dirname(os.environ["TMPDIR"]), "submission")  # where there are no namespaces
        folder = "/submission" if os.path.isdir("/submission") else beside
        assert os.path.isfile(folder + "/solution.py")
        tell(solution=tries(write, folder + "/solution.py") == "done", new=tries(write, folder + "/new.py") == "done",
             gone=tries(os.unlink, folder + "/solution.py") == "done",
             mode=tries(os.chmod, folder + "/solution.py", 0o777) == "done")
        """,
        told={"solution": False, "new": False, "gone": False, "mode": False},
    ),
    Case(
        35,
        "write-to-the-libraries",
        "the interpreter, torch, this package or the system could be changed",
        """
        import tlcourse, numpy
        def write(path):
            with open(path, "a") as stream:
                stream.write("")
        targets = [torch.__file__, numpy.__file__, tlcourse.__file__, os.__file__, sys.executable,
                   os.path.dirname(torch.__file__) + "/new.py", os.path.dirname(os.__file__) + "/new.pth",
                   "/usr/lib/new", "/etc/new", "/etc/ld.so.preload", "/new", "/bin/new", "/usr/bin/env",
                   "/var/tmp/new", "/run/new", "/dev/new", "@FOLDER@/new", "@FOLDER@/labels.json"]
        tell(written=[path for path in targets if tries(write, path) == "done"])
        """,
        told={"written": []},
        quick=True,
    ),
    Case(
        35,
        "change-owners-modes-and-times",
        "owner, mode, time, attribute or name of a file outside was changed",
        """
        target = "@FOLDER@/labels.json"
        tell(done=[name for name, act in {
            "chmod": lambda: os.chmod(target, 0o777), "folder": lambda: os.chmod("@FOLDER@", 0o777),
            "chown": lambda: os.chown(target, os.getuid(), os.getgid()),
            "utime": lambda: os.utime(target, (0, 0)), "truncate": lambda: os.truncate(target, 0),
            "unlink": lambda: os.unlink(target), "rename": lambda: os.rename(target, target + ".old"),
            "mkdir": lambda: os.mkdir("@FOLDER@/new"), "link": lambda: os.link(target, "@FOLDER@/hard"),
            "symlink": lambda: os.symlink("x", "@FOLDER@/soft"), "fifo": lambda: os.mkfifo("@FOLDER@/fifo"),
            "setxattr": lambda: os.setxattr(target, "user.x", b"1"),
        }.items() if tries(act) == "done"])
        """,
        told={"done": []},
    ),
    Case(
        35,
        "poison-caches",
        "a cache, a home folder or compiled code of one submission was used for the next",
        """
        import tlcourse.execution.worker.predict as victim
        places = [os.environ["HOME"], os.environ["TMPDIR"], "/tmp", os.path.dirname(victim.__file__) + "/__pycache__"]
        for place in places:
            for name in (".cache/torch/hub/checkpoints/resnet18.pth", ".config/pip/pip.conf", ".bashrc",
                         "torchinductor_student/x.so", "predict.cpython-311.pyc",
                         ".local/lib/python3.11/site-packages/usercustomize.py"):
                with contextlib.suppress(OSError):
                    path = os.path.join(place, name)
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    open(path, "w").write("print('POISONED'); raise SystemExit")
        """,
        then="""
        found = []
        for place in {os.environ["HOME"], os.environ["TMPDIR"], "/tmp"}:
            for folder, folders, names in os.walk(place):
                folders[:] = [one for one in folders if one not in ("lib", "lib64")]  # an environment may lie in /tmp
                for name in set(names) - {"solution.py"}:
                    with contextlib.suppress(OSError, UnicodeDecodeError):
                        if "POISONED" in open(os.path.join(folder, name)).read():
                            found.append(name)
        tell(found=found)
        """,
        told={"found": []},
    ),
]
