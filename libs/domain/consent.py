"""Consents: what a profile has allowed and refused."""

from enum import IntEnum
from typing import Final


class Consent(IntEnum):
    """What may be done for a profile; numbers are those of the contract."""

    PERSONALIZATION = 1
    RECAP = 2
    SHARING = 3
    REMINDER_IN_APP = 4
    REMINDER_PUSH = 5
    REMINDER_EMAIL = 6


# What holds until the profile says otherwise; everything else has to be given.
GIVEN_BY_DEFAULT: Final = frozenset({Consent.PERSONALIZATION, Consent.RECAP})
