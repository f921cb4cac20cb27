"""Quizzes in formats of other programs: one file a format, each with `write(quizzes)` and `read(text, given)`.

`CHANGED` says, by kind of question, what a format cannot express; `Question.exported` gives the kind that it writes.

What a format cannot say (objective, section, the reason of a pair) travels in comments that other programs skip, so
that a quiz comes back whole, with the changes that were made to it there.
"""
