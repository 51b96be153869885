from services.recap.turns import Turns


def made(most_at_once: int = 2) -> Turns:
    return Turns(most_at_once=most_at_once, rest_s=0.5, most_rest_s=8.0)


def test_who_waits_longest_begins_and_no_more_than_the_bound() -> None:
    turns = made()
    assert turns.begin(["b", "a", "c"]) == ["b", "a"]
    assert turns.begin(["b", "a", "c"]) == []
    turns.end("a")
    assert turns.begin(["b", "a", "c"]) == ["c"]


def test_who_has_much_to_send_takes_turns_with_the_others() -> None:
    turns, order = made(most_at_once=1), []
    for _ in range(6):
        [tenant] = turns.begin(["much", "more", "little"])
        order.append(tenant)
        turns.end(tenant)
    assert order == ["much", "more", "little"] * 2


def test_who_failed_rests_and_nobody_else() -> None:
    turns = made()
    assert turns.begin(["a", "b"]) == ["a", "b"]
    assert turns.fail("a") == (0.5, True)
    turns.end("b")
    assert turns.begin(["a", "b"]) == ["b"]
    turns.rested("a")
    assert turns.begin(["a", "b"]) == ["a"]


def test_a_rest_doubles_up_to_its_bound_until_a_turn_goes_well() -> None:
    turns, rests = made(), []
    for _ in range(40):
        turns.begin(["a"])
        rests.append(turns.fail("a"))
        turns.rested("a")
    assert rests[:6] == [
        (0.5, True), (1.0, False), (2.0, False), (4.0, False), (8.0, False), (8.0, False),
    ]  # fmt: skip
    assert rests[-1] == (8.0, False)
    turns.begin(["a"])
    turns.end("a")
    turns.begin(["a"])
    assert turns.fail("a") == (0.5, True)


def test_who_waits_for_nothing_any_more_is_forgotten() -> None:
    turns = made()
    turns.begin(["a"])
    turns.fail("a")
    turns.rested("a")
    turns.begin([])
    turns.begin(["a"])
    assert turns.fail("a") == (0.5, True)
