"""A suite of its own for `reprise evaluate quiz`: it has never heard of those who are hidden."""

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Final

from cli.console import Output
from cli.filling import EVENT_BATCH, batches, filling
from cli.present import check_embedded, recorded_log
from cli.suite import running, with_free_ports
from cli.train import has_bundle, run_training
from libs.domain.event import Event
from libs.domain.identifiers import DEFAULT_TENANT
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from libs.storage.catalogue_store import read_catalogue
from libs.storage.recorded_log import RecordedLog
from training.config import TrainingConfig

# What the copy was made of; without it, it is unfinished.
_MADE_OF: Final = "made-of.json"


@contextmanager
def without(
    settings: SuiteSettings, hidden: Collection[str], output: Output
) -> Iterator[SuiteSettings]:
    """The settings of a running suite whose log, features and models lack the hidden profiles.

    It lies below the home, and is made anew when the log or the hidden profiles change. Raises
    StartFault where the log is in a database, or was compacted: neither can be copied.
    """
    check_embedded(settings)
    copy = settings.model_copy(update={"home": settings.home / "evaluation" / "quiz"})
    made_of = _made_of(settings, hidden)
    path = copy.home / _MADE_OF
    if not (path.exists() and json.loads(path.read_text()) == made_of):
        if copy.home.exists():
            shutil.rmtree(copy.home)
        _fill(settings, copy, hidden, output)
        path.write_text(json.dumps(made_of))
    if not has_bundle(copy):
        train(settings, copy, output)
    with running(with_free_ports(copy)) as suite:
        yield suite.settings


def train(settings: SuiteSettings, copy: SuiteSettings, output: Output) -> None:
    """Publish a bundle for the copy; texts that were embedded before are not embedded again."""
    config = TrainingConfig.of_home(copy.home)
    run_training(replace(config, cache=settings.home / "cache"), output)


def _made_of(settings: SuiteSettings, hidden: Collection[str]) -> dict[str, object]:
    with closing(recorded_log(settings)) as log:
        if log.compacted_count():
            raise StartFault("the log was compacted: who is hidden cannot be taken out of it")
        count, newest_ms = log.event_count(DEFAULT_TENANT), log.newest_event_ms(DEFAULT_TENANT)
    names = hashlib.sha256("\0".join(sorted(hidden)).encode()).hexdigest()
    return {"events": count, "newest_ms": newest_ms, "hidden": names}


def _fill(
    settings: SuiteSettings, copy: SuiteSettings, hidden: Collection[str], output: Output
) -> None:
    titles = read_catalogue(settings.catalogue_path, DEFAULT_TENANT)
    left_out = set(hidden)
    with (
        closing(recorded_log(settings)) as log,
        filling(with_free_ports(copy), output) as filler,
        output.progress() as progress,
    ):
        total = log.event_count(DEFAULT_TENANT)
        task = progress.add_task("copying the others", total=total)
        filler.titles(titles)
        filler.profiles(
            one for one in log.profiles(DEFAULT_TENANT) if one.profile_id not in left_out
        )

        def told() -> Iterator[list[Event]]:
            for batch in batches(_events(log, left_out), EVENT_BATCH):
                yield batch
                progress.advance(task, len(batch))

        filler.history(told())
        progress.update(task, completed=total)


def _events(log: RecordedLog, left_out: Collection[str]) -> Iterator[Event]:
    until_ms = log.newest_event_ms(DEFAULT_TENANT) + 1
    for profile_id, events in log.profile_events(DEFAULT_TENANT, until_ms):
        if profile_id not in left_out:
            yield from events
