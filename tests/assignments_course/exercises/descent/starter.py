"""Gradient descent on a * w**2 / 2."""


def descend(a, w, rate, steps):
    """The list of w before the first step and after each."""
    raise NotImplementedError


def diverges(a, rate):
    """Whether w grows without a bound from every start but 0."""
    raise NotImplementedError
