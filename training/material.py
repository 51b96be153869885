"""What is trained on: log, catalogue, texts, and the snapshots of all cuts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import Title
from libs.faults import StartFault
from libs.features.catalogue_columns import CatalogueColumns, from_titles, recommendable_ids
from libs.features.event_columns import EventColumns
from libs.features.title_replay import TitleBase
from training.config import TrainingConfig
from training.cuts import Cuts, choose_cuts
from training.labels import known_rows, relevant_rows, row_of_titles
from training.report import Stopwatch
from training.retrieval_fit import Histories, reduce_content
from training.snapshots import EventLog, Snapshot, sample, take_snapshots
from training.text_embeddings import Encode, embed, load_encoder, title_text


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """All that is read before anything is fitted."""

    until_ms: int
    events: EventColumns
    columns: CatalogueColumns
    title_rows: NDArray[np.int32]  # (t,) of the log's titles
    content: NDArray[np.float32]  # (n, e)
    cuts: Cuts
    snapshots: tuple[Snapshot, ...]  # one a cut
    histories: Histories  # at until_ms
    title_base: TitleBase  # what counters go on from


def read_material(
    log: EventLog,
    titles: Sequence[Title],
    config: TrainingConfig,
    watch: Stopwatch,
    encode: Encode | None = None,
) -> Material:
    """Events, catalogue, texts and the snapshots of all cuts; nothing at or after the end.

    Of compacted events there is what they have made of profiles and titles, as there is when
    serving; cuts and labels are of the events that are left.
    """
    compacted_count = log.compacted_count()
    with watch.stage("read log"):
        base = log.title_base(config.tenant)
        # Not later than the log, or all that it says would have faded by then.
        until_ms = log.newest_event_ms(config.tenant) + 1
        if config.until_ms is not None:
            until_ms = min(until_ms, config.until_ms)
        events = log.columns(config.tenant, until_ms, max(base.at_ms + 1, 0))
        row_ids = recommendable_ids(titles)
        if not row_ids:
            raise StartFault("the catalogue is empty: nothing can be recommended")
        if len(events) == 0:
            raise StartFault("the log has no events before that time: nothing can be learnt")
        columns = from_titles(titles, row_ids)
    with watch.stage("embed texts") as done:
        by_id = {title.title_id: title for title in titles}
        texts = [title_text(by_id[title_id]) for title_id in row_ids]
        embeddings = embed(texts, encode or _lazy_encoder(config), config.cache, on_progress=done)
        content = reduce_content(embeddings, config.content_dimensions)
    with watch.stage("replay profiles") as done:
        cuts = choose_cuts(events.occurred_ms, until_ms)
        title_rows = row_of_titles(events, columns.credit.row_of)
        rng = np.random.default_rng(config.seed)
        wanted = [
            sample(
                relevant_rows(events, title_rows, len(row_ids), cut),
                known_rows(events, title_rows, len(row_ids), cut),
                events.profile_ids,
                config.most_evaluated
                if cut is cuts.evaluation
                else config.ranker.most_queries_per_cut,
                rng,
            )
            for cut in cuts.all
        ]
        snapshots, histories = take_snapshots(
            log.profile_events(config.tenant, until_ms),
            cuts.all,
            wanted,
            until_ms,
            columns,
            {profile.profile_id: profile for profile in log.profiles(config.tenant)},
            profile_count=len(events.profile_ids),
            base_of=partial(log.base_of, config.tenant),
            on_progress=done,
        )
    if log.compacted_count() != compacted_count:
        raise StartFault("events were compacted while they were read: train again")
    return Material(
        until_ms, events, columns, title_rows, content, cuts, snapshots, histories, base
    )


def _lazy_encoder(config: TrainingConfig) -> Encode:
    """Loads the encoder at its first text: with a warm cache it is never loaded."""
    loaded: list[Encode] = []

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        if not loaded:
            loaded.append(load_encoder(config.ranker.threads))
        return loaded[0](texts)

    return encode
