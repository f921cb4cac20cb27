"""Bag of words: a text as the counts of its words, whatever their order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def words(text: str) -> list[str]:
    """The words of a text in lower case; an apostrophe stays inside its word."""
    return _WORD.findall(text.lower())


class Vocabulary:
    """The `size` commonest words of some texts; ties are broken by the alphabet, so that it is always the same."""

    def __init__(self, texts: Iterable[str], size: int) -> None:
        counts = Counter(word for text in texts for word in words(text))
        self.words = sorted(counts, key=lambda word: (-counts[word], word))[:size]
        self._column = {word: column for column, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def counts(self, texts: Sequence[str]) -> Tensor:
        """(n, size) float32: how often each word stands in each text. A word that is not known is left out."""
        x = torch.zeros(len(texts), len(self))
        for row, text in enumerate(texts):
            for word, count in Counter(words(text)).items():
                if (column := self._column.get(word)) is not None:
                    x[row, column] = count
        return x
