import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from libs.domain.consent import Consent
from libs.domain.event import DAY_MS, Event, EventKind
from libs.domain.profile import Profile
from libs.domain.title import Title
from libs.faults import StartFault
from libs.features.watched_days import watched_days
from libs.storage.title_json import encode_title
from services.recap.batch import Built, build, forget, open_run
from services.recap.ports import HeldHistory
from services.recap.year.counter import Counter
from services.recap.year.fact import Level
from services.recap.year.history import of_events
from services.recap.year.period import LIFETIME, Period
from services.recap.year.recap import Recap
from services.recap.year.split import profile_of, viewer_id
from tests.made_recaps import made_export
from tests.made_world import UNTIL_MS, small_world
from tests.recap_oracle import oracle

OPINION_KINDS = (EventKind.THUMB, EventKind.RATING)
PERIODS = (LIFETIME, Period.of_dates("2024-09-01", "2024-09-30"))


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    log, _ = small_world()
    out = tmp_path_factory.mktemp("export") / "export"
    # One country, so that it has a cohort.
    profiles = [Profile(one.profile_id, country="PT") for one in log.stored]
    made_export(out, log.events, cutoff_ms=UNTIL_MS, profiles=profiles, partitions=3)
    return out


def _built(export: Path, work: Path, period: Period = LIFETIME) -> Built:
    run = open_run(export, small_world()[1], period, work, threads=1)
    return build(run, lambda done, total: None)


def _rows(built: Built) -> dict[str, str]:
    return {
        viewer_id(profile_id, who) if who else profile_id: recap.to_json()
        for place in range(len(built.run.partitions))
        for profile_id, who, recap in built.rows(place)
    }


def _files(work: Path) -> dict[str, str]:
    return {
        str(path.relative_to(work)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(work.rglob("*"))
        if path.is_file()
    }


def _minutes(recap: Recap) -> int:
    minutes = (recap.stories["minutes"] or {})["minutes.total"]
    assert isinstance(minutes, int)
    return minutes


@pytest.mark.parametrize("period", PERIODS)
def test_every_fact_is_what_plain_sql_over_the_export_says(
    tmp_path: Path, export: Path, period: Period
) -> None:
    built = _built(export, tmp_path / "work", period)
    found = {
        (viewer_id(profile_id, who) if who else profile_id, fact_id): value
        for place in range(len(built.run.partitions))
        for profile_id, who, recap in built.rows(place)
        for name, story in recap.stories.items()
        if name != "about"
        for fact_id, value in (story or {}).items()
    }
    wanted = oracle(
        export,
        tmp_path / "work",
        first=period.first.isoformat(),
        last=period.last.isoformat(),
        cutoff_ms=UNTIL_MS,
        is_lifetime=period.is_lifetime,
    )
    assert built.disagreeing_count == 0
    assert len(found) > 3_000
    assert {"country.percentile", "country.genre.tenths", "archetype.name"} <= {
        fact_id for _, fact_id in found
    }
    assert found == wanted


def test_comparisons_are_made_in_cohorts_of_fifty(tmp_path: Path, export: Path) -> None:
    built = _built(export, tmp_path / "work")
    cohort = built.cohorts.countries["PT"]
    recaps = [Recap.of_json(text) for text in _rows(built).values()]
    full = [recap for recap in recaps if recap.level()[0] is Level.FULL]
    assert cohort.size == len(full) >= 50
    ranked = sorted(_minutes(recap) for recap in full)
    for recap in full:
        percentile = (recap.stories["country"] or {})["country.percentile"]
        below = sum(one < _minutes(recap) for one in ranked)
        assert isinstance(percentile, int)
        assert 100 * below >= percentile * len(ranked), "more than so many percent it says"
        assert (recap.stories["archetype"] or {})["archetype.name"]
    assert all("country" not in recap.stories for recap in recaps if recap not in full)


@pytest.mark.timeout(300)
def test_on_demand_is_the_identical_recap(tmp_path: Path, export: Path) -> None:
    log, titles = small_world()
    events: dict[str, list[Event]] = {}
    for event in log.events:
        events.setdefault(event.profile_id, []).append(event)

    class Known:
        titles = {title.title_id: title for title in small_world()[1]}  # noqa: RUF012
        version = 1

    assert len(Known.titles) == len(titles)
    counter = Counter(most_tenants=1)
    for period in PERIODS:
        built = _built(export, tmp_path / period.key, period)
        rows = _rows(built)
        assert len(rows) > 100
        shared = {profile_of(name) for name in rows if name != profile_of(name)}
        assert shared, "some of so many are taken for shared"
        assert shared.isdisjoint(rows)
        for profile_id, own in list(events.items()):
            if profile_id not in shared and int(profile_id[1:]) % 2:
                continue
            recaps = counter.count(
                "default",
                Known(),
                HeldHistory(profile_id, of_events(own), []),
                "PT",
                period,
                UNTIL_MS,
                built.cohorts,
            )
            found = {
                viewer_id(profile_id, who) if who else profile_id: recap.to_json()
                for who, recap in recaps.items()
            }
            assert found == {
                name: text for name, text in rows.items() if profile_of(name) == profile_id
            }
    counter.close()


def test_who_refuses_has_no_recap(tmp_path: Path) -> None:
    log, _ = small_world()
    refusing = [
        Profile(log.stored[0].profile_id, refused_consents=frozenset({Consent.PERSONALIZATION})),
        Profile(log.stored[1].profile_id, refused_consents=frozenset({Consent.RECAP})),
    ]
    made_export(tmp_path / "export", log.events, cutoff_ms=UNTIL_MS, profiles=refusing)
    built = _built(tmp_path / "export", tmp_path / "work")
    rows = _rows(built)
    assert len(rows) > 100
    assert rows.keys().isdisjoint(one.profile_id for one in refusing)
    assert built.disagreeing_count == 0


def test_a_story_is_counted_anew_alone(tmp_path: Path, export: Path) -> None:
    built = _built(export, tmp_path / "work")
    before = _files(tmp_path / "work")
    forget(built.run, "night")
    gone = {name for name in before if name.endswith("night.parquet")}
    assert before.keys() - _files(tmp_path / "work").keys() == gone
    build(built.run, lambda done, total: None)
    assert _files(tmp_path / "work") == before
    with pytest.raises(StartFault, match="no story 'noon'"):
        forget(built.run, "noon")


KILLED = """
import signal, sys
from pathlib import Path
from libs.storage.title_json import decode_title
from services.recap.batch import build, open_run
from services.recap.year.period import LIFETIME
export, work, titles, seconds = sys.argv[1:]
titles = [decode_title(line) for line in Path(titles).read_text().splitlines()]
run = open_run(Path(export), titles, LIFETIME, Path(work), threads=1)
# Its default action ends the process wherever it is.
signal.setitimer(signal.ITIMER_REAL, float(seconds))
build(run, lambda done, total: None)
"""


def _write_titles(path: Path, titles: Sequence[Title]) -> None:
    path.write_text("\n".join(encode_title(title) for title in titles))


def test_killed_anywhere_it_goes_on_to_the_same_files(tmp_path: Path, export: Path) -> None:
    whole = _built(export, tmp_path / "whole")
    wanted = _files(tmp_path / "whole")
    titles = tmp_path / "titles"
    _write_titles(titles, small_world()[1])
    work = tmp_path / "work"
    deaths = 0
    for seconds in (0.05, 0.1, 0.2, 0.3, 0.5, 0.8):
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, str(export), str(work), str(titles), str(seconds)],
            check=False,
        )
        deaths += ended.returncode == -signal.SIGALRM
    assert deaths > 0
    built = _built(export, work)
    found = _files(work)
    assert {name: found.get(name) for name in wanted} == wanted
    assert _rows(built) == _rows(whole)


