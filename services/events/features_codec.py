"""Features as the messages of the contract."""

from libs.domain.profile import Profile
from libs.features.profile_state import (
    ProfileState,
    encode_profile_counters,
    encode_records,
    unexpired,
)
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.features.title_counters import TITLE_COUNTER_NAMES
from libs.features.title_table import TitleTable
from libs.serving.decoding import timestamp
from libs.serving.profile_codec import profile_message
from reprise.events.v1 import events_pb2


def profile_features_message(
    profile: Profile | None, whole: ProfileState, as_of_ms: int
) -> events_pb2.GetProfileFeaturesResponse:
    """The answer as of a time; a profile without events has empty features."""
    state = unexpired(whole, as_of_ms)
    has_events = bool(state.newest_ms or len(state.title_ids))
    return events_pb2.GetProfileFeaturesResponse(
        profile=None if profile is None else profile_message(profile),
        features=events_pb2.ProfileFeatures(
            title_ids=state.title_ids,
            title_records=encode_records(state.records),
            profile_counters=encode_profile_counters(state) if has_events else b"",
        ),
        feature_schema_version=FEATURE_SCHEMA_VERSION,
        freshness=_freshness(as_of_ms, state.newest_ms, state.age_ms(as_of_ms)),
    )


def title_features_message(table: TitleTable, country: str) -> events_pb2.GetTitleFeaturesResponse:
    """The answer; where the country has no event its counters are zeros."""
    here = table.country_counters.get(country)
    rows = table.counters * 0 if here is None else here
    return events_pb2.GetTitleFeaturesResponse(
        title_ids=table.title_ids,
        counters=table.counters.astype("<f4", copy=False).tobytes(),
        country_counters=rows.astype("<f4", copy=False).tobytes() if country else b"",
        counter_names=TITLE_COUNTER_NAMES,
        freshness=_freshness(table.as_of_ms, table.newest_ms, table.age_ms()),
        feature_schema_version=FEATURE_SCHEMA_VERSION,
    )


def _freshness(as_of_ms: int, newest_ms: int, age_ms: int | None) -> events_pb2.Freshness:
    return events_pb2.Freshness(
        as_of=timestamp(as_of_ms),
        newest_event=timestamp(newest_ms) if newest_ms else None,
        age_ms=age_ms,
    )
