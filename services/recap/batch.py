"""The offline batch: recaps of all profiles from an export, partition by partition.

A run has a folder: `part=0003/minutes.parquet` is one story of one partition, the facts that two
programs agree on, and a row without a fact for each profile whose they do not. Each file appears
whole or not at all and depends on nothing but the export and the catalogue, so a run goes on where
it was killed, and a story whose files are deleted is counted anew alone.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
import structlog

from libs.domain.consent import Consent
from libs.domain.title import Title
from libs.faults import InvalidField, StartFault
from libs.storage.parquet_export import (
    DAYS,
    EVENTS,
    PROFILES,
    Export,
    ExportedFile,
    check_file,
    read_export,
)
from services.recap.run_folder import alone, begin, read_frame, write_frame, write_text
from services.recap.year.catalogue import FRAMES, Catalogue
from services.recap.year.cohort import Cohorts, Contribution, cohorts, contribution
from services.recap.year.cohort_check import check_cohorts
from services.recap.year.counting import Counted, compare, count_story, full_members, recaps
from services.recap.year.fact import BASE_STORIES, COHORT_STORIES, TOLD_STORIES
from services.recap.year.history import days_of_partition, of_partition
from services.recap.year.period import Period
from services.recap.year.person import is_adults
from services.recap.year.recap import Recap
from services.recap.year.split import Split, by_person, divided, divided_days, split
from services.recap.year.stories import STORIES
from services.recap.year.verifier import Verifier
from services.recap.year.watched import Watched, watched

log = structlog.get_logger(__name__)

# Raised with every change of what a fact means: another run then, never a mix.
RECAP_SCHEMA_VERSION: Final = 3

ALL_STORIES: Final = (*STORIES, *COHORT_STORIES)
_COHORTS: Final = "cohorts.json"
# What comparisons are made of.
_COMPARED: Final = (*BASE_STORIES, "taste", "axes")
# Beside the stories: the sessions of people who share a profile, and what tells these people.
_SPLIT: Final = ("whose", "viewers")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the batch: what it reads, where it writes, and its name."""

    export_path: Path
    export: Export
    path: Path
    period: Period
    run_id: str
    threads: int

    @property
    def cutoff_ms(self) -> int:
        """Up to when events count; all that were recorded by then are in the export."""
        return self.export.exported_ms

    @property
    def partitions(self) -> Sequence[ExportedFile]:
        """The files of events, one a partition."""
        return tuple(one for one in self.export.files if one.file.endswith(EVENTS))

    def part_path(self, place: int, story: str) -> Path:
        """Where a story of a partition is."""
        return self.path / f"part={place:04d}" / f"{story}.parquet"


@dataclass(frozen=True, slots=True)
class Built:
    """A run whose files are all there."""

    run: Run
    cohorts: Cohorts
    disagreeing_count: int  # stories of profiles that are not told

    def rows(self, place: int) -> Iterator[tuple[str, str, Recap]]:
        """Profile, person and recap of a partition, ascending; of most there is no person."""
        stories = {name: _read(self.run.part_path(place, name)) for name in TOLD_STORIES}
        yield from by_person(recaps(stories), _read_split(self.run, place))


def open_run(
    export_path: Path, titles: Sequence[Title], period: Period, path: Path, *, threads: int
) -> Run:
    """Begin a run in the folder `path`, or go on with it; raises StartFault for another's."""
    exported = read_export(export_path)
    try:
        period.check_begun(exported.exported_ms)
    except InvalidField as fault:
        raise StartFault(str(fault)) from None
    catalogue = Catalogue.of(titles)
    digest = hashlib.blake2b(digest_size=16)
    for part in (
        RECAP_SCHEMA_VERSION,
        period.key,
        exported.tenant,
        exported.exported_ms,
        [(one.file, one.sha256) for one in exported.files],
        [frame.rows() for frame in (catalogue.titles, catalogue.genres, catalogue.people)],
    ):
        digest.update(repr(part).encode())
    run_id = f"{period.key}-{digest.hexdigest()}"
    run = Run(export_path, exported, path, period, run_id, threads)
    begin(path, run_id, catalogue.frames())
    return run


def forget(run: Run, story: str) -> None:
    """Have a story counted anew, and what is compared by it; raises StartFault for none."""
    if story not in ALL_STORIES:
        raise StartFault(f"no story {story!r}; there are: {', '.join(ALL_STORIES)}")
    stories = {story, *(COHORT_STORIES if story in _COMPARED else ())}
    if story in _COMPARED:
        (run.path / _COHORTS).unlink(missing_ok=True)
    for place in range(len(run.partitions)):
        for name in stories:
            run.part_path(place, name).unlink(missing_ok=True)


def build(run: Run, on_progress: Callable[[int, int], None]) -> Built:
    """Count all that is not there yet; `on_progress` hears of partitions done and of how many.

    Raises StartFault for files that are damaged, and while another process builds it.
    """
    with alone(run.path):
        return _build(run, on_progress)


def _build(run: Run, on_progress: Callable[[int, int], None]) -> Built:
    catalogue = Catalogue(*(read_frame(run.path / f"{name}.parquet") for name in FRAMES))
    refusing, countries, whole_ids = _profiles(run)
    total = 2 * len(run.partitions)
    verifier = Verifier(catalogue, threads=run.threads)
    try:
        for place, file in enumerate(run.partitions):
            _count_partition(run, place, file, catalogue, refusing, whole_ids, verifier)
            on_progress(place + 1, total)
        frozen = _freeze(run, countries)
        for place in range(len(run.partitions)):
            _compare_partition(run, place, countries, frozen, verifier)
            on_progress(len(run.partitions) + place + 1, total)
    finally:
        verifier.close()
    return Built(run, frozen, _disagreeing_count(run))


