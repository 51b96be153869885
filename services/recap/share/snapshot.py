"""Snapshot: what was agreed to leave, as a share keeps it, with what its names are names of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from libs.domain.title import Title
from services.recap.share.leaving import Leaving
from services.recap.share.rendering import remaining
from services.recap.share.shared_card import SharedCard, of_json, to_json


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The cards of one share; origins and hidden titles stay with the share."""

    cards: tuple[SharedCard, ...]
    display_name: str
    origins: tuple[tuple[str, ...], ...]  # of the names of each card
    hidden_title_ids: frozenset[str]

    def text(self) -> str:
        """As it is kept."""
        return json.dumps(
            {
                "shared": json.loads(to_json(self.cards, self.display_name)),
                "origins": self.origins,
                "hidden_title_ids": sorted(self.hidden_title_ids),
            },
            ensure_ascii=False,
        )

    @staticmethod
    def of_text(text: str) -> "Snapshot":
        """What `text` wrote."""
        kept = json.loads(text)
        cards, display_name = of_json(json.dumps(kept["shared"]))
        return Snapshot(
            cards,
            display_name,
            tuple(tuple(one) for one in kept["origins"]),
            frozenset(kept["hidden_title_ids"]),
        )

    def leaving(self, titles: Mapping[str, Title]) -> tuple[SharedCard, ...]:
        """The cards, without what may not leave any more by the catalogue of now."""
        leaving = Leaving(titles, self.hidden_title_ids)
        cards = (
            remaining(card, origins, leaving)
            for card, origins in zip(self.cards, self.origins, strict=True)
        )
        return tuple(card for card in cards if card is not None)
