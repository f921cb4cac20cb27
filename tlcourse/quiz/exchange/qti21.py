"""QTI 2.1 as Blackboard reads and writes it: an XML file for each question, and a test that names them in order.

Every kind has its interaction there; a number has its tolerance, and an order is one. Feedback is shown by the
identifier of the answer that it belongs to, or by `general`.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from tlcourse.course.model import Quiz
from tlcourse.quiz.exchange import markup, qti
from tlcourse.quiz.exchange.common import Given, clean, note_of, option, weights
from tlcourse.quiz.exchange.qti import Node, element, number, words
from tlcourse.quiz.kinds import Matching, Multiple, Numeric, Ordering, Question, Short
from tlcourse.quiz.kinds.question import ImportedQuestion
from tlcourse.quiz.kinds.single import Choice
from tlcourse.text import cut

read = qti.read
_SPACE = "http://www.imsglobal.org/xsd/imsqti_v2p1"
_INTERACTIONS = {
    "choiceInteraction": "",
    "orderInteraction": "ordering",
    "matchInteraction": "matching",
    "textEntryInteraction": "short",
    "extendedTextInteraction": "short",
}


def changed(_: Question) -> str:
    """Nothing: each kind that other programs know has a form."""
    return ""


# -- writing -------------------------------------------------------------------------------------------------------


def write(quizzes: list[Quiz]) -> bytes:
    """A package with a test for each quiz, and a file for each question."""
    files = {}
    for quiz in quizzes:
        refs = []
        for question in quiz.questions:
            files[f"{quiz.id}/{question.id}.xml"] = _item(question)
            refs.append(element("assessmentItemRef", identifier=f"item-{question.id}", href=f"{question.id}.xml"))
        section = element("assessmentSection", "".join(refs), identifier="s", title=quiz.title, visible="true")
        part = element("testPart", section, identifier="p", navigationMode="nonlinear", submissionMode="simultaneous")
        files[f"{quiz.id}/test.xml"] = element(
            "assessmentTest", part, identifier=quiz.id, title=quiz.title, xmlns=_SPACE
        )
    return qti.package(files, "imsqti_item_xmlv2p1", "2.1")


def _item(question: Question) -> str:
    shown = question.exported()
    cardinality, base, right, interaction, feedback, tolerance = _parts(shown)
    correct = element("correctResponse", "".join(element("value", words(one)) for one in right)) if right else ""
    declarations = element(
        "responseDeclaration", correct, identifier="RESPONSE", cardinality=cardinality, baseType=base
    )
    said = "single" if "general" in feedback else cardinality
    declarations += element("outcomeDeclaration", identifier="SCORE", cardinality="single", baseType="float")
    declarations += element("outcomeDeclaration", identifier="FEEDBACK", cardinality=said, baseType="identifier")
    prompt = markup.with_code(shown.prompt, shown.code).replace("\xa0", "&#160;")
    answered = element("variable", identifier="RESPONSE") + element("correct", identifier="RESPONSE")
    if tolerance is not None:
        slack = f"{tolerance:.12g}"
        met = element("equal", answered, toleranceMode="absolute", tolerance=f"{slack} {slack}")
    else:
        met = element("match", answered)
    full = element("setOutcomeValue", element("baseValue", "1", baseType="float"), identifier="SCORE")
    processing = element("responseCondition", element("responseIf", met + full)) if right else ""
    if "general" in feedback:
        shows = element("baseValue", "general", baseType="identifier")
    else:
        shows = element("variable", identifier="RESPONSE")
    if feedback:
        processing += element("setOutcomeValue", shows, identifier="FEEDBACK")
    modal = "".join(
        element("modalFeedback", _block(text), outcomeIdentifier="FEEDBACK", identifier=ident, showHide="show")
        for ident, text in feedback.items()
    )
    item = element(
        "assessmentItem",
        declarations + element("itemBody", prompt + interaction) + element("responseProcessing", processing) + modal,
        identifier=question.id,
        title=question.id,
        adaptive="false",
        timeDependent="false",
        xmlns=_SPACE,
    )
    return f"{qti.note_comment(note_of(question))}\n{item}"


def _parts(question: Question) -> tuple[str, str, list[str], str, dict[str, str], float | None]:
    """(cardinality, type, right answers, interaction, feedback by identifier, tolerance) of each kind."""
    answer = {"responseIdentifier": "RESPONSE"}
    match question:
        case Numeric():
            entry = element("p", element("textEntryInteraction", **answer))
            right, reason = [f"{question.answer:.12g}"], {"general": question.reason}
            return "single", "float", right, entry, reason, question.tolerance
        case Short():
            entry = element("extendedTextInteraction", **answer)
            return "single", "string", [], entry, {"general": question.answer_text}, None
        case Matching():
            lefts = _associable("l", [pair.left for pair in question.pairs], "1")
            sides = _associable("r", question.choices(), "0")
            sets = element("simpleMatchSet", lefts) + element("simpleMatchSet", sides)
            count = str(len(question.pairs))
            right = [f"l{row} r{index + 1}" for row, index in enumerate(question.right(), start=1)]
            interaction = element("matchInteraction", sets, shuffle="true", maxAssociations=count, **answer)
            return "multiple", "directedPair", right, interaction, {}, None
        case Ordering():
            interaction = element("orderInteraction", _choices(question), shuffle="true", **answer)
            return "ordered", "identifier", _names(question), interaction, {}, None
        case Choice():
            several = isinstance(question, Multiple)
            most = "0" if several else "1"
            shuffle = "true" if question.free else "false"
            interaction = element("choiceInteraction", _choices(question), shuffle=shuffle, maxChoices=most, **answer)
            right = [f"c{index + 1}" for index in question.right()]
            feedback = {name: choice.reason for name, choice in zip(_names(question), question.options, strict=True)}
            return "multiple" if several else "single", "identifier", right, interaction, feedback, None
        case _:
            raise NotImplementedError(f"`exported` of {question.type} gives no kind that other programs know")


def _names(question: Question) -> list[str]:
    return [f"c{number}" for number in range(1, len(question.choices()) + 1)]


def _choices(question: Question) -> str:
    named = zip(_names(question), question.choices(), strict=True)
    return "".join(element("simpleChoice", _block(text), identifier=name) for name, text in named)


def _associable(letter: str, texts: list[str], most: str) -> str:
    return "".join(
        element("simpleAssociableChoice", _block(text), identifier=f"{letter}{number}", matchMax=most)
        for number, text in enumerate(texts, start=1)
    )


def _block(text: str) -> str:
    return markup.as_html(text)


# -- reading -------------------------------------------------------------------------------------------------------


def quizzes_of(
    tests: dict[str, Node], items: dict[str, Node], given: Given
) -> list[tuple[str, str, list[ImportedQuestion]]]:
    """The quizzes of a package: a test with its items in its order; then items that no test names, together."""
    found = []
    left = dict(items)
    for name, test in tests.items():
        imported = []
        for ref in test.all("assessmentItemRef"):
            path = str(PurePosixPath(name).parent / ref.get("href"))
            if path in items:
                imported.append(_imported(items[path], f"{given.name}/{path}"))
                left.pop(path, None)
            else:
                given.lost.append(f"{given.name}/{name}:{ref.line}: {cut(clean(path), 80)} is not in the package")
        if any(True for _ in test.all("selection")):
            given.lost.append(f"{given.name}/{name}:{test.line}: how many questions are drawn is left out")
        title = test.get("title") or given.name.rsplit(".", 1)[0]
        found.append((test.get("identifier") if any(one.note for one in imported) else title, title, imported))
    if left:
        own = given.name.rsplit(".", 1)[0]
        single = len(items) == 1 and not tests
        names = {name: name if single else f"{given.name}/{name}" for name in left}
        found.append((own, own, [_imported(item, names[name]) for name, item in left.items()]))
    return found


def _imported(item: Node, file: str) -> ImportedQuestion:
    title = item.get("title") or item.get("identifier")
    imported = ImportedQuestion(where=f"{file}:{item.line}", title=title, note=item.note)
    body = item.first("itemBody") or item
    interactions = [one for one in body.all() if one.name.endswith("Interaction")]
    if len(interactions) != 1 or interactions[0].name not in _INTERACTIONS:
        kinds = ", ".join(cut(clean(one.name), 40) for one in interactions[:5]) or "text alone"
        imported.problems.append(f"is {kinds}, which no kind here can ask")
        return imported
    (interaction,) = interactions
    declaration = item.first("responseDeclaration") or item
    right = [one.text().strip() for group in declaration.all("correctResponse") for one in group.all("value")]
    prompt = interaction.first("prompt")
    texts = [qti.shown(body, imported, listing=True, without=(interaction.name, "rubricBlock", "feedbackBlock"))]
    texts += [qti.shown(prompt, imported, listing=True)] if prompt is not None else []
    imported.prompt = "\n\n".join(text for text in texts if text)
    feedback = {one.get("identifier"): qti.shown(one, imported) for one in item.all("modalFeedback", "feedbackBlock")}
    imported.type = _INTERACTIONS[interaction.name]
    if imported.type == "" and declaration.get("cardinality") == "multiple":
        imported.type = "multiple"
    if imported.type == "short" and declaration.get("baseType") in ("float", "integer"):
        imported.type = "numeric"
    general = feedback.get("general", "")
    match imported.type:
        case "ordering" | "matching":
            _take_places(imported, interaction, right, feedback)
            imported.reason = general
        case "numeric":
            _take_number(imported, item, right)
            imported.reason = general or feedback.get("correct_fb", "") or "\n".join(feedback.values())
        case "short":
            imported.answer_text = " or ".join(map(clean, right)) or general
            imported.reason = general or "\n".join(feedback.values())
        case _:
            _take_choices(imported, interaction, declaration, right, feedback)
            imported.reason = general
    return imported


def _take_choices(
    imported: ImportedQuestion, interaction: Node, declaration: Node, right: list[str], feedback: dict[str, str]
) -> None:
    """Options with their shares of the points, from the right answers, or from the map where they are worth parts."""
    mapped = {one.get("mapKey"): number(one.get("mappedValue")) for one in declaration.all("mapEntry")}
    most = max(mapped.values(), default=0.0)
    shares = []
    for choice in interaction.all("simpleChoice"):
        ident = choice.get("identifier")
        inline = choice.first("feedbackInline")
        own = feedback.get(ident) or (qti.shown(inline, imported) if inline is not None else "")
        own = own or feedback.get("correct_fb" if ident in right else "incorrect_fb", "")
        imported.options.append(option(qti.shown(choice, imported, without=("feedbackInline",)), own, ident in right))
        shares.append(100.0 if ident in right else 100 * mapped.get(ident, 0.0) / most if most > 0 else 0.0)
    if imported.type == "multiple":
        for one, share in zip(imported.options, shares, strict=True):
            if share > 0:
                one["correct"] = True
    else:
        imported.type = "single"
        weights(imported, shares)


def _take_places(imported: ImportedQuestion, interaction: Node, right: list[str], feedback: dict[str, str]) -> None:
    """Steps in their order, or pairs and the sides that fit nothing."""
    texts = {
        one.get("identifier"): (qti.shown(one, imported), feedback.get(one.get("identifier"), ""))
        for one in interaction.all("simpleChoice", "simpleAssociableChoice")
    }
    if imported.type == "ordering":
        for ident in right:
            text, why = texts.get(ident, ("", ""))
            imported.steps.append({"text": text, **({"reason": why} if why else {})})
        return
    sets = [
        [one.get("identifier") for one in group.all("simpleAssociableChoice")]
        for group in interaction.all("simpleMatchSet")
    ]
    lefts = sets[0] if sets else []
    matched = {pair[0]: pair[1] for pair in (one.split() for one in right) if len(pair) == 2}
    if sets and not any(ident in matched for ident in lefts):
        matched = {other: one for one, other in matched.items()}
    imported.pairs = [
        {"left": texts[ident][0], "right": texts.get(matched.get(ident, ""), ("", ""))[0]} for ident in lefts
    ]
    used = set(matched.values())
    imported.options = [{"text": texts[ident][0]} for ident in (sets[1] if len(sets) > 1 else []) if ident not in used]


def _take_number(imported: ImportedQuestion, item: Node, right: list[str]) -> None:
    """The number, and how far from it an answer may be."""
    try:
        (imported.answer,) = [float(one.replace(",", ".")) for one in right]
    except ValueError:
        imported.problems.append(f"has {len(right)} numbers that are fully right, expected one")
    equal = item.first("equal")
    if equal is not None and equal.get("toleranceMode") == "absolute":
        imported.tolerance = max(map(number, equal.get("tolerance").split()), default=0.0)
    elif equal is not None and equal.get("toleranceMode") == "relative":
        share = max(map(number, equal.get("tolerance").split()), default=0.0)
        imported.tolerance = abs(imported.answer or 0.0) * share / 100
