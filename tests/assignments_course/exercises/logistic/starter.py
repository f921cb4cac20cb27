"""Logistic regression: six pieces."""


def sigmoid(z):
    """(n,) → (n,): 1 / (1 + exp(-z)), without overflow."""
    raise NotImplementedError


def loss(w, X, t):
    """(d,), (n, d), (n,) of 0 and 1 → the mean negative log-likelihood, a float."""
    raise NotImplementedError


def gradient(w, X, t):
    """The gradient of `loss` for w, (d,)."""
    raise NotImplementedError


class Standardiser:
    """Learns mean and standard deviation of each column in `fit(X)`; `transform(X)` takes them off."""


def batches(n, size):
    """Yields lists of the indices 0, …, n - 1, `size` at a time; the last may be shorter."""
    raise NotImplementedError


def report(losses):
    """`{"best": …, "text": "best 0.25 at step 3"}`: the smallest loss, and where it stands."""
    raise NotImplementedError
