"""The words of the cards, in each language; names of titles are as the catalogue has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

DEFAULT_LANGUAGE: Final = "en"


@dataclass(frozen=True, slots=True)
class Words:
    """Templates of one language, by card; `item` is a line of a list, `reasons` are of days."""

    headlines: Mapping[str, str]
    texts: Mapping[str, str]
    item: str
    reasons: Mapping[str, str]
    axes: Mapping[str, str]
    archetypes: Mapping[str, str]
    own_genre: str  # after the text of the country, where a genre is more the viewer's


_ENGLISH: Final = Words(
    headlines={
        "minutes": "{minutes.total} minutes",
        "titles": "{titles.count} titles",
        "genres": "Mostly {genres.1}",
        "people": "The face of it: {people.1}",
        "series": "Your series: {series.1}",
        "binge": "Your longest binge",
        "rewatch": "Again and again",
        "night": "{night.percent}% after dark",
        "release": "Through the ages",
        "edges": "From first to last",
        "discoveries": "New to you: {discoveries.1}",
        "days": "Days to remember",
        "throwbacks": "Worth another look",
        "country": "You and your country",
        "archetype": "{name}",
    },
    texts={
        "minutes": "On {minutes.days} days, in {minutes.plays} plays.",
        "titles": "{titles.movies} movies and {titles.series} series, {titles.episodes} episodes."
        "\n{items}",
        "genres": "{items}",
        "people": "{items}",
        "series": "{items}",
        "binge": "{binge.episodes} episodes of {binge.title} in a row, {binge.minutes} minutes,"
        " on {binge.date}.",
        "rewatch": "{rewatch.title}, {rewatch.times} times to the end.",
        "night": "{night.minutes} minutes between 22:00 and 5:00.",
        "release": "From {release.oldest} ({release.oldest.date})"
        " to {release.newest} ({release.newest.date}).",
        "edges": "It began on {edges.first.date} with {edges.first} and ended on"
        " {edges.last.date} with {edges.last}.",
        "discoveries": "{discoveries.count} genres for the first time.\n{items}",
        "days": "{items}",
        "throwbacks": "You loved them and have not seen them for half a year.\n{items}",
        "country": "More minutes than {country.percentile}% of viewers in {country.code}."
        "{own_genre}",
        "archetype": "{first}: {archetype.first.value}, on average {archetype.first.average}."
        " {second}: {archetype.second.value}, on average {archetype.second.average}.",
    },
    item="{name}: {minutes} min",
    reasons={
        "longest": "{date}: the most in a day, {number} minutes",
        "widest": "{date}: the most titles in a day, {number}",
        "devoted": "{date}: {number} episodes of {series}",
        "comeback": "{date}: back after {number} days away",
        "streak": "{date}: the first of {number} days in a row",
    },
    axes={
        "night": "thousandths at night",
        "weekend": "thousandths at weekends",
        "series": "thousandths in series",
        "variety": "genres",
        "vintage": "thousandths in titles of twenty years ago and older",
        "intensity": "minutes a day",
        "breadth": "titles in a thousand hours",
        "repeat": "repeats in a thousand plays",
    },
    archetypes={
        "night_owl": "The night owl",
        "weekender": "The weekender",
        "devotee": "The devotee",
        "explorer": "The explorer",
        "time_traveller": "The time traveller",
        "film_lover": "The film lover",
        "comfort_seeker": "The comfort seeker",
        "marathoner": "The marathoner",
        "sampler": "The sampler",
        "regular": "The regular",
    },
    own_genre=" A larger part of them is {country.genre} than there on average.",
)
_ARABIC: Final = Words(
    headlines={
        "minutes": "{minutes.total} دقيقة",
        "titles": "{titles.count} عنوانًا",
        "genres": "غالبًا {genres.1}",
        "people": "وجه عامك: {people.1}",
        "series": "مسلسلك: {series.1}",
        "binge": "أطول مشاهدة متواصلة",
        "rewatch": "مرة بعد مرة",
        "night": "{night.percent}% ليلًا",
        "release": "عبر الأزمنة",
        "edges": "من البداية إلى النهاية",
        "discoveries": "جديد عليك: {discoveries.1}",
        "days": "أيام لا تُنسى",
        "throwbacks": "تستحق مشاهدة أخرى",
        "country": "أنت وبلدك",
        "archetype": "{name}",
    },
    texts={
        "minutes": "أيام المشاهدة: {minutes.days}، مرات التشغيل: {minutes.plays}.",
        "titles": "أفلام: {titles.movies}، مسلسلات: {titles.series}، حلقات: {titles.episodes}."
        "\n{items}",
        "genres": "{items}",
        "people": "{items}",
        "series": "{items}",
        "binge": "{binge.title}: {binge.episodes} حلقات متتالية، {binge.minutes} دقيقة،"
        " في {binge.date}.",
        "rewatch": "{rewatch.title}: حتى النهاية {rewatch.times} مرات.",
        "night": "{night.minutes} دقيقة بين 22:00 و5:00.",
        "release": "من {release.oldest} ({release.oldest.date})"
        " إلى {release.newest} ({release.newest.date}).",
        "edges": "بدأ في {edges.first.date} مع {edges.first} وانتهى في {edges.last.date}"
        " مع {edges.last}.",
        "discoveries": "أنواع لأول مرة: {discoveries.count}.\n{items}",
        "days": "{items}",
        "throwbacks": "أحببتها ولم تشاهدها منذ نصف عام.\n{items}",
        "country": "دقائق أكثر من {country.percentile}% من المشاهدين في {country.code}.{own_genre}",
        "archetype": "{first}: {archetype.first.value}، والمتوسط {archetype.first.average}."
        " {second}: {archetype.second.value}، والمتوسط {archetype.second.average}.",
    },
    item="{name}: {minutes} د",
    reasons={
        "longest": "{date}: أطول يوم، {number} دقيقة",
        "widest": "{date}: أكثر العناوين في يوم، {number}",
        "devoted": "{date}: {series}، عدد الحلقات {number}",
        "comeback": "{date}: عودة بعد غياب {number} يومًا",
        "streak": "{date}: أول {number} أيام متتالية",
    },
    axes={
        "night": "بالألف ليلًا",
        "weekend": "بالألف يومي السبت والأحد",
        "series": "بالألف مسلسلات",
        "variety": "أنواع",
        "vintage": "بالألف عناوين عمرها عشرون عامًا فأكثر",
        "intensity": "دقائق في اليوم",
        "breadth": "عناوين في ألف ساعة",
        "repeat": "إعادات في ألف تشغيل",
    },
    archetypes={
        "night_owl": "ساهر الليل",
        "weekender": "عاشق العطلة",
        "devotee": "الوفي",
        "explorer": "المستكشف",
        "time_traveller": "مسافر الزمن",
        "film_lover": "عاشق الأفلام",
        "comfort_seeker": "الباحث عن المألوف",
        "marathoner": "العدّاء الطويل",
        "sampler": "المتذوق",
        "regular": "المنتظم",
    },
    own_genre=" وحصة {country.genre} منها أكبر من المتوسط هناك.",
)
_THAI: Final = Words(
    headlines={
        "minutes": "{minutes.total} นาที",
        "titles": "{titles.count} เรื่อง",
        "genres": "ส่วนใหญ่คือ {genres.1}",
        "people": "คนประจำปี: {people.1}",
        "series": "ซีรีส์ของคุณ: {series.1}",
        "binge": "ดูรวดเดียวนานที่สุด",
        "rewatch": "ดูซ้ำแล้วซ้ำอีก",
        "night": "{night.percent}% ตอนกลางคืน",
        "release": "ข้ามยุคสมัย",
        "edges": "จากเรื่องแรกถึงเรื่องสุดท้าย",
        "discoveries": "ใหม่สำหรับคุณ: {discoveries.1}",
        "days": "วันที่น่าจดจำ",
        "throwbacks": "น่าดูอีกครั้ง",
        "country": "คุณกับประเทศของคุณ",
        "archetype": "{name}",
    },
    texts={
        "minutes": "ใน {minutes.days} วัน เล่น {minutes.plays} ครั้ง",
        "titles": "ภาพยนตร์ {titles.movies} เรื่อง ซีรีส์ {titles.series} เรื่อง"
        " {titles.episodes} ตอน\n{items}",
        "genres": "{items}",
        "people": "{items}",
        "series": "{items}",
        "binge": "{binge.title} {binge.episodes} ตอนติดกัน {binge.minutes} นาที เมื่อ {binge.date}",
        "rewatch": "{rewatch.title} ดูจนจบ {rewatch.times} ครั้ง",
        "night": "{night.minutes} นาที ระหว่าง 22:00 ถึง 5:00 น.",
        "release": "จาก {release.oldest} ({release.oldest.date})"
        " ถึง {release.newest} ({release.newest.date})",
        "edges": "เริ่มเมื่อ {edges.first.date} ด้วย {edges.first}"
        " และจบเมื่อ {edges.last.date} ด้วย {edges.last}",
        "discoveries": "{discoveries.count} แนวเป็นครั้งแรก\n{items}",
        "days": "{items}",
        "throwbacks": "คุณเคยรักและไม่ได้ดูมาครึ่งปีแล้ว\n{items}",
        "country": "ดูนานกว่า {country.percentile}% ของผู้ชมใน {country.code}{own_genre}",
        "archetype": "{first}: {archetype.first.value} เฉลี่ย {archetype.first.average}"
        " {second}: {archetype.second.value} เฉลี่ย {archetype.second.average}",
    },
    item="{name}: {minutes} นาที",
    reasons={
        "longest": "{date}: ดูนานที่สุดในวันเดียว {number} นาที",
        "widest": "{date}: ดูหลายเรื่องที่สุดในวันเดียว {number} เรื่อง",
        "devoted": "{date}: {series} {number} ตอน",
        "comeback": "{date}: กลับมาหลังหายไป {number} วัน",
        "streak": "{date}: วันแรกของ {number} วันติดกัน",
    },
    axes={
        "night": "ส่วนในพันตอนกลางคืน",
        "weekend": "ส่วนในพันช่วงสุดสัปดาห์",
        "series": "ส่วนในพันเป็นซีรีส์",
        "variety": "แนว",
        "vintage": "ส่วนในพันของเรื่องอายุยี่สิบปีขึ้นไป",
        "intensity": "นาทีต่อวัน",
        "breadth": "เรื่องต่อพันชั่วโมง",
        "repeat": "การดูซ้ำต่อพันครั้ง",
    },
    archetypes={
        "night_owl": "นกฮูกกลางคืน",
        "weekender": "นักดูวันหยุด",
        "devotee": "แฟนตัวจริง",
        "explorer": "นักสำรวจ",
        "time_traveller": "นักเดินทางข้ามเวลา",
        "film_lover": "คนรักหนัง",
        "comfort_seeker": "ผู้รักสิ่งคุ้นเคย",
        "marathoner": "นักดูมาราธอน",
        "sampler": "นักชิม",
        "regular": "ขาประจำ",
    },
    own_genre=" และดู {country.genre} ในสัดส่วนมากกว่าค่าเฉลี่ยที่นั่น",
)
_WORDS: Final = {"en": _ENGLISH, "ar": _ARABIC, "th": _THAI}
LANGUAGES: Final = tuple(_WORDS)


def words(language: str) -> Words:
    """Those of a BCP 47 tag's language; English for one without."""
    return _WORDS.get(language.partition("-")[0].lower(), _ENGLISH)
