import json

from hypothesis import given

from libs.domain.viewing import ViewingContext
from libs.storage.context_values import context_of, context_values
from tests.made_events import CONTEXTS


@given(CONTEXTS)
def test_a_context_comes_back_as_it_was(context: ViewingContext) -> None:
    assert context_of(json.loads(json.dumps(context_values(context)))) == context
