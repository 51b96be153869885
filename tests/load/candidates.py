"""What pages ask of the catalogue: titles like one title, and the titles of a row."""

from collections.abc import Sequence
from typing import Final

from libs.simulation.world import World
from tests.load.shot import SECONDS, Shot

SERVICE: Final = "reprise.candidates.v1.CandidatesService"
ROW: Final = 20


def shots(world: World) -> Sequence[Shot]:
    """Every title in turn; every row of titles in turn."""
    title_ids = world.recommendable_ids
    similar = [{"title_id": title_id, "limit": ROW} for title_id in title_ids]
    rows = [{"title_ids": title_ids[at : at + ROW]} for at in range(0, len(title_ids), ROW)]
    return (
        Shot(f"{SERVICE}/FindSimilarTitles", similar, {"duration_s": SECONDS, "concurrency": 8}),
        Shot(f"{SERVICE}/GetTitles", rows, {"duration_s": SECONDS, "concurrency": 8}),
    )
