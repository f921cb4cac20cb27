"""A study of one outlier. This starter runs and does not pass.

Try it:  tlcourse grade study solution.py
"""


def shifts(x, outlier):
    """(n,) and a number -> {"mean": …, "median": …}."""
    return {"mean": 0.0, "median": 0.0}  # TODO
