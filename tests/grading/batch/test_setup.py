"""A batch that goes on is the same grading: the same secret, grader, and owners."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from results import result

from tlcourse.course.model import CheckRule, Policy
from tlcourse.course.spec import Limits
from tlcourse.errors import UsageError
from tlcourse.grading.batch.same_grader import other_rules
from tlcourse.grading.batch.setup import ClassLists, begin, begun_as, options_of, resume, same_secret
from tlcourse.grading.grade import Options
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.lms.handins import HandIns
from tlcourse.grading.lms.newest_attempt import HandIn
from tlcourse.grading.rules import rules_of
from tlcourse.grading.secret import seed_from

SEED = seed_from("line", b"a secret that is long enough", None)


def handins(*owners):
    when = "2025-10-03T11:07:00"
    found = [HandIn(f"key-{o}", o, "person", (), Path("/p"), f"folder {o}", when) for o in owners]
    return HandIns(found, [], [], [], "folders")


@pytest.fixture
def begun(line, tmp_path):
    """A gradebook with a batch of anna and bo."""
    with Gradebook.writing(tmp_path / "g.sqlite", "a test") as book:
        options = Options(variant="mini", device="cpu", threads=1, wall_time_s=30.0)
        begin(book, line, handins("anna", "bo"), tmp_path, options, SEED, who="sofie", settings={})
        yield book


def test_a_batch_needs_a_secret_or_a_seed():
    with pytest.raises(UsageError) as found:
        seed_from("line", None, None)
    assert "secret new" in found.value.remedy
    assert seed_from("line", None, 7).value == 7


def test_groups_and_a_class_list_without_anybody_in_common_are_refused_before_all_handed_in_nothing(tmp_path):
    """Moodle's worksheet has addresses, and the university's list of groups student numbers."""
    worksheet, groups = tmp_path / "worksheet.csv", tmp_path / "groups.csv"
    worksheet.write_text("Identifier,Full name,Email address,Status,Grade\nParticipant 7,Jane Doe,jado@x.dk,-,\n")
    groups.write_text("group,id\nA,s1\nA,s2\n")
    with pytest.raises(UsageError, match=r"Nobody of .*groups\.csv is in .*worksheet\.csv: s1, for one,") as found:
        ClassLists(worksheet, groups).find(tmp_path, tmp_path / "into")
    assert "the class list begins with jado@x.dk" in found.value.cause


def test_new_hand_ins_come_in_and_newer_attempts_are_named(begun, line):
    later = handins("anna", "bo", "cleo")
    newer = replace(later.found[1], folder_name="folder bo 2", submitted_at="2025-10-04T09:07:00")
    later = replace(later, found=[later.found[0], newer, later.found[2]])
    said = resume(begun, line, later, begun.batch(1), SEED)
    assert [row.owner for row in begun.handins(1)] == ["anna", "bo", "cleo"]
    assert "1 hand-in is new" in said[0]
    assert said[1] == "1 newer attempt, which counts: bo (2025-10-04 09:07, graded so far: 2025-10-03 11:07)."
    assert [row.attempt for row in begun.handins(1)] == [1, 2, 1]


def test_the_same_folders_under_other_owners_are_refused(begun, line):
    other = replace(handins("team"), found=[replace(handins("team").found[0], folder_name="folder anna")])
    with pytest.raises(UsageError, match="other owners"):
        resume(begun, line, other, begun.batch(1), SEED)
    assert len(begun.handins(1)) == 2


@pytest.mark.parametrize(
    "seed", [seed_from("line", b"another secret, as long", None), seed_from("line", None, SEED.value)]
)
def test_another_secret_or_its_seed_typed_by_hand_is_another_batch(begun, line, seed):
    with pytest.raises(UsageError, match="another secret or seed"):
        resume(begun, line, handins("anna", "bo"), begun.batch(1), seed)


def test_a_batch_of_an_older_version_which_drew_other_data_is_not_continued(begun):
    batch = begun.batch(1)
    older = replace(batch, settings={k: v for k, v in batch.settings.items() if k != "derivation"})
    with pytest.raises(UsageError, match="older tlcourse") as found:
        same_secret(older, SEED)
    assert "--again" in found.value.remedy


def test_a_changed_grader_is_another_batch(begun, line, tmp_path):
    grader = tmp_path / "line.py"
    grader.write_text(line.grader.read_text() + "\n# changed\n")
    with pytest.raises(UsageError, match="grader"):
        resume(begun, replace(line, grader=grader), handins("anna", "bo"), begun.batch(1), SEED)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sizes": {"train": 200, "val": 50, "test": 300}}, "sizes.test 400, now 300"),
        ({"limits": Limits(cpu_s=10, wall_time_s=80, memory_mb=2048, output_kb=64, scratch_mb=16)}, "cpu_s 20, now 10"),
        ({"policy": Policy(seeds=1)}, "policy.seeds 3, now 1"),
        ({"checks": [CheckRule("y_error", threshold=0.2, points=1)]}, "checks y_error, z_error, now y_error"),
    ],
)
def test_a_batch_is_graded_by_one_set_of_rules_until_all_of_it_is_regraded(begun, line, change, said):
    after = replace(line, about=replace(line.about, **change))
    given = handins("anna", "bo", "cleo")
    row = begun.handins(1)[0]
    begun.record(row.id, 0, _by(line), "")
    assert (other_rules(begun, begun.batch(1), line), said in other_rules(begun, begun.batch(1), after)) == ("", True)
    with pytest.raises(UsageError, match=said) as refused:
        resume(begun, after, given, begun.batch(1), SEED)
    assert "tlcourse ta regrade line --batch 1 --only all" in refused.value.remedy
    assert "begin a new batch with --again" in refused.value.remedy
    assert len(begun.handins(1)) == 2
    begun.record(row.id, begun.begin_regrade(1, [row.id], selection="all", who="ta", why=""), _by(after), "")
    resume(begun, after, given, begun.batch(1), SEED)
    assert len(begun.handins(1)) == 3


@pytest.mark.parametrize(("field", "value", "said"), [("threshold", 0.2, "0.1, now 0.2"), ("points", 3.0, "1, now 3")])
def test_verdicts_of_earlier_editions_say_by_which_bars_and_points_they_are(begun, line, field, value, said):
    first, *others = line.about.checks
    check = replace(result().checks[0], id=first.id, threshold=first.threshold, max_points=first.points)
    begun.record(begun.handins(1)[0].id, 0, replace(result(), checks=[check]), "")
    assert other_rules(begun, begun.batch(1), line) == ""
    after = replace(line, about=replace(line.about, checks=[replace(first, **{field: value}), *others]))
    assert other_rules(begun, begun.batch(1), after) == f"checks.y_error.{field} {said}"


def test_a_fault_of_ours_was_measured_by_nothing(begun, line):
    begun.record(begun.handins(1)[0].id, 0, replace(_by(line), outcome="infra"), "")
    assert other_rules(begun, begun.batch(1), replace(line, about=replace(line.about, seconds=5.0))) == ""


def test_a_changed_grader_is_said_of_a_regrade_too(begun, line, tmp_path):
    grader = tmp_path / "line.py"
    grader.write_text(line.grader.read_text() + "\n# changed\n")
    assert other_rules(begun, begun.batch(1), replace(line, grader=grader)) == "the grader"


def _by(exercise):
    """A verdict by the rules of an exercise."""
    done = result("fail")
    return replace(done, provenance=replace(done.provenance, rules=rules_of(exercise)))


def test_what_decides_about_a_verdict_is_taken_from_the_batch_and_not_from_the_command(begun):
    options = options_of(
        begun.batch(1), SEED, Options(device="cuda", threads=9, wall_time_s=1.0, sandbox_kind="bubblewrap")
    )
    assert (options.device, options.threads, options.wall_time_s, options.seed) == ("cpu", 1, 30.0, SEED.value)
    assert options.sandbox_kind == "bubblewrap"
    assert options.run_key == SEED.run_key != ""


def test_which_set_of_groups_was_chosen_is_kept_for_a_batch_that_goes_on(line, tmp_path):
    (tmp_path / "groups.csv").write_text("Username,GroupCategory,GroupName\na,Labs,L1\na,Project,P1\nb,Project,P1\n")
    (tmp_path / "in" / "P1").mkdir(parents=True)
    lists = ClassLists(groups=tmp_path / "groups.csv", category="Project")
    found = lists.find(tmp_path / "in", tmp_path / "into")
    assert [handin.members for handin in found.found] == [("a", "b")]
    with Gradebook.writing(tmp_path / "g.sqlite", "a test") as book:
        options = Options(variant="mini", device="cpu", threads=1)
        begin(book, line, found, tmp_path / "in", options, SEED, who="sofie", settings=lists.settings())
    begun, _ = begun_as(tmp_path / "g.sqlite", "line", tmp_path / "in")
    assert [row.owner for row in begun.rows] == ["P1"]
    assert replace(begun, rows=()) == lists
