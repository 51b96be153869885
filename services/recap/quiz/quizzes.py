"""The path of a quiz: read the state, replay the answers, ask on or end with a page of ranking."""

import hashlib
from collections.abc import Callable
from typing import Final

from libs.domain.decision import Purpose
from libs.domain.identifiers import check_id
from libs.domain.viewing import ViewingContext
from libs.faults import InvalidField, PartUnavailable
from libs.serving.waiting import beside, on_thread
from services.recap.outbox import Outbox
from services.recap.quiz.board import Board, Boards
from services.recap.quiz.board import asked as as_asked
from services.recap.quiz.length import USUAL, Length
from services.recap.quiz.materials import Material, of_version
from services.recap.quiz.play import Position, check_answer, next_step, position, result, seeds
from services.recap.quiz.ports import PAGE_SHARE, POOL_SIZE, HeldMaterial, Ranking, TimeLeft
from services.recap.quiz.quiz import Quiz
from services.recap.quiz.quiz_result import PackOutcome, QuizResult, decode_result, encode_result
from services.recap.quiz.quiz_state import QuizState, new_state
from services.recap.quiz.quiz_step import Explanation, Said, Step
from services.recap.quiz.quiz_store import Kept, QuizStore
from services.recap.quiz.quiz_token import QuizTokens
from services.recap.quiz.selection import Choice, QuestionBank, Stop, StopRules
from services.recap.ranking_client import Page, SlateQuery

# Of the time left, for a tenant whose catalogue is only now fetched.
_FILLED_SHARE: Final = 0.5
_FILLED_MOST_S: Final = 1.0
# Two devices may answer at once; a third time would be somebody who does nothing else.
_TRIES: Final = 3


