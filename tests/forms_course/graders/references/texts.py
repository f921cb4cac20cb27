"""Reads letters."""

import torch


class Reads(torch.nn.Module):
    def forward(self, texts):
        letters = [text.decode() for text in texts]
        counted = [sum(c in "aeiouä" for c in text) for text in letters]
        return {"backwards": [text[::-1].encode() for text in letters], "vowels": torch.tensor(counted)}


def fit(task):
    text, (vowels, backwards) = task.train[3]
    assert type(text) is type(backwards) is bytes and vowels.dtype == torch.int64
    model = Reads()
    assert torch.equal(model(task.val.tensors[0])["vowels"], task.val.tensors[1])
    return model
