"""The path of OfferQuiz: what the profile does now, then the policy and its slot."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from prometheus_client import Counter

from libs.domain.identifiers import check_id
from libs.domain.title import Title
from libs.domain.viewing import ViewingContext
from libs.faults import DeadlineSpent, Overloaded, PartUnavailable
from libs.serving.profile_features import ProfileFeatures
from libs.serving.waiting import on_thread
from services.recap.outbox import Outbox
from services.recap.quiz.activity import is_playing, next_episode_until_ms
from services.recap.quiz.hold_out import HoldOut
from services.recap.quiz.kill_switch import KillSwitch
from services.recap.quiz.prompt_policy import Moment, Verdict
from services.recap.quiz.prompts import Prompts

# What reading the profile may take of the time that is left.
_PROFILE_SHARE: Final = 0.3


class Catalogue(Protocol):
    """A tenant's titles; version 0 is before the first of them has arrived."""

    @property
    def titles(self) -> Mapping[str, Title]:
        """By id."""
        ...

    def episode_ids(self, titles: Mapping[str, Title]) -> Mapping[str, tuple[str, ...]]:
        """The episodes of each series in `titles`, in their order; takes milliseconds at first."""
        ...

    @property
    def version(self) -> int:
        """Grows with every change."""
        ...


class Offers:
    """Offering and dismissing; `outcomes` counts what became of each question by its refusal."""

    def __init__(
        self,
        prompts: Prompts,
        outbox: Outbox,
        profiles: ProfileFeatures,
        catalogues: Callable[[str], Catalogue],
        switch: KillSwitch,
        hold_out: HoldOut,
        outcomes: Counter,
        now_ms: Callable[[], int],
    ) -> None:
        self._prompts = prompts
        self._outbox = outbox
        self._profiles = profiles
        self._catalogues = catalogues
        self._switch = switch
        self._hold_out = hold_out
        self._outcomes = outcomes
        self._now_ms = now_ms

    async def offer(
        self,
        tenant: str,
        profile_id: str,
        offer_id: str,
        context: ViewingContext,
        time_left_s: Callable[[], float],
        *,
        says_playing: bool,
    ) -> Verdict:
        """Whether to offer the quiz now; raises InvalidField, NotFound and PartUnavailable."""
        check_id("offer_id", offer_id)
        check_id("profile_id", profile_id)
        moment = await self._moment(tenant, profile_id, time_left_s, says_playing=says_playing)
        verdict = await on_thread(
            self._prompts.offer, tenant, profile_id, offer_id, moment, context, self._now_ms()
        )
        self._outcomes.labels(verdict.refusal.name.lower()).inc()
        self._outbox.wake()
        return verdict

    async def dismiss(self, tenant: str, profile_id: str, offer_id: str) -> int:
        """Until when a dismissal silences the quiz, 0 for not; raises as `offer`."""
        check_id("offer_id", offer_id)
        check_id("profile_id", profile_id)
        now_ms = self._now_ms()
        until_ms = await on_thread(self._prompts.dismiss, tenant, profile_id, offer_id, now_ms)
        self._outbox.wake()
        return until_ms

    async def _moment(
        self,
        tenant: str,
        profile_id: str,
        time_left_s: Callable[[], float],
        *,
        says_playing: bool,
    ) -> Moment:
        is_held_out = self._hold_out.holds(tenant, profile_id)
        if self._switch.is_off:
            return Moment(is_switched_off=True)
        catalogue = self._catalogues(tenant)
        try:
            _, state = await self._profiles.read(
                tenant, profile_id, as_of_ms=None, timeout_s=time_left_s() * _PROFILE_SHARE
            )
        except (PartUnavailable, DeadlineSpent, Overloaded):
            return Moment(is_known=False)
        now_ms, titles = self._now_ms(), catalogue.titles
        episodes = await on_thread(catalogue.episode_ids, titles)
        return Moment(
            is_known=catalogue.version > 0,
            is_playing=says_playing or is_playing(state, now_ms),
            next_episode_until_ms=next_episode_until_ms(state, titles, episodes, now_ms),
            is_held_out=is_held_out,
        )
