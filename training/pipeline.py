"""Training from end to end: read the log, fit, judge on the latest slice, publish a bundle."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from libs.artifacts.bundle import publish
from libs.domain.title import Title
from libs.features.credit import credited_rows
from libs.features.event_columns import EventColumns, between
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.features.title_block import popularity
from libs.features.title_replay import ReadEvents, TitleReplay
from libs.features.title_table import TitleTable
from libs.models.ranker import RANKER_PART, Ranker
from libs.models.retrieval_model import RETRIEVAL_PART, RetrievalModel
from libs.models.taste_model import QUIZ_PART, TasteModel
from libs.storage.catalogue_store import read_catalogue
from libs.storage.recorded_log import open_log
from training.collaborative_choice import choose
from training.config import CollaborativeConfig, TrainingConfig
from training.judge import Judged, case_of, judge, popularity_before
from training.material import Material, read_material
from training.opinions import opinions
from training.queries import Moment, answers
from training.ranker_fit import FittedTrees, Rows, fit_trees, refit_trees, rows_of, sampled
from training.report import Progress, Stopwatch, TrainingReport, peak_memory_bytes
from training.retrieval_fit import Histories, fit_retrieval
from training.snapshots import EventLog
from training.taste_fit import TasteConfig, fit_taste
from training.text_embeddings import Encode

# Fewer queries than this cannot tell a good ranker from a lucky one.
LEAST_QUERIES = 20


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A ranker with how it did on the slice that it had not seen; None from too few queries."""

    ranker: Ranker | None
    judged: tuple[Judged, ...]
    evaluated_count: int


def train(config: TrainingConfig, progress: Progress, now_ms: int) -> TrainingReport:
    """Train from the log and the files that `config` names and publish the bundle.

    Raises StartFault where there is nothing to learn from, PartUnavailable without a log.
    """
    log = open_log(config.events_file, config.log_server)
    try:
        titles = read_catalogue(config.catalogue_file, config.tenant)
        return train_from(log, titles, config, progress, now_ms)
    finally:
        log.close()


def train_from(
    log: EventLog,
    titles: Sequence[Title],
    config: TrainingConfig,
    progress: Progress,
    now_ms: int,
    encode: Encode | None = None,
) -> TrainingReport:
    """As `train`, from any log and catalogue; `encode` replaces the text encoder."""
    watch = Stopwatch(progress)
    material = read_material(log, titles, config, watch, encode)
    with watch.stage("fit retrieval") as done:
        *moments, last = fit_moments(material, config, done)
        retrieval = last.model
    trained = _train_ranker(material, moments, config, watch)
    with watch.stage("fit quiz"):
        taste = _fit_quiz(material, titles, config)
    with watch.stage("publish"):
        parts = {RETRIEVAL_PART: retrieval.write}
        if trained.ranker:
            parts[RANKER_PART] = trained.ranker.write
        if taste:
            parts[QUIZ_PART] = taste.write
        version = publish(
            config.bundles,
            parts,
            now_ms=now_ms,
            trained_until_ms=material.until_ms,
            feature_schema_version=FEATURE_SCHEMA_VERSION,
        )
    return TrainingReport(
        version=version,
        trained_until_ms=material.until_ms,
        event_count=len(material.events),
        profile_count=len(material.events.profile_ids),
        title_count=retrieval.title_count,
        evaluated_count=trained.evaluated_count,
        tree_count=trained.ranker.booster.num_trees() if trained.ranker else 0,
        judged=trained.judged,
        stage_seconds=tuple(watch.seconds.items()),
        peak_memory_bytes=peak_memory_bytes(),
    )


def fit_moments(
    material: Material, config: TrainingConfig, on_progress: Callable[[float], None]
) -> list[Moment]:
    """Counters and models as of each cut, from nothing but what was before it, and of the end."""
    replay = TitleReplay(_reader(material.events), lambda: material.title_base)
    times = [*(cut.time_ms for cut in material.cuts.all), material.until_ms]
    histories = [*(snapshot.histories for snapshot in material.snapshots), material.histories]
    chosen = _choose_collaborative(material, replay, config)
    moments: list[Moment] = []
    for time_ms, known in zip(times, histories, strict=True):
        table = replay.table(time_ms - 1)
        model = _fit(material, table, known, chosen, config.seed)
        moments.append(Moment(model, material.columns, table))
        on_progress(len(moments) / len(times))
    return moments


