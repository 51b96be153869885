"""Share images: a PNG of each design and language, in the process that paints them."""

import asyncio
import time
from typing import Any, Final

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from services.recap.share.images.picture import Format
from services.recap.share.pictures import Pictures
from services.recap.share.shared_card import CardKind, SharedCard

ROUNDS: Final = 8
GOAL_MS: Final = 150.0

_TEXTS: Final = {
    "en": ("Minutes watched", "Days with a story: 212. Plays: 1,043.", "The Yorvale Fox"),
    "ar": ("دقائق المشاهدة", "أيام المشاهدة: 212. مرات التشغيل: 1,043.", "ثعلب يورفال"),
    "th": ("จำนวนนาทีที่รับชม", "จำนวนวันที่ดู: 212 จำนวนครั้งที่เล่น: 1,043", "จิ้งจอกแห่งยอร์เวล"),
}


def run() -> dict[str, Any]:
    """Measure; returns the figures that it prints.

    Beside the time of the clock stands the processor's, which other work does not stretch.
    """
    figures: dict[str, Any] = {"machine": machine(), "goal_ms": GOAL_MS}
    figures |= asyncio.run(_measured())
    _show(figures)
    return figures


async def _measured() -> dict[str, Any]:
    pictures = Pictures()
    found: dict[str, Any] = {}
    try:
        started = time.perf_counter()
        await pictures.picture(_card("en", CardKind.LIST, ""), "", Format.LINK, is_png=False)
        found["start_ms"] = (time.perf_counter() - started) * 1000
        [painter] = psutil.Process().children()
        for one in Format:
            before = painter.cpu_times()
            taken = [
                await _taken_ms(pictures, _card(language, kind, f"{place}"), one)
                for place in range(ROUNDS)
                for language in _TEXTS
                for kind in CardKind
            ]
            after = painter.cpu_times()
            cpu_s = after.user + after.system - before.user - before.system
            p50, p99 = np.percentile(taken, [50, 99])
            found[f"PNG {one.name.lower()}"] = {
                "n": len(taken),
                "p50_ms": float(p50),
                "p99_ms": float(p99),
                "cpu_ms": cpu_s * 1000 / len(taken),
            }
    finally:
        await pictures.close()
    return found


async def _taken_ms(pictures: Pictures, card: SharedCard, format: Format) -> float:
    started = time.perf_counter()
    await pictures.picture(card, "Maren", format, is_png=True)
    return (time.perf_counter() - started) * 1000


def _card(language: str, kind: CardKind, number: str) -> SharedCard:
    headline, text, name = _TEXTS[language]
    figure = "" if kind is CardKind.LIST else f"12,48{number}"
    return SharedCard("minutes", kind, language, headline, figure, text, (name,) * 5)


def _show(figures: dict[str, Any]) -> None:
    table = Table(title=f"Share images; the goal is {GOAL_MS:.0f} ms")
    table.add_column("what")
    for name in ("n", "p50 ms", "p99 ms", "CPU ms, mean"):
        table.add_column(name, justify="right")
    for name, one in figures.items():
        if isinstance(one, dict) and "cpu_ms" in one:
            values = (one["p50_ms"], one["p99_ms"], one["cpu_ms"])
            table.add_row(name, str(one["n"]), *(f"{value:.0f}" for value in values))
    console = Console()
    console.print(table)
    console.print(f"[dim]started in {figures['start_ms']:.0f} ms; {figures['machine']}[/]")
