"""What stores past one machine need and others do not: imported where settings ask for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from libs.faults import StartFault


@contextmanager
def server_extra() -> Iterator[None]:
    """Raise StartFault, in one line, when what the block imports is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise StartFault(
            f"REPRISE_EVENTS_URL and REPRISE_FEATURES_URL need {error.name}, which is not"
            " installed: pip install 'reprise[server]'"
        ) from None
