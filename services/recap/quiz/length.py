"""How long a quiz may go on and about what: what whoever begins it asks for."""

import dataclasses
from dataclasses import dataclass
from typing import Final

from libs.faults import InvalidField
from services.recap.quiz.selection import ENDLESS, StopRules

MOST_ANSWERS: Final = 20
KINDS: Final = frozenset(
    ["mood", "energy", "length", "familiarity", "company", "era", "genre", "title", "pair", "pack"],
)


@dataclass(frozen=True, slots=True)
class Length:
    """`most_answers` 0 is as many as usual; `asks_on` is however sure the belief is.

    No `kinds` are all of them.
    """

    most_answers: int = 0
    asks_on: bool = False
    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.most_answers <= MOST_ANSWERS:
            raise InvalidField("max_answers", f"must be at most {MOST_ANSWERS}")
        if len(self.kinds) > len(KINDS):
            raise InvalidField("kinds", f"must be at most {len(KINDS)}")
        for place, kind in enumerate(self.kinds):
            if kind not in KINDS:
                raise InvalidField(f"kinds[{place}]", "is no kind of question")

    def rules(self, usual: StopRules) -> StopRules:
        """When to ask no more, where `usual` says so for everybody."""
        most = self.most_answers or usual.most_answers
        return dataclasses.replace(
            ENDLESS if self.asks_on else usual, most_answers=most, kinds=frozenset(self.kinds)
        )


USUAL: Final = Length()
"""As long as the service is set to, or the pack says."""