def _count_partition(
    run: Run,
    place: int,
    file: ExportedFile,
    catalogue: Catalogue,
    refusing: pl.Series,
    whole_ids: list[str],
    verifier: Verifier,
) -> None:
    missing = [story for story in STORIES if not run.part_path(place, story).exists()]
    if not missing:
        return
    path = check_file(run.export_path, file)
    seen, whose = _seen(run, place, file, path, catalogue, refusing, whole_ids)
    verifier.open_partition(path.parent, run.period, run.cutoff_ms, refusing, whose)
    for story in missing:
        counted = count_story(story, seen, verifier)
        if counted.disagreeing:
            log.error("facts disagree", story=story, profiles=len(counted.disagreeing))
        _write(run.part_path(place, story), counted)
    verifier.close_partition()


def _seen(
    run: Run,
    place: int,
    file: ExportedFile,
    path: Path,
    catalogue: Catalogue,
    refusing: pl.Series,
    whole_ids: list[str],
) -> tuple[Watched, pl.DataFrame]:
    """What is counted of a partition, and whose it is; its events are forgotten again."""
    older = next(one for one in run.export.files if one.file == file.file.replace(EVENTS, DAYS))
    is_allowed = ~pl.col("profile_id").is_in(refusing.implode())
    history = of_partition(path).filter(is_allowed)
    days = days_of_partition(check_file(run.export_path, older)).filter(is_allowed)
    if not all(run.part_path(place, name).exists() for name in _SPLIT):
        parts = split(history, catalogue, run.period, run.cutoff_ms, days, whole_ids)
        for name, frame in zip(_SPLIT, (parts.whose, parts.people), strict=True):
            write_frame(run.part_path(place, name), frame)
    parts = _read_split(run, place)
    history, days = divided(history, parts), divided_days(days, parts)
    return watched(history, catalogue, run.period, run.cutoff_ms, days), parts.whose


def _compare_partition(
    run: Run, place: int, countries: dict[str, str], frozen: Cohorts, verifier: Verifier
) -> None:
    if all(run.part_path(place, story).exists() for story in COHORT_STORIES):
        return
    stories = {name: _read(run.part_path(place, name)) for name in _COMPARED}
    members = full_members(stories, countries)
    for name, counted in compare(stories, members, frozen, verifier).items():
        if counted.disagreeing:
            log.error("facts disagree", story=name, profiles=len(counted.disagreeing))
        _write(run.part_path(place, name), counted)


def _freeze(run: Run, countries: dict[str, str]) -> Cohorts:
    """The cohorts of the run, counted twice too; raises StartFault when the two differ."""
    path = run.path / _COHORTS
    if path.exists():
        try:
            return Cohorts.of_json(path.read_text() or "damaged")
        except ValueError as error:
            raise StartFault(f"{path} is damaged: {error}; deleted, it is made anew") from None

    def parts() -> Iterator[Contribution]:
        for place in range(len(run.partitions)):
            stories = {name: _read(run.part_path(place, name)) for name in _COMPARED}
            members = full_members(stories, countries)
            yield contribution(members, stories["taste"].facts, stories["axes"].facts)

    frozen = cohorts(parts())
    problem = check_cohorts(frozen, run.path, run.export_path / PROFILES, threads=run.threads)
    if problem:
        raise StartFault(f"the cohorts of {run.run_id} do not survive verification: {problem}")
    write_text(path, frozen.to_json())
    return frozen


def _read_split(run: Run, place: int) -> Split:
    return Split(*(read_frame(run.part_path(place, name)) for name in _SPLIT))


def _profiles(run: Run) -> tuple[pl.Series, dict[str, str], list[str]]:
    """Who refuses a recap, the countries of the others, and who is never taken for shared."""
    file = next(one for one in run.export.files if one.file == PROFILES)
    stored = pl.read_parquet(check_file(run.export_path, file))
    refused = pl.col("refused_consents")
    refuses = refused.list.contains(Consent.RECAP.name) | refused.list.contains(
        Consent.PERSONALIZATION.name
    )
    countries = stored.filter(~refuses)
    return (
        stored.filter(refuses)["profile_id"],
        dict(zip(countries["profile_id"], countries["country"], strict=True)),
        [
            profile_id
            for profile_id, kids, years in stored.select(
                "profile_id", "kids", "maturity_limit_years"
            ).iter_rows()
            if not is_adults(kids, years)
        ],
    )


def _disagreeing_count(run: Run) -> int:
    return sum(
        len(_read(run.part_path(place, story)).disagreeing)
        for place in range(len(run.partitions))
        for story in ALL_STORIES
    )


def _write(path: Path, counted: Counted) -> None:
    without = pl.DataFrame(
        {"profile_id": counted.disagreeing}, schema={"profile_id": pl.String()}
    ).with_columns(
        fact_id=pl.lit(None, pl.String()),
        number=pl.lit(None, pl.Int64()),
        text=pl.lit(None, pl.String()),
    )
    write_frame(path, pl.concat([counted.facts, without]).sort("profile_id", "fact_id"))


def _read(path: Path) -> Counted:
    found = read_frame(path)
    is_fact = pl.col("fact_id").is_not_null()
    return Counted(found.filter(is_fact), tuple(found.filter(~is_fact)["profile_id"]))
