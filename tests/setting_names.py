"""The variables that the suite reads: one that is misspelt would be ignored without a word."""

from libs.serving.identity_settings import IdentitySettings
from libs.serving.settings import SuiteSettings
from services.candidates.settings import CandidatesSettings
from services.events.settings import EventsSettings
from services.ranking.settings import RankingSettings
from services.recap.settings import RecapSettings

KINDS = (
    SuiteSettings,
    IdentitySettings,
    EventsSettings,
    CandidatesSettings,
    RankingSettings,
    RecapSettings,
)


def setting_names() -> set[str]:
    """The names of all of them, such as REPRISE_HOME."""
    return {f"REPRISE_{name.upper()}" for kind in KINDS for name in kind.model_fields}
