"""QTI 1.2 as Canvas writes and reads it ("Import QTI .zip file"), one file a quiz.

A choice, several, numbers with a tolerance, matches, fill-in answers and essays have a form there. An order becomes a
match of places, as Canvas has none. Feedback of an answer is linked by the condition that the answer meets.
"""

from __future__ import annotations

from tlcourse.course.model import Quiz
from tlcourse.quiz.exchange import markup, qti
from tlcourse.quiz.exchange.common import Given, clean, note_of, option, steps_of_places, weights
from tlcourse.quiz.exchange.qti import Node, element, number, words
from tlcourse.quiz.kinds import Matching, Multiple, Numeric, Ordering, Question, Short
from tlcourse.quiz.kinds.question import ImportedQuestion
from tlcourse.quiz.kinds.single import Choice
from tlcourse.text import cut

read = qti.read
_TYPES = {
    "multiple_choice_question": "single",
    "true_false_question": "single",
    "multiple_answers_question": "multiple",
    "numerical_question": "numeric",
    "matching_question": "matching",
    "essay_question": "short",
    "short_answer_question": "short",
    "Multiple Choice": "single",
    "True/False": "single",
    "Either/Or": "single",
    "Multiple Answer": "multiple",
    "Matching": "matching",
    "Essay": "short",
    "Short Response": "short",
}
"""Canvas's names for kinds, and Blackboard's."""


def changed(question: Question) -> str:
    """What this format cannot say of a question, as the end of a sentence."""
    return "written as matches of places" if isinstance(question, Ordering) else ""


# -- writing -------------------------------------------------------------------------------------------------------


def write(quizzes: list[Quiz]) -> bytes:
    """A package with one file a quiz."""
    files = {f"{quiz.id}/{quiz.id}.xml": _quiz(quiz) for quiz in quizzes}
    return qti.package(files, "imsqti_xmlv1p2", "1.1.3")


def _quiz(quiz: Quiz) -> str:
    items = "\n".join(_item(question) for question in quiz.questions)
    section = element("section", f"\n{items}\n", ident="root_section")
    assessment = element("assessment", section, ident=quiz.id, title=quiz.title)
    return element("questestinterop", assessment, xmlns="http://www.imsglobal.org/xsd/ims_qtiasiv1p2")


def _item(question: Question) -> str:
    shown = question.exported()
    kind, responses, conditions, feedback = _parts(shown)
    fields = "".join(
        element("qtimetadatafield", element("fieldlabel", label) + element("fieldentry", entry))
        for label, entry in (("question_type", kind), ("points_possible", "1"))
    )
    metadata = element("itemmetadata", element("qtimetadata", fields))
    presentation = element("presentation", _material(shown.prompt, shown.code) + responses)
    variable = element("decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal")
    processing = element("resprocessing", element("outcomes", variable) + conditions)
    said = "".join(
        element("itemfeedback", element("flow_mat", _material(text)), ident=ident) for ident, text in feedback.items()
    )
    item = element("item", metadata + presentation + processing + said, ident=question.id, title=question.id)
    return f"{qti.note_comment(note_of(question))}\n{item}"


def _parts(question: Question) -> tuple[str, str, str, dict[str, str]]:
    """(Canvas's kind, responses, conditions, feedback by name) of the kinds that other programs know."""
    match question:
        case Numeric():
            low, high = question.answer - question.tolerance, question.answer + question.tolerance
            equal = _equal(f"{question.answer:.12g}")
            within = _compared("vargte", low) + _compared("varlte", high)
            right = element("conditionvar", element("or", equal + element("and", within)))
            condition = element("respcondition", right + _score(100), continue_="No")
            fib = element("render_fib", element("response_label", ident="answer1"), fibtype="Decimal")
            response = element("response_str", fib, ident="response1", rcardinality="Single")
            return "numerical_question", response, _always() + condition, {"general_fb": question.reason}
        case Short():
            fib = element("render_fib", element("response_label", ident="answer1"))
            response = element("response_str", fib, ident="response1", rcardinality="Single")
            return "essay_question", response, _always(), {"general_fb": question.answer_text}
        case Matching():
            return _matching([pair.left for pair in question.pairs], question.choices(), question.right())
        case Ordering():
            places = [str(place) for place in range(1, len(question.steps) + 1)]
            return _matching(places, question.choices(), list(range(len(places))))
        case Choice():
            return _choice(question)
        case _:
            raise NotImplementedError(f"`exported` of {question.type} gives no kind that other programs know")


