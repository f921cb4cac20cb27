"""Quizzes in formats of other programs: one file a format, each with `write(quizzes)` and `read(text, given)`.

`changed(question)` says what a format cannot express; `Question.exported` gives the kind that it writes. What `read`
cannot carry it says in `given.lost`, with file and line; nothing is altered in silence.

What a format cannot say (objective, section, the reason of a pair) travels in comments that other programs skip, so
that a quiz comes back whole, with the changes that were made to it there.
"""
