"""Where the suite keeps its state and where its services listen, from the environment."""

import json
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from pydantic import AliasChoices, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.faults import StartFault
from libs.serving.limits import Limits
from libs.serving.plan import Plan, Seat
from libs.storage.recorded_log import LogServer

# The place of each service, counted from the port base; metrics are 20 above, health 40.
PORT_OFFSETS: Final = {"events": 0, "candidates": 1, "ranking": 2, "recap": 3}
METRICS_OFFSET: Final = 20
HEALTH_OFFSET: Final = 40


def _port(service: str, offset: int = 0) -> Any:
    """A field that defaults to the port base plus the service's offset; base 0 gives 0, "any"."""
    return Field(
        default_factory=lambda known: (
            known["port_base"] and known["port_base"] + PORT_OFFSETS[service] + offset
        ),
        ge=0,
        le=65535,
    )


def _target(name: str) -> Any:
    """A field that defaults to where that port of a service is on this machine."""
    return Field(default_factory=lambda known: f"{known['host']}:{_known_port(known, name)}")


def _known_port(known: dict[str, Any], name: str) -> int:
    """The port that was set, or the one `reprise up` wrote down where ports are free ones."""
    port = int(known[f"{name}_port"])
    written = known["home"] / "run" / "ports.json"
    if port == 0 and written.is_file():
        return int(json.loads(written.read_text()).get(name, 0))
    return port