def _choice(question: Choice) -> tuple[str, str, str, dict[str, str]]:
    several = isinstance(question, Multiple)
    response = _response("response1", "", question.choices(), several=several)
    conditions = "".join(
        element(
            "respcondition",
            element("conditionvar", _equal(str(number)))
            + element("displayfeedback", feedbacktype="Response", linkrefid=f"{number}_fb"),
            continue_="Yes",
        )
        for number in range(1, len(question.options) + 1)
    )
    right = "".join(
        _equal(str(number)) if choice.correct else element("not", _equal(str(number)))
        for number, choice in enumerate(question.options, start=1)
        if choice.correct or several
    )
    met = element("conditionvar", element("and", right) if several else right)
    conditions += element("respcondition", met + _score(100), continue_="No")
    feedback = {f"{number}_fb": choice.reason for number, choice in enumerate(question.options, start=1)}
    kind = "multiple_answers_question" if several else "multiple_choice_question"
    return kind, response, conditions, feedback


def _matching(lefts: list[str], sides: list[str], right: list[int]) -> tuple[str, str, str, dict[str, str]]:
    responses = "".join(_response(f"response_{row}", left, sides) for row, left in enumerate(lefts, start=1))
    share = 100 / len(lefts)
    conditions = "".join(
        element(
            "respcondition",
            element("conditionvar", _equal(str(index + 1), f"response_{row}")) + _score(share, "Add"),
        )
        for row, index in enumerate(right, start=1)
    )
    return "matching_question", responses, conditions, {}


def _response(ident: str, before: str, choices: list[str], *, several: bool = False) -> str:
    labels = "".join(
        element("response_label", _material(text), ident=str(number)) for number, text in enumerate(choices, start=1)
    )
    material = _material(before) if before else ""
    cardinality = "Multiple" if several else "Single"
    return element("response_lid", material + element("render_choice", labels), ident=ident, rcardinality=cardinality)


def _material(text: str, code: str = "") -> str:
    """A text, as HTML only where plain text would lose its lines, spaces or listing: Canvas's matches are plain."""
    if code or " ".join(text.split()) != text:
        inside, kind = words(markup.with_code(text, code)), "text/html"
    else:
        inside, kind = words(text), "text/plain"
    return element("material", element("mattext", inside, texttype=kind))


def _equal(value: str, ident: str = "response1") -> str:
    return element("varequal", words(value), respident=ident)


def _compared(name: str, value: float) -> str:
    return element(name, f"{value:.12g}", respident="response1")


def _score(share: float, action: str = "Set") -> str:
    return element("setvar", f"{share:.6g}", action=action, varname="SCORE")


def _always() -> str:
    """Shows the feedback on the whole question, whatever was answered."""
    said = element("displayfeedback", feedbacktype="Response", linkrefid="general_fb")
    return element("respcondition", element("conditionvar", element("other")) + said, continue_="Yes")


# -- reading -------------------------------------------------------------------------------------------------------


def quizzes_of(root: Node, where: str, given: Given) -> list[tuple[str, str, list[ImportedQuestion]]]:
    """The quizzes of a file, each with its name, its title, and what its items ask."""
    found = []
    for quiz in list(root.all("assessment", "objectbank")) or [root]:
        title = quiz.get("title") or given.name.rsplit(".", 1)[0]
        own = quiz.get("ident") if any(item.note for item in quiz.all("item")) else title  # Canvas's are hashes
        if any(True for _ in quiz.all("selection_number")):
            given.lost.append(f"{where}:{quiz.line}: how many questions are drawn is left out: all are taken")
        items = [_imported(item, f"{where}:{item.line}") for item in quiz.all("item")]
        found.append((own, title, items))
    return found


def _imported(item: Node, where: str) -> ImportedQuestion:
    imported = ImportedQuestion(where=where, title=item.get("title") or item.get("ident"), note=item.note)
    metadata = {
        (label.text().strip() if label else ""): (entry.text().strip() if entry else "")
        for one in item.all("qtimetadatafield")
        for label, entry in [(one.first("fieldlabel"), one.first("fieldentry"))]
    }
    kind = metadata.get("question_type") or "".join(one.text() for one in item.all("bbmd_questiontype")).strip()
    lids, strings = list(item.all("response_lid", "response_grp")), list(item.all("response_str", "response_num"))
    imported.type = _TYPES.get(kind, "") or ("" if kind else _guessed(lids, strings))
    if not imported.type:
        imported.problems.append(f"is a {cut(clean(kind), 40) or 'text'}, which no kind here can ask")
    if (points := metadata.get("points_possible", "1")) not in ("", "1", "1.0"):
        imported.lost.append(f"its {cut(clean(points), 10)} points are left out: here all questions count alike")
    presentation = item.first("presentation") or item
    imported.prompt = _text(
        presentation, imported, listing=True, without=("response_lid", "response_str", "response_grp")
    )
    feedback = {one.get("ident"): _text(one, imported) for one in item.all("itemfeedback")}
    imported.reason = feedback.get("general_fb", "")
    conditions = list(item.all("respcondition"))
    if imported.type in ("single", "multiple") and lids:
        _take_choices(imported, lids[0], conditions, feedback, _most(item))
    elif imported.type == "matching":
        _take_matches(imported, lids, conditions)
    elif imported.type == "numeric":
        _take_number(imported, conditions)
        imported.reason = imported.reason or feedback.get("correct_fb", "")
    elif imported.type == "short":
        answers = [one.text().strip() for c in conditions for one in c.all("varequal")]
        imported.answer_text = " or ".join(dict.fromkeys(map(clean, answers))) or imported.reason
        imported.reason = imported.reason or feedback.get("correct_fb", "")
    steps_of_places(imported)
    return imported


