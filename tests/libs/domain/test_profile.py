from typing import Any

import pytest

from libs.domain.consent import GIVEN_BY_DEFAULT, Consent
from libs.domain.profile import Profile
from libs.faults import InvalidField


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"profile_id": ""}, "profile_id"),
        ({"profile_id": "a\0b"}, "profile_id"),
        ({"profile_id": "a\u202eb"}, "profile_id"),
        ({"profile_id": "x" * 65_536}, "profile_id"),
        ({"account_id": "a\nb"}, "account_id"),
        ({"maturity_limit_years": -1}, "maturity_limit_years"),
        ({"maturity_limit_years": 22}, "maturity_limit_years"),
        ({"country": "de"}, "country"),
        ({"languages": ("x" * 36,)}, "languages"),
        ({"languages": ("de",) * 17}, "languages"),
        ({"time_zone": "Europe/Nowhere"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        (
            {
                "given_consents": frozenset({Consent.RECAP}),
                "refused_consents": frozenset({Consent.RECAP}),
            },
            "refused_consents",
        ),
    ],
)
def test_nonsense_is_refused_by_its_field(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidField) as caught:
        Profile(**{"profile_id": "p", **fields})
    assert caught.value.field == named


@pytest.mark.parametrize("consent", list(Consent))
def test_a_consent_holds_as_it_was_said_or_else_by_its_default(consent: Consent) -> None:
    assert Profile("p").allows(consent) == (consent in GIVEN_BY_DEFAULT)
    assert Profile("p", given_consents=frozenset({consent})).allows(consent)
    assert not Profile("p", refused_consents=frozenset({consent})).allows(consent)


def test_reminders_and_sharing_are_opt_in() -> None:
    assert frozenset({Consent.PERSONALIZATION, Consent.RECAP}) == GIVEN_BY_DEFAULT
