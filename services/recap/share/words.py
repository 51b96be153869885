"""The words of shared cards, in the languages of the recap: what a viewer says of themselves.

Numbers stand beside their nouns as labels do, so that no language has to inflect them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.recap.year.texts import DEFAULT_LANGUAGE, words


@dataclass(frozen=True, slots=True)
class ShareWords:
    """By the `words` of a plan: a headline and a text; and a line for each archetype.

    `partial` is the headline of a list of which not everything may leave: it claims no rank.
    """

    language: str
    texts: Mapping[str, tuple[str, str]]
    lines: Mapping[str, str]
    partial: Mapping[str, str]
    archetypes: Mapping[str, str]


_TEXTS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "en": {
        "minutes": (
            "Minutes watched",
            "Days with a story: {minutes.days}. Plays: {minutes.plays}.",
        ),
        "titles": ("My top titles", "Movies: {titles.movies}. Series: {titles.series}."),
        "title_count": ("Titles watched", "Movies: {titles.movies}. Series: {titles.series}."),
        "genres": ("My top genres", ""),
        "people": ("Faces I saw most", ""),
        "series": ("My top series", ""),
        "binge": ("My longest binge", "Episodes in a row. Minutes: {binge.minutes}."),
        "rewatch": ("Again and again", "From beginning to end, and never tired of it."),
        "night": ("After dark", "The share of my watching that belongs to the night."),
        "release": ("From the oldest to the newest", ""),
        "discoveries": ("New to me", ""),
        "devoted": ("A day to remember", "Episodes in a single day."),
        "streak": ("A streak to remember", "Days in a row, with something on every one."),
        "longest": ("A day to remember", "Minutes in a single day."),
        "archetype": ("My archetype", ""),
        "tonight": ("For me tonight", ""),
    },
    "ar": {
        "minutes": (
            "دقائق المشاهدة",
            "أيام المشاهدة: {minutes.days}. مرات التشغيل: {minutes.plays}.",
        ),
        "titles": ("أفضل العناوين عندي", "الأفلام: {titles.movies}. المسلسلات: {titles.series}."),
        "title_count": (
            "عدد العناوين التي شاهدتها",
            "الأفلام: {titles.movies}. المسلسلات: {titles.series}.",
        ),
        "genres": ("أفضل الأنواع عندي", ""),
        "people": ("أكثر الوجوه حضورًا", ""),
        "series": ("أفضل المسلسلات عندي", ""),
        "binge": ("أطول مشاهدة متواصلة", "عدد الحلقات المتتالية. الدقائق: {binge.minutes}."),
        "rewatch": ("مرة بعد مرة", "من البداية إلى النهاية، ومن دون ملل."),
        "night": ("بعد حلول الظلام", "حصة الليل من مشاهداتي."),
        "release": ("من الأقدم إلى الأحدث", ""),
        "discoveries": ("جديد عليّ", ""),
        "devoted": ("يوم لا يُنسى", "عدد الحلقات في يوم واحد."),
        "streak": ("أيام لا تُنسى", "عدد الأيام المتتالية مع المشاهدة."),
        "longest": ("يوم لا يُنسى", "عدد الدقائق في يوم واحد."),
        "archetype": ("شخصيتي في المشاهدة", ""),
        "tonight": ("لي هذه الليلة", ""),
    },
    "th": {
        "minutes": (
            "จำนวนนาทีที่รับชม",
            "จำนวนวันที่ดู: {minutes.days} จำนวนครั้งที่เล่น: {minutes.plays}",
        ),
        "titles": ("เรื่องโปรดของฉัน", "ภาพยนตร์: {titles.movies} ซีรีส์: {titles.series}"),
        "title_count": ("จำนวนเรื่องที่ดู", "ภาพยนตร์: {titles.movies} ซีรีส์: {titles.series}"),
        "genres": ("แนวโปรดของฉัน", ""),
        "people": ("คนที่ได้เห็นหน้าบ่อยที่สุด", ""),
        "series": ("ซีรีส์โปรดของฉัน", ""),
        "binge": ("ดูรวดเดียวนานที่สุด", "จำนวนตอนติดต่อกัน นาที: {binge.minutes}"),
        "rewatch": ("ดูซ้ำแล้วซ้ำอีก", "ตั้งแต่ต้นจนจบ โดยไม่เคยเบื่อ"),
        "night": ("หลังฟ้ามืด", "ส่วนของการรับชมที่เป็นของยามค่ำคืน"),
        "release": ("จากเก่าที่สุดถึงใหม่ที่สุด", ""),
        "discoveries": ("แนวใหม่สำหรับฉัน", ""),
        "devoted": ("วันที่น่าจดจำ", "จำนวนตอนในวันเดียว"),
        "streak": ("ช่วงเวลาที่น่าจดจำ", "จำนวนวันที่ดูติดต่อกัน"),
        "longest": ("วันที่น่าจดจำ", "จำนวนนาทีในวันเดียว"),
        "archetype": ("ตัวตนของฉัน", ""),
        "tonight": ("สำหรับฉันคืนนี้", ""),
    },
}
_LINES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "night_owl": "The best stories begin when everybody else is asleep.",
        "weekender": "Five days of waiting, two days of wonder.",
        "devotee": "Once a series has begun, there is no way back.",
        "explorer": "Seldom the same genre twice.",
        "time_traveller": "They do make them like they used to, if you know where to look.",
        "film_lover": "One evening, one film, one ending.",
        "comfort_seeker": "The best ones are even better the next time.",
        "marathoner": "Just one more, and then another one.",
        "sampler": "A little of everything, and everything a little.",
        "regular": "A good story a day.",
    },
    "ar": {
        "night_owl": "أجمل الحكايات تبدأ حين ينام الجميع.",
        "weekender": "خمسة أيام من الانتظار ويومان من الدهشة.",
        "devotee": "إذا بدأ المسلسل فلا عودة.",
        "explorer": "نادرًا ما أعود إلى النوع نفسه.",
        "time_traveller": "للأفلام القديمة سحرها.",
        "film_lover": "أمسية واحدة وفيلم واحد ونهاية واحدة.",
        "comfort_seeker": "الأفضل يصبح أجمل في المرة التالية.",
        "marathoner": "حلقة أخرى فقط، ثم أخرى.",
        "sampler": "من كل شيء قليل.",
        "regular": "حكاية جميلة كل يوم.",
    },
    "th": {
        "night_owl": "เรื่องดีที่สุดเริ่มขึ้นเมื่อทุกคนหลับ",
        "weekender": "รอห้าวัน เพื่อความมหัศจรรย์สองวัน",
        "devotee": "เมื่อซีรีส์เริ่มแล้ว ไม่มีทางถอยกลับ",
        "explorer": "ไม่ค่อยดูแนวเดิมซ้ำ",
        "time_traveller": "หนังเก่ามีเสน่ห์เสมอ",
        "film_lover": "หนึ่งค่ำคืน หนึ่งเรื่อง หนึ่งตอนจบ",
        "comfort_seeker": "เรื่องที่รัก ยิ่งดูยิ่งรัก",
        "marathoner": "ขออีกตอนเดียว แล้วก็อีกตอน",
        "sampler": "อย่างละนิด ทุกอย่างหน่อย",
        "regular": "วันละเรื่องดี ๆ",
    },
}
_PARTIAL: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "titles": "Among my top titles",
        "genres": "Among my top genres",
        "people": "Among the faces I saw most",
        "series": "Among my top series",
        "discoveries": "Among what was new to me",
    },
    "ar": {
        "titles": "من أفضل العناوين عندي",
        "genres": "من أفضل الأنواع عندي",
        "people": "من أكثر الوجوه حضورًا",
        "series": "من أفضل المسلسلات عندي",
        "discoveries": "من الجديد عليّ",
    },
    "th": {
        "titles": "ส่วนหนึ่งของเรื่องโปรด",
        "genres": "ส่วนหนึ่งของแนวโปรด",
        "people": "ส่วนหนึ่งของคนที่เห็นหน้าบ่อย",
        "series": "ส่วนหนึ่งของซีรีส์โปรด",
        "discoveries": "ส่วนหนึ่งของแนวใหม่",
    },
}
LANGUAGES: Final = tuple(_TEXTS)


def share_words(language: str) -> ShareWords:
    """Those of a BCP 47 tag's language; English for one without."""
    known = language.partition("-")[0].lower()
    if known not in _TEXTS:
        known = DEFAULT_LANGUAGE
    return ShareWords(known, _TEXTS[known], _LINES[known], _PARTIAL[known], words(known).archetypes)