def _choose_collaborative(
    material: Material, replay: TitleReplay, config: TrainingConfig
) -> CollaborativeConfig:
    """The settings that do best at the last cut that is trained on."""
    place = len(material.cuts.training) - 1
    snapshot = material.snapshots[place]
    table = replay.table(material.cuts.training[place].time_ms - 1)
    return choose(
        config.collaborative,
        lambda one: _fit(material, table, snapshot.histories, one, config.seed),
        lambda model: Moment(model, material.columns, table),
        snapshot.asked,
    )


def _fit(
    material: Material,
    table: TitleTable,
    histories: Histories,
    collaborative: CollaborativeConfig,
    seed: int,
) -> RetrievalModel:
    columns = material.columns
    return fit_retrieval(
        columns.title_ids,
        material.content,
        popularity(credited_rows(table, columns.credit, "")),
        histories,
        collaborative,
        seed,
    )


def _train_ranker(
    material: Material, moments: Sequence[Moment], config: TrainingConfig, watch: Stopwatch
) -> Trained:
    limit = config.candidate_limit
    with watch.stage("assemble queries") as done:
        queries = assemble_queries(material, moments, config, done)
    with watch.stage("fit ranker"):
        fitted = fit_judged_trees(queries, config)
        ranker = Ranker("", material.until_ms, fitted.booster) if fitted else None
    asked, cut = material.snapshots[-1].asked, material.cuts.evaluation
    with watch.stage("evaluate"):
        popularity = popularity_before(
            material.events, material.title_rows, len(material.columns.title_ids), cut.time_ms
        )
        answered = answers(moments[-1], asked, limit)
        judged = judge((case_of(one, ranker, popularity) for one in answered), config.seed)
    if fitted:
        with watch.stage("fit ranker"):
            # The latest slices say most about what comes next, so the served trees learn from
            # them too; how many trees, and which, is known by now.
            final = refit_trees(Rows.join(queries.sampled), fitted, config.ranker, config.seed)
            ranker = Ranker("", material.until_ms, final.booster)
    return Trained(ranker, judged, len(asked))


def _fit_quiz(
    material: Material, titles: Sequence[Title], config: TrainingConfig
) -> TasteModel | None:
    """Questions of taste; None where too few profiles could have answered them."""
    title_ids = material.columns.title_ids
    return fit_taste(
        title_ids,
        {title.title_id: title for title in titles},
        opinions(material.events, material.title_rows, len(title_ids)),
        TasteConfig(seed=config.seed),
        trained_until_ms=material.until_ms,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    """The rows of every cut's queries: a sample of each, and the whole of those that stop."""

    sampled: tuple[Rows, ...]  # one a cut
    stopping: Rows


def assemble_queries(
    material: Material,
    moments: Sequence[Moment],
    config: TrainingConfig,
    on_progress: Callable[[float], None],
) -> Queries:
    """The rows of each cut's queries, answered by the models of that cut."""
    rng = np.random.default_rng(config.seed + 1)
    samples: list[Rows] = []
    stopping = Rows.nothing()
    for cut, moment, snapshot in zip(material.cuts.all, moments, material.snapshots, strict=True):
        rows = rows_of(answers(moment, snapshot.asked, config.candidate_limit))
        if cut is material.cuts.stopping:
            stopping = rows
        samples.append(sampled(rows, config.ranker.negatives, rng))
        on_progress(len(samples) / len(moments))
    return Queries(tuple(samples), stopping)


def fit_judged_trees(queries: Queries, config: TrainingConfig) -> FittedTrees | None:
    """Trees that know nothing of the last cut's queries, on which they are judged.

    None where there are too few queries to tell a good ranker from a lucky one.
    """
    *training, _, _ = queries.sampled
    learnt = Rows.join(training)
    if min(len(learnt.sizes), len(queries.stopping.sizes)) < LEAST_QUERIES:
        return None
    return fit_trees(learnt, queries.stopping, config.ranker, config.seed)


def _reader(events: EventColumns) -> ReadEvents:
    def read(after_ms: int, to_ms: int) -> EventColumns:
        start, stop = np.searchsorted(events.occurred_ms, (after_ms, to_ms), side="right")
        return between(events, int(start), int(stop))

    return read
