"""A batch from end to end: begun or resumed, its backend opened, one round graded; and a regrade of some of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UsageError
from tlcourse.grading.batch.backend import Backend, folder_of, forget
from tlcourse.grading.batch.engine import Engine, Work, full_disk_explained
from tlcourse.grading.batch.joining import earlier
from tlcourse.grading.batch.open_backend import OpenBackend
from tlcourse.grading.batch.same_grader import other_rules
from tlcourse.grading.batch.setup import ClassLists, begin, options_of, resume, same_secret, work_left
from tlcourse.grading.batch.state import BatchState, state_of
from tlcourse.grading.grade import Grading, Options, private_of
from tlcourse.grading.gradebook.deadlines import Kept, keep_deadline
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.people import selected
from tlcourse.grading.gradebook.records import BatchRecord
from tlcourse.grading.gradebook.submission_store import SubmissionStore
from tlcourse.grading.lms.handins import HandIns
from tlcourse.grading.secret import DataSeed
from tlcourse.grading.shared_data import SharedGrader
from tlcourse.sandbox import in_words
from tlcourse.sandbox.choose import refuse_windows
from tlcourse.sandbox.view import refuse_what_is_private
from tlcourse.storage import scratch_folder
from tlcourse.text import typed

Tell = Callable[[str], None]


class Display(Protocol):
    """What a person sees meanwhile."""

    def show(self, read: Callable[[], BatchState]) -> None:
        """Called often; it reads the state when it has something to draw."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def _refuse_private(
    exercise: LoadedExercise, gradebook: Path, backend: Backend, sandbox_kind: str, *more: tuple[str, Path]
) -> None:
    """Raises UnableError where a sandbox of this machine would show them to every submission."""
    if backend.profile is None and sandbox_kind != "none":
        refuse_what_is_private([("The gradebook", gradebook), *private_of(exercise), *more])


class BatchTask(Struct, frozen=True):
    """A class to be graded: what was found, and how to grade it."""

    exercise: LoadedExercise
    handins: HandIns
    source: Path
    lists: ClassLists
    options: Options
    seed: DataSeed
    backend: Backend
    sandbox_kind: str
    trusted: bool
    jobs: int
    """Submissions side by side."""
    who: str
    deadline: Kept = Kept()
    """By what the hand-ins are judged late; kept with the batch."""
    joins: int | None = None
    """The batch into which these submissions come; None where they begin one, or go on with their own."""
    take_unclear: bool = False
    """What differs from what was graded, and nothing says which came later, is newer."""

    def grade(
        self, path: Path, tell: Tell, display: Callable[[], Display], *, go_on: bool = False, again: bool = False
    ) -> BatchState:
        """Grade what is left of the class, and record it in the gradebook `path`; `tell` gets lines for people.

        Raises UsageError where a batch of these submissions was begun, and nothing says what to do; UnableError where
        every submission could read the gradebook, the graders or the hand-ins, and on Windows.
        """
        refuse_windows()
        _refuse_private(self.exercise, path, self.backend, self.sandbox_kind, ("The hand-ins", self.source))
        with Gradebook.writing(path, f"tlcourse batch {self.exercise.about.id}") as book:
            before = self._before(book, go_on=go_on, again=again, tell=tell)
            if before is not None and not work_left(book, before, self.handins):
                state = state_of(book, before)
            else:
                state = self._grade_round(book, before, tell, display)
            if not state.infra and not state.waiting:
                forget(folder_of(path, state.batch))
        return state

    def _grade_round(
        self, book: Gradebook, batch: BatchRecord | None, tell: Tell, display: Callable[[], Display]
    ) -> BatchState:
        submissions = len(work_left(book, batch, self.handins) if batch else self.handins.found)
        if batch is None or self.backend.profile is None:
            self.backend.check(self.exercise, self.options, submissions, self.sandbox_kind, tell, trusted=self.trusted)
        if batch is None and self.backend.profile is not None:
            batch = self._begin(book)  # its number names the folder in which its jobs are found again
        folder = folder_of(book.path, batch.id if batch else 0)
        opened = self.backend.opened(
            *(self.sandbox_kind, self.jobs, folder, tell),
            submissions=submissions,
            trusted=self.trusted,
            packages=self.exercise.about.packages,
        )
        with opened as runs:
            batch = batch or self._begin(book)
            book.keep_copy()
            work = work_left(book, batch, self.handins)
            if runs.notice:
                tell(f"  note: {runs.notice}")
            tell(
                f"Batch {batch.id}: {len(work)} to grade, {self.jobs} at a time {self.backend.words()}, "
                f"{_sandbox_words(runs.sandbox)}; gradebook {book.path}"
            )
            with self.backend.leaving(folder, tell):
                return grade_round(
                    *(book, batch, self.exercise, work),
                    options=options_of(batch, self.seed, self.options),
                    jobs=self.jobs,
                    backend=runs,
                    display=display(),
                )

    def _begin(self, book: Gradebook) -> BatchRecord:
        settings = {"jobs": self.jobs, "on": self.backend.name, **self.lists.settings()}
        found = (book, self.exercise, self.handins, self.source, self.options, self.seed)
        begun = begin(*found, who=self.who, settings=settings)
        keep_deadline(book, begun.id, self.deadline, who=self.who)
        return begun

    def _before(self, book: Gradebook, *, go_on: bool, again: bool, tell: Tell) -> BatchRecord | None:
        """The batch to resume; None where a new one is to begin. Raises UsageError where neither was asked for."""
        before = book.batch(self.joins) if self.joins else earlier(book, self.exercise.about.id, self.source)
        if go_on and before is None:
            tell("No batch of these submissions was begun: this one begins.")
        if before is None or (again and not go_on):
            return None
        if go_on or self.joins:
            said = resume(
                *(book, self.exercise, self.handins, before, self.seed),
                source=self.source,
                lists=self.lists,
                who=self.who,
                take_unclear=self.take_unclear,
            )
            keep_deadline(book, before.id, self.deadline, who=self.who)
            if go_on:
                tell(f"Resuming batch {before.id}.")
            for line in said:
                tell(f"  {line}")
            return before
        left = len(book.open_handins(before.id))
        raise UsageError(
            f"Batch {before.id} of these submissions is in the gradebook already, "
            + (f"with {left} not graded yet." if left else "and all of it is graded."),
            cause="the command was given before.",
            remedy=("--resume continues it; " if before.can_go_on else "")
            + "--again grades everything anew, as another batch.",
        )


