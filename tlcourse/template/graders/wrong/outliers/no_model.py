"""Must end: invalid. It returns no module."""


def fit(task):
    return None
