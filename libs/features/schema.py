"""The version of what every stored feature means."""

from typing import Final

# Raised with every change of a counter, a half-life, a record's layout or an event's weight:
# what was computed under another version must be rebuilt from the log.
FEATURE_SCHEMA_VERSION: Final = 4
