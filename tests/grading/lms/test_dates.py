"""Dates as Brightspace writes them, in every language and order of the sites that are known."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcourse.grading.lms.dates import is_ambiguous, parse_date

# full names and the abbreviations in use, one row a language
MONTHS = {
    "English": "january february march april may june july august september october november december",
    "English short": "jan feb mar apr may jun jul aug sep oct nov dec",
    "Danish": "januar februar marts april maj juni juli august september oktober november december",
    "Danish short": "jan. feb. mar. apr. maj jun. jul. aug. sep. okt. nov. dec.",
    "Norwegian": "januar februar mars april mai juni juli august september oktober november desember",
    "Norwegian short": "jan. feb. mars apr. mai juni juli aug. sep. okt. nov. des.",
    "Swedish": "januari februari mars april maj juni juli augusti september oktober november december",
    "Swedish short": "jan. feb. mars apr. maj juni juli aug. sep. okt. nov. dec.",
    "Dutch": "januari februari maart april mei juni juli augustus september oktober november december",
    "Dutch short": "jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec.",
    "German": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "German short": "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
    "French": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "French short": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "Spanish": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "Portuguese": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "Portuguese short": "jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.",
    "Italian": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "Italian short": "gen feb mar apr mag giu lug ago set ott nov dic",
    "Turkish": "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
    "Turkish short": "oca şub mar nis may haz tem ağu eyl eki kas ara",
    "Finnish": "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta "
    "lokakuuta marraskuuta joulukuuta",
    "Welsh": "Ionawr Chwefror Mawrth Ebrill Mai Mehefin Gorffennaf Awst Medi Hydref Tachwedd Rhagfyr",
    "Czech": "ledna února března dubna května června července srpna září října listopadu prosince",
    "Slovak": "januára februára marca apríla mája júna júla augusta septembra októbra novembra decembra",
    "Slovene": "januar februar marec april maj junij julij avgust september oktober november december",
    "Hungarian": "január február március április május június július augusztus szeptember október november december",
    "Romanian": "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
    "Catalan": "gener febrer març abril maig juny juliol agost setembre octubre novembre desembre",
    "Basque": "urtarrila otsaila martxoa apirila maiatza ekaina uztaila abuztua iraila urria azaroa abendua",
    "Greek": "Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου Σεπτεμβρίου Οκτωβρίου "
    "Νοεμβρίου Δεκεμβρίου",
    "Russian": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "Ukrainian": "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "Bulgarian": "януари февруари март април май юни юли август септември октомври ноември декември",
    "Serbian": "јануар фебруар март април мај јун јул август септембар октобар новембар децембар",
    "Lithuanian": "sausio vasario kovo balandžio gegužės birželio liepos rugpjūčio rugsėjo spalio lapkričio gruodžio",
    "Latvian": "janvāris februāris marts aprīlis maijs jūnijs jūlijs augusts septembris oktobris novembris decembris",
    "Estonian": "jaanuar veebruar märts aprill mai juuni juuli august september oktoober november detsember",
    "Icelandic": "janúar febrúar mars apríl maí júní júlí ágúst september október nóvember desember",
    "Albanian": "janar shkurt mars prill maj qershor korrik gusht shtator tetor nëntor dhjetor",
    "Indonesian": "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember",
    "Malay": "Januari Februari Mac April Mei Jun Julai Ogos September Oktober November Disember",
    "Hebrew": "ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר",
    "Arabic": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "Armenian": "հունվարի փետրվարի մարտի ապրիլի մայիսի հունիսի հուլիսի օգոստոսի սեպտեմբերի հոկտեմբերի նոյեմբերի "
    "դեկտեմբերի",
    "Georgian": "იანვარი თებერვალი მარტი აპრილი მაისი ივნისი ივლისი აგვისტო სექტემბერი ოქტომბერი ნოემბერი დეკემბერი",
    "Spanish short": "ene. feb. mar. abr. may. jun. jul. ago. sept. oct. nov. dic.",
}
MOMENTS = st.datetimes(datetime.datetime(2000, 1, 1), datetime.datetime(2099, 12, 31)).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)


def clock(moment: datetime.datetime, half: str) -> str:
    """`612 PM`: no colon, no leading zero, twelve hours."""
    hour = moment.hour % 12 or 12
    return f"{hour}{moment.minute:02d} {half[0] if moment.hour < 12 else half[1]}"


@given(MOMENTS, st.sampled_from(sorted(MONTHS)), st.integers(0, 5), st.integers(0, 3))
def test_a_date_reads_back_whatever_the_language_the_order_and_the_clock(moment, language, order, time):
    month = MONTHS[language].split()[moment.month - 1]
    dates = [
        f"{month} {moment.day}, {moment.year}",
        f"{moment.day} {month} {moment.year}",
        f"{moment.day:02d} {month.upper()} {moment.year}",
        f"{moment.day}. {month} {moment.year}",
        f"{moment.day} de {month} de {moment.year}",
        f"{moment.year} {month} {moment.day}",
    ]
    times = [
        f"{moment.hour}{moment.minute:02d}",
        f"{moment.hour:02d} {moment.minute:02d}",
        clock(moment, ("AM", "PM")),
        clock(moment, ("a. m.", "p. m.")),
    ]
    assert parse_date(f"{dates[order]} {times[time]}") == moment


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("5 września 2025 1022", 9),
        ("2025年3月5日 1022", 3),
        ("Ngày 5 tháng 3 năm 2025 1022", 3),
        ("2025. március 5. 10:22", 3),
        ("2025 m. kovo 5 d. 10:22", 3),
        ("2025. gada 5. marts 10:22", 3),
        ("5 Μαρτίου 2025 1022 π.μ.", 3),
        ("5 באוקטובר 2025 1022", 10),
        ("5 de març de 2025 1022", 3),
        ("5 d’octubre de 2025 1022", 10),
        ("5 srpnja 2025 1022", 7),  # Croatian; in Czech srpna is August
        ("5 srpna 2025 1022", 8),
        ("5 Meán Fómhair 2025 1022", 9),
        ("5 марта 2025 г. в 10:22", 3),
        ("٥ مارس ٢٠٢٥ ١٠٢٢ ص", 3),
        ("2025年3月5日 午前10時22分", 3),
        ("2025년 3월 5일 오전 1022", 3),
    ],
)
def test_dates_of_other_scripts_and_cases_are_read(text, month):
    assert parse_date(text) == datetime.datetime(2025, month, 5, 10, 22)


@pytest.mark.parametrize("word", ["listopada", "listopad", "lis", "lip", "srp"])
def test_a_month_that_is_another_in_another_language_is_not_read(word):
    assert parse_date(f"5 {word} 2025 1022") is None


@given(MOMENTS, st.booleans())
def test_numeric_dates_read_back_in_the_sites_order(moment, day_first):
    parts = (moment.day, moment.month) if day_first else (moment.month, moment.day)
    text = f"{parts[0]:02d}-{parts[1]:02d}-{moment.year} {moment.hour:02d}{moment.minute:02d}"
    assert parse_date(text, day_first=day_first) == moment
    assert is_ambiguous(text) == (moment.day <= 12 and moment.day != moment.month)


@given(st.text(max_size=60))
def test_any_text_is_a_date_or_none_and_never_an_error(text):
    assert isinstance(parse_date(text), datetime.datetime | None)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Oct 10, 2025 1022 AM", (2025, 10, 10, 10, 22)),
        ("05 March 2026 612 PM", (2026, 3, 5, 18, 12)),
        ("Jul 30, 2026 1053 PM", (2026, 7, 30, 22, 53)),
        ("23 november 2026 1045", (2026, 11, 23, 10, 45)),
        ("May 14, 2020 1129 PM", (2020, 5, 14, 23, 29)),
        ("Jan 1, 2026 1200 AM", (2026, 1, 1, 0, 0)),
        ("Jan 1, 2026 1230 PM", (2026, 1, 1, 12, 30)),
        ("Jan 1, 2026 10:22 AM", (2026, 1, 1, 10, 22)),
        ("Jan 1, 2026 10\u202f22\u202fPM", (2026, 1, 1, 22, 22)),
        ("mandag den 23. november 2026 kl. 10.45", (2026, 11, 23, 10, 45)),
        ("lundi 23 novembre 2026 à 9 05", (2026, 11, 23, 9, 5)),
        ("23 novembre 2026 9h05", (2026, 11, 23, 9, 5)),
        ("23 november 2026 9u05", (2026, 11, 23, 9, 5)),
        ("1er août 2026 0905", (2026, 8, 1, 9, 5)),
        ("03-25-2026 0905", (2026, 3, 25, 9, 5)),  # no month is the 25th, whatever the site's order
        ("2026-11-23 10.45", (2026, 11, 23, 10, 45)),
        ("2026-11-23T10:45:30", (2026, 11, 23, 10, 45, 30)),
        ("23 november 2026 2026", (2026, 11, 23, 20, 26)),
        ("23 ao\u0075\u0302t 2026 0905", (2026, 8, 23, 9, 5)),  # macOS writes û as u and an accent
        ("23 november 2026", (2026, 11, 23, 0, 0)),
    ],
)
def test_dates_that_sites_have_written(text, meant):
    assert parse_date(text) == datetime.datetime(*meant)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Jane Doe",
        "Nov 31, 2026 1022 AM",
        "Nov 20, 2026 1322 PM",
        "Nov 20, 2026 1070",
        "november 2026 1045",
        "Nov Dec 2026 1045",
        "Nov 20, 26 1045",
        "20 Nonember 2026 1045",
        "20 november 2026 1045 7 8 9",
        "Nov 20, 2026 PM",
        "1-2-3",
    ],
)
def test_what_is_no_date_is_none(text):
    assert parse_date(text) is None
