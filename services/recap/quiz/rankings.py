"""What a quiz would end with if it ended here: for measurement, at every step of it."""

from collections.abc import Callable
from dataclasses import dataclass

from libs.domain.decision import Part, Purpose
from services.recap.quiz.play import result, seeds
from services.recap.quiz.ports import PAGE_SHARE, POOL_SIZE, HeldMaterial, Ranking, TimeLeft
from services.recap.quiz.quiz_step import Step
from services.recap.quiz.slate import Slate
from services.recap.ranking_client import SlateQuery


@dataclass(frozen=True, slots=True)
class Ranked:
    """Titles, best first, and what they were ranked without."""

    slate: Slate
    degraded: tuple[Part, ...]


class Rankings:
    """Made as results are, but out of PREVIEW pages: nothing is logged, nothing is explored."""

    def __init__(self, materials: Callable[[str], HeldMaterial], ranking: Ranking) -> None:
        self._materials = materials
        self._ranking = ranking

    async def after(
        self, tenant: str, step: Step, limit: int, time_left_s: TimeLeft
    ) -> Ranked | None:
        """The `limit` likeliest titles after a step; None of 0. Raises PartUnavailable."""
        if limit == 0:
            return None
        here = step.explanation.position
        query = SlateQuery(
            Purpose.PREVIEW,
            POOL_SIZE,
            step.state.profile_id,
            step.state.context,
            seeds=seeds(here),
            is_diverse=False,
        )
        page = await self._ranking.recommend(tenant, query, timeout_s=time_left_s() * PAGE_SHARE)
        material = self._materials(tenant).current
        pool = material.pool(page.title_ids, page.scores, page.model_version)
        is_personal = bool(step.state.profile_id)
        return Ranked(result(here, pool, limit, is_personal=is_personal), page.degraded)
