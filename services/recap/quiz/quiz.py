"""One quiz over one pool: everything follows from the answers so far, so nothing is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libs.domain.title import Title
from libs.models.taste_model import TasteModel
from services.recap.quiz.belief import Belief, update
from services.recap.quiz.pool import Pool
from services.recap.quiz.question import DONT_CARE, SKIP, Answer, Question
from services.recap.quiz.questions import questions
from services.recap.quiz.selection import STOP_RULES, Choice, QuestionBank, StopRules, choose
from services.recap.quiz.slate import SLATE_SIZE, Slate, slate
from services.recap.quiz.tastes import Tastes
from services.recap.quiz.title_traits import TAG_KINDS

# What was answered: question_id and option_id.
Said = tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Quiz:
    """What can be asked about a pool."""

    pool: Pool
    bank: QuestionBank
    tastes: Tastes | None

    @classmethod
    def of(
        cls, pool: Pool, taste: TasteModel | None = None, titles: Mapping[str, Title] | None = None
    ) -> "Quiz":
        """Asks about tonight where titles have moods; else about taste, if a bundle has learnt it.

        `titles` is the catalogue, needed beside `taste`.
        """
        has_moods = any(pool.labels[kind].names for kind in TAG_KINDS if kind in pool.labels)
        if taste is not None and titles is not None and not has_moods:
            nothing = QuestionBank.of((), len(pool.titles))
            return cls(pool, nothing, Tastes.of(taste, pool, titles))
        return cls(pool, questions(pool), None)

    @property
    def all_questions(self) -> tuple[Question, ...]:
        """What may ever be asked, as it stands before any answer."""
        return self._bank(()).questions

    def belief(self, said: Sequence[Said]) -> Belief:
        """The belief after the answers; raises KeyError for a question or option that is none."""
        belief = Belief.of(self.pool)
        if self.tastes is not None:
            return Belief(belief.log_weights + self.tastes.log_ratios(_counted(said)))
        for question_id, option_id in _counted(said):
            belief = update(belief, self.bank.of_id(question_id), option_id)
        return belief

    def choice(self, said: Sequence[Said], rules: StopRules = STOP_RULES) -> Choice:
        """What to ask next, or why nothing."""
        bank = self._bank(said)
        return choose(bank, self.belief(said), [question_id for question_id, _ in said], rules)

    def question(self, question_id: str, said: Sequence[Said] = ()) -> Question:
        """A question as it stands after the answers; raises KeyError if there is none such."""
        return self._bank(said).of_id(question_id)

    def slate(self, said: Sequence[Said], limit: int = SLATE_SIZE) -> Slate:
        """What to watch after the answers."""
        bank = self._bank(())
        answers = [Answer(bank.of_id(asked), option_id) for asked, option_id in _counted(said)]
        return slate(self.pool, self.belief(said), answers, limit)

    def _bank(self, said: Sequence[Said]) -> QuestionBank:
        if self.tastes is None:
            return self.bank
        return self.tastes.bank(_counted(said))


def _counted(said: Sequence[Said]) -> list[Said]:
    return [(asked, option_id) for asked, option_id in said if option_id not in (DONT_CARE, SKIP)]
