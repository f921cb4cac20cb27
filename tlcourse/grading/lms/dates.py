"""Dates in the names of Brightspace's folders: in the site's language and order, the time without its colon."""

from __future__ import annotations

import datetime
import re
import unicodedata

# one line a language: January to December, with other cases and short forms behind each; `-` where it has no more.
# Case, accents and dots do not count
_MONTHS = """
English: january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sep/sept \
october/oct november/nov december/dec
Danish: januar/jan februar/feb marts/mar april/apr maj juni/jun juli/jul august/aug september/sep oktober/okt \
november/nov december/dec
Norwegian: januar/jan februar/feb mars/mar april/apr mai juni juli august/aug september/sep oktober/okt november/nov \
desember/des
Swedish: januari/jan februari/feb mars/mar april/apr maj juni/jun juli/jul augusti/aug september/sep oktober/okt \
november/nov december/dec
Dutch: jan/januari feb/februari mrt/maart/maa apr/april mei jun/juni jul/juli aug/augustus sep/september okt/oktober \
nov/november dec/december
German: januar/jan/jänner februar/feb märz/mrz/mär april/apr mai juni/jun juli/jul august/aug september/sep \
oktober/okt november/nov dezember/dez
French: janvier/janv février/févr mars avril/avr mai juin juillet/juil août/aoû septembre/sept octobre/oct \
novembre/nov décembre/déc
Spanish: ene/enero feb/febrero mar/marzo abr/abril may/mayo jun/junio jul/julio ago/agosto \
sep/septiembre/sept/setiembre oct/octubre nov/noviembre dic/diciembre
Portuguese: janeiro/jan fevereiro/fev março/mar abril/abr maio/mai junho/jun julho/jul agosto/ago setembro/set \
outubro/out novembro/nov dezembro/dez
Italian: gennaio/gen febbraio/feb marzo/mar aprile/apr maggio/mag giugno/giu luglio/lug agosto/ago \
settembre/set/sett ottobre/ott novembre/nov dicembre/dic
Turkish: ocak/oca şubat/şub mart/mar nisan/nis mayıs/may/mayis haziran/haz temmuz/tem ağustos/ağu eylül/eyl ekim/eki \
kasım/kas/kasim aralık/ara/aralik
Finnish: tammikuu/tammi/tammikuuta helmikuu/helmi/helmikuuta maaliskuu/maalis/maaliskuuta huhtikuu/huhti/huhtikuuta \
toukokuu/touko/toukokuuta kesäkuu/kesä/kesäkuuta heinäkuu/heinä/heinäkuuta elokuu/elo/elokuuta \
syyskuu/syys/syyskuuta lokakuu/loka/lokakuuta marraskuu/marras/marraskuuta joulukuu/joulu/joulukuuta
Polish: styczeń/stycznia/sty luty/lutego/lut marzec/marca/mar kwiecień/kwietnia/kwi maj/maja czerwiec/czerwca/cze \
lipiec/lipca/lip sierpień/sierpnia/sie wrzesień/września/wrz październik/października/paź listopad/listopada/lis \
grudzień/grudnia/gru
Welsh: ionawr/ion chwefror/chwe mawrth/maw ebrill/ebr mai mehefin/meh gorffennaf/gor awst/aws medi/med hydref/hyd \
tachwedd/tach rhagfyr/rhag
Czech: leden/ledna/led únor/února/úno březen/března/bře duben/dubna/dub květen/května/kvě červen/června/čvn \
červenec/července/čvc srpen/srpna/srp září/zář říjen/října/říj listopad/listopadu/lis prosinec/prosince/pro
Slovak: január/jan/januára február/feb/februára marec/mar/marca apríl/apr/apríla máj/mája jún/júna júl/júla \
august/aug/augusta september/sep/septembra október/okt/októbra november/nov/novembra december/dec/decembra
Slovene: januar/jan/januarja februar/feb/februarja marec/mar/marca april/apr/aprila maj/maja junij/jun/junija \
julij/jul/julija avgust/avg/avgusta september/sep/septembra oktober/okt/oktobra november/nov/novembra \
december/dec/decembra
Croatian: siječnja/siječanj/sij veljače/veljača/velj ožujka/ožujak/ožu travnja/travanj/tra svibnja/svibanj/svi \
lipnja/lipanj/lip srpnja/srpanj/srp kolovoza/kolovoz/kol rujna/rujan/ruj listopada/listopad/lis \
studenoga/studeni/stu prosinca/prosinac/pro
Bosnian, Serbian: januar/jan/јануар/јан/januara februar/feb/фебруар/феб/februara mart/mar/март/мар/marta \
april/apr/април/апр/aprila maj/мај/maja jun/juni/јун/juna jul/juli/јул/jula avgust/avg/august/aug/август/авг/avgusta \
septembar/sep/септембар/сеп/septembra oktobar/okt/октобар/окт/oktobra novembar/nov/новембар/нов/novembra \
decembar/dec/децембар/дец/decembra
Macedonian: јануари/јан февруари/фев март/мар април/апр мај јуни/јун јули/јул август/авг септември/сеп октомври/окт \
ноември/ное декември/дек
Hungarian: január/jan február/feb március/márc április/ápr május/máj június/jún július/júl augusztus/aug \
szeptember/szept október/okt november/nov december/dec
Romanian: ianuarie/ian februarie/feb martie/mart aprilie/apr mai iunie/iun iulie/iul august/aug septembrie/sept \
octombrie/oct noiembrie/nov decembrie/dec
Catalan: gener/gen febrer/febr març abril/abr maig juny juliol/jul agost/ag setembre/set octubre/oct novembre/nov \
desembre/des
Basque: urtarrila/urt/urtarrilak/urtarrilaren otsaila/ots/otsailak/otsailaren martxoa/mar/martxoak/martxoaren \
apirila/api/apirilak/apirilaren maiatza/mai/maiatzak/maiatzaren ekaina/eka/ekainak/ekainaren \
uztaila/uzt/uztailak/uztailaren abuztua/abu/abuztuak/abuztuaren iraila/ira/irailak/irailaren \
urria/urr/urriak/urriaren azaroa/aza/azaroak/azaroaren abendua/abe/abenduak/abenduaren
Galician: xaneiro/xan febreiro/feb marzo/mar abril/abr maio/mai xuño/xuñ xullo/xul agosto/ago setembro/set \
outubro/out novembro/nov decembro/dec
Greek: ιανουάριοσ/ιανουαρίου/ιαν φεβρουάριοσ/φεβρουαρίου/φεβ μάρτιοσ/μαρτίου/μαρ απρίλιοσ/απριλίου/απρ \
μάιοσ/μαϊ/μαϊου ιούνιοσ/ιουνίου/ιουν ιούλιοσ/ιουλίου/ιουλ αύγουστοσ/αυγούστου/αυγ σεπτέμβριοσ/σεπτεμβρίου/σεπ \
οκτώβριοσ/οκτωβρίου/οκτ νοέμβριοσ/νοεμβρίου/νοε δεκέμβριοσ/δεκεμβρίου/δεκ
Russian: января/январь/янв февраля/февраль/февр марта/март/мар апреля/апрель/апр мая/май июня/июнь июля/июль \
августа/август/авг сентября/сентябрь/сент октября/октябрь/окт ноября/ноябрь/нояб декабря/декабрь/дек
Ukrainian: січня/січень/січ лютого/лютий/лют березня/березень/бер квітня/квітень/квіт травня/травень/трав \
червня/червень/черв липня/липень/лип серпня/серпень/серп вересня/вересень/вер жовтня/жовтень/жовт \
листопада/листопад/лист грудня/грудень/груд
Belarusian: студзеня/студзень/студ лютага/люты/лют сакавіка/сакавік/сак красавіка/красавік/крас траўня/травень/трав \
чэрвеня/чэрвень/чэрв ліпеня/ліпень/ліп жніўня/жнівень/жнів верасня/верасень/вер кастрычніка/кастрычнік/каст \
лістапада/лістапад/ліст снежня/снежань/снеж
Bulgarian: януари/яну февруари/фев март/мар април/апр май юни юли август/авг септември/сеп октомври/окт ноември/ное \
декември/дек
Lithuanian: sausio/sausis/sau/saus vasario/vasaris/vas kovo/kovas/kov balandžio/balandis/bal gegužės/gegužė/geg \
birželio/birželis/bir/birž liepos/liepa/lie/liep rugpjūčio/rugpjūtis/rgp/rugp rugsėjo/rugsėjis/rgs/rugs \
spalio/spalis/spa/spal lapkričio/lapkritis/lap/lapkr gruodžio/gruodis/grd/gruod
Latvian: janvāris/jan/janvārī/janv februāris/feb/februārī/febr marts/mar/martā aprīlis/apr/aprīlī maijs/mai/maijā \
jūnijs/jūn/jūnijā jūlijs/jūl/jūlijā augusts/aug/augustā septembris/sep/septembrī/sept oktobris/okt/oktobrī \
novembris/nov/novembrī decembris/dec/decembrī
Estonian: jaanuar/jaan veebruar/veebr märts aprill/apr mai juuni juuli august/aug september/sept oktoober/okt \
november/nov detsember/dets
Icelandic, Faroese: janúar/jan febrúar/feb mars/mar apríl/apr maí júní/jún júlí/júl ágúst/ágú/august/aug \
september/sep október/okt nóvember/nóv desember/des
Afrikaans: januarie/jan februarie/feb maart/mrt april/apr mei junie/jun julie/jul augustus/aug september/sep \
oktober/okt november/nov desember/des
Irish: eanáir/ean feabhra/feabh márta/márt aibreán/aib bealtaine/beal meitheamh/meith iúil lúnasa/lún meán deireadh \
samhain/samh nollaig/noll
Albanian: janar/jan shkurt/shk mars/mar prill/pri maj qershor/qer korrik/kor gusht/gus shtator/sht tetor/tet \
nëntor/nën dhjetor/dhj
Indonesian, Malay: januari/jan februari/feb maret/mar/mac april/apr mei juni/jun juli/jul/julai \
agustus/agt/ogos/ogs/agu/ogo september/sep oktober/okt november/nov desember/des/disember/dis
Filipino: enero/ene pebrero/peb marso/mar abril/abr mayo/may hunyo/hun hulyo/hul agosto/ago setyembre/set \
oktubre/okt nobyembre/nob disyembre/dis
Hebrew: ינואר/ינו/בינואר/בינו פברואר/פבר/בפברואר/בפבר מרץ/במרץ אפריל/אפר/באפריל/באפר מאי/במאי יוני/ביוני יולי/ביולי \
אוגוסט/אוג/באוגוסט/באוג ספטמבר/ספט/בספטמבר/בספט אוקטובר/אוק/באוקטובר/באוק נובמבר/נוב/בנובמבר/בנוב \
דצמבר/דצמ/בדצמבר/בדצמ
Arabic: يناير/جانفي فبراير/فيفري/شباط مارس/آذار أبريل/أفريل/نيسان مايو/ماي/أيار يونيو/جوان/حزيران \
يوليو/يوليوز/جويلية/تموز أغسطس/غشت/أوت/آب سبتمبر/شتنبر/أيلول أكتوبر نوفمبر/نونبر ديسمبر/دجنبر
Armenian: հունվարի/հունվար/հնվ փետրվարի/փետրվար/փտր մարտի/մարտ/մրտ ապրիլի/ապրիլ/ապր մայիսի/մայիս/մյս \
հունիսի/հունիս/հնս հուլիսի/հուլիս/հլս օգոստոսի/օգոստոս/օգս սեպտեմբերի/սեպտեմբեր/սպտ հոկտեմբերի/հոկտեմբեր/հկտ \
նոյեմբերի/նոյեմբեր/նմբ դեկտեմբերի/դեկտեմբեր/դկտ
Georgian: იანვარი/იან თებერვალი/თებ მარტი/მარ აპრილი/აპრ მაისი/მაი ივნისი/ივნ ივლისი/ივლ აგვისტო/აგვ სექტემბერი/სექ \
ოქტომბერი/ოქტ ნოემბერი/ნოე დეკემბერი/დეკ
Azerbaijani, Uzbek: yanvar/yan fevral/fev mart/mar aprel/apr may iyun/iyn iyul/iyl avqust/avq/avgust/avg \
sentyabr/sen/sentabr oktyabr/okt/oktabr noyabr/noy dekabr/dek
Kazakh: қаңтар/қаң ақпан/ақп наурыз/нау сәуір/сәу мамыр/мам маусым/мау шілде/шіл тамыз/там қыркүйек/қыр қазан/қаз \
қараша/қар желтоқсан/жел
Maltese: jannar/jan frar/fra marzu/mar april/apr mejju/mej ġunju/ġun lulju/lul awwissu/aww settembru/set ottubru/ott \
novembru/nov diċembru/diċ
Luxembourgish: januar/jan februar/febr mäerz/mrz abrëll/abr mee juni/jun juli/jul august/aug september/sept \
oktober/okt november/nov dezember/dez
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
    às alle ore klo godz kell plkst pukul saat ob ora la στις в у о v d m г р года році gada
    fómhair في ngày năm lúc 年 月 日 時 分 秒 时 년 월 일 시 분 초""".split()
)


