"""What an id may look like, in one place for every kind of id."""

import re

from libs.faults import InvalidField

MAX_ID_LENGTH = 128

DEFAULT_TENANT = "default"

_TENANT = re.compile("[a-z0-9][a-z0-9_-]{0,63}")

# Control characters, the format characters that reorder or hide text, and halves of surrogate
# pairs, which no encoding can write.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)
# What no text needs: controls but tab and line ends, what turns the direction of other text, and
# halves again. Joiners stay: Persian, Indic scripts and emoji are spelt with them.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def check_id(field: str, value: str) -> str:
    """Return `value`, or raise InvalidField unless it is 1 to 128 printable characters."""
    # Every event has several ids, nearly all of them as plain as this.
    if 0 < len(value) <= MAX_ID_LENGTH and value.isascii() and value.isprintable():
        return value
    if not value:
        raise InvalidField(field, "must not be empty")
    return _checked(field, value, MAX_ID_LENGTH, _UNPRINTABLE)


def check_word(field: str, value: str, most: int) -> str:
    """Return `value`, or raise InvalidField if it is longer than `most` or not printable."""
    if value.isascii() and value.isprintable() and len(value) <= most:
        return value
    return _checked(field, value, most, _UNPRINTABLE)


def check_tenant(field: str, value: str) -> str:
    """Return `value`, or raise InvalidField unless it can name a tenant, and a folder of its own.

    1 to 64 lower-case letters, digits, "-" and "_", the first a letter or digit: no two tenants
    share a folder on a file system that ignores case, and none can name a path.
    """
    if not _TENANT.fullmatch(value):
        raise InvalidField(field, "must be 1 to 64 of a-z, 0-9, '-' and '_', the first no sign")
    return value


def check_text(field: str, value: str, most: int) -> str:
    """As `check_word` for what people write: lines, tabs and joiners are theirs to use."""
    return _checked(field, value, most, _UNFIT)


def _checked(field: str, value: str, most: int, refused: re.Pattern[str]) -> str:
    if len(value) > most:
        raise InvalidField(field, f"must have at most {most} characters, has {len(value)}")
    found = refused.search(value)
    if found:
        raise InvalidField(
            field, f"must be fit to print, has U+{ord(found.group()):04X} at {found.start()}"
        )
    return value


def check_country(field: str, value: str) -> str:
    """Return `value`, or raise InvalidField unless it is empty or like ISO 3166-1 alpha-2."""
    if value and not (len(value) == 2 and value.isascii() and value.isalpha() and value.isupper()):
        raise InvalidField(field, "must be two upper-case letters or empty")
    return value
