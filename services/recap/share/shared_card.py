"""SharedCard: what may leave of a card of a recap or a quiz, and all that its image shows."""

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Final

# More than any design shows.
MOST_NAMES: Final = 10


class CardKind(IntEnum):
    """How a card is designed; numbers are those of the contract."""

    FIGURE = 1
    LIST = 2
    ARCHETYPE = 3
    DAY = 4
    OUTCOME = 5


@dataclass(frozen=True, slots=True)
class SharedCard:
    """One card as others see it: no time, no place, no id of a viewer or a title.

    `figure` is what is written largest, such as "12,480"; a list may have none.
    """

    card_id: str
    kind: CardKind
    language: str
    headline: str
    figure: str = ""
    text: str = ""
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.names) > MOST_NAMES:
            raise ValueError(f"a shared card has at most {MOST_NAMES} names")


def digest_of(cards: tuple[SharedCard, ...], display_name: str) -> str:
    """Names exactly what somebody has seen: 64 hexadecimal digits."""
    return hashlib.sha256(to_json(cards, display_name).encode()).hexdigest()


def to_json(cards: tuple[SharedCard, ...], display_name: str) -> str:
    """The snapshot of a share; the same bytes for the same content."""
    content = {"display_name": display_name, "cards": [asdict(card) for card in cards]}
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def of_json(text: str) -> tuple[tuple[SharedCard, ...], str]:
    """The cards and the display name of a snapshot."""
    content = json.loads(text)
    cards = tuple(
        SharedCard(
            **{
                **card,
                "kind": CardKind(card["kind"]),
                "names": tuple(card["names"]),
            }
        )
        for card in content["cards"]
    )
    return cards, str(content["display_name"])
