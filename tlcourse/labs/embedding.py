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


def method(event: Mapping[str, Any]) -> str:
    """`pca` or `tsne`; runs that were kept before there were two have no word for it, and are PCA."""
    return str(event.get("method", "pca"))


def titled(event: Mapping[str, Any]) -> str:
    """Its title, with what it was made by where that is not PCA."""
    return str(event["title"]) + (" (t-SNE)" if method(event) == "tsne" else "")


def in_words(event: Mapping[str, Any]) -> str:
    """The picture as a sentence."""
    target = sum(event["domain"])
    counted = f"{titled(event)}: {len(event['points']) - target} source and {target} target points"
    return f"{counted}; {distance(event)}"


def distance(event: Mapping[str, Any]) -> str:
    """How far the domains lie apart, where the picture can say so."""
    if method(event) == "tsne":
        return "only who is near whom counts; the distance between groups means nothing"
    return f"their centres lie {apart(event):.2f} standard deviations apart"


def _centre(points: list[tuple[float, float]]) -> tuple[float, float]:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
