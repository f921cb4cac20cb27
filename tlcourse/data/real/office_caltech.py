"""Office-Caltech10: ten kinds of objects from four sources, as SURF bags of words (Gong et al. 2012, CVPR)."""

from __future__ import annotations

import io
from typing import Any, Literal

import numpy as np

from tlcourse.data.real.files import Files
from tlcourse.errors import UnableError

Domain = Literal["amazon", "caltech10", "dslr", "webcam"]
Features = np.ndarray[Any, np.dtype[np.float64]]
Labels = np.ndarray[Any, np.dtype[np.int64]]
SET = Files(
    name="office-caltech10",
    title="The SURF features of Office-Caltech10",
    source="Gong, Shi, Sha and Grauman 2012; published for research, no licence known",
    folder="office_caltech10",
    used_by=("lab run coral --data full",),
    sums={
        "surf/amazon.mat": "df32548b994e18d364c99e1f317e1fae100597259f0423a41b90f4f68187bb1f",
        "surf/caltech10.mat": "4f9334c8ced489d5054de97a5fd51a61f017f3bcd1f38c9a85c6d78cb9d7bda5",
        "surf/dslr.mat": "44d673c68e1d07b837893aa74dba3b986e4a6cc3fd66f0dd357683bdef059216",
        "surf/webcam.mat": "a6a9c78b4b7181dfbb58bcfd351d4ebd737f171c31247b8884948aa156d3f700",
    },
)
COUNT: dict[Domain, int] = {"amazon": 958, "caltech10": 1123, "dslr": 157, "webcam": 295}
WORDS, CLASSES = 800, 10


def load(domain: Domain) -> tuple[Features, Labels]:
    """Counts of visual words (n, 800) float64, and the kind of object (n,) from 0 to 9.

    Raises UnableError where the features are missing or damaged, or SciPy, which reads them, is not installed.
    """
    found = _matlab(SET.read(f"surf/{domain}.mat"))
    x, y = np.asarray(found["fts"], np.float64), np.asarray(found["labels"], np.int64).ravel() - 1
    if x.shape != (COUNT[domain], WORDS) or y.shape != (COUNT[domain],) or set(y.tolist()) != set(range(CLASSES)):
        raise UnableError(
            f"{domain}.mat holds features of shape {x.shape}, not {(COUNT[domain], WORDS)} of {CLASSES} classes.",
            remedy=SET.remedy,
        )
    return x, y


def standardised(x: Features) -> Features:
    """Each picture's counts divided by their sum, then every word to mean 0 and standard deviation 1 in its domain.

    As in the experiments of Gong et al. 2012 and after them. A word that no picture of the domain has stays 0.
    """
    share = x / np.maximum(x.sum(1, keepdims=True), 1)
    std = share.std(0)
    scaled: Features = (share - share.mean(0)) / np.where(std > 0, std, 1)
    return scaled


def _matlab(data: bytes) -> dict[str, Any]:
    """The arrays of a MATLAB file; raises UnableError where SciPy is not installed."""
    try:
        from scipy.io import loadmat
    except ImportError:
        raise UnableError(
            "SciPy, which reads these files, is not installed.", remedy="python -m pip install 'tlcourse[lab]'"
        ) from None
    found: dict[str, Any] = loadmat(io.BytesIO(data))
    return found
