"""tlcourse: a course in a terminal, and its grader.

`tlcourse.Task` is what a solution's `fit(task)` is given. It needs torch, so it is imported when it is first asked for:
the command line and the screen never do. `tlcourse.check()` grades a notebook from one of its cells, and so does
`%%grade ex2` after `%load_ext tlcourse`.
"""

# Nothing is imported here, not even `typing`: `python -m tlcourse` runs this file while the folder in which it was
# started still comes first among those that are imported from (`__main__.py` takes it out).
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tlcourse.execution.worker.task import Task as Task
    from tlcourse.notebook import check as check
    from tlcourse.notebook import load_ipython_extension as load_ipython_extension

__version__ = "0.2.0"
__all__ = ["Task", "__version__", "check", "load_ipython_extension"]


def __getattr__(name: str) -> "Any":
    if name == "Task":
        from tlcourse.execution.worker.task import Task

        return Task
    if name in ("check", "load_ipython_extension"):
        import sys  # part of the interpreter, wherever one stands

        if "tlcourse.execution.worker.process" in sys.modules:  # a notebook that is graded does not grade itself
            return lambda *_, **__: None
        from tlcourse import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module 'tlcourse' has no attribute {name!r}")