class SuiteSettings(BaseSettings):
    """Settings that all services share; each is read from REPRISE_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="REPRISE_", frozen=True, populate_by_name=True)

    home: Path = Path("var")
    host: str = "127.0.0.1"
    port_base: int = Field(default=7400, ge=0, le=65000)
    # Past one machine: the log in PostgreSQL and the features in Redis or Valkey, which go
    # together; empty is SQLite below `home`.
    events_url: SecretStr = SecretStr("")
    features_url: SecretStr = SecretStr("")
    # Past one machine: what recap keeps, in PostgreSQL; empty is SQLite below `home`.
    recap_url: SecretStr = SecretStr("")
    # Where the keys are that the log is sealed with; empty is beside the log.
    keys_url: SecretStr = SecretStr("")
    # What pseudonyms and keys are made with; every replica and every reader of the log needs it.
    secret_file: Path = Field(
        default_factory=lambda known: known["home"] / "events" / "pseudonym.key"
    )
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    # Processes of each service that can share its port; `libs.serving.limits` says what the
    # limits of each are.
    workers: int = Field(default=1, ge=1, le=256)
    # Of each client to each service; a connection stays with the worker that took it, and four
    # for each worker leave none of two idle but once in 128 times.
    connections: int = Field(
        default_factory=lambda known: 1 if known["workers"] == 1 else 4 * known["workers"],
        ge=1,
        le=1_024,
    )
    # After so many days the events of profiles are compacted; 0 keeps them all.
    retention_days: int = Field(default=0, ge=0, le=36_500)
    most_in_flight: int = Field(default=64, ge=1)
    most_streams: int = Field(default=1_000, ge=1)
    most_pending: int = Field(default=8, ge=1)
    most_pending_hard: int = Field(default=16, ge=1)
    send_ms: int = Field(default=30_000, ge=1)
    # After SIGTERM: how long a process says that it is going before it refuses calls, and how
    # long those under way may then take.
    notice_ms: int = Field(default=0, ge=0, le=600_000)
    drain_ms: int = Field(default=5_000, ge=0, le=600_000)
    # The share of calls whose spans are sent, where there is a collector to send them to.
    trace_ratio: float = Field(default=0.01, ge=0, le=1)
    otlp_endpoint: str = Field(
        default="",
        validation_alias=AliasChoices("REPRISE_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    )
    # Set by the parent of workers in each of them; never by a person.
    worker_number: int = Field(default=0, ge=0)
    worker_link: int = Field(default=0, ge=0)
    events_port: int = _port("events")
    candidates_port: int = _port("candidates")
    ranking_port: int = _port("ranking")
    recap_port: int = _port("recap")
    events_metrics_port: int = _port("events", METRICS_OFFSET)
    candidates_metrics_port: int = _port("candidates", METRICS_OFFSET)
    ranking_metrics_port: int = _port("ranking", METRICS_OFFSET)
    recap_metrics_port: int = _port("recap", METRICS_OFFSET)
    events_health_port: int = _port("events", HEALTH_OFFSET)
    candidates_health_port: int = _port("candidates", HEALTH_OFFSET)
    ranking_health_port: int = _port("ranking", HEALTH_OFFSET)
    recap_health_port: int = _port("recap", HEALTH_OFFSET)
    events_target: str = _target("events")
    candidates_target: str = _target("candidates")
    ranking_target: str = _target("ranking")
    recap_target: str = _target("recap")
    events_health_target: str = _target("events_health")
    candidates_health_target: str = _target("candidates_health")
    ranking_health_target: str = _target("ranking_health")
    recap_health_target: str = _target("recap_health")

    @property
    def events_path(self) -> Path:
        """The file of log, features, profiles and decisions."""
        return self.home / "events" / "events.sqlite"

    @property
    def log_server(self) -> LogServer | None:
        """The log past one machine; None for the file."""
        url = self.events_url.get_secret_value()
        if not url:
            return None
        return LogServer(url, self.keys_url.get_secret_value() or url, self.secret_file)

    @property
    def catalogue_path(self) -> Path:
        """The file of the catalogue."""
        return self.home / "candidates" / "catalogue.sqlite"

    @property
    def recap_path(self) -> Path:
        """The file of recaps, shares, beats and quizzes."""
        return self.home / "recap" / "recap.sqlite"

    @property
    def recap_key_path(self) -> Path:
        """The key of pseudonyms and tokens; all replicas of recap need the same."""
        return self.home / "recap" / "recap.key"

    @property
    def bundles_path(self) -> Path:
        """The folder of published bundles."""
        return self.home / "bundles"

    @property
    def run_path(self) -> Path:
        """The folder of what lives no longer than the processes."""
        return self.home / "run"

    @property
    def is_past_one_machine(self) -> bool:
        """Whether log and features are in servers of their own."""
        return bool(self.events_url.get_secret_value())

    @model_validator(mode="after")
    def _check_urls(self) -> Self:
        if self.is_past_one_machine != bool(self.features_url.get_secret_value()):
            raise ValueError("REPRISE_EVENTS_URL and REPRISE_FEATURES_URL must be set together")
        return self

    @model_validator(mode="after")
    def _check_pending(self) -> Self:
        if self.most_pending > self.most_pending_hard:
            raise ValueError("REPRISE_MOST_PENDING must not be above REPRISE_MOST_PENDING_HARD")
        return self

    def plan(self, service: str) -> Plan:
        """How the process of that service runs."""
        return Plan(
            name=service,
            host=self.host,
            port=getattr(self, f"{service}_port"),
            health_port=getattr(self, f"{service}_health_port"),
            metrics_port=getattr(self, f"{service}_metrics_port"),
            run_path=self.run_path,
            workers=self.workers,
            limits=Limits(
                most_in_flight=self.most_in_flight,
                most_streams=self.most_streams,
                most_pending=self.most_pending,
                most_pending_hard=self.most_pending_hard,
                send_ms=self.send_ms,
            ),
            notice_ms=self.notice_ms,
            drain_ms=self.drain_ms,
            trace_ratio=self.trace_ratio,
            otlp_endpoint=self.otlp_endpoint,
            seat=Seat(self.worker_number, self.worker_link) if self.worker_number else None,
        )

    def shown(self) -> dict[str, Any]:
        """Every value for people to read; secrets are stars."""
        return self.model_dump(mode="json")


def refuse_workers(count: int) -> int:
    """A check of `workers` for a service that writes a file: a file has one writer."""
    if count > 1:
        raise ValueError("this service writes a file and runs as one process; set it to 1")
    return count


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def read_settings(kind: type[SettingsT]) -> SettingsT:
    """The settings of the environment; raises StartFault with one line naming the variables."""
    try:
        return kind()
    except ValidationError as error:
        prefix = str(kind.model_config.get("env_prefix", ""))
        problems = "; ".join(
            f"{prefix}{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors()
            # What follows from a bad value is no second problem.
            if problem["type"] != "default_factory_not_called"
        )
        raise StartFault(f"bad settings: {problems}") from error
