import pytest

from services.recap.story.reading import WORDS_PER_MINUTE, reading_ms, word_count


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ann finds the letter.", 4),
        ("  Ann\n\nfinds ", 2),
        ("!", 1),
        ("雪国の朝", 4),
        ("Ann は 雪国", 4),
        ("กลับบ้านแล้ว", 3),
        ("آن تجد الرسالة", 3),
    ],
)
def test_words_are_counted_as_they_are_read(text: str, words: int) -> None:
    assert word_count(text) == words


def test_a_minute_is_read_in_a_minute() -> None:
    assert reading_ms(WORDS_PER_MINUTE) == 60_000
    assert reading_ms(0) == 0
