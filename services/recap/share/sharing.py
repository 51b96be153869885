"""Sharing: preview, then a token for exactly that; and what a token stands for."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from libs.domain.consent import Consent
from libs.domain.event import DAY_MS
from libs.domain.profile import Profile
from libs.domain.title import Title
from libs.faults import ConsentMissing, InvalidField, NotFound, PartUnavailable, PreviewChanged
from libs.serving.profile_features import ProfileFeatures
from libs.serving.waiting import on_thread
from libs.storage.recap.share_table import ShareRow, ShareTable
from services.recap.quiz.quiz_result import decode_result
from services.recap.share.leaving import Leaving
from services.recap.share.ports import Quizzes, Recaps, Titles
from services.recap.share.quiz_cards import quiz_preview
from services.recap.share.rendering import Preview, preview
from services.recap.share.share_tokens import ShareTokens
from services.recap.share.shared_card import SharedCard, digest_of
from services.recap.share.snapshot import Snapshot
from services.recap.share.words import share_words
from services.recap.year.person import KIDS
from services.recap.year.recaps import RecapQuery

DEFAULT_DAYS: Final = 30
MOST_DAYS: Final = 366

# Of the time left, for a tenant whose catalogue is only now being fetched.
_CATALOGUE_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class QuizQuery:
    """Which quiz of whom."""

    tenant: str
    profile_id: str
    quiz_id: str
    now_ms: int


@dataclass(frozen=True, slots=True)
class ShareQuery:
    """Which cards of what; constructors of its parts have rejected nonsense."""

    source: RecapQuery | QuizQuery
    card_ids: tuple[str, ...]
    hidden_title_ids: frozenset[str]
    display_name: str


@dataclass(frozen=True, slots=True)
class Shared:
    """What somebody with the token sees."""

    cards: tuple[SharedCard, ...]
    display_name: str
    expires_ms: int


class Sharing:
    """The shares of all tenants; every method raises a Fault where a part is away."""

    def __init__(
        self,
        recaps: Recaps,
        quizzes: Quizzes,
        profiles: ProfileFeatures,
        titles_of: Callable[[str], Titles],
        table: ShareTable,
        tokens: ShareTokens,
    ) -> None:
        self._recaps = recaps
        self._quizzes = quizzes
        self._profiles = profiles
        self._titles_of = titles_of
        self._table = table
        self._tokens = tokens

    async def preview(
        self, query: ShareQuery, remaining_s: Callable[[], float]
    ) -> tuple[Preview, str]:
        """What would leave, and its digest. Nothing does of a child."""
        source = query.source
        profile = await self._profile(source.tenant, source.profile_id, remaining_s)
        leaving = Leaving(await self._titles(source.tenant, remaining_s), query.hidden_title_ids)
        if isinstance(source, RecapQuery):
            made = await self._of_recap(source, query.card_ids, leaving, remaining_s)
        else:
            made = await on_thread(self._of_quiz, source, query.card_ids, leaving)
        if profile is not None and profile.kids:
            made = Preview((), query.card_ids)
        return made, digest_of(made.cards, query.display_name)

    async def _of_recap(
        self,
        source: RecapQuery,
        card_ids: tuple[str, ...],
        leaving: Leaving,
        remaining_s: Callable[[], float],
    ) -> Preview:
        answer = await self._recaps.get(source, remaining_s)
        if source.person_id == KIDS:
            return Preview((), card_ids)
        words = share_words(source.language)
        return await on_thread(preview, answer.cards, card_ids, leaving, words)

    def _of_quiz(self, source: QuizQuery, card_ids: tuple[str, ...], leaving: Leaving) -> Preview:
        kept = self._quizzes.read(source.tenant, source.profile_id, source.quiz_id, source.now_ms)
        if kept is None:
            raise NotFound("quiz", source.quiz_id)
        if not kept.result:
            raise InvalidField("quiz_id", "has not ended yet")
        result = decode_result(kept.result)
        if result.outcome is None:
            problem = "is of no pack, or nothing was answered: it says nothing of the viewer"
            raise InvalidField("quiz_id", problem)
        if kept.state.context.kids:
            return Preview((), card_ids)
        return quiz_preview(result, result.outcome, card_ids, leaving)

    async def create(
        self,
        query: ShareQuery,
        share_id: str,
        digest: str,
        expires_ms: int | None,
        remaining_s: Callable[[], float],
    ) -> tuple[str, int]:
        """The token of what was previewed as `digest`, and when it ends in Unix ms.

        Raises ConsentMissing, PreviewChanged, NotFound of an erased profile, and InvalidField for
        a time that is not ahead or too far, and for an id that is of another share.
        """
        tenant, profile_id = query.source.tenant, query.source.profile_id
        now_ms = query.source.now_ms
        ends_ms = now_ms + DEFAULT_DAYS * DAY_MS if expires_ms is None else expires_ms
        if not now_ms < ends_ms <= now_ms + MOST_DAYS * DAY_MS:
            raise InvalidField("expires_at", f"must be ahead, at most {MOST_DAYS} days")
        profile = await self._profile(tenant, profile_id, remaining_s)
        if not _may_share(profile):
            raise ConsentMissing(Consent.SHARING.name)
        known = await on_thread(self._table.of_id, tenant, profile_id, share_id)
        if known is None or known.expires_ms <= now_ms:
            known = await self._created(query, share_id, digest, ends_ms, remaining_s)
        if known.is_revoked:
            raise InvalidField("share_id", "is of a share that was revoked")
        if not secrets.compare_digest(known.digest.encode(), digest.encode()):
            raise InvalidField("share_id", "is of a share of another content")
        return self._tokens.token(tenant, known.link_id), known.expires_ms

    async def _created(
        self,
        query: ShareQuery,
        share_id: str,
        digest: str,
        ends_ms: int,
        remaining_s: Callable[[], float],
    ) -> ShareRow:
        tenant, profile_id = query.source.tenant, query.source.profile_id
        made, present = await self.preview(query, remaining_s)
        if not secrets.compare_digest(present.encode(), digest.encode()):
            raise PreviewChanged
        if not made.cards:
            raise InvalidField("preview.card_ids", "name no card of which anything may leave")
        row = ShareRow(
            profile_id=profile_id,
            share_id=share_id,
            link_id=self._tokens.new_id(),
            digest=present,
            content=Snapshot(
                made.cards, query.display_name, made.origins, query.hidden_title_ids
            ).text(),
            expires_ms=ends_ms,
        )
        stored = await on_thread(self._create, tenant, row, query.source.now_ms)
        if stored is None:
            raise NotFound("profile", profile_id)
        return stored

    def _create(self, tenant: str, row: ShareRow, now_ms: int) -> ShareRow | None:
        return self._table.create(tenant, row, now_ms=now_ms)

    async def get(
        self, tenant: str, token: str, now_ms: int, remaining_s: Callable[[], float]
    ) -> Shared:
        """What a token stands for, but for what may not leave any more by the catalogue of now.

        Raises the same NotFound for whatever does not stand for anything now: forged, of another
        tenant, unknown, expired, revoked, erased, of a profile that took its consent back, or of
        cards that all say nothing now. PartUnavailable where nobody knows what may leave.
        """
        claim = self._tokens.claim(tenant, token)
        # Looked up for every token alike: how long it takes tells nothing of a forged one.
        row = await on_thread(self._table.find, tenant, claim.link_id)
        is_open = row is not None and claim.is_genuine
        is_open &= row is not None and now_ms < row.expires_ms and not row.is_revoked
        if row is not None and is_open:
            is_open = _may_share(await self._profile(tenant, row.profile_id, remaining_s))
        shared = None
        if row is not None and is_open:
            titles = await self._titles(tenant, remaining_s)
            shared = await on_thread(_shared, row, titles)
        if shared is None or not shared.cards:
            raise NotFound("share", "")
        return shared

    async def revoke(self, tenant: str, profile_id: str, share_id: str, now_ms: int) -> int:
        """End a share, or with "" all of the profile's; how many ended by this."""
        return await on_thread(self._revoke, tenant, profile_id, share_id, now_ms)

    def _revoke(self, tenant: str, profile_id: str, share_id: str, now_ms: int) -> int:
        return self._table.revoke(tenant, profile_id, share_id, now_ms=now_ms)

    async def _titles(self, tenant: str, remaining_s: Callable[[], float]) -> Mapping[str, Title]:
        """The catalogue; of a tenant that nobody has called for yet it comes in a moment."""
        catalogue = self._titles_of(tenant)
        if not await catalogue.filled(_CATALOGUE_SHARE * remaining_s()):
            raise PartUnavailable("catalogue", "it was not read yet")
        return catalogue.titles

    async def _profile(
        self, tenant: str, profile_id: str, remaining_s: Callable[[], float]
    ) -> Profile | None:
        profile, _ = await self._profiles.read(
            tenant, profile_id, as_of_ms=None, timeout_s=remaining_s()
        )
        return profile


def _shared(row: ShareRow, titles: Mapping[str, Title]) -> Shared:
    snapshot = Snapshot.of_text(row.content)
    return Shared(snapshot.leaving(titles), snapshot.display_name, row.expires_ms)


def _may_share(profile: Profile | None) -> bool:
    """A profile that nobody has stored has given no consent."""
    return profile is not None and profile.allows(Consent.SHARING) and not profile.kids
