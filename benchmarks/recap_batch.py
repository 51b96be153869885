"""`python -m benchmarks.recap_batch PROFILES PARTITIONS`: one run of the batch, as JSON."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import psutil

from benchmarks.recap_export import made_titles
from libs.domain.title import Title
from services.recap.batch import Run, build, open_run
from services.recap.year.catalogue import Catalogue
from services.recap.year.history import NO_DAYS, of_partition
from services.recap.year.period import Period
from services.recap.year.split import split

PLAYS = 500
GROUP_BY = """
SELECT profile_id, title_id, sum(to_ms - from_ms)
FROM read_parquet(?, hive_partitioning = false) GROUP BY ALL
"""


def main(profiles: int, partitions: int) -> int:
    """Make an export, build its recaps, print what that took."""
    titles = made_titles(1_200, np.random.default_rng(1))
    with tempfile.TemporaryDirectory() as folder:
        export, work = Path(folder) / "export", Path(folder) / "work"
        # By another process: what this one holds is to be the batch's alone.
        arguments = [str(export), str(profiles), str(PLAYS), str(partitions)]
        subprocess.run([sys.executable, "-m", "benchmarks.recap_export", *arguments], check=True)
        begun, begun_cpu = time.perf_counter(), time.process_time()
        run = open_run(export, titles, Period.of_year(2025), work, threads=1)
        held: list[int] = []
        built = build(run, lambda done, total: held.append(_held_bytes()))
        sizes = [
            len(recap.to_json().encode())
            for place in range(len(run.partitions))
            for _, _, recap in built.rows(place)
        ]
        cpu_s, wall_s = time.process_time() - begun_cpu, time.perf_counter() - begun
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        split_s = _split_s(run, titles)
        with duckdb.connect(config={"threads": 1}) as connection:
            begun_cpu = time.process_time()
            connection.execute(GROUP_BY, [str(export / "partition=*" / "events.parquet")])
            connection.fetchnumpy()
            group_by_s = time.process_time() - begun_cpu
    sys.stdout.write(
        json.dumps(
            {
                "profiles": profiles,
                "cpu_s": cpu_s,
                "split_cpu_s": split_s,
                "people": len(sizes),
                "wall_s": wall_s,
                "peak_bytes": peak,
                # After each partition is counted, the comparisons that follow left out.
                "held_bytes": held[: len(run.partitions)],
                "group_by_cpu_s": group_by_s,
                "row_bytes": float(np.mean(sizes)),
                "disagreeing": built.disagreeing_count,
            }
        )
    )
    return 0


def _held_bytes() -> int:
    """What this process holds of memory that no file stands behind."""
    held = psutil.Process().memory_info()
    return int(held.rss - held.shared)


def _split_s(run: Run, titles: list[Title]) -> float:
    """CPU of telling who shares a profile, again and alone: in the build it is a part."""
    catalogue, spent_s = Catalogue.of(titles), 0.0
    for file in run.partitions:
        history = of_partition(run.export_path / file.file)
        begun_s = time.process_time()
        split(history, catalogue, run.period, run.cutoff_ms, NO_DAYS, ())
        spent_s += time.process_time() - begun_s
    return spent_s


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
