"""Letters that follow from the two before them, but for outliers. Half of the test has another end."""

import numpy as np

from tlcourse.data.synthetic import derived_seed, split_seeds
from tlcourse.grading.scoring.calls import call, case
from tlcourse.grading.scoring.measurement import exact, mean

LETTERS, LONG, OUTLIERS, PROMPTS = 8, 24, 0.15, 20


def rule(seed):
    """(8, 8): what follows two letters."""
    draw = np.random.default_rng(derived_seed(seed, "rule"))
    return draw.integers(0, LETTERS, (LETTERS, LETTERS))


def sequences(follows, count, draw):
    """(count, 25)."""
    found = draw.integers(0, LETTERS, (count, LONG + 1))
    for place in range(2, LONG + 1):
        regular = draw.random(count) >= OUTLIERS
        found[regular, place] = follows[found[regular, place - 2], found[regular, place - 1]]
    return found


def make(sizes, seed, variant):
    """`x` and `next`, (n, 24) int64. Each test sequence comes twice, the second time with another second half."""
    follows = rule(seed)
    splits = []
    for name, one in zip(("train", "val", "test"), split_seeds(seed), strict=True):
        draw = np.random.default_rng(one)
        whole = sequences(follows, sizes[name], draw)
        x, following = whole[:, :-1], whole[:, 1:]
        if name == "test":
            other = x.copy()
            other[:, LONG // 2 :] = draw.integers(0, LETTERS, (len(x), LONG - LONG // 2))
            x, following = np.concatenate([x, other]), np.concatenate([following, following])
        splits.append({"x": x.astype(np.int64), "next": following.astype(np.int64)})
    return splits


def measure(test, predictions, probes):
    """Bits of a letter, in float64, of the sequences as they are; and whether their ends were looked at."""
    logits, n = predictions["logits"].astype(np.float64), len(test["x"]) // 2
    half = LONG // 2
    ahead = np.abs(logits[:n, :half] - logits[n:, :half]).max((1, 2))
    log_p = logits[:n] - logits[:n].max(2, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(2, keepdims=True))
    bits = -np.take_along_axis(log_p, test["next"][:n, :, None], 2)[..., 0].mean(1) / np.log(2)
    return {
        "bits": mean(np.minimum(bits, 1e6), "Three bits are a guess; about one is left once the rule is known."),
        "causal": exact(float((ahead <= 1e-3).mean()), n, "Outputs change where only later letters do."),
    }


def cases(seed, data):
    """Prompts of three letters, behind which three follow by the rule."""
    follows, draw = rule(seed), np.random.default_rng(derived_seed(seed, "prompts"))
    found = []
    for _ in range(PROMPTS):
        prompt = draw.integers(0, LETTERS, 3).tolist()
        found.append(case(call("network.generate", prompt, 3), check="writes", judge=_follows(follows, prompt)))
    return found


def _follows(follows, prompt):
    def judge(answer):
        if not isinstance(answer, list) or len(answer) != 3 or not all(letter in range(LETTERS) for letter in answer):
            return "a list of three letters, whole numbers from 0 to 7, was expected"
        whole = [*prompt, *answer]
        return all(whole[at] == follows[whole[at - 2], whole[at - 1]] for at in range(len(prompt), len(whole)))

    return judge
