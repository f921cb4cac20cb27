"""A class in which some are late: who it costs what, by whose deadline, and where each place says so.

The exercise has two points, so that 10 % a day of what was earned is 0.2.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from msgspec.structs import replace
from results import result

from tlcourse.course.deadline import LateRule, read_due
from tlcourse.course.loader import load_course
from tlcourse.errors import UsageError
from tlcourse.grading.batch.setup import ClassLists, begin
from tlcourse.grading.grade import Options
from tlcourse.grading.gradebook.changes import decide
from tlcourse.grading.gradebook.deadlines import (
    Kept,
    asked_deadline,
    extend,
    extensions,
    keep_deadline,
    kept_deadline,
    of_found,
    refuse_nothing,
    target_of,
)
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.lateness import Until
from tlcourse.grading.lms.roster import Person
from tlcourse.grading.secret import seed_from
from tlcourse.presenting.report.as_text import report_lines, report_markdown
from tlcourse.presenting.report.late_words import called_late, found_late, report_late
from tlcourse.presenting.report.report_data import gather, other_due
from tlcourse.presenting.report.report_files import write_all
from tlcourse.presenting.report.whole_course import csv_of, whole_course

CPH = "Europe/Copenhagen"
EXAMPLE = Path(__file__).parent.parent / "example_course"
SEED = seed_from("line", b"a secret that is long enough", None)
PEOPLE = [
    (f"s{i}", f"u{i}", name) for i, name in enumerate(("Anne Abel", "Bo Beck", "Cia Colt", "Dan Dahl", "Eva Eng"))
]
FOLDERS = (
    "1-1 - Pair - Anne Abel - Nov 22, 2026 1200 AM",  # 2 days late: 2 → 1.6; Bo has until the 22nd at noon
    "1-2 - Cia Colt - Nov 20, 2026 1159 PM",  # in time
    "1-3 - Dan Dahl - Nov 26, 2026 1200 AM",  # 6 days late: after the cut-off
    "1-3 - Dan Dahl - Nov 20, 2026 0800 AM",  # and an older one in time
)
RULE = LateRule(penalty=10, cut_off_days=5)


@pytest.fixture
def found(tmp_path):
    """Lists and a download: a pair, three alone, of whom Eva hands in nothing."""
    roster, groups = tmp_path / "class.csv", tmp_path / "groups.csv"
    rows = ["OrgDefinedId,Username,Last Name,First Name"]
    rows += [f"{id_},{user},{name.split()[1]},{name.split()[0]}" for id_, user, name in PEOPLE]
    roster.write_text("\n".join(rows) + "\n")
    groups.write_text("group,id\nPair,s0\nPair,s1\n")
    for name in FOLDERS:
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "solution.py").write_text("def fit(task): pass")
    return ClassLists(roster, groups), tmp_path / "in"


@pytest.fixture
def graded(found, line, tmp_path) -> Path:
    """A gradebook in which all three have 2 of 2 points."""
    lists, folder = found
    path = tmp_path / "g.sqlite"
    with Gradebook.writing(path, "a test") as book:
        options = Options(variant="mini", device="cpu", threads=1, wall_time_s=30.0)
        handins = lists.find(folder, tmp_path / "into")
        begin(book, line, handins, folder, options, SEED, who="sofie", settings=lists.settings())
        keep_deadline(book, 1, Kept(read_due("2026-11-20 23:59", CPH, RULE), given=True), who="sofie")
        for handin in book.handins(1):
            book.record(handin.id, 0, result("pass", 2.0), "")
    return path


def points(path: Path) -> dict[str, float | None]:
    with Gradebook.reading(path) as book:
        batch = book.batch(1)
        return {one.person.id: one.points for one in book.person_statuses(batch, book.statuses(batch))}


def more_time(path: Path, *given: tuple[str, Until]) -> None:
    """As `tlcourse ta extend` gives it."""
    with Gradebook.writing(path, "a test") as book:
        for who, until in given:
            extend(book, "line", target_of(book, "line", who), until, who="sofie", why="ill")


def looked_at(lists: ClassLists, folder: Path, into: Path, due: str) -> list[str]:
    """What a dry run says of who is late."""
    handins, deadline = lists.find(folder, into), read_due(due, CPH, LateRule())
    late, nobodys = of_found(deadline, [], handins.found, handins.people, handins.groups)
    return [*called_late(handins, late), *found_late(handins, deadline, late, nobodys)]


def test_each_member_is_judged_by_their_own_deadline_and_all_places_say_the_same(graded, line, tl, tmp_path):
    common = ("line", "--gradebook", str(graded))
    assert points(graded) == {"s0": 1.6, "s1": 1.6, "s2": 2.0, "s3": 0.0, "s4": None}
    done = tl("ta", "extend", *common, "Bo Beck", "--until", "2026-11-22 12:00", "--why", "ill")
    assert done.returncode == 0, done.stderr
    more_time(graded, ("u3", Until(days=7)))
    expected = {"s0": 1.6, "s1": 2.0, "s2": 2.0, "s3": 2.0, "s4": None}
    assert points(graded) == expected

    page = tmp_path / "page.html"
    document = json.loads(tl("ta", "report", *common, "--json", "--html", str(page)).stdout)
    with Gradebook.reading(graded) as book:
        gathered = gather(book, book.batch(1), line)
        whole = csv_of(whole_course(book, load_course(EXAMPLE)))
        write_all(book, book.batch(1), line, tmp_path / "out")
    report = "\n".join(report_lines(gathered, plain=True))
    assert f"due: 2026-11-20 23:59 ({CPH}); when late: 10 % of the points earned for each day begun; what" in report
    assert "Pair: PASS, 1.6 points (2 → 1.6: 2 days late, 10 % a day); s1: 2 (in time, extended to 2026-11-22" in report
    assert "extension: s1: until 2026-11-22 12:00, by " in report
    assert "extension: s3: 7 days more, by sofie" in report
    for text in (report_markdown(gathered), page.read_text()):
        assert "2 → 1.6: 2 days late, 10 % a day" in text
    (pair,) = [one for one in document["handins"] if one["owner"] == "Pair"]
    assert (pair["points_before"], pair["points"], pair["points_of_members"]) == (2, 1.6, {"s0": 1.6, "s1": 2.0})
    assert (pair["late"]["days"], pair["late_for"]["s1"]["days"]) == (2, 0)
    assert document["deadline"]["due"] == "2026-11-20T23:59:00"

    done = tl("ta", "export", *common, "--format", "csv")
    assert "1 mark is lower for being late: s0 2 → 1.6: 2 days late, 10 % a day" in done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["id"]: row["points"] for row in rows} == {"s0": "1.6", "s1": "2", "s2": "2", "s3": "2", "s4": ""}
    assert [row["days late"] for row in rows] == ["2", "0", "0", "0", ""]
    assert (rows[0]["points before"], rows[0]["handed in"]) == ("2", "2026-11-22T00:00:00")
    assert rows[0]["late"] == "2 → 1.6: 2 days late, 10 % a day"
    assert "2 → 1.6: 2 days late, 10 % a day." in rows[0]["feedback"]
    assert {row["id"]: (row["line points"], row["line late"]) for row in csv.DictReader(io.StringIO(whole))} == {
        "s0": ("1.6", "2 → 1.6: 2 days late, 10 % a day"),
        **{f"s{i}": ("2", "") for i in (1, 2, 3)},
        "s4": ("", ""),
    }

    said = (tmp_path / "out" / "feedback" / FOLDERS[0] / "feedback.md").read_text()
    assert "1.6 of 2 points" in said
    assert "2 → 1.6: 2 days late, 10 % a day. It was due 2026-11-20 23:59" in said
    assert "For some of the group another deadline holds" in said
    own = (tmp_path / "out" / "feedback-of-members" / "s1" / "feedback.md").read_text()
    assert "2 of 2 points" in own and "days late" not in own


def test_who_has_more_time_and_needs_none_is_not_told_of_to_the_group(graded, line, tmp_path):
    more_time(graded, ("Pair", Until(days=3)), ("s1", Until(days=5)))
    assert (points(graded)["s0"], points(graded)["s1"]) == (2, 2)
    with Gradebook.reading(graded) as book:
        write_all(book, book.batch(1), line, tmp_path / "out")
    assert "another deadline" not in (tmp_path / "out" / "feedback" / FOLDERS[0] / "feedback.md").read_text()
    assert not (tmp_path / "out" / "feedback-of-members").exists()


def test_the_newest_extension_counts_and_can_be_withdrawn_and_ones_own_comes_before_the_groups(graded, tl):
    common, why = ("ta", "extend", "line", "--gradebook", str(graded)), ("--why", "the server was down")
    more_time(graded, ("Pair", Until(days=1)))
    assert points(graded)["s0"] == 1.8  # one day after the 21st
    more_time(graded, ("s0", Until(days=2)))
    assert (points(graded)["s0"], points(graded)["s1"]) == (2.0, 1.8)
    assert tl(*common, "s0", "--withdraw", *why).returncode == 0
    assert points(graded)["s0"] == 1.8
    listed = tl(*common).stdout.splitlines()
    assert [line.split(", by")[0] for line in listed] == ["Pair: 1 day more", "s0: 2 days more", "s0: withdrawn"]
    refused = tl(*common, "Pair", "--days", "1")
    assert (refused.returncode, "needs its reason" in refused.stderr) == (2, True)
    for until, days in (("", None), ("2026-11-22", 3)):
        with pytest.raises(UsageError, match="Give one of --until, --days, --withdraw"):
            refuse_nothing(until, days, withdraw=False)
    with Gradebook.reading(graded) as book, pytest.raises(UsageError, match="Nobody Here"):
        target_of(book, "line", "Nobody Here")


def test_a_mark_that_staff_set_is_not_lowered_again(graded, line):
    with Gradebook.writing(graded, "a test") as book:
        decide(book, book.batch(1), "Dan Dahl", 1.5, who="sofie", why="heard them")
        report = "\n".join(report_lines(gather(book, book.batch(1), line), plain=True))
    assert points(graded)["s3"] == 1.5
    assert (
        "1.5 (overridden; graded 2) points (6 days late, nothing counts after 5 days, and not lowered again)" in report
    )


def test_before_a_batch_an_extension_is_for_whoever_is_called_so(found, tl, tmp_path):
    lists, folder = found
    common = ("line", "--gradebook", str(tmp_path / "g.sqlite"))
    assert tl("ta", "extend", *common, "Nobody Here", "--days", "1", "--why", "ill").returncode == 0
    more_time(tmp_path / "g.sqlite", ("u0", Until(days=1)), ("Dan Dahl", Until(days=1)))
    files = ("--roster", str(lists.roster), "--groups", str(lists.groups))
    looked = ("batch", *common[:1], str(folder), *files, *common[1:], "--dry-run", "--due", f"2026-11-20 {CPH}")
    done = tl(*looked, "--json")
    said = done.stderr
    assert f"Due 2026-11-20 23:59 ({CPH}); when late: nothing is taken off" in said
    assert "  late: Pair: 2 days late (handed in 2026-11-22 00:00:00)" in said
    assert "  late: Pair, s0: 1 day late, extended to 2026-11-21 23:59" in said
    assert "  late: Dan Dahl: 5 days late, extended to 2026-11-21 23:59" in said
    assert "the extension for Nobody Here is nobody's in this class" in said
    assert "late: Cia" not in said
    assert "  note: an older attempt of Dan Dahl was in time; the newest counts." in said
    document = json.loads(done.stdout)
    late = {one["owner"]: one["late"]["days"] for one in document["found"]}
    assert late == {"Cia Colt": 0, "Dan Dahl": 5, "Pair": 2}
    more_time(tmp_path / "g.sqlite", ("Nobody Here", Until()))  # withdrawn: looked for no more
    with Gradebook.reading(tmp_path / "g.sqlite") as book:
        assert of_found(
            None, extensions(book, "line"), [], [Person("s0", "u0"), Person("s3", "", "Dan", "Dahl")], {}
        ) == (
            {},
            [],
        )


def test_a_deadline_is_a_row_and_one_that_a_command_gave_stays_until_another_does(graded, line):
    about = replace(line.about, due="2026-11-23 12:00")
    course = load_course(EXAMPLE).about
    with_zone, none = replace(course, zone=CPH, late=LateRule(penalty=50)), Kept(None, given=True)
    with Gradebook.writing(graded, "a test") as book:
        given = kept_deadline(book, 1)
        assert given == Kept(read_due("2026-11-20 23:59", CPH, RULE), given=True)
        today = asked_deadline(with_zone, about, "", None)
        assert today == Kept(read_due("2026-11-23 12:00", CPH, LateRule(penalty=50)))
        keep_deadline(book, 1, today, who="sofie")  # as where a later download comes into the batch
        after = Kept(read_due("2026-11-20 23:59", CPH, LateRule(penalty=50)), given=True)
        assert kept_deadline(book, 1) == after == asked_deadline(with_zone, about, "", given)
        keep_deadline(book, 1, asked_deadline(with_zone, about, "none", after), who="sofie")
        assert kept_deadline(book, 1) == none == asked_deadline(with_zone, about, "", none)
        assert [row[0] for row in book.rows("SELECT given FROM deadlines ORDER BY id")] == [1, 1, 1]
    assert points(graded) == {"s0": 2, "s1": 2, "s2": 2, "s3": 2, "s4": None}


def test_more_time_for_everybody_is_another_deadline_on_resume_and_grades_nothing_again(found, graded, tl, tmp_path):
    (tmp_path / "secret").write_bytes(b"a secret that is long enough")
    (tmp_path / "secret").chmod(0o600)
    more = ("--gradebook", str(graded), "--secret", str(tmp_path / "secret"), "--resume")
    done = tl("batch", "line", str(found[1]), *more, "--due", f"2026-11-22 12:00 {CPH}")
    assert done.returncode == 0, done.stderr
    assert f"Due 2026-11-22 12:00 ({CPH}); when late: nothing is taken off" in done.stdout  # as this course says
    with Gradebook.reading(graded) as book:
        assert kept_deadline(book, 1) == Kept(read_due("2026-11-22 12:00", CPH, LateRule()), given=True)
        assert [len(book.history(handin.id)) for handin in book.handins(1)] == [1, 1, 1]
    assert points(graded)["s3"] == 2


def test_a_batch_of_an_earlier_edition_has_no_deadline_and_the_report_says_what_the_course_has_now(line):
    about = replace(line, about=replace(line.about, due="2026-11-23 12:00"))
    kept = Kept(read_due("2026-11-20 23:59", CPH, RULE))
    for known, said in (
        (None, "2026-11-23 12:00"),
        (kept, "2026-11-23 12:00"),
        (replace(kept, given=True), ""),
        (Kept(read_due("2026-11-23 12:00", CPH, RULE)), ""),
    ):
        assert other_due(about, known) == said
    assert other_due(line, kept) == "at no time"
    assert dict(report_late(None, [], [], "2026-11-23 12:00"))["note"].startswith(
        "exercise.yaml says due 2026-11-23 12"
    )


def test_without_lists_an_extension_is_for_whoever_the_folder_names(found, line, tmp_path):
    _, folder = found
    with Gradebook.writing(tmp_path / "g.sqlite", "a test") as book:
        handins = ClassLists().find(folder, tmp_path / "into")
        options = Options(variant="mini", device="cpu", threads=1, wall_time_s=30.0)
        begin(book, line, handins, folder, options, SEED, who="sofie", settings={})
        keep_deadline(book, 1, Kept(read_due("2026-11-20 23:59", CPH, RULE)), who="sofie")
        for handin in book.handins(1):
            book.record(handin.id, 0, result("pass", 2.0), "")
    assert points(tmp_path / "g.sqlite")["Dan Dahl"] == 0
    more_time(tmp_path / "g.sqlite", ("dan dahl", Until(days=5)))
    assert points(tmp_path / "g.sqlite")["Dan Dahl"] == 1.8


def test_moodles_worksheet_says_when_its_hand_ins_came(tmp_path):
    folder, sheet = tmp_path / "moodle", tmp_path / "sheet.csv"
    rows = ["Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (submission)"]
    for number, (name, when) in enumerate(
        (
            ("Anne Abel", "Sunday, 22 November 2026, 12:00 AM"),
            ("Bo Beck", "vendredi, 20 novembre 2026, 23:59"),
            ("Cia Colt", "-"),
        ),
        start=71,
    ):
        rows.append(f'Participant {number},{name},x{number}@example.org,Submitted,,2,"{when}"')
        (folder / f"{name}_{number}_assignsubmission_file").mkdir(parents=True)
        (folder / f"{name}_{number}_assignsubmission_file" / "solution.py").write_text("def fit(task): pass")
    sheet.write_text("\n".join(rows) + "\n")
    assert looked_at(ClassLists(sheet), folder, tmp_path / "into", "2026-11-20")[1:] == [
        "  late: Anne Abel: 2 days late (handed in 2026-11-22 00:00:00)",
        "  note: nothing says when 1 of 3 hand-ins came: what has no time is not late",
    ]


def test_free_days_of_the_course_are_used_as_they_are_needed(found, line, tmp_path):
    """Two exercises in one gradebook: of three free days, the first takes two."""
    lists, folder = found
    rule = LateRule(penalty=10, free_days=3)
    other = replace(line, about=replace(line.about, id="other"))
    with Gradebook.writing(tmp_path / "g.sqlite", "a test") as book:
        options = Options(variant="mini", device="cpu", threads=1, wall_time_s=30.0)
        handins = lists.find(folder, tmp_path / "into")
        for number, (exercise, due) in enumerate(((line, "2026-11-20 23:59"), (other, "2026-11-23 23:59")), start=1):
            moved = handins
            if exercise is other:
                moved = replace(
                    handins, found=[replace(one, submitted_at="2026-11-26T12:00:00") for one in handins.found]
                )
            begin(book, exercise, moved, folder, options, SEED, who="sofie", settings=lists.settings())
            keep_deadline(book, number, Kept(read_due(due, CPH, rule)), who="sofie")
            for handin in book.handins(number):
                book.record(handin.id, 0, result("pass", 2.0), "")
        used = {
            number: {
                person: (one.late_of(person).free, one.points_of(person))
                for one in book.statuses(book.batch(number))
                for person in one.handin.members
            }
            for number in (1, 2)
        }
    # Dan was 6 days late for the first, and 3 of them were free; nobody was more than 3 days late for the second
    assert used[1] == {"s0": (2, 2.0), "s1": (2, 2.0), "s2": (0, 2.0), "s3": (3, 1.4)}
    assert used[2] == {"s0": (1, 1.6), "s1": (1, 1.6), "s2": (3, 2.0), "s3": (0, 1.4)}


def test_what_has_no_known_time_is_never_late_and_canvas_is_heard(tmp_path):
    folder = tmp_path / "canvas"
    folder.mkdir()
    for name in ("abelanne_LATE_11_91_solution.py", "coltcia_12_92_solution.py"):
        (folder / name).write_text("def fit(task): pass")
    assert looked_at(ClassLists(), folder, tmp_path / "into", "2026-11-20") == [
        "called late by Canvas, which says no time, so that nothing is taken off: abelanne",
        f"Due 2026-11-20 23:59 ({CPH}); when late: nothing is taken off",
        "  note: nothing says when 2 of 2 hand-ins came: what has no time is not late",
    ]


@pytest.mark.parametrize("platform", ["brightspace", "blackboard", "gradescope", "moodle", "canvas", "folders"])
def test_the_same_moment_is_as_late_on_every_platform_that_says_a_time(platform, tmp_path):
    """Half past midnight in Copenhagen, in each platform's own form and zone; Canvas and folders say none."""
    folder, sheet = tmp_path / "in", tmp_path / "sheet.csv"
    name = {
        "brightspace": "1-1 - Anne Abel - Nov 21, 2026 1230 AM",
        "blackboard": "Ex 2_u0_attempt_2026-11-21-00-30-00_solution.py",
        "gradescope": "submission_111",
        "moodle": "Anne Abel_71_assignsubmission_file",
        "canvas": "abelanne_LATE_11_91_solution.py",
        "folders": "Anne Abel",
    }[platform]
    at = folder / name
    at = at if at.suffix == ".py" else at / "solution.py"
    at.parent.mkdir(parents=True)
    at.write_text("def fit(task): pass")
    if platform == "gradescope":
        said = ":submitters:\n  - :name: Anne Abel\n    :sid: s0\n  :created_at: 2026-11-20 23:30:00 Z\n"
        (folder / "submission_metadata.yml").write_text(f"submission_111:\n  {said}")
    head = "Identifier,Full name,Username,Grade,Maximum Grade,Last modified (submission)"
    sheet.write_text(f'{head}\nParticipant 71,Anne Abel,u0,,2,"Saturday, 21 November 2026, 12:30 AM"\n')
    lists = ClassLists() if platform == "canvas" else ClassLists(sheet)  # a Moodle sheet has none of Canvas's numbers
    handins = lists.find(folder, tmp_path / "into")
    assert (handins.platform, len(handins.found)) == (platform, 1), handins
    deadline = read_due("2026-11-20 23:59", CPH, RULE)
    late, nobodys = of_found(deadline, [], handins.found, handins.people, handins.groups)
    own = next(iter(late.values())).late
    assert nobodys == []
    assert (own.known, own.days) == ((False, 0) if platform in ("canvas", "folders") else (True, 1))
