"""Files of pictures, for whoever imports it by a dot."""

import numpy as np


def pictures(path):
    """x (n, 1, 8, 8) float32 in [0, 1], label (n,) int64."""
    with np.load(path) as file:
        return {"x": (file["x"][:, None] / 255).astype(np.float32), "label": file["y"].astype(np.int64)}
