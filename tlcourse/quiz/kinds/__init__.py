"""The kinds of question, one file each. A new kind is a file here and its name in `AnyQuestion`, and nothing else."""

from __future__ import annotations

from typing import get_args

from tlcourse.quiz.kinds.bug import Bug
from tlcourse.quiz.kinds.classify import Classify
from tlcourse.quiz.kinds.drawn import Drawn
from tlcourse.quiz.kinds.matching import Matching
from tlcourse.quiz.kinds.multiple import Multiple
from tlcourse.quiz.kinds.numeric import Numeric
from tlcourse.quiz.kinds.ordering import Ordering
from tlcourse.quiz.kinds.question import Question
from tlcourse.quiz.kinds.short import Short
from tlcourse.quiz.kinds.single import Single

AnyQuestion = Single | Multiple | Numeric | Matching | Ordering | Short | Classify | Bug | Drawn
"""What the file of a quiz may hold; `type:` there says which."""
KINDS: dict[str, type[Question]] = {str(kind.__struct_config__.tag): kind for kind in get_args(AnyQuestion)}
"""By the name that `type:` has in a file."""

__all__ = [
    "KINDS",
    "AnyQuestion",
    "Bug",
    "Classify",
    "Drawn",
    "Matching",
    "Multiple",
    "Numeric",
    "Ordering",
    "Question",
    "Short",
    "Single",
]
