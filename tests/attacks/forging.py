"""Attempts to forge a result: printing it, writing it, rewriting it, lying about it, or being the clock."""

from __future__ import annotations

from tests.attacks.case import Case, outcomes

_MAKE = """
import numpy
from safetensors.numpy import save

def document(n=400, dtype=numpy.float32, **more):
    return bytes(save({"y": numpy.zeros(n, dtype), "z": numpy.zeros(n, dtype), **more}))

def event(**fields):
    events, _ = pipes()
    os.write(events, json.dumps({"v": 1, **fields}).encode() + b"\\n")

def send(data):
    # speak for the worker: say that fit is over, take the test inputs, write a document of one's own, end
    events, results = pipes()
    os.write(events, json.dumps({"v": 1, "type": "phase", "name": "fitted"}).encode() + b"\\n")
    length = struct.unpack("<Q", os.read(0, 8))[0]
    while length > 0:
        length -= len(os.read(0, length))
    with contextlib.suppress(BrokenPipeError):
        view = memoryview(data)
        while view:
            view = view[os.write(results, view):]
    os._exit(0)
"""


def _sends(name: str, must_not: str, expression: str, said: str, *endings: str, row: int = 16) -> Case:
    source = f"{_MAKE}\n\ndef fit(task):\n    send({expression})\n"
    return Case(row, name, must_not, source, whole=True, outcomes=outcomes(*(endings or ("invalid",))), said=said)


