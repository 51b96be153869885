"""What diversity costs and buys: MMR's weight of relevance against NDCG and spread."""

from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from cli.console import Output
from cli.evaluate import bundle_before, default_at_ms
from cli.judging import Exam, Question
from cli.offline import OfflineSuite
from libs.domain.event import DAY_MS
from libs.domain.identifiers import DEFAULT_TENANT
from libs.serving.settings import SuiteSettings
from training.judge import NDCG_AT as K

WEIGHTS: Final = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
PROFILES: Final = 600
HORIZON_MS: Final = 7 * DAY_MS


def run() -> dict[str, Any]:
    """Rank the recorded profiles of var/ with each weight; returns the figures that it prints."""
    settings, output = SuiteSettings(), Output.open(as_json=False)
    at_ms = default_at_ms(settings, HORIZON_MS)
    bundle = bundle_before(settings, at_ms, output)
    question = Question(at_ms, HORIZON_MS, PROFILES)
    texts = bundle.retrieval.content
    figures = []
    table = Table(title=f"The first {K} by MMR's weight of relevance")
    for column in ("weight", f"NDCG@{K}", "genres", "mean distance of texts"):
        table.add_column(column, justify="right")
    for weight in WEIGHTS:
        suite = OfflineSuite(settings, DEFAULT_TENANT, bundle, relevance_weight=weight)
        columns = suite.log.columns(DEFAULT_TENANT, question.cut.end_ms)
        profiles = suite.log.profiles(DEFAULT_TENANT)
        exam = Exam(question, suite.shelf.columns, columns, profiles)
        answers = suite.lists(exam.profile_ids, at_ms=at_ms, limit=2 * K)
        lists = {
            profile_id: np.array([bundle.retrieval.row_of[one] for one in answer.title_ids])
            for profile_id, answer in answers.items()
        }
        genres = suite.shelf.columns.genres
        ndcg = exam.judged({f"{weight}": lists})[0].ndcg
        spread = np.mean([(genres[rows[:K]].sum(axis=0) > 0).sum() for rows in lists.values()])
        pairs = [texts[rows[:K]] @ texts[rows[:K]].T for rows in lists.values()]
        distance = 1 - np.mean([(one.sum() - np.trace(one)) / (K * (K - 1)) for one in pairs])
        figures.append(
            {
                "weight": weight,
                "ndcg": ndcg.mean,
                "ndcg_low": ndcg.low,
                "ndcg_high": ndcg.high,
                "genres": float(spread),
                "distance": float(distance),
            }
        )
        table.add_row(
            f"{weight:.2f}",
            f"{ndcg.mean:.4f} \\[{ndcg.low:.4f}, {ndcg.high:.4f}]",
            f"{spread:.2f}",
            f"{distance:.3f}",
        )
    console = Console()
    console.print(table)
    console.print(f"[dim]simulated, {len(exam.profile_ids)} profiles, one time[/]")
    return {"profiles": len(exam.profile_ids), "weights": figures}
