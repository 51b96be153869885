import base64

import pytest
from hypothesis import given

from libs.domain.event import Event
from libs.faults import InvalidField
from services.events.history_page import order_of, token_after
from tests.made_events import events


@given(events("wüste"))
def test_a_token_says_where_the_page_ended(event: Event) -> None:
    assert order_of(token_after(event.order)) == event.order


def test_no_token_is_the_first_page() -> None:
    assert order_of("") is None


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "[1, 2]",
        '[-1, 0, "a"]',
        '["1", 0, "a"]',
        '[1e3, 0, "a"]',
        "[[[",
        "null",
        f'[{2**63}, 0, "a"]',
        "[" * 5000,
        r'[1, 0, "\ud800"]',
        r'[1, 0, "\u0000"]',
        '[1, 0, ""]',
        f'[1, 0, "{"e" * 129}"]',
        f"[{'9' * 5000}, 0, 1]",
    ],
)
def test_a_token_that_no_answer_gave_is_refused(text: str) -> None:
    for token in (text, base64.urlsafe_b64encode(text.encode()).decode(), "ä"):
        with pytest.raises(InvalidField) as caught:
            order_of(token)
        assert caught.value.field == "page_token"
