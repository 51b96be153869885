"""Recaps that the batch has made: runs, and a row for each profile of a run."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from libs.faults import InvalidField
from libs.storage.recap.database import Database
from libs.storage.recap.insertion import insert_absent
from libs.storage.recap.metadata import METADATA
from libs.storage.recap.personal_tables import PersonalTables

_RUNS: Final = sa.Table(
    "recap_run",
    METADATA,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("period", sa.Text, nullable=False),
    sa.Column("cutoff_ms", sa.BigInteger, nullable=False),
    sa.Column("cohorts_json", sa.Text, nullable=False),
    # The order of publication; null until the run is whole.
    sa.Column("published", sa.BigInteger),
)
_RECAPS: Final = sa.Table(
    "recap",
    METADATA,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("profile_id", sa.Text, primary_key=True),
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Text, primary_key=True),
    sa.Column("stories_json", sa.Text, nullable=False),
)
sa.Index("recap_by_run", _RECAPS.c.tenant, _RECAPS.c.run_id)


@dataclass(frozen=True, slots=True)
class RecapRun:
    """A run of the batch over one period; comparisons refer to its frozen cohorts."""

    run_id: str
    period: str
    cutoff_ms: int
    cohorts_json: str


@dataclass(frozen=True, slots=True)
class RecapRow:
    """The verified facts of one profile, or of one of the people who share it."""

    profile_id: str
    person_id: str
    stories_json: str


class RecapTable:
    """Recaps in the database of recap; every method raises PartUnavailable."""

    def __init__(self, database: Database, personal: PersonalTables) -> None:
        self._database = database
        self._personal = personal

    def begin(self, tenant: str, run: RecapRun) -> None:
        """Make a run known, or find it as it is; raises InvalidField where it is another."""
        with self._database.write() as connection:
            values = {"tenant": tenant, **dataclasses.asdict(run)}
            if not insert_absent(connection, _RUNS, values) and run != self._run(
                connection, tenant, _RUNS.c.run_id == run.run_id
            ):
                raise InvalidField("run_id", "is of a run with another period, cutoff or cohorts")

    def record(self, tenant: str, run_id: str, rows: Sequence[RecapRow]) -> int:
        """Store rows, in place of those of the same people; how many were not of erased ones.

        Raises InvalidField for a run that is not begun, or was forgotten since.
        """
        with self._database.write() as connection:
            if self._run(connection, tenant, _RUNS.c.run_id == run_id, is_locked=True) is None:
                raise InvalidField("run_id", "is of no run")
            erased = {
                profile_id
                for profile_id in {row.profile_id for row in rows}
                if self._personal.is_erased(connection, tenant, profile_id)
            }
            kept = {
                (row.profile_id, row.person_id): row for row in rows if row.profile_id not in erased
            }
            if kept:
                connection.execute(
                    sa.delete(_RECAPS).where(
                        _RECAPS.c.tenant == tenant,
                        _RECAPS.c.run_id == run_id,
                        _RECAPS.c.profile_id == sa.bindparam("whose"),
                        _RECAPS.c.person_id == sa.bindparam("who"),
                    ),
                    [{"whose": whose, "who": who} for whose, who in kept],
                )
                connection.execute(
                    sa.insert(_RECAPS),
                    [
                        {
                            "tenant": tenant,
                            "run_id": run_id,
                            "profile_id": row.profile_id,
                            "person_id": row.person_id,
                            "stories_json": row.stories_json,
                        }
                        for row in kept.values()
                    ],
                )
        return sum(row.profile_id not in erased for row in rows)

    def publish(self, tenant: str, run_id: str) -> None:
        """Serve a run from now on, and forget the former ones of its period.

        One that never became whole is forgotten too, unless it knows of later events.
        """
        with self._database.write() as connection:
            newest = connection.execute(
                sa.select(sa.func.max(_RUNS.c.published)).where(_RUNS.c.tenant == tenant)
            ).scalar()
            run = self._run(connection, tenant, _RUNS.c.run_id == run_id, is_locked=True)
            if run is None:
                raise InvalidField("run_id", "is of no run")
            connection.execute(
                sa.update(_RUNS)
                .where(_RUNS.c.tenant == tenant, _RUNS.c.run_id == run_id)
                .values(published=(newest or 0) + 1)
            )
            former = (
                connection.execute(
                    sa.select(_RUNS.c.run_id)
                    .where(
                        _RUNS.c.tenant == tenant,
                        _RUNS.c.period == run.period,
                        _RUNS.c.run_id != run_id,
                        _RUNS.c.published.is_not(None) | (_RUNS.c.cutoff_ms <= run.cutoff_ms),
                    )
                    .with_for_update()
                )
                .scalars()
                .all()
            )
            for table in (_RECAPS, _RUNS):
                connection.execute(
                    sa.delete(table).where(table.c.tenant == tenant, table.c.run_id.in_(former))
                )

    def find(
        self, tenant: str, profile_id: str, period: str
    ) -> tuple[RecapRun | None, dict[str, str]]:
        """The run that the period is served from, and the profile's stories in it by person."""
        with self._database.read() as connection:
            run = self._run(
                connection, tenant, _RUNS.c.period == period, _RUNS.c.published.is_not(None)
            )
            if run is None:
                return None, {}
            found = connection.execute(
                sa.select(_RECAPS.c.person_id, _RECAPS.c.stories_json).where(
                    _RECAPS.c.tenant == tenant,
                    _RECAPS.c.profile_id == profile_id,
                    _RECAPS.c.run_id == run.run_id,
                )
            ).all()
        return run, {row.person_id: row.stories_json for row in found}

    @staticmethod
    def _run(
        connection: sa.Connection,
        tenant: str,
        *conditions: sa.ColumnElement[bool],
        is_locked: bool = False,
    ) -> RecapRun | None:
        """One run; locked, replicas that write of it or forget it take turns."""
        query = (
            sa.select(_RUNS.c.run_id, _RUNS.c.period, _RUNS.c.cutoff_ms, _RUNS.c.cohorts_json)
            .where(_RUNS.c.tenant == tenant, *conditions)
            .order_by(_RUNS.c.published.desc())
            .limit(1)
        )
        found = connection.execute(query.with_for_update() if is_locked else query).first()
        return RecapRun(*found) if found else None