class Quizzes:
    """The quizzes of all tenants."""

    def __init__(
        self,
        materials: Callable[[str], HeldMaterial],
        ranking: Ranking,
        store: QuizStore,
        tokens: QuizTokens,
        outbox: Outbox,
        boards: Boards,
        rules: StopRules,
        now_ms: Callable[[], int],
    ) -> None:
        self._materials = materials
        self._ranking = ranking
        self._store = store
        self._tokens = tokens
        self._outbox = outbox
        self._boards = boards
        self._rules = rules
        self._now_ms = now_ms

    async def start(
        self,
        tenant: str,
        quiz_id: str,
        profile_id: str,
        pack_id: str,
        context: ViewingContext,
        time_left_s: TimeLeft,
        length: Length = USUAL,
    ) -> Step:
        """Begin a quiz, or go on with the profile's of that id, of the length that it began with.

        Raises InvalidField, NotFound for an unknown pack or an erased profile, and PartUnavailable.
        """
        check_id("quiz_id", quiz_id)
        if profile_id:
            check_id("profile_id", profile_id)
        if pack_id:
            check_id("pack_id", pack_id)
        material = await self._material(tenant, time_left_s)
        if pack_id:
            material.shelf.pack(pack_id)
        query = SlateQuery(Purpose.PREVIEW, POOL_SIZE, profile_id, context, is_diverse=False)
        # Nearly every quiz is new: its pool is asked for while the store looks.
        async with beside(self._page(tenant, query, time_left_s)) as asking:
            kept = await self._kept(tenant, profile_id, quiz_id)
            if kept is None:
                page = await asking
                state = new_state(
                    quiz_id,
                    profile_id,
                    pack_id=pack_id,
                    context=context,
                    now_ms=self._now_ms(),
                    bundle_version=page.model_version,
                    title_ids=page.title_ids,
                    scores=page.scores,
                    length=length,
                )
                board = await self._board(tenant, material, state)
                state, here, choice = next_step(board, state, self._rules_of(material, state))
                ended = await self._ended(tenant, material, state, here, choice, time_left_s)
                if profile_id:
                    kept = await on_thread(self._store.begin, tenant, state, ended, self._now_ms())
                if kept is None or kept.state is state:
                    return self._step(tenant, state, here, choice, ended)
        if kept.state.pack_id != pack_id:
            raise InvalidField("pack_id", "the quiz of that id was begun with another")
        return await self._resumed(tenant, material, kept, len(kept.state.answers))

    async def answer(self, tenant: str, said: Said, time_left_s: TimeLeft) -> Step:
        """Take an answer to what was asked; the same one again gets the same result.

        Raises InvalidField for what does not answer it and leaves everything as it was; NotFound
        for an erased profile, and PartUnavailable.
        """
        state = self._tokens.read(tenant, said.token, now_ms=self._now_ms())
        _check_whose(state, said)
        material = await self._material(tenant, time_left_s)
        if said.profile_id:
            state = state.owned_by(said.profile_id)
        for _ in range(_TRIES):
            kept = await self._kept(tenant, said.profile_id, said.quiz_id)
            if kept is not None and _is_repeated(kept.state, state, said):
                return await self._resumed(tenant, material, kept, len(state.answers) + 1)
            board = await self._board(tenant, material, state)
            check_answer(board, state, said.question_id, said.option_id)
            after = state.answering(said.option_id)
            after, here, choice = next_step(board, after, self._rules_of(material, state))
            ended = await self._ended(tenant, material, after, here, choice, time_left_s)
            if not said.profile_id:
                return self._step(tenant, after, here, choice, ended)
            done = await on_thread(
                self._store.answer,
                tenant,
                state,
                after,
                ended,
                self._now_ms(),
                _titles(board),
                seeds(here),
            )
            if done is not None:
                self._outbox.wake()
                return self._step(tenant, after, here, choice, ended)
        raise PartUnavailable("quiz", "other devices answer it at the same time")

    async def _material(self, tenant: str, time_left_s: TimeLeft) -> Material:
        held = self._materials(tenant)
        if not await held.filled(min(time_left_s() * _FILLED_SHARE, _FILLED_MOST_S)):
            raise PartUnavailable("catalogue", "none has been received yet")
        return held.current

    async def _kept(self, tenant: str, profile_id: str, quiz_id: str) -> Kept | None:
        if not profile_id:
            return None
        return await on_thread(self._store.read, tenant, profile_id, quiz_id, self._now_ms())

    async def _page(self, tenant: str, query: SlateQuery, time_left_s: TimeLeft) -> Page:
        return await self._ranking.recommend(tenant, query, timeout_s=time_left_s() * PAGE_SHARE)

    async def _board(self, tenant: str, material: Material, state: QuizState) -> Board:
        """The board of a state: held since the last question, or made again, the same."""
        model = of_version(material.models, state.bundle_version)
        taste = of_version(material.tastes, state.bundle_version)
        pool = hashlib.sha256("\0".join(state.title_ids).encode() + state.scores.tobytes())
        key = (
            tenant,
            pool.digest(),
            material.catalogue_version,
            "" if model is None else model.version,
            "" if taste is None else taste.version,
            # What it asks, not only its id: a pack may be written anew.
            material.shelf.pack(state.pack_id).questions if state.pack_id else (),
        )
        board = self._boards.get(key)
        if board is None:
            board = await on_thread(make_board, material, state)
            self._boards.put(key, board)
        return board

    def _rules_of(self, material: Material, state: QuizState) -> StopRules:
        usual = material.shelf.pack(state.pack_id).rules if state.pack_id else self._rules
        return state.length.rules(usual)

    async def _ended(
        self,
        tenant: str,
        material: Material,
        state: QuizState,
        here: Position,
        choice: Choice,
        time_left_s: TimeLeft,
    ) -> bytes:
        """The result of a quiz that is over, out of one LIVE page; empty while it goes on."""
        if choice.question is not None:
            return b""
        query = SlateQuery(
            Purpose.LIVE,
            POOL_SIZE,
            state.profile_id,
            state.context,
            seeds=seeds(here),
            is_diverse=False,
        )
        page = await self._page(tenant, query, time_left_s)
        pool = material.pool(page.title_ids, page.scores, page.model_version)
        outcome = None
        # Of who has said nothing every outcome would be made up.
        if state.pack_id and here.telling:
            pack = material.shelf.pack(state.pack_id)
            told = pack.outcome(here.board.pool, here.belief)
            outcome = PackOutcome(told.outcome_id, told.name, told.text, pack.name, pack.language)
        made = QuizResult(
            page_id=page.page_id,
            slate=result(here, pool, is_personal=bool(state.profile_id)),
            stop=choice.stop or Stop.NO_GAIN,
            degraded=page.degraded,
            outcome=outcome,
        )
        return encode_result(made)

    async def _resumed(self, tenant: str, material: Material, kept: Kept, count: int) -> Step:
        """The step after `count` answers of a stored quiz, as it was told then."""
        whole = kept.state
        is_last = count == len(whole.answers)
        asked = whole.asked if is_last else whole.answers[count].asked
        state = whole.up_to(count, asked)
        board = await self._board(tenant, material, state)
        here = position(board, state)
        choice = board.quiz.choice(here.said, self._rules_of(material, state))
        question = None if asked is None else board.question(asked)
        if asked is not None and question is None:
            # The catalogue no longer makes the question that was asked: another takes its place.
            if not choice.considered:
                raise InvalidField("quiz_id", "the catalogue has changed; start another quiz")
            question = choice.considered[0].question
            state = state.asking(as_asked(question))
        made = decode_result(kept.result) if is_last and kept.result else None
        token = self._tokens.sign(tenant, state)
        return Step(state, token, question, made, Explanation(here, choice))

    def _step(
        self, tenant: str, state: QuizState, here: Position, choice: Choice, ended: bytes
    ) -> Step:
        return Step(
            state,
            self._tokens.sign(tenant, state),
            choice.question,
            decode_result(ended) if ended else None,
            Explanation(here, choice),
        )


