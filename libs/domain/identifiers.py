"""What an id may look like, in one place for every kind of id."""

import re

from libs.faults import InvalidField

MAX_ID_LENGTH = 128

DEFAULT_TENANT = "default"

_TENANT = re.compile("[a-z0-9][a-z0-9_-]{0,63}")

# Control characters, and the format characters that reorder or hide text.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def check_id(field: str, value: str) -> str:
    """Return `value`, or raise InvalidField unless it is 1 to 128 printable characters."""
    if not value:
        raise InvalidField(field, "must not be empty")
    return check_text(field, value, MAX_ID_LENGTH)


def check_tenant(field: str, value: str) -> str:
    """Return `value`, or raise InvalidField unless it can name a tenant, and a folder of its own.

    1 to 64 lower-case letters, digits, "-" and "_", the first a letter or digit: no two tenants
    share a folder on a file system that ignores case, and none can name a path.
    """
    if not _TENANT.fullmatch(value):
        raise InvalidField(field, "must be 1 to 64 of a-z, 0-9, '-' and '_', the first no sign")
    return value


def check_text(field: str, value: str, most: int) -> str:
    """Return `value`, or raise InvalidField if it is longer than `most` or not printable."""
    if len(value) > most:
        raise InvalidField(field, f"must have at most {most} characters, has {len(value)}")
    if not value.isascii() or not value.isprintable():
        found = _UNPRINTABLE.search(value)
        if found:
            raise InvalidField(
                field, f"must be printable text, has U+{ord(found.group()):04X} at {found.start()}"
            )
    return value


def check_country(field: str, value: str) -> str:
    """Return `value`, or raise InvalidField unless it is empty or like ISO 3166-1 alpha-2."""
    if value and not (len(value) == 2 and value.isascii() and value.isalpha() and value.isupper()):
        raise InvalidField(field, "must be two upper-case letters or empty")
    return value
