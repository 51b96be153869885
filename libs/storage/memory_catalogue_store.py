"""The catalogue in memory: the same behaviour as the store in SQLite, for tests."""

from collections.abc import Sequence

from libs.domain.title import Title
from libs.storage.catalogue_store import FIRST_SEQUENCE, CatalogueChanges


class MemoryCatalogueStore:
    """Keeps each title's last change; forgets everything with the process."""

    def __init__(self) -> None:
        self._changed: dict[str, dict[str, tuple[int, Title | None]]] = {}

    def close(self) -> None:
        """Nothing is held."""

    def upsert(self, tenant: str, titles: Sequence[Title]) -> int:
        """Create or replace distinct titles; returns the sequence after it."""
        before = self.sequence(tenant)
        for sequence, title in enumerate(titles, before + 1):
            self._of(tenant)[title.title_id] = (sequence, title)
        return before + len(titles)

    def delete(self, tenant: str, title_ids: Sequence[str]) -> tuple[int, int]:
        """Remove what exists of distinct ids; returns how many, and the sequence after it."""
        before = self.sequence(tenant)
        existing = [title.title_id for title in self.get(tenant, title_ids)]
        for sequence, title_id in enumerate(existing, before + 1):
            self._of(tenant)[title_id] = (sequence, None)
        return len(existing), before + len(existing)

    def get(self, tenant: str, title_ids: Sequence[str]) -> list[Title]:
        """Those that exist, in the order asked for."""
        found = (self._of(tenant).get(title_id, (0, None))[1] for title_id in title_ids)
        return [title for title in found if title is not None]

    def list_after(self, tenant: str, after_id: str, most: int) -> list[Title]:
        """The next titles in ascending order of id."""
        following = sorted(title_id for title_id in self._of(tenant) if title_id > after_id)
        return self.get(tenant, following)[:most]

    def count(self, tenant: str) -> int:
        """How many titles there are."""
        return sum(title is not None for _, title in self._of(tenant).values())

    def sequence(self, tenant: str) -> int:
        """The sequence of the last change; FIRST_SEQUENCE before it."""
        return max((place for place, _ in self._of(tenant).values()), default=FIRST_SEQUENCE)

    def changes(self, tenant: str, after_sequence: int, most: int) -> CatalogueChanges:
        """The next changes in the order of sequence; empty, and with that of now, at the end."""
        newer = sorted(
            (place, title_id, title)
            for title_id, (place, title) in self._of(tenant).items()
            if place > after_sequence
        )[:most]
        return CatalogueChanges(
            titles=tuple(title for _, _, title in newer if title is not None),
            deleted_ids=tuple(title_id for _, title_id, title in newer if title is None),
            sequence=newer[-1][0] if newer else max(after_sequence, FIRST_SEQUENCE),
        )

    def _of(self, tenant: str) -> dict[str, tuple[int, Title | None]]:
        return self._changed.setdefault(tenant, {})
