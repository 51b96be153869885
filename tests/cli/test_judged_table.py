from io import StringIO

from rich.console import Console

from cli.judged_table import judged_table
from training.evaluation import Interval
from training.judge import BASELINE, Judged


def shown(*judged: Judged) -> list[str]:
    text = StringIO()
    Console(width=80, file=text).print(judged_table(judged, title="Lists"))
    return text.getvalue().splitlines()


def test_every_method_is_one_line_of_eighty_columns() -> None:
    figure = Interval(0.338, 0.321, 0.355)
    rows = [
        Judged("oracle (simulated)", figure, figure, figure),
        Judged(BASELINE, figure, figure, None),
    ]
    lines = shown(*rows)
    (oracle,) = (line for line in lines if "oracle (simulated)" in line)
    (popular,) = (line for line in lines if BASELINE in line)
    assert "0.338 ±.017" in oracle
    assert "+0.338 ±.017" in oracle
    assert "–" in popular
    assert "+" not in popular
