"""What "now" means for a log that ended long ago."""

from contextlib import closing
from typing import Final

from cli.console import Output
from cli.moments import moment_text
from libs.domain.event import DAY_MS
from libs.domain.identifiers import DEFAULT_TENANT
from libs.faults import StartFault
from libs.serving.clock import now_ms
from libs.serving.settings import SuiteSettings
from libs.storage.recorded_log import RecordedLog, open_log

# Beyond this the present has nothing to do with what is recorded.
_FRESH_MS: Final = 30 * DAY_MS


def newest_event_ms(settings: SuiteSettings, tenant: str = DEFAULT_TENANT) -> int:
    """When the tenant's newest event occurred; 0 when none is recorded, or not here."""
    if not (settings.is_past_one_machine or settings.events_path.exists()):
        return 0
    with closing(recorded_log(settings)) as log:
        return log.newest_event_ms(tenant)


def recorded_log(settings: SuiteSettings) -> RecordedLog:
    """The log that these settings name; raises StartFault."""
    return open_log(settings.events_path, settings.log_server)


def check_recorded(settings: SuiteSettings, tenant: str = DEFAULT_TENANT) -> None:
    """Raise StartFault unless something of the tenant is recorded."""
    if not newest_event_ms(settings, tenant):
        whose = "" if tenant == DEFAULT_TENANT else f" of {tenant}"
        raise StartFault(
            f"nothing{whose} is recorded in {settings.home}; `reprise simulate` fills it"
        )


def check_embedded(settings: SuiteSettings) -> None:
    """Raise StartFault where the log is in a database: what writes the file would miss it."""
    if settings.is_past_one_machine:
        raise StartFault("this is of the embedded log, and REPRISE_EVENTS_URL names another one")


def past_present_ms(settings: SuiteSettings, output: Output) -> int | None:
    """The time to take as now, and say so; None when the log is fresh and now is now."""
    newest_ms = newest_event_ms(settings)
    if not newest_ms or now_ms() - newest_ms <= _FRESH_MS:
        return None
    output.say(
        f"[yellow]The newest event is of {moment_text(newest_ms)}: that is taken as now."
        " --at says otherwise.[/]"
    )
    return newest_ms
