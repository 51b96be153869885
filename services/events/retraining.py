"""Which published bundles have read the events of an erased profile, and when the next is due."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from libs.artifacts.bundle import BundleStore, tenant_root
from libs.artifacts.manifest import BundleRejected, Manifest
from libs.domain.erasure import Erasure


@dataclass(frozen=True, slots=True)
class Retraining:
    """Bundles whose training has read what was erased, newest first, and when the next is due."""

    versions: tuple[str, ...] = ()
    due_ms: int | None = None


# Tenant and erasure -> what has to be trained again.
RetrainingOf = Callable[[str, Erasure], Retraining]


def no_retraining(tenant: str, erasure: Erasure) -> Retraining:
    """Where no bundle is ever trained."""
    return Retraining()


def retraining_from(bundles: Path, interval_ms: int) -> RetrainingOf:
    """Looks at the bundles that are published; a new one is due `interval_ms` after the newest."""

    def find(tenant: str, erasure: Erasure) -> Retraining:
        oldest_ms = erasure.oldest_event_ms
        if oldest_ms is None:
            return Retraining()
        store = BundleStore(tenant_root(bundles, tenant))
        manifests = [one for one in map(_manifest(store), store.versions()) if one is not None]
        newest_ms = max((one.created_ms for one in manifests), default=0)
        touched = [
            one
            for one in manifests
            if one.created_ms <= erasure.erased_ms and one.trained_until_ms > oldest_ms
        ]
        touched.sort(key=lambda one: one.created_ms, reverse=True)
        return Retraining(
            versions=tuple(one.version for one in touched),
            # A bundle of after the erasure has not read it: then nothing is due any more.
            due_ms=newest_ms + interval_ms if touched and newest_ms <= erasure.erased_ms else None,
        )

    return find


def _manifest(store: BundleStore) -> Callable[[str], Manifest | None]:
    def read(version: str) -> Manifest | None:
        try:
            return store.manifest(version)
        except BundleRejected:
            return None  # nothing is served of it

    return read
