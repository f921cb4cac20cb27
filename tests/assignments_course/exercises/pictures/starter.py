"""Names all pictures the same."""

from torch import nn


class Same(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, 4)

    def forward(self, x):
        """(B, 1, 8, 8) -> (B, 4)."""
        return self.linear(x.flatten(1)) * 0


def fit(task):
    return Same()  # TODO: train a network that sees where stripes begin


if __name__ == "__main__":
    import tlcourse

    fit(tlcourse.Task.local("pictures"))
