"""tlcourse: a course in a terminal, and its grader.

`tlcourse.Task` is what a solution's `fit(task)` is given. It needs torch, so it is imported when it is first asked for:
the command line and the screen never do.
"""

# Nothing is imported here, not even `typing`: `python -m tlcourse` runs this file while the folder in which it was
# started still comes first among those that are imported from (`__main__.py` takes it out).
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tlcourse.execution.worker.task import Task as Task

__version__ = "0.1.0"
__all__ = ["Task", "__version__"]


def __getattr__(name: str) -> "Any":
    if name == "Task":
        from tlcourse.execution.worker.task import Task

        return Task
    raise AttributeError(f"module 'tlcourse' has no attribute {name!r}")