def _guessed(lids: list[Node], strings: list[Node]) -> str:
    """The kind of an item that does not say it."""
    if len(lids) > 1:
        return "matching"
    if lids:
        return "multiple" if lids[0].get("rcardinality").lower() == "multiple" else "single"
    fib = strings[0].first("render_fib") if strings else None
    if fib is not None and fib.get("fibtype") in ("Decimal", "Integer", "Scientific"):
        return "numeric"
    return "short" if strings else ""


def _text(node: Node, imported: ImportedQuestion, *, listing: bool = False, without: tuple[str, ...] = ()) -> str:
    """All material within, without that of elements of these names."""
    parts = []
    waiting = list(reversed(list(node)))
    while waiting:
        one = waiting.pop()
        if one.name == "mattext":
            parts.append(qti.shown(one, imported, listing=listing))
        elif one.name in ("matimage", "mataudio", "matvideo"):
            imported.lost.append(f"the file {cut(clean(one.get('uri')), 60)} is left out")
        elif one.name not in without:
            waiting += reversed(list(one))
    return "\n".join(part for part in parts if part)


def _take_choices(
    imported: ImportedQuestion, lid: Node, conditions: list[Node], feedback: dict[str, str], most: float
) -> None:
    """Options, their shares of the points, and the feedback that each is linked to."""
    labels = list(lid.all("response_label"))
    shares = {label.get("ident"): 0.0 for label in labels}
    reasons: dict[str, str] = {}
    for condition in conditions:
        refused = {id(one) for no in condition.all("not") for one in no.all("varequal")}
        chosen = [one.text().strip() for one in condition.all("varequal") if id(one) not in refused]
        value = max((number(one.text()) for one in condition.all("setvar")), default=0.0)
        linked = [feedback.get(one.get("linkrefid"), "") for one in condition.all("displayfeedback")]
        for ident in chosen:
            if ident in shares and value > 0:
                shares[ident] = max(shares[ident], 100 * value / most)
            if len(chosen) == 1 and not refused and value <= 0 and any(linked):
                reasons[ident] = "\n".join(filter(None, linked))
    for label in labels:
        ident = label.get("ident")
        general = feedback.get("correct_fb" if shares[ident] > 0 else "general_incorrect_fb", "")
        imported.options.append(option(_text(label, imported), reasons.get(ident) or general, False))
    if imported.type == "multiple":
        for one, share in zip(imported.options, shares.values(), strict=False):
            if share > 0:
                one["correct"] = True
    elif len(shares) == len(imported.options):
        weights(imported, list(shares.values()))


def _take_matches(imported: ImportedQuestion, lids: list[Node], conditions: list[Node]) -> None:
    right = {
        one.get("respident"): one.text().strip()
        for condition in conditions
        if any(number(score.text()) > 0 for score in condition.all("setvar"))
        for one in condition.all("varequal")
    }
    used: set[str] = set()
    sides: dict[str, str] = {}
    for lid in lids:
        sides = {one.get("ident"): _text(one, imported) for one in lid.all("response_label")}
        ident = right.get(lid.get("ident"), "")
        used.add(sides.get(ident, ""))
        left = _text(lid, imported, without=("render_choice", "render_extension"))
        imported.pairs.append({"left": left, "right": sides.get(ident, "")})
    imported.options = [{"text": side} for side in dict.fromkeys(sides.values()) if side not in used]


def _take_number(imported: ImportedQuestion, conditions: list[Node]) -> None:
    """The number that is fully right, and how far from it an answer may be."""
    ranges = []
    for condition in conditions:
        exact = [number(one.text()) for one in condition.all("varequal")]
        low = [number(one.text()) for one in condition.all("vargte", "vargt")]
        high = [number(one.text()) for one in condition.all("varlte", "varlt")]
        if low and high:
            middle = exact[0] if exact else (low[0] + high[0]) / 2
            ranges.append((middle, float(f"{max(high[0] - middle, middle - low[0]):.10g}")))
        elif exact:
            ranges.append((exact[0], 0.0))
    if len(set(ranges)) != 1:
        imported.problems.append(f"has {len(set(ranges))} numbers that are fully right, expected one")
    else:
        imported.answer, imported.tolerance = ranges[0]


def _most(item: Node) -> float:
    """What full points are called."""
    variable = item.first("decvar")
    return (number(variable.get("maxvalue")) if variable else 0.0) or 100.0
