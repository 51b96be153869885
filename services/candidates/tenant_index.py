"""What the candidates service holds in memory for one tenant."""

from dataclasses import dataclass

from services.candidates.index import Indexes
from services.candidates.pipeline import Retrieval
from services.candidates.upkeep import Upkeep


@dataclass(frozen=True, slots=True, eq=False)
class TenantIndex:
    """A tenant's indexes, the retrieval over them, and what keeps both up to date."""

    indexes: Indexes
    retrieval: Retrieval
    upkeep: Upkeep

    async def run(self) -> None:
        """Keep it up to date until cancelled."""
        await self.upkeep.run()