def _sandbox_words(name: str) -> str:
    return "WITHOUT a sandbox, as you trust them" if name == "none" else f"each {in_words(name)}"


def grade_round(
    book: Gradebook,
    batch: BatchRecord,
    exercise: LoadedExercise,
    work: Sequence[Work],
    *,
    options: Options,
    jobs: int,
    backend: OpenBackend,
    display: Display,
    round_: int = 0,
) -> BatchState:
    """Grade all of `work`; returns the state of the whole batch. What was recorded stays, however this ends.

    Raises InfraError where the disk is full or the gradebook cannot be written, UnableError where a device is missing.
    """
    if work:
        with full_disk_explained(), scratch_folder("run") as folder, contextlib.closing(display):
            store = SubmissionStore(book.path)
            store.sweep()
            engine = Engine(
                book,
                batch.id,
                exercise,
                Grading(exercise, options, backend.run, SharedGrader(exercise, folder)),
                store,
                jobs=min(jobs, len(work)),
                secret=batch.seed_source != "public",
                variant=batch.variant,
                round_=round_,
                retries=backend.retries,
                stop_runs=backend.stop,
                queue_words=backend.queue_words,
                show=lambda: display.show(lambda: state_of(book, batch)),
            )
            engine.run(work)
    return state_of(book, batch)


def as_document(state: BatchState) -> dict[str, Any]:
    """The state for `--json`."""
    document: dict[str, Any] = msgspec.to_builtins(state)
    return {**document, "waiting": state.waiting}


def regrade(
    book: Gradebook,
    batch: BatchRecord,
    exercise: LoadedExercise,
    seed: DataSeed,
    only: str,
    *,
    go_on: bool,
    why: str,
    who: str,
    jobs: int | None,
    backend: Backend,
    sandbox_kind: str,
    trusted: bool,
    tell: Tell,
    display: Callable[[], Display],
) -> tuple[int, BatchState]:
    """Grade the hand-ins that `only` selects again, as they were handed in, on the same data.

    Returns the number of the regrade, which is the round of its results, and the state of the whole batch. Raises
    UsageError where nothing is selected, or an unfinished regrade is in the way and `go_on` does not say to finish it.
    """
    same_secret(batch, seed)
    _refuse_private(exercise, book.path, backend, sandbox_kind)
    number, handins = _chosen(book, batch, only, go_on=go_on)
    if only != "all" and (changed := other_rules(book, batch, exercise)):
        tell(f"  note: changed since batch {batch.id} was graded: {changed}.")
        tell("  note: who is not regraded keeps a mark by the old; --only all regrades everybody.")
    options = options_of(batch, seed, Options())
    backend.check(exercise, options, len(handins), sandbox_kind, tell, trusted=trusted)
    book.keep_copy()
    number = number or book.begin_regrade(batch.id, handins, selection=only, who=who, why=why)
    work = _work_of_regrade(book, batch, number)
    tell(f"Regrade {number} of batch {batch.id}: {len(work)} to grade {backend.words()}.")
    side_by_side = min(jobs or backend.side_by_side(options.threads), len(work))
    folder = folder_of(book.path, batch.id, number)
    opened = backend.opened(
        *(sandbox_kind, side_by_side, folder, tell),
        submissions=len(work),
        trusted=trusted,
        packages=exercise.about.packages,
    )
    with backend.leaving(folder, tell), opened as runs:
        state = grade_round(
            *(book, batch, exercise, work),
            options=options,
            jobs=side_by_side,
            backend=runs,
            display=display(),
            round_=number,
        )
    if not book.open_handins(batch.id, number):
        forget(folder)
    return number, state


def _chosen(book: Gradebook, batch: BatchRecord, only: str, *, go_on: bool) -> tuple[int, list[int]]:
    """The regrade to resume (0 for a new one), and ids of hand-ins; raises UsageError where there are none."""
    before = book.unfinished_regrade(batch.id)
    if before is None:
        chosen = selected(book.statuses(batch), only, book.people(batch.id), book.groups(batch.id))
        return 0, [status.handin.id for status in chosen]
    if go_on:
        return before.id, [handin.id for handin in book.open_handins(batch.id, before.id)]
    raise UsageError(
        f"Regrade {before.id} (--only {before.selection}) is not finished.",
        cause="it was stopped, or ended with internal errors.",
        remedy=f"tlcourse ta regrade {batch.exercise} --only {typed(before.selection)} --resume",
    )


def _work_of_regrade(book: Gradebook, batch: BatchRecord, number: int) -> list[Work]:
    """What is left of a regrade: kept copies, where there are any; what was refused has none and may be gone."""
    verdicts = book.verdicts(batch.id)
    work = []
    for handin in book.open_handins(batch.id, number):
        verdict = verdicts.get(handin.id)
        refused = book.document(verdict.id).messages[-1:] if verdict and verdict.outcome == "invalid" else []
        work.append(Work(handin, Path(handin.path), verdict.sha256 if verdict else "", "".join(refused)))
    return work
