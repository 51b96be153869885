"""Cards as they may leave, in three languages; all names are invented."""

from typing import Final

from services.recap.share.shared_card import CardKind, SharedCard

DISPLAY_NAMES: Final = {"en": "Maren", "ar": "مريم", "th": "มะลิ 🌙"}

CARDS: Final = (
    SharedCard(
        "minutes",
        CardKind.FIGURE,
        "en",
        "Minutes watched",
        "12,480",
        "On 212 days, in 1,043 plays.",
    ),
    SharedCard(
        "titles",
        CardKind.LIST,
        "en",
        "My top titles",
        names=(
            "The Yorvale Fox",
            "The Merry Grandma of Lorova",
            "A Robot for Pellder",
            "Treehouse in Audham",
            "Nights over Quillmere",
        ),
    ),
    SharedCard(
        "archetype",
        CardKind.ARCHETYPE,
        "en",
        "My archetype",
        "The night owl",
        "The best stories begin when everybody else is asleep.",
    ),
    SharedCard(
        "binge",
        CardKind.DAY,
        "en",
        "My longest binge",
        "9",
        "episodes in a row, 412 minutes",
        ("The Yorvale Fox",),
    ),
    SharedCard(
        "outcome",
        CardKind.OUTCOME,
        "en",
        "Which detective are you?",
        "Mrs Crumb of the Corner Bakery",
        "Nobody suspects the one with the scones. You have solved it by tea.",
    ),
    SharedCard("minutes", CardKind.FIGURE, "ar", "دقائق المشاهدة", "12,480", "أيام المشاهدة: 212"),
    SharedCard(
        "titles",
        CardKind.LIST,
        "ar",
        "أفضل العناوين عندي",
        names=("ثعلب يورفال", "The Merry Grandma of Lorova", "روبوت من أجل بيلدر 🤖"),
    ),
    SharedCard("archetype", CardKind.ARCHETYPE, "ar", "شخصيتي في المشاهدة", "بومة الليل"),
    SharedCard(
        "binge",
        CardKind.DAY,
        "ar",
        "أطول مشاهدة متواصلة",
        "9",
        "حلقات متتالية",
        ("ثعلب يورفال",),
    ),
    SharedCard(
        "outcome",
        CardKind.OUTCOME,
        "ar",
        "أي محقق أنت؟",
        "المفتش ظلال",
        "تثق بالظلال أكثر من الشهود، وأنت على حق في الأمرين.",
    ),
    SharedCard("minutes", CardKind.FIGURE, "th", "จำนวนนาทีที่รับชม", "12,480", "จำนวนวันที่รับชม 212 วัน"),
    SharedCard(
        "titles",
        CardKind.LIST,
        "th",
        "เรื่องโปรดของฉัน",
        names=("จิ้งจอกแห่งยอร์เวล", "หุ่นยนต์เพื่อเพลเดอร์ 🤖", "ค่ำคืนเหนือควิลเมียร์"),
    ),
    SharedCard("archetype", CardKind.ARCHETYPE, "th", "ตัวตนของฉัน", "นกฮูกราตรี"),
    SharedCard(
        "binge",
        CardKind.DAY,
        "th",
        "ดูรวดเดียวนานที่สุด",
        "9",
        "ตอนติดต่อกัน",
        ("จิ้งจอกแห่งยอร์เวล",),
    ),
    SharedCard(
        "outcome",
        CardKind.OUTCOME,
        "th",
        "คุณคือนักสืบคนไหน",
        "สารวัตรเงา",
        "คุณเชื่อเงามากกว่าพยาน และคุณคิดถูกทั้งสองเรื่อง",
    ),
)
