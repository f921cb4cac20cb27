"""docs/fairness.md: what is promised about chance, what is computed, and what 10,000 simulated gradings gave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tlcourse.course.model import LoadedExercise
from tlcourse.grading import policy
from tlcourse.grading.fairness import PROMISE, Fairness

COMMAND = "tlcourse ta fairness --markdown > docs/fairness.md"
_HEAD = """\
# How fair the bars are

This page is written by `{command}`; a test compares it with the computation.

A threshold on a measured number fails good students by luck, and passes weak ones. Here a check passes unless the
measurement says, at 99 %, that the true value misses the bar. The promise: **a model whose true value is at the bar
fails at most {promise:.0%} of the time; a share that is truly 2 points below its bar passes at most {promise:.0%} of
the time.** The tables show what is promised, what follows from the rule by computation, and how often it happened in
{simulated:,} simulated gradings, which call the very functions that decide about students, near misses run again
included.

- *Shares* (accuracies) are computed exactly, by the binomial distribution.
- *Means* (errors, excess losses) have no 2 points. Beside the bar stands the first true value that passes at most
  {promise:.0%} of the time: what n can tell apart from the bar. Computed by normal theory with a term for the
  skewness of the items; simulated on gamma-distributed items whose standard deviation, in bars, is the `spread` of
  exercise.yaml (1, as of the exponential distribution, where it says nothing). Items skewed away from the bar, as
  errors and losses are, make a model at the bar fail less often than promised, not more; the price is a wider zone in
  which worse models pass. Items more than twice as spread as that buy no further doubt, so that a few absurd
  predictions do not hide in their own standard error.
- *Exact* checks (no crossing, a share of parameters) involve no chance and are left out.
- A model's "true value" is that of one training. Seeds differ in what they train: that spread comes on top, and is why
  the references must pass with every seed of `tlcourse author check --exercises`.
- Each check keeps the promise by itself. Who stands exactly at the bar in several of them fails one of them more often.
"""


def document(found: Sequence[tuple[LoadedExercise, list[Fairness]]], simulated: int) -> str:
    """The page."""
    parts = [_HEAD.format(command=COMMAND, promise=PROMISE, simulated=simulated)]
    for exercise, checks in found:
        parts.append("\n".join(_section(exercise, checks)))
    return "\n".join(parts) + "\n"


def _section(exercise: LoadedExercise, checks: list[Fairness]) -> Iterator[str]:
    yield f"## {exercise.about.id}: {exercise.about.title}\n"
    yield from (f"- {sentence}" for sentence in policy.words(exercise.about))
    if not checks:
        yield "\nNo check of it rests on chance.\n"
        return
    yield f"\nA model exactly at the bar fails (promised: at most {PROMISE:.0%}):\n"
    yield "| check | kind | bar | n | computed | simulated |"
    yield "|---|---|---|---|---|---|"
    for check in checks:
        at = check.at_the_bar
        yield (
            f"| {check.check} | {check.kind} | {_bar(check)} | {check.n} | {_percent(1 - at.exact)} | "
            f"{_percent(1 - at.simulated)} |"
        )
    yield f"\nA model that is truly worse passes (promised: at most {PROMISE:.0%}):\n"
    tries = [k for k in checks[0].passes_beyond_in if k > 1]
    yield "| check | true value | computed | simulated |" + "".join(f" within {k} hand-ins |" for k in tries)
    yield "|---|---|---|---|" + "---|" * len(tries)
    for check in checks:
        far = check.beyond
        within = "".join(f" {_percent(check.passes_beyond_in[k])} |" for k in tries)
        yield f"| {check.check} | {far.true:.4g} | {_percent(far.exact)} | {_percent(far.simulated)} |{within}"
    broken = [check.check for check in checks if not check.keeps_the_promise]
    if broken:
        yield f"\n**{', '.join(broken)}: n is too small for both halves of the promise.** The doubt is the student's."
    yield ""


def _bar(check: Fairness) -> str:
    return f"{'≥' if check.direction == 'at_least' else '≤'} {check.bar:g}"


def _percent(probability: float) -> str:
    return f"{100 * probability:.2f} %"
