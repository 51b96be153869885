"""Between the messages of profiles and the domain's values."""

from collections.abc import Sequence

from libs.domain.consent import Consent
from libs.domain.profile import Profile
from libs.serving.decoding import enum_value
from reprise.events.v1 import events_pb2


def profile(message: events_pb2.Profile) -> Profile:
    """The domain's value; raises InvalidField naming the field of the message."""
    limited = message.HasField("maturity_limit_years")
    return Profile(
        profile_id=message.profile_id,
        account_id=message.account_id,
        kids=message.kids,
        maturity_limit_years=message.maturity_limit_years if limited else None,
        country=message.country,
        languages=tuple(message.languages),
        time_zone=message.time_zone,
        given_consents=_consents(message.given_consents, "given_consents"),
        refused_consents=_consents(message.refused_consents, "refused_consents"),
    )


def profile_message(value: Profile) -> events_pb2.Profile:
    """The message of the domain's value."""
    return events_pb2.Profile(
        profile_id=value.profile_id,
        account_id=value.account_id,
        kids=value.kids,
        maturity_limit_years=value.maturity_limit_years,
        country=value.country,
        languages=value.languages,
        time_zone=value.time_zone,
        given_consents=_consent_messages(value.given_consents),
        refused_consents=_consent_messages(value.refused_consents),
    )


def _consents(numbers: Sequence[int], field: str) -> frozenset[Consent]:
    return frozenset(
        enum_value(Consent, number, f"{field}[{place}]") for place, number in enumerate(numbers)
    )


def _consent_messages(consents: frozenset[Consent]) -> list[events_pb2.Consent.ValueType]:
    return [events_pb2.Consent.ValueType(consent) for consent in sorted(consents)]
