"""What is loaded now: follows CURRENT, builds the new beside the old and swaps one reference."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from libs.artifacts.bundle import BundleStore
from libs.artifacts.manifest import BundleRejected, Manifest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rejection:
    """A version that was refused, and why; `version` is "" if CURRENT itself is unreadable."""

    version: str
    reason: str


class Loaded(Generic[T]):
    """The loaded value of one part of the current bundle, and the one before it.

    `load` makes the value from a verified folder and may raise BundleRejected too. One caller at
    a time may refresh; reading `current` needs no lock, since a swap is one assignment.
    """

    def __init__(
        self,
        store: BundleStore,
        part: str,
        load: Callable[[Path, Manifest], T],
        *,
        on_swap: Callable[[str], None] = lambda version: None,
        on_reject: Callable[[Rejection], None] = lambda rejection: None,
    ) -> None:
        self._store = store
        self._part = part
        self._load = load
        self._on_swap = on_swap
        self._on_reject = on_reject
        self._held: tuple[tuple[str, T], ...] = ()
        self._refused: object = None
        self.rejection: Rejection | None = None
        self.rejected_count = 0

    @property
    def current(self) -> T | None:
        """The newest that was good; None before the first."""
        held = self._held
        return held[0][1] if held else None

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions held, newest first; at most two."""
        return tuple(version for version, _ in self._held)

    def of_version(self, version: str) -> T | None:
        """The value of exactly that version, if it is held."""
        for held_version, value in self._held:
            if held_version == version:
                return value
        return None

    def refresh(self) -> bool:
        """Load what CURRENT names if it is new; True if something was swapped in.

        A version that is refused is tried again only after one of its files has changed, and
        leaves what was loaded in use. `rejection` says why until a good one comes.
        """
        version = ""
        signature: object = None
        try:
            version = self._store.current_version() or ""
            if not version or version in self.versions[:1]:
                self._settle()
                return False
            signature = (version, self._store.signature(version, self._part))
            if signature == self._refused:
                return False
            value = self._load(
                self._store.open_part(version, self._part), self._store.manifest(version)
            )
        except BundleRejected as rejected:
            self._reject(Rejection(version, str(rejected)), signature)
            return False
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            # Files that vanish between the look and the load, or that no release ever wrote.
            self._reject(Rejection(version, f"cannot be loaded: {error!r}"), signature)
            return False
        kept = tuple(pair for pair in self._held if pair[0] != version)
        self._held = ((version, value), *kept[:1])
        self._settle()
        self._on_swap(version)
        return True

    def _settle(self) -> None:
        self._refused = None
        self.rejection = None

    def _reject(self, rejection: Rejection, signature: object) -> None:
        is_news = rejection != self.rejection
        self._refused = signature
        self.rejection = rejection
        if is_news:
            self.rejected_count += 1
            self._on_reject(rejection)
