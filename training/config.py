"""What one training run is told; every default is a choice for catalogues of 1k to 100k titles."""

from dataclasses import dataclass, field
from pathlib import Path

from libs.artifacts.bundle import tenant_root
from libs.domain.identifiers import DEFAULT_TENANT
from libs.models.retrieval import CANDIDATE_COUNT
from libs.storage.recorded_log import LogServer


@dataclass(frozen=True, slots=True)
class CollaborativeConfig:
    """iALS: confidence of a title in a history is 1 + alpha * weight."""

    factors: int = 64
    regularization: float = 50.0
    alpha: float = 10.0
    iterations: int = 12
    # Titles with fewer profiles than this take their vector from their content.
    least_profiles: int = 5
    map_regularization: float = 10.0


@dataclass(frozen=True, slots=True)
class TreesConfig:
    """What LightGBM grows one ranker with."""

    objective: str = "rank_xendcg"
    least_rows_in_leaf: int = 50
    learning_rate: float = 0.1
    leaves: int = 31


@dataclass(frozen=True, slots=True)
class RankerConfig:
    """LightGBM; each query keeps all positives and an even sample of the rest.

    Even, because a sample that favours the head of retrieval makes the tail look better than it
    is (measured on the simulator: NDCG@10 .25 instead of .31 after 40 trees).
    """

    # The best by a past slice is taken. Where there is much to learn the first is (simulator:
    # NDCG@10 .342 and .325, means of three seeds), where there is little the second (MovieLens 1M,
    # a thousand queries: .170 and .183 for profiles with a history, .414 and .433 without).
    trees: tuple[TreesConfig, ...] = (
        TreesConfig(),
        TreesConfig(objective="lambdarank", least_rows_in_leaf=200),
    )
    most_trees: int = 60  # trees are paid for by every request
    patience: int = 15
    most_queries_per_cut: int = 1500
    negatives: int = 100  # a query; 60 and 150 did as well
    # Of LightGBM and of the text encoder. Two wait for each other in busy loops: on two CPUs shared
    # with others, 636k rows took two threads 125 to 316 s (52 to 57 s of CPU time) and one 34 s
    # (11 to 13 s), with the same trees; 256 texts took 10 to 24 s and 4 to 5 s.
    threads: int = 1


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Where to read and write, up to when, and with which settings."""

    events_file: Path
    catalogue_file: Path
    bundles: Path
    cache: Path
    log_server: LogServer | None = None  # where the log is in a database; None: the file
    tenant: str = DEFAULT_TENANT
    until_ms: int | None = None  # events before this; None, or later than the log: all
    seed: int = 1
    candidate_limit: int = CANDIDATE_COUNT
    content_dimensions: int = 128
    most_evaluated: int = 2000
    # The best by a past cut is taken. Where taste is sharp and histories are short the first is
    # (simulator: NDCG@10 .335, .280 with the second), where people rate hundreds of titles that
    # they were all shown the second (MovieLens 1M: .177, .156 with the first).
    collaborative: tuple[CollaborativeConfig, ...] = (
        CollaborativeConfig(),
        CollaborativeConfig(regularization=200.0, alpha=4.0),
    )
    ranker: RankerConfig = field(default_factory=RankerConfig)

    @classmethod
    def of_home(
        cls,
        home: Path,
        *,
        tenant: str = DEFAULT_TENANT,
        until_ms: int | None = None,
        log_server: LogServer | None = None,
    ) -> "TrainingConfig":
        """The files in their usual places below `home`."""
        return cls(
            log_server=log_server,
            events_file=home / "events" / "events.sqlite",
            catalogue_file=home / "candidates" / "catalogue.sqlite",
            bundles=tenant_root(home / "bundles", tenant),
            cache=home / "cache",
            tenant=tenant,
            until_ms=until_ms,
        )
