"""Must fail: descend, diverges."""


def descend(a, w, rate, steps):
    path = [w]
    for _ in range(steps):
        path.append(path[-1] - rate * path[-1])
    return path


def diverges(a, rate):
    return abs(1 - rate) > 1
