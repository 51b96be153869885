import pytest

from libs.domain.consent import Consent
from libs.domain.profile import Profile
from libs.faults import InvalidField
from libs.serving.profile_codec import profile, profile_message
from reprise.events.v1 import events_pb2


def test_a_profile_survives_the_way_there_and_back() -> None:
    whole = Profile(
        "a",
        "account",
        True,
        0,
        "DE",
        ("de", "en"),
        "Europe/Berlin",
        frozenset({Consent.SHARING, Consent.REMINDER_PUSH}),
        frozenset({Consent.PERSONALIZATION}),
    )
    for value in (whole, Profile("b")):
        assert profile(profile_message(value)) == value


def test_consents_are_those_of_the_contract() -> None:
    contract = {
        name.removeprefix("CONSENT_"): number
        for name, number in events_pb2.Consent.items()
        if number
    }
    assert {consent.name: consent.value for consent in Consent} == contract


@pytest.mark.parametrize("number", [0, 7, -1, 2**31 - 1])
def test_an_unknown_consent_is_named_with_its_place(number: int) -> None:
    message = events_pb2.Profile(
        profile_id="p", given_consents=[events_pb2.CONSENT_PERSONALIZATION]
    )
    message.refused_consents.extend([2, number])  # type: ignore[list-item]  # open enum
    with pytest.raises(InvalidField) as caught:
        profile(message)
    assert caught.value.field == "refused_consents[1]"
