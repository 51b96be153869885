import duckdb
import numpy as np

from libs.domain.viewing import zone_names
from services.recap.year.local_time import HOUR_MS, local_ms

# The last moment of every twelfth day from 2016 to 2028.
MOMENTS_MS = np.arange(1_451_606_400_000 - 1, 1_861_920_000_000, 288 * HOUR_MS)
# The verifier's rules are older than the last change there; its recaps are not told until then.
NEWER_RULES = {"America/Havana", "Cuba"}


def test_both_programs_have_the_same_clock_in_every_zone_that_an_event_may_have() -> None:
    differing, here = set(), np.zeros(len(MOMENTS_MS), np.int64)
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE moments AS SELECT unnest($ms::BIGINT[]) AS ms",
            {"ms": MOMENTS_MS.tolist()},
        )
        for name in zone_names():
            # An unknown one would raise, and end the batch for everybody.
            found = connection.execute(
                "SELECT epoch_ms(timezone($zone, make_timestamptz(ms * 1000))) FROM moments",
                {"zone": name},
            ).fetchall()
            if [wall for (wall,) in found] != local_ms(MOMENTS_MS, [name], here).tolist():
                differing.add(name)
    assert differing <= NEWER_RULES