def _returns(row: int, name: str, must_not: str, expression: str, said: str, *endings: str) -> Case:
    source = f"""
class Model(torch.nn.Module):
    def forward(self, x):
        n = len(x)
        return {expression}

def fit(task):
    return Model()
"""
    return Case(row, name, must_not, source, whole=True, outcomes=outcomes(*(endings or ("invalid",))), said=said)


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
        "sys.exit(0)",
        whole=True,
        outcomes=outcomes("crash"),
        said="sys.exit(0)",
        quick=True,
    ),
    Case(
        11,
        "end-the-process-at-import",
        "an exit status of 0 counted as a pass",
        "os._exit(0)",
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
        _MAKE
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
        _MAKE
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
        _MAKE
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
        "forge-evidence",
        "evidence that the submission made up earned points",
        """
        events, _ = pipes()
        for values in ({"shared_share": 1.0, "y_error": 0, "z_error": 0, "points": 2, "accuracy": 1.0},):
            os.write(events, json.dumps({"v": 1, "type": "evidence", "values": values}).encode() + b"\\n")
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
        "the submission's own end was taken for a fault of ours, which costs no attempt",
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
        "a SIGKILL from inside was taken for a fault of ours",
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
        size = struct.unpack("<Q", os.read(0, 8))[0]
        data = b""
        while len(data) < size:
            data += os.read(0, size - len(data))
        tell(keys=sorted(load(data)))
        os.set_blocking(0, False)
        time.sleep(0.3)
        tell(more=tries(os.read, 0, 1))
        os._exit(0)
        """,
        outcomes=outcomes("crash"),
        told={"keys": ["x"], "more": "BlockingIOError"},
    ),
    _returns(
        14,
        "an-object-that-equals-everything",
        "an object with a lying __eq__ and __array__ was scored",
        "[type('Liar', (), {'__eq__': lambda s, o: True, '__array__': lambda s, *a: 0, '__hash__': None})()] * 2",
        "expected a tensor",
    ),
    Case(
        14,
        "a-tensor-that-lies-about-its-shape",
        "a tensor subclass was scored by what it said about itself",
        """
        class Lying(torch.Tensor):
            shape = property(lambda self: (250,))
            def detach(self): return self
            def to(self, *a, **k): return self
            def is_floating_point(self): return True
        class Model(torch.nn.Module):
            def forward(self, x):
                return [torch.ones(1).as_subclass(Lying)] * 2
        def fit(task):
            return Model()
        """,
        whole=True,
        outcomes=outcomes("invalid", "crash"),
    ),
    Case(
        14,
        "a-tensor-that-takes-over-torch",
        "__torch_function__ of a subclass changed what was scored",
        """
        class Any(torch.Tensor):
            @classmethod
            def __torch_function__(cls, function, types, args=(), kwargs=None):
                with torch._C.DisableTorchFunctionSubclass():
                    made = function(*args, **(kwargs or {}))
                return made * 0 if isinstance(made, torch.Tensor) else made
        class Model(torch.nn.Module):
            def forward(self, x):
                return [torch.zeros(len(x)).as_subclass(Any)] * 2
        def fit(task):
            return Model()
        """,
        whole=True,
        outcomes=outcomes("fail", "invalid", "crash"),
    ),
    _returns(
        15,
        "nan-for-every-answer",
        "NaN was compared as if it were right",
        "torch.full((n,), float('nan')), torch.full((n,), float('nan'))",
        "NaN or infinite",
    ),
    _returns(
        15,
        "infinity-for-one-answer",
        "an infinite prediction was scored",
        "torch.zeros(n).index_fill(0, torch.tensor([n - 1]), float('inf')), torch.zeros(n)",
        "NaN or infinite",
    ),
    _returns(
        16,
        "a-shape-that-broadcasts",
        "one row was scored as all of them",
        "torch.zeros(1), torch.zeros(1)",
        "shape (1,)",
    ),
    _returns(
        16,
        "a-column-for-a-vector",
        "(B, 1) was broadcast against (B,)",
        "torch.zeros(n, 1), torch.zeros(n, 1)",
        "shape",
    ),
    _sends("a-row-too-few", "missing rows were left out of the mean", "document(399)", "shape (399,)"),
    _sends("a-row-too-many", "extra rows were scored", "document(401)", "shape (401,)"),
    _sends("no-rows", "an empty set of predictions was perfect", "document(0)", "shape (0,)"),
    _sends("doubles", "another dtype was scored", "document(dtype=numpy.float64)", "dtype"),
    _sends(
        "one-array-more",
        "an array that nobody asked for was read",
        "document(score=numpy.ones(1, numpy.float32))",
        "expected exactly",
        row=14,
    ),
    _sends(
        "a-header-that-claims-a-terabyte",
        "memory was allocated for a claim",
        "struct.pack('<Q', 2**40) + b'{}' * 100",
        "header is too long",
        row=14,
    ),
    _sends(
        "arrays-that-overlap",
        "two names for the same bytes, or bytes of no name, were scored",
        "(lambda h: struct.pack('<Q', len(h)) + h + bytes(1600))(json.dumps({k: {'dtype': 'F32', 'shape': [400], "
        "'data_offsets': [0, 1600]} for k in ('y', 'z')}).encode())",
        "",
        row=14,
    ),
    _sends(
        "a-name-twice",
        "a repeated name hid another array",
        '(lambda h: struct.pack(\'<Q\', len(h)) + h + bytes(3200))(b\'{"y":{"dtype":"F32","shape":[400],'
        '"data_offsets":[0,1600]},"z":{"dtype":"F32","shape":[400],"data_offsets":[0,1600]},'
        '"z":{"dtype":"F32","shape":[400],"data_offsets":[1600,3200]}}\')',
        "",
        "fail",
        "invalid",
        row=14,
    ),
    _sends("two-documents", "the second document was scored", "document() + document()", "", row=12),
    _sends(
        "gigabytes-of-predictions", "more was read than was asked for", "bytes(2**30)", "more than the contract", row=30
    ),
    Case(
        16,
        "predictions-before-they-are-asked-for",
        "predictions that came before fit was over were scored",
        _MAKE
        + """
def fit(task):
    os.write(pipes()[1], document())
    time.sleep(0.3)
    return Zero()
""",
        whole=True,
        outcomes=outcomes("invalid"),
        said="not asked for",
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
            pass
        """,
        outcomes=outcomes("timeout"),
        said="are allowed",
        limits={"wall_s": 6},
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
