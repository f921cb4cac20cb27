"""Print the pictures of two figures of the lessons as YAML: patches of two digits, and the weights that FISH chooses.

Both are computed from the 1,797 digits that scikit-learn ships (8 × 8 pixels, 0 to 16):

    python scripts/figure_data.py
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

CLASS, CHOSEN = 3, 10


def main() -> None:
    """Print both."""
    digits = load_digits()
    images, labels = digits.images, digits.target
    patches(images[labels == 3][0], 16 - images[labels == 8][0])
    fisher(digits.data / 16.0, labels)


def patches(source: np.ndarray, target: np.ndarray) -> None:
    """6 of 16 patches of 2 × 2 pixels from the source, as in the worked example: λ = 0.375."""
    taken = np.random.default_rng(1).permutation(16)[:6]
    coarse = np.zeros(16, bool)
    coarse[taken] = True
    mask = coarse.reshape(4, 4).repeat(2, 0).repeat(2, 1)
    for name, picture in (("source", shaded(source, "abcd")), ("target", shaded(target, "efgh"))):
        print(name, picture)
    one, other = shaded(source, "abcd"), shaded(target, "efgh")
    print("mixed", ["".join(one[r][c] if mask[r, c] else other[r][c] for c in range(8)) for r in range(8)])


def shaded(image: np.ndarray, signs: str) -> list[str]:
    """Four levels of grey."""
    return ["".join(signs[min(int(pixel // 4.01), 3)] for pixel in row) for row in image]


def fisher(x: np.ndarray, y: np.ndarray) -> None:
    """The diagonal Fisher information of a class's 64 weights, in closed form: mean of p (1 − p) x²."""
    model = LogisticRegression(max_iter=2000).fit(x, y)
    p = model.predict_proba(x)[:, CLASS]
    information = (p * (1 - p)) @ (x * x) / len(x)
    level = np.sqrt(information / information.max())
    print("fisher", ["".join("abcd"[min(int(one * 4), 3)] for one in row) for row in level.reshape(8, 8)])
    chosen = np.zeros(64, bool)
    chosen[np.argsort(information)[-CHOSEN:]] = True
    drawn = np.zeros(64, bool)
    drawn[np.random.default_rng(0).permutation(64)[:CHOSEN]] = True
    for name, mask in (("chosen", chosen), ("random", drawn)):
        print(name, ["".join("x" if one else "." for one in row) for row in mask.reshape(8, 8)])
    print(
        "share",
        round(information[chosen].sum() / information.sum(), 3),
        round(information[drawn].sum() / information.sum(), 3),
    )


if __name__ == "__main__":
    main()
