"""How long a quiz may go on: what whoever begins it asks for."""

import dataclasses
from dataclasses import dataclass
from typing import Final

from libs.faults import InvalidField
from services.recap.quiz.selection import ENDLESS, StopRules

MOST_ANSWERS: Final = 20


@dataclass(frozen=True, slots=True)
class Length:
    """`most_answers` 0 is as many as usual; `asks_on` is however sure the belief is."""

    most_answers: int = 0
    asks_on: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.most_answers <= MOST_ANSWERS:
            raise InvalidField("max_answers", f"must be at most {MOST_ANSWERS}")

    def rules(self, usual: StopRules) -> StopRules:
        """When to ask no more, where `usual` says so for everybody."""
        most = self.most_answers or usual.most_answers
        return dataclasses.replace(ENDLESS if self.asks_on else usual, most_answers=most)


USUAL: Final = Length()
"""As long as the service is set to, or the pack says."""
