"""Features in two dimensions, for a picture: along their principal components, and by t-SNE.

t-SNE (van der Maaten and Hinton 2008) keeps neighbours together; how far groups lie apart says nothing in it. It is
scikit-learn's, in the process that trains. Where that is not installed, the principal components are all there is.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import torch
from torch import Tensor

from tlcourse.labs.log import Log

MOST = 400
"""Points of a picture; of more, some are taken by chance, the same ones each time. So an event has at most 24 kB."""
PERPLEXITY = 30.0
_MISSING = "t-SNE needs scikit-learn, which is not installed: python -m pip install 'tlcourse[lab]'. PCA is shown."


def show(log: Log, title: str, features: Tensor, domain: Sequence[int], label: Sequence[int] | Tensor) -> None:
    """Tell both pictures of features (n, d), each with its domain (0 source, 1 target) and class.

    t-SNE only where `log.tsne` says that somebody will see it: of 400 points it takes most of a second, and importing
    scikit-learn another one.
    """
    by_chance = torch.randperm(len(features), generator=torch.Generator().manual_seed(0))[:MOST]
    rows = by_chance.sort().values.tolist()
    chosen = features[rows].detach()
    domain, label = [int(domain[row]) for row in rows], [int(label[row]) for row in rows]
    log.embedding(title, principal_components(chosen), domain, label)
    if not log.tsne:
        return
    if importlib.util.find_spec("sklearn") is None:
        log.note(_MISSING)
    else:
        log.embedding(title, neighbours(chosen), domain, label, method="tsne")


@torch.no_grad()
def principal_components(features: Tensor) -> list[list[float]]:
    """The first two principal components, (n, d) -> n pairs."""
    centred = features - features.mean(0)
    axes = torch.linalg.svd(centred, full_matrices=False).Vh[:2].T
    pairs: list[list[float]] = (centred @ axes).tolist()
    return pairs


def neighbours(features: Tensor) -> list[list[float]]:
    """t-SNE of (n, d), n > 3 -> n pairs; the same for the same features, begun at the principal components."""
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    method = TSNE(2, perplexity=perplexity, init="pca", max_iter=500, random_state=0, n_jobs=1)
    pairs: list[list[float]] = method.fit_transform(features.double().numpy()).tolist()
    return pairs
