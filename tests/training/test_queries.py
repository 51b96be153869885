from pathlib import Path

from libs.features.profile_view import seen_rows
from tests.made_world import encode, make_config, quiet, small_world
from training.material import read_material
from training.pipeline import fit_moments
from training.queries import answers
from training.report import Stopwatch


def test_what_was_seen_is_not_new_and_what_is_new_may_be_shown(tmp_path: Path) -> None:
    log, titles = small_world()
    config = make_config(tmp_path)
    material = read_material(log, titles, config, Stopwatch(quiet), encode)
    moment = fit_moments(material, config, lambda done: None)[-2]
    seen_count = 0
    for answer in answers(moment, material.snapshots[-1].asked, config.candidate_limit):
        seen = seen_rows(answer.asked.viewer.view)
        seen_count += len(seen)
        assert not answer.new[seen].any()
        assert answer.new.any()
        assert answer.matrix.shape[0] == len(answer.retrieved.rows) > 0
    assert seen_count > 100
