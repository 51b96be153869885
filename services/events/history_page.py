"""Where a page of history ends: the order of its last event, as a token."""

import base64
import binascii
import json
from typing import Final

from libs.domain.identifiers import check_id
from libs.faults import InvalidField

_LARGEST: Final = 2**63 - 1


def token_after(order: tuple[int, int, str]) -> str:
    """The token of the page that comes after the event of this order."""
    return base64.urlsafe_b64encode(json.dumps(order).encode()).decode()


def order_of(token: str) -> tuple[int, int, str] | None:
    """What the page comes before; None for an empty token, the first page.

    Raises InvalidField("page_token") for a token that no answer gave.
    """
    if not token:
        return None
    try:
        match json.loads(base64.b64decode(token.encode(), altchars=b"-_", validate=True)):
            case [int(occurred_ms), int(sequence), str(event_id)]:
                if 0 <= occurred_ms <= _LARGEST and 0 <= sequence <= _LARGEST:
                    return (occurred_ms, sequence, check_id("page_token", event_id))
    except (binascii.Error, ValueError, RecursionError, InvalidField):
        pass
    raise InvalidField("page_token", "is none that an answer gave")
