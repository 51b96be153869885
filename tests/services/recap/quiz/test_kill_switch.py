from pathlib import Path

from services.recap.quiz.kill_switch import LOOKED_AT_MS, KillSwitch


def test_it_follows_the_file_without_a_restart(tmp_path: Path) -> None:
    now = [0]
    path = tmp_path / "recap" / "quiz.off"
    switch = KillSwitch(path, lambda: now[0])
    seen = [switch.is_off]
    path.parent.mkdir()
    path.touch()
    now[0] += LOOKED_AT_MS
    seen.append(switch.is_off)
    path.unlink()
    now[0] += LOOKED_AT_MS
    seen.append(switch.is_off)
    assert seen == [False, True, False]


def test_it_looks_again_when_the_clock_went_back(tmp_path: Path) -> None:
    now = [10**6]
    switch = KillSwitch(tmp_path / "off", lambda: now[0])
    seen = [switch.is_off]
    (tmp_path / "off").touch()
    now[0] = 0
    seen.append(switch.is_off)
    assert seen == [False, True]


def test_a_path_that_cannot_be_looked_at_is_off(tmp_path: Path) -> None:
    assert KillSwitch(tmp_path / ("x" * 300), lambda: 0).is_off
