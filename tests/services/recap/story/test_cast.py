import numpy as np

from libs.domain.beat import Beat, Relation
from services.recap.story.cast import MOST_CHARACTERS, NOBODY, Cast, Met, cast_columns


def beat(*names: str, importance: float = 0.5, relations: tuple[Relation, ...] = ()) -> Beat:
    return Beat(0, 1, "x", names, relations, importance)


def cast_of(beats: list[tuple[int, Beat]]) -> Cast:
    """Of beats in the order of the story, each with its episode's place; held in another order."""
    columns = cast_columns([one for _, one in reversed(beats)])
    rows = np.arange(len(beats))[::-1]
    return columns.of(rows, np.array([place for place, _ in beats], np.int64))


def test_the_most_important_come_first() -> None:
    beats = [(0, beat("Ann", "Ben", importance=0.2)), (1, beat("Ben")), (2, beat("Cho"))]
    found = cast_of(beats)
    assert found.characters == (Met("Ben", 2, 1), Met("Cho", 1, 2), Met("Ann", 1, 0))


def test_a_relation_is_as_it_was_seen_last() -> None:
    before, after = Relation("Ann", "Ben", "friend"), Relation("Ann", "Ben", "sister")
    back = Relation("Ben", "Ann", "brother")
    beats = [
        (0, beat(relations=(before,))),
        (1, beat(relations=(back,))),
        (2, beat(relations=(after,))),
    ]
    assert cast_of(beats[:2]).relations == (back, before)
    assert cast_of(beats).relations == (after, back)


def test_who_is_only_related_was_met_too() -> None:
    found = cast_of([(0, beat("Ann", relations=(Relation("Ann", "Ben", "friend"),)))])
    assert {one.name for one in found.characters} == {"Ann", "Ben"}


def test_somebody_twice_in_one_beat_counts_once() -> None:
    relations = (Relation("Ann", "Ann", "double"),)
    assert cast_of([(0, beat("Ann", "Ann", relations=relations))]).characters == (Met("Ann", 1, 0),)


def test_a_crowd_is_cut_to_those_who_matter_with_their_relations() -> None:
    names = [f"c{n:03d}" for n in range(200)]
    crowd = [
        (0, beat(name, importance=n / 200, relations=(Relation(name, "c199", "fan"),)))
        for n, name in enumerate(names)
    ]
    found = cast_of(crowd)
    kept = {one.name for one in found.characters}
    assert len(kept) == MOST_CHARACTERS
    assert found.characters[0].name == "c199"
    assert {one.from_character for one in found.relations} <= kept


def test_who_is_in_other_beats_alone_is_not_met() -> None:
    columns = cast_columns(
        [beat("Ann"), beat("Ben", relations=(Relation("Ann", "Ben", "sister"),))]
    )
    assert columns.of(np.array([0]), np.array([4])) == Cast((Met("Ann", 1, 4),), ())


def test_nobody_is_met_in_nothing() -> None:
    assert cast_of([]) == NOBODY
