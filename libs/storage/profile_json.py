"""A stored profile as a JSON list, as stores without columns of its own keep it."""

from collections.abc import Sequence
from typing import Any

from libs.domain.consent import Consent
from libs.domain.profile import Profile


def profile_values(profile: Profile) -> list[Any]:
    """All but its id, which is the store's key."""
    return [
        profile.account_id,
        profile.kids,
        profile.maturity_limit_years,
        profile.country,
        profile.languages,
        profile.time_zone,
        sorted(profile.given_consents),
        sorted(profile.refused_consents),
    ]


def profile_of(profile_id: str, values: Sequence[Any]) -> Profile:
    """The inverse of `profile_values`, after it was JSON."""
    account_id, kids, maturity_limit_years, country, languages, time_zone, given, refused = values
    return Profile(
        profile_id=profile_id,
        account_id=account_id,
        kids=kids,
        maturity_limit_years=maturity_limit_years,
        country=country,
        languages=tuple(languages),
        time_zone=time_zone,
        given_consents=frozenset(map(Consent, given)),
        refused_consents=frozenset(map(Consent, refused)),
    )
