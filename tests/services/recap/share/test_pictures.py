"""The process that paints: bounded, kept, and started anew."""

import asyncio
import contextlib
import sys
import time
from collections import Counter

import pytest

from libs.faults import Overloaded, PartUnavailable
from services.recap.share.images.picture import Format, Painter
from services.recap.share.images.rasterizer import png
from services.recap.share.pictures import Pictures
from tests.services.recap.share.images.made_cards import CARDS

DIES = (sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit(3)")
# Answers the first line with one byte, and dies of the second.
ONCE = (
    sys.executable,
    "-c",
    "import sys; sys.stdin.readline(); sys.stdout.buffer.write(b'\\0\\0\\0\\1x');"
    "sys.stdout.flush(); sys.stdin.readline()",
)


async def test_the_bytes_are_those_of_this_process() -> None:
    pictures = Pictures()
    try:
        for one in Format:
            svg = Painter().paint(CARDS[5], "م", one).svg
            assert await pictures.picture(CARDS[5], "م", one, is_png=False) == svg.encode()
            assert await pictures.picture(CARDS[5], "م", one, is_png=True) == png(svg)
    finally:
        await pictures.close()


async def test_the_event_loop_is_free_while_a_picture_is_made() -> None:
    pictures = Pictures()
    try:
        await pictures.picture(CARDS[0], "", Format.STORY, is_png=True)
        making = asyncio.create_task(pictures.picture(CARDS[1], "", Format.STORY, is_png=True))
        turns, started = 0, time.perf_counter()
        while not making.done():
            await asyncio.sleep(0)
            turns += 1
        took_s = time.perf_counter() - started
    finally:
        await pictures.close()
    assert turns > 100, f"{turns} turns in {took_s:.3f} s"


async def test_what_was_made_is_kept_and_what_is_being_made_is_made_once() -> None:
    pictures = Pictures(ONCE)
    try:
        both = await asyncio.gather(
            *(pictures.picture(CARDS[0], "", Format.LINK, is_png=True) for _ in range(2))
        )
        assert both == [b"x", b"x"]
        assert await pictures.picture(CARDS[0], "", Format.LINK, is_png=True) == b"x"
        # Each of these finds the painter dead, and a new one answers.
        for card in CARDS[1:3]:
            assert await pictures.picture(card, "", Format.LINK, is_png=True) == b"x"
    finally:
        await pictures.close()


@pytest.mark.parametrize("command", [DIES, ("/nowhere/python",)])
async def test_a_painter_that_dies_is_not_available(command: tuple[str, ...]) -> None:
    pictures = Pictures(command)
    try:
        for _ in range(2):
            with pytest.raises(PartUnavailable):
                await pictures.picture(CARDS[0], "", Format.LINK, is_png=True)
    finally:
        await pictures.close()


async def test_whoever_stops_waiting_is_in_nobodys_way() -> None:
    pictures = Pictures()
    try:
        first = asyncio.create_task(pictures.picture(CARDS[0], "", Format.LINK, is_png=True))
        second = asyncio.create_task(pictures.picture(CARDS[4], "", Format.LINK, is_png=False))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).startswith(b"<svg")
        assert (await pictures.picture(CARDS[0], "", Format.LINK, is_png=True))[1:4] == b"PNG"
    finally:
        await pictures.close()


async def test_too_many_who_wait_are_refused() -> None:
    counted: Counter[str] = Counter()
    pictures = Pictures(count=lambda outcome: counted.update([outcome]))
    try:
        waiting = [
            asyncio.create_task(pictures.picture(CARDS[0], f"{place}", Format.LINK, is_png=False))
            for place in range(33)
        ]
        done = await asyncio.gather(*waiting, return_exceptions=True)
    finally:
        await pictures.close()
    assert sum(isinstance(one, Overloaded) for one in done) == 1
    assert sum(isinstance(one, bytes) for one in done) == 32
    assert counted == {"painted": 32, "refused": 1}


async def test_what_becomes_of_pictures_is_counted() -> None:
    counted: Counter[str] = Counter()
    for command, card_count in ((ONCE, 2), (DIES, 1)):
        pictures = Pictures(command, count=lambda outcome: counted.update([outcome]))
        try:
            for card in CARDS[:card_count]:
                asked = (pictures.picture(card, "", Format.LINK, is_png=True) for _ in range(2))
                await asyncio.gather(*asked, return_exceptions=True)
            with contextlib.suppress(PartUnavailable):
                await pictures.picture(CARDS[0], "", Format.LINK, is_png=True)
        finally:
            await pictures.close()
    assert counted == {"painted": 2, "joined": 3, "kept": 1, "failed": 2}