def _plain(word: str) -> str:
    """A word without case and accents, so that `août` and `aout` are one."""
    split = unicodedata.normalize("NFD", word.casefold())
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def _unambiguous() -> dict[str, int]:
    """The month of each word. Without those that mean two, in two languages, such as `listopad` and `lip`."""
    found: dict[str, set[int]] = {}
    for language in _MONTHS.strip().splitlines():
        for number, words in enumerate(language.partition(": ")[2].split(), start=1):
            for word in words.split("/"):
                found.setdefault(_plain(word), set()).add(number)
    return {word: min(months) for word, months in found.items() if len(months) == 1}


_MONTH = _unambiguous()
_BEFORE_NOON = frozenset(map(_plain, "am fm fh oo ap yb vm pd pg sa πμ ص 午前 上午 오전".split()))
_AFTER_NOON = frozenset(map(_plain, "pm em eh os ip yh nm md ptg ch μμ م 午後 下午 오후".split()))
_VIETNAMESE = {number: words.split("/")[0] for number, words in enumerate(_MONTHS.split()[1:13], start=1)}
"""Vietnamese counts its months: `tháng 3` is read as an English one."""
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
    clean = _plain(unicodedata.normalize("NFKC", text))
    clean = re.sub(r"\b([apfe])\.?\s?m\b\.?", r" \1m ", clean)  # a.m., p. m., f.m.
    clean = re.sub(r"\b([^\W\d_])\.\s?([^\W\d_])\.", r" \1\2 ", clean)  # π.μ., e.h.
    clean = re.sub(r"\bthang (\d{1,2})\b", lambda month: _VIETNAMESE.get(int(month[1]), month[0]), clean)
    words = re.findall(r"\d+|[^\W\d_]+", clean)
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
