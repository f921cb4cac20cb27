"""Pictures from files: public ones to learn from, hidden ones to measure on."""

from tlcourse.grading.scoring.measurement import proportion

from .reading import pictures


def _rows(part, first, number):
    return {name: array[first : first + number] for name, array in part.items()}


def make(sizes, seed, variant, data):
    public = pictures(data.public / "public.npz")
    train, val = _rows(public, 0, sizes["train"]), _rows(public, sizes["train"], sizes["val"])
    test = _rows(pictures(data.hidden / "hidden.npz"), 0, sizes["test"]) if data.hidden else None
    return train, val, test


def measure(test, predictions, probes):
    right = int((predictions["logits"].argmax(1) == test["label"]).sum())
    return {"right": proportion(right, len(test["label"]), "Let it see where stripes begin.", fresh=False)}
