"""The table of judged methods that `train` and `evaluate` show, in 80 columns."""

from collections.abc import Iterable
from typing import Final

from rich.table import Table

from training.evaluation import Interval
from training.judge import NDCG_AT, RECALL_AT, Judged

INTERVALS: Final = "± is half the 95% bootstrap interval over profiles, paired for the gain"


def judged_table(judged: Iterable[Judged], *, title: str) -> Table:
    """A row a method; the gain is over the popular of 30 days, which has none itself."""
    table = Table(title=title)
    table.add_column("lists by")
    table.add_column(f"NDCG@{NDCG_AT}", justify="right")
    table.add_column(f"Recall@{RECALL_AT}", justify="right")
    table.add_column("gain in NDCG", justify="right")
    for one in judged:
        gain = "–" if one.gain is None else _text(one.gain, sign="+")
        table.add_row(one.name, _text(one.ndcg), _text(one.recall), gain)
    return table


def _text(interval: Interval, *, sign: str = "") -> str:
    half = f"{(interval.high - interval.low) / 2:.3f}".removeprefix("0")
    return f"{interval.mean:{sign}.3f} ±{half}"
