"""Profiles: one person who watches."""

from dataclasses import dataclass

from libs.domain.consent import GIVEN_BY_DEFAULT, Consent
from libs.domain.identifiers import check_country, check_id, check_word
from libs.domain.viewing import zone
from libs.faults import InvalidField


@dataclass(frozen=True, slots=True)
class Profile:
    """What is stored about one person; empty fields are not known."""

    profile_id: str
    account_id: str = ""
    kids: bool = False
    maturity_limit_years: int | None = None
    country: str = ""
    languages: tuple[str, ...] = ()
    time_zone: str = ""
    given_consents: frozenset[Consent] = frozenset()
    refused_consents: frozenset[Consent] = frozenset()

    def __post_init__(self) -> None:
        check_id("profile_id", self.profile_id)
        if self.account_id:
            check_id("account_id", self.account_id)
        if self.maturity_limit_years is not None and not 0 <= self.maturity_limit_years <= 21:
            raise InvalidField("maturity_limit_years", "must be from 0 to 21")
        check_country("country", self.country)
        if len(self.languages) > 16:
            raise InvalidField("languages", "must have at most 16")
        for language in self.languages:
            check_word("languages", language, 35)
        if self.time_zone:
            zone(self.time_zone)
        if self.given_consents & self.refused_consents:
            both = ", ".join(
                sorted(one.name for one in self.given_consents & self.refused_consents)
            )
            raise InvalidField("refused_consents", f"must not be given too: {both}")

    def allows(self, consent: Consent) -> bool:
        """Whether it was given, or holds by default and was not refused."""
        if consent in self.refused_consents:
            return False
        return consent in self.given_consents or consent in GIVEN_BY_DEFAULT
