"""What a picture of features says in one number: how far the two domains lie apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def apart(event: Mapping[str, Any]) -> float:
    """The distance of the domains' centres in standard deviations of a point from its own centre; 0 for one domain."""
    groups = {
        which: [(x, y) for (x, y), domain in zip(event["points"], event["domain"], strict=True) if domain == which]
        for which in (0, 1)
    }
    if not all(groups.values()):
        return 0.0
    centres = {which: _centre(points) for which, points in groups.items()}
    squares = [math.dist(point, centres[which]) ** 2 for which, points in groups.items() for point in points]
    return math.dist(centres[0], centres[1]) / (math.sqrt(sum(squares) / len(squares)) or 1.0)


def in_words(event: Mapping[str, Any]) -> str:
    """The picture as a sentence."""
    target = sum(event["domain"])
    return (
        f"{event['title']}: {len(event['points']) - target} source and {target} target points; "
        f"their centres lie {apart(event):.2f} standard deviations apart"
    )


def _centre(points: list[tuple[float, float]]) -> tuple[float, float]:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
