"""The tables of the events file: log, decisions, profiles, tombstones, and the features made."""

from typing import Final

from libs.domain.event import EventKind
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.storage import compacted
from libs.storage.event_row import EVENT_COLUMNS, WEIGHT_COLUMNS
from libs.storage.sqlite import Schema

# What readers call the part of the suite that this file is.
PART: Final = "features"

# The meaning of stored features is part of what a reader must agree with.
_TABLES_VERSION: Final = 6

_COLUMNS: Final = f"tenant, {EVENT_COLUMNS}, {WEIGHT_COLUMNS}"
_EVENTS: Final = (
    # AUTOINCREMENT, because whoever follows the log by place would miss a new row in the place
    # of an erased one.
    "CREATE TABLE events (log_seq INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL,"
    f" {EVENT_COLUMNS}, {WEIGHT_COLUMNS})",
    "CREATE UNIQUE INDEX events_by_id ON events (tenant, event_id)",
    # Ties of one profile and millisecond are few: sequence and id would only make it larger.
    "CREATE INDEX events_by_profile ON events (tenant, profile_id, occurred_ms)",
    "CREATE INDEX events_by_time ON events (tenant, occurred_ms)",
    # Impressions whose decision has not come yet; an entry goes when it does.
    "CREATE INDEX events_unattributed ON events (tenant, page_id)"
    " WHERE kind = 1 AND propensity IS NULL",
)
# Whole order: of thumbs of one millisecond there may be any number.
_THUMBS: Final = (
    "CREATE INDEX events_thumbs ON events"
    " (tenant, profile_id, title_id, occurred_ms, sequence, event_id)"
    f" WHERE kind = {EventKind.THUMB.value}"
)
_DECISIONS_BY_PROFILE: Final = "CREATE INDEX decisions_by_profile ON decisions (tenant, profile_id)"
_ERASURES: Final = (
    "CREATE TABLE erasures (tenant TEXT NOT NULL, pseudonym TEXT NOT NULL, profile_id TEXT,"
    " receipt TEXT NOT NULL, PRIMARY KEY (tenant, pseudonym)) WITHOUT ROWID"
)

# Reads ask who is erased and not gone yet.
_PENDING: Final = (
    "CREATE INDEX erasures_pending ON erasures (tenant, profile_id) WHERE profile_id IS NOT NULL"
)

_FROM_5: Final = (_PENDING,)
_FROM_4: Final = (*compacted.STATEMENTS, _THUMBS, *_FROM_5)
_FROM_3: Final = (
    *(
        f"DROP INDEX {name}"
        for name in (
            "events_by_id",
            "events_by_profile",
            "events_by_time",
            "events_unattributed",
        )
    ),
    "ALTER TABLE events RENAME TO old_events",
    *_EVENTS,
    f"INSERT INTO events (log_seq, {_COLUMNS})"  # noqa: S608  constants
    f" SELECT log_seq, {_COLUMNS} FROM old_events ORDER BY log_seq",
    "DROP TABLE old_events",
    _DECISIONS_BY_PROFILE,
    _ERASURES,
    *_FROM_4,
)
# Old rows stay as they are: what they do not say is NULL.
_FROM_2: Final = (
    *(
        f"ALTER TABLE events ADD COLUMN {column}"
        for column in ("index_version", "arm", "recorded_ms", "schema_version")
    ),
    "ALTER TABLE decisions ADD COLUMN arm TEXT NOT NULL DEFAULT ''",
    *_FROM_3,
)

FEATURE_TABLES: Final = ("profile_titles", "profile_counters", "title_counters")
FEATURE_STATEMENTS: Final = (
    "CREATE TABLE profile_titles (tenant TEXT NOT NULL, profile_id TEXT NOT NULL,"
    " title_id TEXT NOT NULL, record BLOB NOT NULL, intervals BLOB NOT NULL,"
    " PRIMARY KEY (tenant, profile_id, title_id)) WITHOUT ROWID",
    "CREATE TABLE profile_counters (tenant TEXT NOT NULL, profile_id TEXT NOT NULL,"
    " counters BLOB NOT NULL, newest_ms INTEGER NOT NULL,"
    " PRIMARY KEY (tenant, profile_id)) WITHOUT ROWID",
    "CREATE TABLE title_counters (tenant TEXT NOT NULL, country TEXT NOT NULL,"
    " title_id TEXT NOT NULL, change INTEGER NOT NULL, counters BLOB NOT NULL,"
    " PRIMARY KEY (tenant, country, title_id)) WITHOUT ROWID",
    "CREATE INDEX title_counters_by_change ON title_counters (tenant, change)",
)


def _advice(version: int) -> str:
    """What to do with a file of that version: of an older release the log can be taken over."""
    tables, features = divmod(version, 1000)
    is_older = 2 <= tables <= _TABLES_VERSION and 1 <= features < FEATURE_SCHEMA_VERSION
    return "`reprise events rebuild` makes its features anew" if is_older else ""


EVENT_SCHEMA: Final = Schema(
    advice=_advice,
    version=_TABLES_VERSION * 1000 + FEATURE_SCHEMA_VERSION,
    # Whatever the features of the file mean, which an upgrade of the log leaves alone.
    upgrades={
        tables * 1000 + features: (_TABLES_VERSION * 1000 + features, statements)
        for tables, statements in (
            (2, _FROM_2),
            (3, _FROM_3),
            (4, _FROM_4),
            (5, _FROM_5),
        )
        for features in range(1, FEATURE_SCHEMA_VERSION + 1)
    },
    statements=(
        *_EVENTS,
        "CREATE TABLE decisions (tenant TEXT NOT NULL, page_id TEXT NOT NULL,"
        " profile_id TEXT NOT NULL, decided_ms INTEGER NOT NULL, recorded_ms INTEGER NOT NULL,"
        " policy TEXT NOT NULL, model_version TEXT NOT NULL, index_version TEXT NOT NULL,"
        " purpose INTEGER NOT NULL, surface INTEGER NOT NULL, slate TEXT NOT NULL,"
        " degraded TEXT NOT NULL, removed TEXT NOT NULL, arm TEXT NOT NULL DEFAULT '',"
        " PRIMARY KEY (tenant, page_id)) WITHOUT ROWID",
        "CREATE INDEX decisions_by_age ON decisions (recorded_ms)",
        _DECISIONS_BY_PROFILE,
        "CREATE TABLE profiles (tenant TEXT NOT NULL, profile_id TEXT NOT NULL,"
        " account_id TEXT NOT NULL, kids INTEGER NOT NULL, maturity_limit_years INTEGER,"
        " country TEXT NOT NULL, languages TEXT NOT NULL, time_zone TEXT NOT NULL,"
        " given_consents TEXT NOT NULL, refused_consents TEXT NOT NULL,"
        " PRIMARY KEY (tenant, profile_id)) WITHOUT ROWID",
        *FEATURE_STATEMENTS,
        _ERASURES,
        _PENDING,
        *compacted.STATEMENTS,
        _THUMBS,
    ),
)


def has_this_log(version: int) -> bool:
    """Whether a file of that schema version differs in the meaning of its features alone."""
    return version // 1000 == _TABLES_VERSION