def test_another_run_is_not_mixed_in(tmp_path: Path, export: Path) -> None:
    _built(export, tmp_path / "work")
    with pytest.raises(StartFault, match="holds run lifetime-"):
        _built(export, tmp_path / "work", PERIODS[1])
    with pytest.raises(StartFault, match="neither empty nor a run"):
        _built(export, export)


def test_a_damaged_export_is_refused(tmp_path: Path) -> None:
    log, _ = small_world()
    made_export(tmp_path / "export", log.events[:500], cutoff_ms=UNTIL_MS)
    damaged = tmp_path / "export" / "partition=0001" / "events.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    with pytest.raises(StartFault, match="checksum"):
        _built(tmp_path / "export", tmp_path / "work")
    manifest = tmp_path / "export" / "manifest.json"
    fields = json.loads(manifest.read_text()) | {"export_schema_version": 1}
    manifest.write_text(json.dumps(fields))
    with pytest.raises(StartFault, match="export schema 1"):
        _built(tmp_path / "export", tmp_path / "other")
    with pytest.raises(StartFault, match="is no export"):
        _built(tmp_path, tmp_path / "third")


def test_the_cutoff_bounds_what_counts(tmp_path: Path) -> None:
    log, _ = small_world()
    cutoff_ms = UNTIL_MS - 10 * DAY_MS
    made_export(tmp_path / "all", log.events, cutoff_ms=cutoff_ms)
    early = [event for event in log.events if event.occurred_ms <= cutoff_ms]
    made_export(tmp_path / "early", early, cutoff_ms=cutoff_ms)
    assert len(early) < len(log.events)
    rows = [_rows(_built(tmp_path / name, tmp_path / f"{name}-work")) for name in ("all", "early")]
    assert rows[0] == rows[1]


@pytest.mark.parametrize("period", PERIODS)
def test_days_of_compacted_events_are_counted_as_the_events_were(
    tmp_path: Path, period: Period
) -> None:
    log, _ = small_world()
    compacted_until_ms = UNTIL_MS - 21 * DAY_MS - 5 * 3_600_000  # in the middle of a day
    older: dict[str, list[Event]] = {}
    for event in log.events:
        if event.occurred_ms < compacted_until_ms and event.kind not in OPINION_KINDS:
            older.setdefault(event.profile_id, []).append(event)
    left = [
        event
        for event in log.events
        if event.occurred_ms >= compacted_until_ms or event.kind in OPINION_KINDS
    ]
    days = {profile_id: watched_days(own) for profile_id, own in older.items()}
    # Those with a limit stay whole.
    profiles = [Profile(one.profile_id, maturity_limit_years=16) for one in log.stored]
    made_export(tmp_path / "whole", log.events, cutoff_ms=UNTIL_MS, profiles=profiles)
    made_export(tmp_path / "compacted", left, cutoff_ms=UNTIL_MS, days=days, profiles=profiles)
    wanted = _built(tmp_path / "whole", tmp_path / "whole-work", period)
    found = _built(tmp_path / "compacted", tmp_path / "compacted-work", period)
    assert found.disagreeing_count == 0
    recaps = {whose: json.loads(text) for whose, text in _rows(found).items()}
    assert len(recaps) > 100
    first = period.first_number
    for whose, text in _rows(wanted).items():
        recap = json.loads(text)
        if any(day.day >= first for day in days.get(whose, ())):
            # The order within a day is what days do not carry.
            recap.pop("edges", None)
            recap.pop("binge", None)
        assert recaps[whose] == recap
