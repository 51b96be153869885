import subprocess
import sys
from pathlib import Path

import pytest

from libs.faults import StartFault
from libs.storage.server_extra import server_extra


def test_a_missing_package_is_one_line_that_says_what_to_install() -> None:
    wanted = r"need nothing_such, .* pip install 'reprise\[server\]'"
    with pytest.raises(StartFault, match=wanted), server_extra():
        import nothing_such  # type: ignore[import-not-found]  # noqa: F401


@pytest.mark.parametrize("service", ["events", "candidates", "ranking", "recap"])
def test_the_embedded_suite_imports_no_client_of_a_server(service: str) -> None:
    # recap speaks to its own file through SQLAlchemy, too.
    clients = {"psycopg", "redis", "alembic"} | (set() if service == "recap" else {"sqlalchemy"})
    code = (
        f"import sys, services.{service}.__main__\n"
        f"sys.exit(str({clients} & set(sys.modules) or ''))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert found.stderr.strip() == ""
