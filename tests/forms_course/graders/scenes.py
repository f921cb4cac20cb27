"""Pictures in bytes, numbers, and captions; and a method of the trained module that is given all of them."""

import numpy as np

from tlcourse.data.synthetic import split_seeds
from tlcourse.grading.scoring.calls import call, case
from tlcourse.grading.scoring.measurement import exact, mean, proportion


def make(sizes, seed, variant):
    splits = []
    for name, one in zip(("train", "val", "test"), split_seeds(seed), strict=True):
        draw, n = np.random.default_rng(one), sizes[name]
        image = (draw.integers(0, 128, (n, 1, 4, 4)) + 128 * draw.integers(0, 2, (n, 1, 1, 1))).astype(np.uint8)
        numbers = draw.normal(size=(n, 2)).astype(np.float32)
        caption = [b"a scene" + b"!" * int(k) for k in draw.integers(0, 3, n)]
        splits.append(
            {
                "x": {"image": image, "numbers": numbers, "caption": caption},
                "bright": image.mean((1, 2, 3)) > 127,
                "weight": (numbers @ [2, -1] + [text.count(b"!") for text in caption]).astype(np.float32),
            }
        )
    return splits


def measure(test, predictions, probes):
    n = len(test["bright"])
    miss = np.abs(predictions["weight"].astype(np.float64) - test["weight"])
    turned = (predictions["negative"] == 255 - test["x"]["image"]).all((1, 2, 3))
    return {
        "bright": proportion((predictions["bright"] == test["bright"]).sum(), n, "Look at the picture."),
        "weight": mean(miss, "A caption weighs something, too."),
        "negative": exact(float(turned.mean()), n, "White is 255."),
    }


def cases(seed, data):
    found = []
    for i in range(6):
        one = {name: value[i] for name, value in data.test["x"].items()}
        said = one["caption"] + (b" (bright)" if data.test["bright"][i] else b" (dark)")
        found.append(case(call("network.describe", one, end=b"."), check="words", expect=said + b"."))
    return found
