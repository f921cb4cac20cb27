"""Sentences in which each letter is followed by one of the next two; and what a method makes of a beginning."""

import numpy as np

from tlcourse.data.synthetic import split_seeds
from tlcourse.grading.scoring.calls import call, case
from tlcourse.grading.scoring.measurement import exact, mean

LETTERS = "^abcdefghij."


def make(sizes, seed, variant):
    splits = []
    for name, one in zip(("train", "val", "test"), split_seeds(seed), strict=True):
        draw = np.random.default_rng(one)
        steps = draw.integers(1, 3, (sizes[name], 16))
        y = 1 + np.cumsum(steps, 1) % 11
        x = np.concatenate([np.zeros((len(y), 1), np.int64), y[:, :-1]], 1)
        if name == "test":  # each once more with another end
            x = np.concatenate([x, np.concatenate([x[:, :8], draw.integers(1, 12, (len(x), 8))], 1)])
            y = np.concatenate([y, y])
        splits.append({"x": x.astype(np.int64), "next": y.astype(np.int64)})
    return splits


def measure(test, predictions, probes):
    n = len(test["x"]) // 2
    logits = predictions["logits"].astype(np.float64)
    later = np.abs(logits[:n, :8] - logits[n:, :8]).max((1, 2))
    logits = logits[:n, 1:] - logits[:n, 1:].max(2, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(2, keepdims=True))
    bits = -np.take_along_axis(log_p, test["next"][:n, 1:, None], 2)[..., 0].mean(1) / np.log(2)
    return {
        "bits": mean(bits, "Look at pairs of letters."),
        "causal": exact(float((later < 1e-4).mean()), n, "It sees ahead."),
    }


def follows(text):
    steps = np.diff([LETTERS.index(one) for one in text]) % 11
    return bool(np.isin(steps, (1, 2)).all())


def cases(seed, data):
    prompts = ["".join(LETTERS[i] for i in row[:3]) for row in data.test["next"][:4]]
    return [
        *(
            case(call("network.generate", p), check="prompt", judge=lambda got, p=p: got[:3] == p and len(got) == 16)
            for p in prompts
        ),
        *(case(call("network.generate", p), check="letters", judge=follows) for p in prompts),
    ]
