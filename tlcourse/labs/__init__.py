"""Experiments that put methods on data. Torch lives in `experiments` and in the child process that runs them."""
