"""What candidates needs from others, as small protocols; adapters do not subclass them.

The ports of title counters are shared with ranking: libs.serving.title_tables.
"""

from collections.abc import Sequence
from typing import Protocol

from libs.domain.title import Title
from libs.storage.catalogue_store import CatalogueChanges


class CatalogueStore(Protocol):
    """The catalogue; each tenant's changes have sequences of their own, ascending from 2."""

    def upsert(self, tenant: str, titles: Sequence[Title]) -> int:
        """Create or replace distinct titles, all or none; returns the sequence after it."""
        ...

    def delete(self, tenant: str, title_ids: Sequence[str]) -> tuple[int, int]:
        """Remove what exists of distinct ids; returns how many, and the sequence after it."""
        ...

    def get(self, tenant: str, title_ids: Sequence[str]) -> list[Title]:
        """Those that exist, in the order asked for."""
        ...

    def list_after(self, tenant: str, after_id: str, most: int) -> list[Title]:
        """The next titles in ascending order of id."""
        ...

    def count(self, tenant: str) -> int:
        """How many titles there are."""
        ...

    def sequence(self, tenant: str) -> int:
        """The sequence of the last change; 1 before the first."""
        ...

    def changes(self, tenant: str, after_sequence: int, most: int) -> CatalogueChanges:
        """The next changes in the order of sequence; empty, and with that of now, at the end."""
        ...

    def close(self) -> None:
        """Let go of what is held."""
        ...