def make_board(material: Material, state: QuizState) -> Board:
    """All that may be asked of a state's pool."""
    pool = material.pool(state.title_ids, state.scores, state.bundle_version)
    if not pool.titles:
        return Board.of(Quiz(pool, QuestionBank.of((), 0), None))
    if state.pack_id:
        asked = material.shelf.pack(state.pack_id).ask(pool)
        return Board.of(Quiz(pool, QuestionBank.of(asked, len(pool.titles)), None))
    taste = of_version(material.tastes, state.bundle_version)
    return Board.of(Quiz.of(pool, taste, material.titles))


def _check_whose(state: QuizState, said: Said) -> None:
    """Raise InvalidField unless quiz and profile are those of the state."""
    if said.profile_id:
        check_id("profile_id", said.profile_id)
    if said.quiz_id != state.quiz_id:
        raise InvalidField("quiz_id", "is not the quiz of this state")
    if state.profile_id and said.profile_id != state.profile_id:
        raise InvalidField("profile_id", "is not whom this quiz is for")


def _is_repeated(stored: QuizState, state: QuizState, said: Said) -> bool:
    """Whether this very answer was taken before.

    Raises InvalidField where the quiz has gone on in another way.
    """
    count = len(state.answers)
    if stored.beginning != state.beginning or stored.answers[:count] != state.answers:
        raise InvalidField("state", "is not how this quiz went on")
    if len(stored.answers) == count:
        return False
    taken = stored.answers[count]
    if taken.asked.question_id != said.question_id:
        told = "was answered already" if said.question_id in stored.asked_ids else "was not asked"
        raise InvalidField("question_id", told)
    if taken.option_id != said.option_id:
        raise InvalidField("option_id", "another answer was given to this question")
    return True


def _titles(board: Board) -> Callable[[str, str], str]:
    def title_of(question_id: str, option_id: str) -> str:
        question = board.by_id.get(question_id)
        options = () if question is None else question.options
        return next((one.title_id for one in options if one.option_id == option_id), "")

    return title_of
