"""What a quiz ends with, and how a store keeps it."""

import json
from dataclasses import astuple, dataclass

from libs.domain.decision import Part
from services.recap.quiz.selection import Stop
from services.recap.quiz.slate import Slate, SlateTitle


@dataclass(frozen=True, slots=True)
class PackOutcome:
    """What a curated pack says of the viewer."""

    outcome_id: str
    name: str
    text: str
    pack_name: str
    language: str  # BCP 47, of all of its texts


@dataclass(frozen=True, slots=True)
class QuizResult:
    """The slate of a page, why nothing more was asked, and what it was made without."""

    page_id: str  # empty for somebody anonymous, of whom nothing is logged
    slate: Slate
    stop: Stop
    degraded: tuple[Part, ...]
    outcome: PackOutcome | None = None


def encode_result(result: QuizResult) -> bytes:
    """As bytes."""
    slate, outcome = result.slate, result.outcome
    value = {
        "page_id": result.page_id,
        "titles": [(one.title_id, one.reasons, one.probability) for one in slate.titles],
        "relaxed": slate.relaxed,
        "stop": result.stop,
        "degraded": result.degraded,
        "outcome": None if outcome is None else astuple(outcome),
    }
    return json.dumps(value, ensure_ascii=False).encode()


def decode_result(data: bytes) -> QuizResult:
    """The inverse of `encode_result`."""
    value = json.loads(data)
    titles = tuple(SlateTitle(one, tuple(why), share) for one, why, share in value["titles"])
    return QuizResult(
        page_id=value["page_id"],
        slate=Slate(titles, tuple(value["relaxed"])),
        stop=Stop(value["stop"]),
        degraded=tuple(map(Part, value["degraded"])),
        outcome=None if value["outcome"] is None else PackOutcome(*value["outcome"]),
    )
