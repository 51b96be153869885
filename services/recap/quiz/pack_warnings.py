"""What is wrong with packs, said once."""

import threading
from collections.abc import Mapping

import structlog

from services.recap.quiz.pack_shelf import PackTexts

log = structlog.get_logger(__name__)


class PackWarnings:
    """Names a tenant's packs that cannot be played, each once for a bundle; any thread may tell.

    Catalogues change all the time, and tenants go from memory and come back; the packs stay.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: PackTexts = ()
        # By tenant: the bundle, and the packs that were named since it came.
        self._named: dict[str, tuple[str, frozenset[str]]] = {}

    def tell(
        self, tenant: str, bundle_version: str, texts: PackTexts, problems: Mapping[str, str]
    ) -> None:
        """Log what was not named since the tenant has that bundle ("": none) and these packs."""
        with self._lock:
            if texts != self._texts:
                self._texts = texts
                self._named.clear()
            version, named = self._named.get(tenant, ("", frozenset[str]()))
            if version != bundle_version:
                named = frozenset()
            self._named[tenant] = (bundle_version, named | problems.keys())
        for pack_id in sorted(problems.keys() - named):
            log.warning(
                "pack rejected",
                tenant=tenant,
                bundle_version=bundle_version,
                pack=pack_id,
                problem=problems[pack_id],
            )
