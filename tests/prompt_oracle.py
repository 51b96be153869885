"""What the caps of prompts allow, told apart from how they are kept: by looking at all that was."""

import hashlib
import hmac
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

DAY: Final = 24 * 60 * 60 * 1000
OFFERED, RECENT, SILENCED, PLAYING, NEXT_EPISODE, OFF, HELD_OUT = range(7)


def is_held_out(key: bytes, profile_id: str, ratio: float) -> bool:
    digest = hmac.digest(key, b"default\x00" + profile_id.encode(), hashlib.sha256)
    return int.from_bytes(digest[:8], "big") < ratio * 2**64


@dataclass
class Oracle:
    """Every slot and every dismissal of every profile, in the order of time."""

    key: bytes
    ratio: float
    slots: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    shown: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    dismissals: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def silences(self, profile_id: str) -> list[int]:
        """When each silence began: with every second dismissal."""
        return sorted(self.dismissals[profile_id].values())[1::2]

    def wanted(
        self, profile_id: str, at: int, *, playing: bool, next_until: int, off: bool
    ) -> set[int]:
        """The answers that are right; several only where two refusals hold at once."""
        reasons = set()
        if off:
            reasons.add(OFF)
        if playing:
            reasons.add(PLAYING)
        if at < next_until:
            reasons.add(NEXT_EPISODE)
        if any(at - slot < 7 * DAY for slot in self.slots[profile_id]):
            reasons.add(RECENT)
        if any(start <= at < start + 30 * DAY for start in self.silences(profile_id)):
            reasons.add(SILENCED)
        if reasons:
            return reasons
        return {HELD_OUT if is_held_out(self.key, profile_id, self.ratio) else OFFERED}

    def note(self, profile_id: str, offer_id: str, at: int, answer: int) -> None:
        if answer in (OFFERED, HELD_OUT):
            self.slots[profile_id].append(at)
        if answer == OFFERED:
            self.shown[profile_id][offer_id] = at
