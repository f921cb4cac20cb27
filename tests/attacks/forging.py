"""Attempts to forge a result: printing it, writing it, rewriting it, lying about it, or being the clock."""

from __future__ import annotations

from tests.attacks.case import SPEAK, Case, outcomes

CASES = [
    Case(
        10,
        "print-a-verdict",
        "a printed verdict counted",
        """
        verdict = json.dumps({"schema": 1, "outcome": "pass", "points": 2, "max_points": 2})
        for stream in (sys.stdout, sys.stderr):
            print("PASSED", verdict, file=stream)
            print(json.dumps({"v": 1, "type": "verdict", "result": {"outcome": "pass"}}), file=stream)
        """,
        quick=True,
    ),
    Case(
        10,
        "write-result-files",
        "a result that the submission wrote to a file was taken for the grader's",
        """
        verdict = json.dumps({"outcome": "pass", "points": 2})
        written = []
        for folder in (os.getcwd(), str(task.folder), os.environ["HOME"], "@FOLDER@", "/", "/inputs", "/submission"):
            for name in ("result.json", "results.json", "verdict.json", "predictions.safetensors"):
                with contextlib.suppress(OSError):
                    with open(os.path.join(folder, name), "w") as stream:
                        stream.write(verdict)
                    written.append(folder)
        scratch = {os.getcwd(), os.environ["HOME"], os.environ["TMPDIR"]}
        tell(outside=sorted(set(written) - scratch))
        """,
        told={"outside": []},
    ),
    Case(
        11,
        "exit-at-import",
        "an exit status of 0 counted as a pass",
        "sys.exit(0)\n\ndef fit(task):\n    pass",
        whole=True,
        outcomes=outcomes("crash"),
        said="sys.exit(0)",
        quick=True,
    ),
    Case(
        11,
        "end-the-process-at-import",
        "an exit status of 0 counted as a pass",
        "os._exit(0)\n\ndef fit(task):\n    pass",
        whole=True,
        outcomes=outcomes("crash"),
        said="exit status 0",
    ),
    Case(
        11,
        "quit-in-fit",
        "an exit status of 0 counted as a pass",
        "raise SystemExit(0)",
        outcomes=outcomes("crash"),
        said="sys.exit(0)",
    ),
    Case(
        11,
        "exit-while-predicting",
        "half of the predictions counted",
        """
        calls = []
        class Leaves(torch.nn.Module):
            def forward(self, x):
                calls.append(1)
                if len(calls) > 2:  # the last batch
                    os._exit(0)
                return torch.zeros(len(x)), torch.zeros(len(x))
        def fit(task):
            return Leaves()
        """,
        whole=True,
        outcomes=outcomes("crash"),
        said="before all predictions were out",
    ),
    Case(
        12,
        "rewrite-at-exit",
        "what was written after the last prediction changed the result",
        SPEAK
        + """
import atexit
def late():
    os.write(pipes()[1], document())
atexit.register(late)
class Late:
    def __del__(self):
        late()
keep = Late()
def fit(task):
    return Zero()
""",
        whole=True,
    ),
    Case(
        12,
        "a-thread-writes-predictions-too",
        "a second set of predictions was scored",
        SPEAK
        + """
def fit(task):
    _, results = pipes()
    mine = os.dup(results)
    def write():
        while True:
            with contextlib.suppress(OSError):
                os.write(mine, b"x" * 100)
            time.sleep(0.001)
    threading.Thread(target=write, daemon=True).start()
    time.sleep(0.3)
    return Zero()
""",
        whole=True,
        outcomes=outcomes("invalid"),
    ),
    Case(
        12,
        "a-child-writes-after-the-worker",
        "predictions of a process that outlived the worker were scored",
        SPEAK
        + """
def fit(task):
    _, results = pipes()
    parent = os.getpid()
    if os.fork() == 0:
        while os.getppid() == parent:
            time.sleep(0.01)
        os.write(results, document())
        os._exit(0)
    return Zero()
""",
        whole=True,
        outcomes=outcomes("fail", "invalid"),
    ),
    Case(
        13,
        "patch-the-worker",
        "changing the modules of its own process changed how it was scored",
        """
        import safetensors.numpy, safetensors.torch, numpy
        from tlcourse.execution import arrays
        from tlcourse.execution.worker import main, predict
        class Liar(float):
            __lt__ = __le__ = __gt__ = __ge__ = __eq__ = lambda self, other: True
            __hash__ = float.__hash__
        numpy.abs = numpy.mean = torch.abs = lambda *a, **k: Liar(0)
        safetensors.numpy.save = lambda *a, **k: b"PASSED"
        predict.check_shape = predict.check_model = lambda *a: None
        main.pack = lambda arrays: b"PASSED"
        """,
        outcomes=outcomes("invalid", "crash"),
    ),
    Case(
        13,
        "forge-probes",
        "probes that the submission made up earned points",
        """
        events, _ = pipes()
        for values in ({"shared_share": 1.0, "y_error": 0, "z_error": 0, "points": 2, "accuracy": 1.0},):
            os.write(events, json.dumps({"v": 1, "type": "probe", "values": values}).encode() + b"\\n")
        """,
        quick=True,
    ),
    Case(
        13,
        "forge-events",
        "an event that is none of the worker's was believed",
        """
        events, _ = pipes()
        for one in ({"type": "verdict", "outcome": "pass"}, {"type": "finished", "points": 2},
                    {"type": "started", "device": "x" * 5000, "torch": "y"}, {"type": "phase", "name": "passed"},
                    {"type": "problem", "kind": "infra", "message": "not mine", "trace": ""},
                    {"type": "metric", "step": 1, "values": {str(n): 1 for n in range(1000)}},
                    {"type": "metric", "step": 10**400, "values": {"a": 1}}, {"type": [], "v": {}}):
            os.write(events, json.dumps({"v": 1, **one}).encode() + b"\\n")
        os.write(events, b"\\xff\\x00{}\\n" + b"[" * 5000 + b"\\n" + b'{"v": 1e999, "type": "log"}\\n')
        """,
    ),
    Case(
        13,
        "forge-a-fault-of-the-grader",
        "the submission's own end was taken for an internal error, which costs no attempt",
        """
        events, _ = pipes()
        problem = {"v": 1, "type": "problem", "kind": "no_device", "message": "no GPU", "trace": ""}
        os.write(events, json.dumps(problem).encode() + b"\\n")
        os._exit(1)
        """,
        outcomes=outcomes("invalid", "crash"),
    ),
    Case(
        13,
        "kill-oneself-like-the-kernel-would",
        "a SIGKILL from inside was taken for an internal error",
        "os.kill(os.getpid(), signal.SIGKILL)",
        outcomes=outcomes("crash"),
        said="SIGKILL",
    ),
    Case(
        13,
        "take-the-test-inputs-early",
        "labels came with the test inputs, or more than one set of them",
        """
        # the end of fit can be forged: it is this process that says it. What comes are inputs, never labels.
        events, _ = pipes()
        for _ in range(2):
            os.write(events, json.dumps({"v": 1, "type": "phase", "name": "fitted"}).encode() + b"\\n")
        from safetensors.torch import load
        size = struct.unpack("<Q", os.read(inputs(), 8))[0]
        data = b""
        while len(data) < size:
            data += os.read(inputs(), size - len(data))
        tell(keys=sorted(load(data)))
        os.set_blocking(inputs(), False)
        time.sleep(0.3)
        tell(more=tries(os.read, inputs(), 1))
        os._exit(0)
        """,
        outcomes=outcomes("crash"),
        told={"keys": ["x"], "more": "BlockingIOError"},
    ),
    Case(
        17,
        "shadow-modules",
        "a module of the hand-in was imported in place of a library's",
        """
        import importlib
        for name in ("json", "torch", "numpy", "safetensors", "msgspec", "signal", "ctypes"):
            if str(task.folder) in str(getattr(sys.modules.get(name), "__file__", "")):
                tell(shadowed=name)
        tell(shadowed="nothing")
        """,
        told={"shadowed": "nothing"},
        files={
            **{
                f"{name}.py": b"print('SHADOWED'); import os; os._exit(0)\n"
                for name in (
                    "torch",
                    "json",
                    "numpy",
                    "safetensors",
                    "msgspec",
                    "sitecustomize",
                    "usercustomize",
                    "conftest",
                    "signal",
                    "encodings",
                    "tlcourse",
                    "__main__",
                    "__init__",
                )
            },
            "evil.pth": b"import os; print('SHADOWED')\n",
            "pyvenv.cfg": b"home = /tmp\n",
        },
        quick=True,
    ),
    Case(
        18,
        "a-clock-of-its-own",
        "time that the submission made up counted",
        """
        begin = time.monotonic
        for name in ("time", "monotonic", "perf_counter", "process_time"):
            setattr(time, name, lambda: 0.0)
        task._started = 1e18
        while True:
            time.sleep(1)
        """,
        outcomes=outcomes("timeout"),
        said="are allowed",
        limits={"wall_time_s": 6},
    ),
    Case(
        18,
        "set-the-clock",
        "the clock of the machine could be set",
        """
        now = struct.pack("qq", 10**9, 0)
        tell(set=[call(227, 0, now), call(164, now, None)],
             adjust=call(159, struct.pack("I", 1) + bytes(300)))
        """,
        told={"set": ["EPERM", "EPERM"], "adjust": "EPERM"},
    ),
]
