"""Decisions for tests: two titles, explored."""

from libs.domain.decision import Decision
from tests.made_events import START_MS


def decision(page_id: str = "page0", propensities: tuple[float, ...] = (0.5, 0.25)) -> Decision:
    return Decision(
        page_id, "profile0", START_MS, "explore", ("title0", "title1"), propensities,
        model_version="v1", index_version="v2", arm="arm0",
    )  # fmt: skip
