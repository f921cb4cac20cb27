"""How chance is dealt with, in the words that students read."""

from __future__ import annotations

from collections.abc import Iterator

from tlcourse.course.model import Exercise


def words(about: Exercise) -> Iterator[str]:
    """The policy of an exercise, one sentence an entry."""
    policy = about.policy
    yield (
        f"A check passes unless the measurement says, at {100 * (1 - policy.doubt):g} %, that the true value misses "
        "the bar: a bit less than the bar suffices, and the doubt is yours."
    )
    yield f"A model whose true value is at the bar fails with a probability of at most {policy.doubt:.2g}."
    if policy.seeds > 1:
        yield (
            f"A miss that chance explains more often than {policy.clear:.2g} is run again, with up to {policy.seeds} "
            "seeds in all, and decided on all runs together, in whatever order."
        )
    yield (
        f"Up to {policy.attempts} hand-ins are graded, each on other data. Try as often as you like on your own: "
        "the same file, seed, device and number of threads give the same verdict."
    )


def markdown(about: Exercise) -> str:
    """The same as a section that stands at the end of a handout."""
    return "\n## How chance is dealt with\n\n" + "".join(f"- {sentence}\n" for sentence in words(about))
