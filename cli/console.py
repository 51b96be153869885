"""What people and programs read: rich for the one, JSON for the other."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)


@dataclass(frozen=True, slots=True)
class Output:
    """Where results go. With `as_json`, stdout holds one JSON value and stderr all the rest."""

    as_json: bool
    console: Console

    @staticmethod
    def open(*, as_json: bool) -> "Output":
        """Results on stdout; progress on stderr when programs read stdout."""
        return Output(as_json, Console(stderr=as_json, highlight=False))

    def say(self, text: str) -> None:
        """Tell a person one line."""
        self.console.print(text)

    def result(self, value: Mapping[str, Any], table: RenderableType) -> None:
        """Show `value` to a program or `table` to a person."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, indent=2) + "\n")
        else:
            self.console.print(table)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Show bars that stay where they ended."""
        with Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
        ) as progress:
            yield progress
