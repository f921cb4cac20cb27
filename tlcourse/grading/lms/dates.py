"""Dates in the names of Brightspace's folders: in the site's language and order, the time without its colon."""

from __future__ import annotations

import datetime
import re
import unicodedata

# one line a month: English, Danish, Norwegian, Swedish, Dutch, German, French, Spanish, then Portuguese, Italian,
# Turkish, Finnish, Polish and Welsh; full names and abbreviations. Without `listopad`, two months of two languages
_MONTHS = """
january januar januari janvier enero jan janv ene jän jänner janeiro gennaio gen ocak oca tammikuu tammikuuta tammi \
stycznia styczeń sty ionawr ion
february februar februari février febrero feb febr févr fév fevereiro fev febbraio şubat şub helmikuu helmikuuta \
helmi lutego luty lut chwefror chwe
march marts mars maart märz marzo mar mrt mär mrz maa março mart maaliskuu maaliskuuta maalis marca marzec mawrth \
maw
april avril abril apr avr abr aprile nisan nis huhtikuu huhtikuuta huhti kwietnia kwiecień kwi ebrill ebr
may maj mai mei mayo mag maio maggio mayıs mayis toukokuu toukokuuta touko maja
june juni juin junio jun junho giugno giu haziran haz kesäkuu kesäkuuta kesä czerwca czerwiec cze mehefin meh
july juli juillet julio jul juil julho luglio lug temmuz tem heinäkuu heinäkuuta heinä lipca lipiec lip gorffennaf \
gor
august augusti augustus août agosto aug aoû ago agos ağustos ağu elokuu elokuuta elo sierpnia sierpień sie awst
september septembre septiembre setiembre sep sept set setembro settembre eylül eyl syyskuu syyskuuta syys września \
wrzesień wrz medi
october oktober octobre octubre oct okt outubro out ottobre ott ekim eki lokakuu lokakuuta loka października \
październik paź hydref hyd
november novembre noviembre nov novembro kasım kasim kas marraskuu marraskuuta marras tachwedd tach
december desember dezember décembre diciembre dec des dez déc dic dezembro dicembre aralık aralik ara joulukuu \
joulukuuta joulu grudnia grudzień gru rhagfyr rhag
"""
# words around a date that say nothing about it
_IDLE = frozenset(
    """at kl klokken klockan klo um uhr om à a las los de del den der d le el the of th st nd rd er ère ste t h u uur
    monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun
    mandag tirsdag onsdag torsdag fredag lørdag søndag måndag tisdag lördag söndag
    maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
    montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag
    lundi mardi mercredi jeudi vendredi samedi dimanche
    lunes martes miércoles jueves viernes sábado domingo
    às alle ore klo godz 年 月 日 時 分 秒 时 년 월 일 시 분 초""".split()
)


def _plain(word: str) -> str:
    """A word without case and accents, so that `août` and `aout` are one."""
    split = unicodedata.normalize("NFD", word.casefold())
    return "".join(letter for letter in split if not unicodedata.combining(letter))


_MONTH = {_plain(word): number for number, line in enumerate(_MONTHS.split("\n")) for word in line.split()}
_BEFORE_NOON = frozenset(map(_plain, {"am", "fm", "oo", "ap", "yb", "午前", "上午", "오전"}))
_AFTER_NOON = frozenset(map(_plain, {"pm", "em", "os", "ip", "yh", "午後", "下午", "오후"}))
_IDLE_PLAIN = frozenset(map(_plain, _IDLE))


def parse_date(text: str, *, day_first: bool = True) -> datetime.datetime | None:
    """`Oct 10, 2025 1022 AM`, `23 november 2026 1045`, `2026-11-23 10.45`: the local time meant, or None.

    `day_first` decides only where the month is a number and stands beside the day, as in `05-03-2026`.
    """
    words = _words(text)
    if words is None:
        return None
    noon = [word for word in words if word in _BEFORE_NOON | _AFTER_NOON]
    months = [_MONTH[word] for word in words if word in _MONTH]
    figures = [word for word in words if word.isdigit()]
    if len(noon) > 1 or len(months) > 1 or not figures:
        return None
    day = _day(figures, months, day_first)
    if day is None:
        return None
    date, rest = day
    time = _time("".join(part.zfill(2) if len(rest) > 1 else part for part in rest), noon)
    return None if time is None else datetime.datetime.combine(date, time)


def is_ambiguous(text: str) -> bool:
    """Whether day and month could change places: both are numbers up to 12, and differ."""
    one, other = parse_date(text, day_first=True), parse_date(text, day_first=False)
    return one is not None and other is not None and one != other


def only_month_first(date: str) -> bool:
    """`10-23-2025`: a number that can be no month stands second."""
    figures = re.findall(r"\d+", date)
    return _numeric(date, figures) and int(figures[0]) <= 12 < int(figures[1])


def only_day_first(date: str) -> bool:
    """`23-10-2025`, likewise."""
    figures = re.findall(r"\d+", date)
    return _numeric(date, figures) and int(figures[1]) <= 12 < int(figures[0])


def _numeric(date: str, figures: list[str]) -> bool:
    letters = re.sub(r"(?i)[ap]\.?\s?m\.?", "", date)
    return len(figures) >= 3 and len(figures[0]) <= 2 and not any(c.isalpha() for c in letters)


def _words(text: str) -> list[str] | None:
    """Months, halves of the day and figures, in their order; None where a word is none of them."""
    clean = unicodedata.normalize("NFKC", text).casefold()
    clean = re.sub(r"\b([apfe])\.?\s?m\b\.?", r" \1m ", clean)  # a.m., p. m., f.m.
    words = [_plain(word) for word in re.findall(r"\d+|[^\W\d_]+", clean)]
    kept = [word for word in words if word not in _IDLE_PLAIN]
    known = _BEFORE_NOON | _AFTER_NOON
    return kept if all(word.isdigit() or word in _MONTH or word in known for word in kept) else None


def _day(figures: list[str], months: list[int], day_first: bool) -> tuple[datetime.date, list[str]] | None:
    """The date, and the figures of the time that follow it. The year has four figures, and precedes the time."""
    wanted = 2 if months else 3
    head, rest = figures[:wanted], figures[wanted:]
    years = [i for i, figure in enumerate(head) if len(figure) == 4 and 1990 <= int(figure) <= 2199]
    if len(head) != wanted or len(years) != 1 or (years[0] == 1 and wanted == 3):
        return None
    year = int(head.pop(years[0]))
    if any(len(figure) > 2 for figure in head):
        return None
    if months:
        month, day = months[0], int(head[0])
    else:
        first, second = int(head[0]), int(head[1])
        # year first is ISO: month, day; a figure above 12 is the day whatever the site's order
        month_first = years[0] == 0 or second > 12 or (not day_first and first <= 12)
        month, day = (first, second) if month_first else (second, first)
    try:
        return datetime.date(year, month, day), rest
    except ValueError:
        return None


def _time(figures: str, noon: list[str]) -> datetime.time | None:
    """`1022`, `905`, `102233`; with `am` or `pm` on the twelve-hour clock; midnight where there is none."""
    if not figures:
        return None if noon else datetime.time()
    if len(figures) <= 2 and noon:
        figures += "00"
    if not 3 <= len(figures) <= 6:
        return None
    figures = figures.zfill(4 if len(figures) <= 4 else 6)
    hour, minute, second = int(figures[:2]), int(figures[2:4]), int(figures[4:] or 0)
    if noon:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (noon[0] in _AFTER_NOON)
    try:
        return datetime.time(hour, minute, second)
    except ValueError:
        return None
