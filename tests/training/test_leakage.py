"""Whatever happens at or after a cut, nothing that was learnt before it may change by a bit."""

import dataclasses
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from libs.domain.event import Event
from libs.features.title_table import TitleTable
from tests.made_world import MemoryLog, encode, make_config, quiet, small_world
from training.config import TrainingConfig
from training.material import Material, read_material
from training.pipeline import Queries, assemble_queries, fit_judged_trees, fit_moments
from training.queries import Moment
from training.ranker_fit import Rows
from training.report import Stopwatch

CUTS = range(8)


def another_future(events: Iterable[Event], from_ms: int) -> tuple[Event, ...]:
    """The same times, so that cuts stay where they are; from then on all else is different.

    Other profiles watch other titles in other contexts: seen from any one profile, events are
    added, dropped and changed.
    """
    ours = sorted(events, key=lambda event: event.order)
    theirs = sorted(small_world(seed=6)[0].events, key=lambda event: event.order)
    start = bisect_left(ours, from_ms, key=lambda event: event.occurred_ms)
    changed = (
        dataclasses.replace(
            theirs[place % len(theirs)], event_id=f"{place}", occurred_ms=ours[place].occurred_ms
        )
        for place in range(start, len(ours))
    )
    return (*ours[:start], *changed)


def read(log: MemoryLog, config: TrainingConfig) -> Material:
    return read_material(log, small_world()[1], config, Stopwatch(quiet), encode)


def assert_same_table(found: TitleTable, wanted: TitleTable) -> None:
    assert found.title_ids == wanted.title_ids
    np.testing.assert_array_equal(found.counters, wanted.counters)
    assert found.country_counters.keys() == wanted.country_counters.keys()
    for country, counters in found.country_counters.items():
        np.testing.assert_array_equal(counters, wanted.country_counters[country])


def assert_same_moment(found: Moment, wanted: Moment) -> None:
    assert_same_table(found.table, wanted.table)
    for name in ("vectors", "content", "popularity"):
        np.testing.assert_array_equal(
            getattr(found.model, name), getattr(wanted.model, name), err_msg=name
        )
    np.testing.assert_array_equal(found.model.implicit.gram, wanted.model.implicit.gram)


def assert_same_rows(found: Rows, wanted: Rows) -> None:
    np.testing.assert_array_equal(found.matrix, wanted.matrix)
    np.testing.assert_array_equal(found.labels, wanted.labels)
    np.testing.assert_array_equal(found.sizes, wanted.sizes)


@pytest.mark.parametrize("cut", CUTS)
def test_what_happens_from_a_cut_on_changes_nothing_before_it(tmp_path: Path, cut: int) -> None:
    log, _ = small_world()
    config = make_config(tmp_path)
    material = read(log, config)
    cut_ms = material.cuts.all[cut].time_ms
    other_log = MemoryLog(another_future(log.events, cut_ms), log.stored)
    other = read(other_log, config)
    assert other.cuts == material.cuts
    moments = fit_moments(material, config, lambda done: None)
    other_moments = fit_moments(other, config, lambda done: None)
    for found, wanted in zip(other_moments[: cut + 1], moments[: cut + 1], strict=True):
        assert_same_moment(found, wanted)
    # A cut's rows hold its labels, so they stay the same where its window has ended.
    parts = assemble_queries(material, moments[:-1], config, lambda done: None).sampled
    other_parts = assemble_queries(other, other_moments[:-1], config, lambda done: None).sampled
    ended = [place for place, one in enumerate(material.cuts.all) if one.end_ms <= cut_ms]
    assert ended == list(range(len(ended)))
    assert len(ended) == {6: 6, 7: 7}.get(cut, 0)
    for place in ended:
        assert len(parts[place].sizes) > 20
        assert_same_rows(other_parts[place], parts[place])
    # The comparison can tell: the next moment is of another world.
    assert (other_moments[cut + 1].model.vectors != moments[cut + 1].model.vectors).any()
    assert (
        other_parts[cut].matrix.shape != parts[cut].matrix.shape
        or (other_parts[cut].matrix != parts[cut].matrix).any()
    )


def test_the_judged_trees_know_nothing_of_the_slice_that_judges_them(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    material = read(small_world()[0], config)
    moments = fit_moments(material, config, lambda done: None)
    queries = assemble_queries(material, moments[:-1], config, lambda done: None)
    *parts, last = queries.sampled
    opposite = Rows(last.matrix[::-1], 1 - last.labels, last.sizes)
    fitted = [
        fit_judged_trees(Queries((*parts, one), queries.stopping), config)
        for one in (last, opposite, Rows.nothing())
    ]
    first, *others = [one.booster.model_to_string() for one in fitted if one is not None]
    assert others == [first, first]
