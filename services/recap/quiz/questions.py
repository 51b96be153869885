"""All questions of one pool."""

from services.recap.quiz.pool import Pool
from services.recap.quiz.questions_of_columns import column_questions
from services.recap.quiz.questions_of_labels import label_questions
from services.recap.quiz.questions_of_titles import pair_questions
from services.recap.quiz.selection import QuestionBank


def questions(pool: Pool) -> QuestionBank:
    """What may be asked, the same for the same pool; a kind without data does not exist."""
    found = (*label_questions(pool), *column_questions(pool), *pair_questions(pool))
    return QuestionBank.of(found, len(pool.titles))
