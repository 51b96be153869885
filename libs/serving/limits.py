"""How large a message may be; clients and servers hold each other to it."""

from typing import Final

# Requests are small; answers of counters as of a past time hold every title.
MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
MAX_RESPONSE_BYTES: Final = 64 * 1024 * 1024
