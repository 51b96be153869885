import json

from libs.domain.consent import Consent
from libs.domain.profile import Profile
from libs.storage.profile_json import profile_of, profile_values

WHOLE = Profile(
    "p", "account", True, 12, "DE", ("de", "en"), "Europe/Berlin",
    given_consents=frozenset({Consent.SHARING, Consent.REMINDER_EMAIL}),
    refused_consents=frozenset({Consent.PERSONALIZATION}),
)  # fmt: skip


def test_a_profile_comes_back_as_it_was() -> None:
    for profile in (WHOLE, Profile("p")):
        assert profile_of("p", json.loads(json.dumps(profile_values(profile)))) == profile


def test_its_id_is_not_in_it() -> None:
    assert "p" not in profile_values(WHOLE)
