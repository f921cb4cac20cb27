"""QTI as Canvas and Blackboard write it, and XML that is not to be trusted."""

from __future__ import annotations

import pytest

from tlcourse.errors import ContentError
from tlcourse.quiz.exchange import qti
from tlcourse.quiz.exchange.common import Given
from tlcourse.quiz.kinds.question import Option

FIELD = "<qtimetadatafield><fieldlabel>{}</fieldlabel><fieldentry>{}</fieldentry></qtimetadatafield>"


PROMPT = '<mattext texttype="text/html">&lt;div&gt;Which is &lt;b&gt;frozen&lt;/b&gt;?&lt;/div&gt;</mattext>'


def canvas(kind: str, presentation: str, processing: str, feedback: str = "", points: str = "1.0") -> str:
    fields = FIELD.format("question_type", kind) + FIELD.format("points_possible", points)
    return f"""<item ident="g0" title="Question">
<itemmetadata><qtimetadata>{fields}</qtimetadata></itemmetadata>
<presentation><material>
{PROMPT}</material>{presentation}</presentation>
<resprocessing><outcomes><decvar maxvalue="100" minvalue="0" varname="SCORE" vartype="Decimal"/></outcomes>
{processing}</resprocessing>{feedback}</item>"""


def said(ident: str, text: str) -> str:
    mattext = f'<mattext texttype="text/plain">{text}</mattext>'
    return f'<itemfeedback ident="{ident}"><flow_mat><material>{mattext}</material></flow_mat></itemfeedback>'


CHOICES = """<response_lid ident="response1" rcardinality="Single"><render_choice>
<response_label ident="11"><material><mattext texttype="text/plain">The backbone</mattext></material></response_label>
<response_label ident="12"><material><mattext texttype="text/plain">The head</mattext></material></response_label>
</render_choice></response_lid>"""
RIGHT = """<respcondition continue="No"><conditionvar><varequal respident="response1">11</varequal></conditionvar>
<setvar action="Set" varname="SCORE">100</setvar></respcondition>"""
LINKED = """<respcondition continue="Yes"><conditionvar><varequal respident="response1">12</varequal></conditionvar>
<displayfeedback feedbacktype="Response" linkrefid="12_fb"/></respcondition>"""
NUMBER = """<respcondition continue="No"><conditionvar><or><varequal respident="response1">12</varequal><and>
<vargte respident="response1">11.9</vargte><varlte respident="response1">12.1</varlte></and></or></conditionvar>
<setvar action="Set" varname="SCORE">100</setvar></respcondition>"""
ITEMS = [
    canvas("multiple_choice_question", CHOICES, LINKED + RIGHT, said("correct_fb", "It is.") + said("12_fb", "No.")),
    canvas("numerical_question", '<response_str ident="response1"/>', NUMBER, said("general_fb", "A dozen."), "2.0"),
    canvas("text_only_question", "", ""),
]


def test_canvas_items_are_read_and_what_is_lost_is_named_with_its_line():
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE questestinterop SYSTEM "ims_qtiasiv1p2p1.dtd">
<questestinterop xmlns="http://www.imsglobal.org/xsd/ims_qtiasiv1p2"><assessment ident="g1f" title="My quiz">
<section ident="root_section">{"".join(ITEMS)}</section></assessment></questestinterop>"""
    given = Given("quiz.zip", "o", "u#s")
    files = {"a/a.xml": text.encode(), "imsmanifest.xml": b"<manifest/>", "a/net.png": b""}
    (quiz,) = qti.read(files, given)
    assert (quiz.id, quiz.title) == ("my-quiz", "My quiz")
    choice, number = quiz.questions
    assert (choice.id, choice.prompt) == ("question", "Which is frozen?")
    assert choice.options == [Option("The backbone", "It is.", True), Option("The head", "No.")]
    assert (number.answer, number.tolerance, number.reason) == (12, 0.1, "A dozen.")
    assert [one.removeprefix("quiz.zip/") for one in given.lost] == [
        "a/net.png: the file is left out",
        "a/a.xml:4: question `question`: left out of its HTML: bold letters",
        "a/a.xml:14: question `question-2`: its 2.0 points are left out: here all questions count alike",
        "a/a.xml:14: question `question-2`: left out of its HTML: bold letters",
        "a/a.xml:21: question `question-3` is left out: it is a text_only_question, which no kind here can ask",
    ]


def test_an_item_of_qti_2_1_is_read():
    text = """<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="i1" title="Half">
<responseDeclaration identifier="RESPONSE" cardinality="single" baseType="identifier">
<correctResponse><value>a</value></correctResponse><mapping defaultValue="0"><mapEntry mapKey="a" mappedValue="2"/>
<mapEntry mapKey="b" mappedValue="1"/></mapping></responseDeclaration><itemBody><div><p>Which?</p></div>
<choiceInteraction responseIdentifier="RESPONSE" maxChoices="1"><prompt>Choose.</prompt>
<simpleChoice identifier="a">x<br/>y<feedbackInline identifier="a" outcomeIdentifier="F">Yes.</feedbackInline>
</simpleChoice><simpleChoice identifier="b"><p>z</p></simpleChoice></choiceInteraction></itemBody>
<modalFeedback identifier="b" outcomeIdentifier="F">Nearly.</modalFeedback></assessmentItem>"""
    given = Given("i.xml", "o", "u#s")
    ((question,),) = (quiz.questions for quiz in qti.read({"i.xml": text.encode()}, given))
    assert question.prompt == "Which?\n\nChoose."
    assert question.options == [Option("x\ny", "Yes.", True), Option("z", "Nearly.")]
    assert given.lost == ["i.xml:1: question `half`: `z` is worth 50 % there, and is wrong here"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "it declares entities"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "it declares entities"),
        ('<!DOCTYPE a [<!ENTITY % x SYSTEM "http://x/">%x;]><a/>', "it declares entities"),
        ("<a>" * 300, "nested more deeply"),
        ("<a><b></a>", "expected XML"),
        ('<?xml version="1.0" encoding="nothing"?><a/>', "expected XML"),
    ],
)
def test_xml_that_is_damaged_or_dangerous_is_refused_with_its_line(text, words):
    with pytest.raises(ContentError, match=words) as caught:
        qti.read({"a.xml": text.encode()}, Given("a.xml"))
    assert caught.value.problems[0].startswith("a.xml:1: ")
