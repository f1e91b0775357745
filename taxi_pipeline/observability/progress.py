"""How far a running task is: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

from taxi_pipeline.formatting import format_seconds
from taxi_pipeline.logger import logger

if TYPE_CHECKING:
    from tqdm import tqdm

LINE_SECONDS = 30.0
"""Seconds between two lines of a log, and before the first."""

DRAW_SECONDS = 0.1
"""Seconds between two drawings of a bar."""


class Progress:
    """What the console shows of the task that runs.

    On a terminal it is one bar, below the lines of the log, which goes when the task has ended.
    Elsewhere, and for tasks in processes of their own, it is a line of the log each
    :data:`LINE_SECONDS`, so that short tasks have none.

    Args:
        terminal: what a bar may be drawn on.
        seconds: between two lines of the log.
    """

    # A process has one console.
    _drawn: ClassVar[tqdm[Any] | None] = None

    def __init__(self, terminal: TextIO | None = None, seconds: float = LINE_SECONDS) -> None:
        self._terminal, self._seconds = terminal, seconds
        self._label = ""
        self._process = 0
        self._began = self._shown = self._counted = 0.0
        self._total: float | None = None

    def begin(self, label: str) -> None:
        """Begin a task; the label is its name for a person."""
        self.end()
        self._label, self._process = label, os.getpid()
        self._began = self._shown = time.monotonic()
        self._total = None

    def show(self, message: str, done: float | None = None, total: float | None = None) -> None:
        """Show how far the task is, unless that was shown just before.

        Args:
            message: what the task does.
            done: how much of it is done.
            total: of how much; the time that is left is told from it.
        """
        if not self._label:  # outside a run
            return
        now = time.monotonic()
        if total != self._total:
            self._total, self._counted = total, now
        draws = self._terminal is not None and self._process == os.getpid()
        if now - self._shown < (DRAW_SECONDS if draws else self._seconds):
            return
        self._shown = now
        line = f"{self._label}: {message}; {self._times(now, done, total)}"
        if draws:
            self._draw(line, done, total)
        elif done is None or done != total:  # what is done has a line of its own
            logger.info("%s", line)

    def end(self) -> None:
        """End the task: its bar goes."""
        self._label = ""
        if (bar := Progress._drawn) is not None:
            Progress._drawn = None
            bar.close()

    def _times(self, now: float, done: float | None, total: float | None) -> str:
        so_far = f"{format_seconds(now - self._began)} so far"
        if not done or not total or done >= total:
            return so_far
        left = (now - self._counted) * (total - done) / done
        return f"{so_far}, about {format_seconds(left)} left"

    def _draw(self, line: str, done: float | None, total: float | None) -> None:
        from tqdm import tqdm

        bar = Progress._drawn
        if bar is None:
            bar = tqdm(file=self._terminal, leave=False, dynamic_ncols=True, bar_format="{desc}")
            Progress._drawn = bar
        # A narrow terminal cuts what is said last.
        bar.bar_format = "{percentage:3.0f}%|{bar:10}| {desc}" if total else "{desc}"
        bar.total, bar.n = total, done or 0
        bar.set_description_str(line)


@contextmanager
def hidden_bar() -> Iterator[None]:
    """Write to the console where the bar stands, which comes back below."""
    if (bar := Progress._drawn) is not None:  # noqa: SLF001  (this module's)
        bar.clear()
    yield
    if (bar := Progress._drawn) is not None:  # noqa: SLF001  (this module's)
        bar.refresh()
