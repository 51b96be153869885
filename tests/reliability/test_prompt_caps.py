"""A simulated year of prompts by two replicas over one PostgreSQL, killed and retried."""

from contextlib import closing

import pytest

from libs.domain.event import EventKind, Prompt
from libs.storage.recap.database import open_server
from tests.made_databases import PostgresDatabases
from tests.made_recap import count_rows, waiting
from tests.prompt_oracle import HELD_OUT, OFFERED
from tests.simulated_year import Year

SEED = 20_261_122


@pytest.mark.timeout(3_600)
def test_a_year_of_prompts_breaks_no_cap_and_applies_each_once(
    postgres_databases: PostgresDatabases, prompt_profile_count: int, kill_count: int
) -> None:
    recap_url, events_url = postgres_databases.empty(), postgres_databases.fresh()
    year = Year(
        recap_url, events_url, postgres_databases.secret, prompt_profile_count, kill_count, SEED
    )
    year.run()
    assert year.violations == []
    assert year.killed > 0
    assert year.outcomes[OFFERED] > prompt_profile_count, "the quiz is offered at all"
    assert year.outcomes[HELD_OUT] > 0
    shown = {offer for offers in year.oracle.shown.values() for offer in offers}
    dismissed = {offer for offers in year.oracle.dismissals.values() for offer in offers}
    with closing(open_server(recap_url)) as database:
        assert waiting(database) == []
        taken = count_rows(database, "prompt_offer")
    assert taken == sum(len(slots) for slots in year.oracle.slots.values())
    logged: dict[EventKind, list[str]] = {
        EventKind.PROMPT_SHOWN: [],
        EventKind.PROMPT_DISMISSED: [],
    }
    with closing(postgres_databases.store(events_url)) as store:
        for profile_id in year.oracle.slots:
            for event in store.history("default", profile_id, most=10**6):
                assert isinstance(event.detail, Prompt)
                logged[event.kind].append(event.detail.prompt_id)
    assert sorted(logged[EventKind.PROMPT_SHOWN]) == sorted(shown)
    assert sorted(logged[EventKind.PROMPT_DISMISSED]) == sorted(dismissed)
