"""Predictions that are none: objects that lie, wrong shapes, documents that are forged byte by byte."""

from __future__ import annotations

from tests.attacks.case import SPEAK, Case, outcomes


def _sends(name: str, must_not: str, expression: str, said: str, *endings: str, row: int = 16) -> Case:
    source = f"{SPEAK}\n\ndef fit(task):\n    send({expression})\n"
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
        14,
        "a-table-that-lies-about-its-keys",
        "a mapping with lying keys was scored, or asked without end",
        "type('Liar', (dict,), {'__iter__': lambda s: iter(('y', 'z')), '__getitem__': lambda s, k: [s]})()",
        "expected a tensor",
    ),
    _returns(
        14,
        "a-list-that-holds-itself",
        "a list was followed into itself",
        "(lambda one: (one.append(one), one.append(one), one)[2])([])",
        "expected a tensor",
    ),
    _returns(
        14,
        "an-array-of-objects",
        "objects were packed, or pickled",
        "[__import__('numpy').array([None] * n, dtype=object)] * 2",
        "expected a tensor",
    ),
    _returns(
        14,
        "a-tensor-without-memory",
        "what has a shape and no numbers was scored",
        "torch.zeros(n, device='meta'), torch.zeros(n)",
        "",
        "invalid",
        "crash",
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
        "lengths-that-nobody-asked-for",
        "an array was cut into items of other lengths",
        "document(**{'y/lengths': numpy.zeros(400, numpy.int64)})",
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
        SPEAK
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
]
