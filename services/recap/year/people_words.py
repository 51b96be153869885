"""The words that describe the people of a shared profile, in each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PeopleWords:
    """Templates of one language; dayparts and devices by name."""

    kids: str
    dayparts: Mapping[str, str]
    devices: Mapping[str, str]
    mostly: str
    more: str  # of one of those who are otherwise alike
    between: str


_ENGLISH: Final = PeopleWords(
    kids="children's titles",
    dayparts={
        "morning": "mornings",
        "afternoon": "afternoons",
        "evening": "evenings",
        "night": "nights",
    },
    devices={
        "tv": "on the TV",
        "phone": "on the phone",
        "tablet": "on the tablet",
        "computer": "on the computer",
        "console": "on the console",
    },
    mostly="mostly {genre}",
    more="with more {genre}",
    between=", ",
)
_ARABIC: Final = PeopleWords(
    kids="عناوين للأطفال",
    dayparts={
        "morning": "صباحًا",
        "afternoon": "بعد الظهر",
        "evening": "مساءً",
        "night": "ليلًا",
    },
    devices={
        "tv": "على التلفاز",
        "phone": "على الهاتف",
        "tablet": "على الجهاز اللوحي",
        "computer": "على الحاسوب",
        "console": "على جهاز الألعاب",
    },
    mostly="غالبًا {genre}",
    more="مع المزيد من {genre}",
    between="، ",
)
_THAI: Final = PeopleWords(
    kids="เรื่องสำหรับเด็ก",
    dayparts={
        "morning": "ตอนเช้า",
        "afternoon": "ตอนบ่าย",
        "evening": "ตอนเย็น",
        "night": "ตอนกลางคืน",
    },
    devices={
        "tv": "บนทีวี",
        "phone": "บนโทรศัพท์",
        "tablet": "บนแท็บเล็ต",
        "computer": "บนคอมพิวเตอร์",
        "console": "บนเครื่องเล่นเกม",
    },
    mostly="ส่วนใหญ่คือ {genre}",
    more="และดู {genre} มากกว่า",
    between=" ",
)
_WORDS: Final = {"en": _ENGLISH, "ar": _ARABIC, "th": _THAI}


def people_words(language: str) -> PeopleWords:
    """Those of a BCP 47 tag's language; English for one without."""
    return _WORDS.get(language.partition("-")[0].lower(), _ENGLISH)
