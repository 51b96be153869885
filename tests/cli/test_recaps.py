from pathlib import Path

import pytest

from cli.console import Output
from cli.recap import Ask
from cli.recaps import ROWS_PER_MESSAGE, make, messages
from libs.domain.event import DAY_MS, Event
from libs.domain.title import Title, TitleKind
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from libs.storage.catalogue_store import SqliteCatalogueStore
from tests.made_recaps import made_export, play

NOW_MS = 20_000 * DAY_MS


def test_a_run_is_sent_in_messages_of_which_the_last_publishes_it(tmp_path: Path) -> None:
    store = SqliteCatalogueStore(SuiteSettings(home=tmp_path).catalogue_path)
    store.upsert("default", [Title("m", TitleKind.MOVIE, "M")])
    store.close()
    events: list[Event] = []
    for place in range(ROWS_PER_MESSAGE + 7):
        events += play(f"e{place}", NOW_MS - DAY_MS, "m", 30, profile_id=f"p{place:04d}")
    made_export(tmp_path / "export", events, cutoff_ms=NOW_MS)
    settings = SuiteSettings(home=tmp_path)
    output = Output.open(as_json=True)
    built = make(settings, tmp_path / "export", tmp_path / "work", "2024", output, story="")
    sent = list(messages(built))
    assert [len(one.rows) for one in sent] == [ROWS_PER_MESSAGE, 7]
    assert [one.is_last for one in sent] == [False, True]
    assert {one.run_id for one in sent} == {built.run.run_id}
    assert (sent[0].period, sent[0].cutoff_time.seconds) == ("2024", NOW_MS // 1000)
    again = make(settings, tmp_path / "export", tmp_path / "work", "2024", output, story="night")
    assert list(messages(again)) == sent


@pytest.mark.parametrize("period", ["", "24", "2024-02-30..2024-03-01", "year"])
def test_a_period_that_cannot_be_is_one_line(tmp_path: Path, period: str) -> None:
    output = Output.open(as_json=True)
    with pytest.raises(StartFault, match="--period: "):
        make(SuiteSettings(home=tmp_path), tmp_path, tmp_path / "work", period, output)


def test_one_question_names_one_period() -> None:
    assert Ask("p", is_lifetime=True).message().period.lifetime
    assert Ask("p", year=2024).message().period.year == 2024
    assert (
        Ask("p", first_date="2024-01-01", last_date="2024-02-01").message().period.HasField("range")
    )
    with pytest.raises(StartFault, match="name one of"):
        Ask("p", year=2024, is_lifetime=True).message()
