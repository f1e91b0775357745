"""Where the boxes and arrows of a drawn plan stand, in points (1/72 inch) from the upper left."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from taxi_pipeline.cli.plan_boxes import Box, rows

BESIDE = 18.0
"""Points between boxes that stand beside each other."""

BELOW = 12.0
"""Points between rows."""

ASIDE = 7.0
"""Points between arrows that pass between the same boxes."""

Size = tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """A box in its place.

    Attributes:
        box: what stands there.
        left: its left edge.
        top: its upper edge.
        width: from its left to its right edge.
        height: from its upper to its lower edge.
    """

    box: Box
    left: float
    top: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Half way between its left and its right edge."""
        return self.left + self.width / 2

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


Arrow = list[tuple[float, float]]
"""The points that an arrow passes: upright at each, bent only between rows."""


@dataclass(frozen=True)
class Layout:
    """A drawn plan.

    Attributes:
        frames: its boxes in their places.
        arrows: from the lower edge of what is needed to the upper edge of what needs it.
        width: of all.
        height: of all.
    """

    frames: Sequence[Frame]
    arrows: Sequence[Arrow]
    width: float
    height: float


def lay_out(boxes: Sequence[Box], size: Callable[[Box], Size]) -> Layout:
    """Put families into rows, from top to bottom, and months into columns.

    Args:
        boxes: what is drawn.
        size: width and height that a box needs for its text.
    """
    table = rows(boxes)
    sizes = {id(box): size(box) for box in boxes}
    columns = _columns(table, sizes)
    frames: list[list[Frame]] = []
    top = 0.0
    for row in table:
        frames.append(_row(row, top, columns, sizes))
        top = frames[-1][0].bottom + BELOW
    placed = {id(frame.box): frame for frame in itertools.chain(*frames)}
    in_order = [placed[id(box)] for box in boxes]
    end = max(frame.right for frame in in_order)
    gaps = [left - BESIDE / 2 for left, _ in columns.values()] + [end + BESIDE / 2]
    arrows = _arrows(in_order, frames, _Lanes(gaps))
    # A box without a month may be wider than all columns, and arrows may pass beside all boxes.
    points = [x for arrow in arrows for x, _ in arrow]
    left = min(points + [frame.left for frame in in_order])
    right = max([*points, end])
    return Layout(
        [dataclasses.replace(frame, left=frame.left - left) for frame in in_order],
        [[(x - left, y) for x, y in arrow] for arrow in arrows],
        right - left,
        top - BELOW,
    )


def _columns(
    table: Sequence[Sequence[Box]], sizes: Mapping[int, Size]
) -> dict[str, tuple[float, float]]:
    """Left and right edge of each month's column; a box of no month alone in its row needs none."""
    wide: dict[str, float] = {}
    for row in table:
        cells: dict[str, list[float]] = {}
        for box in row:
            cells.setdefault(box.month, []).append(sizes[id(box)][0])
        if list(map(len, cells.values())) == [1] and "" in cells:
            continue
        for month, widths in cells.items():
            needed = sum(widths) + BESIDE * (len(widths) - 1)
            wide[month] = max(wide.get(month, 0), needed)
    if not wide:
        return {"": (0.0, max(width for width, _ in sizes.values()))}
    columns = {}
    left = 0.0
    for month in sorted(wide):
        columns[month] = (left, left + wide[month])
        left += wide[month] + BESIDE
    return columns


def _row(
    row: Sequence[Box],
    top: float,
    columns: Mapping[str, tuple[float, float]],
    sizes: Mapping[int, Size],
) -> list[Frame]:
    height = max(sizes[id(box)][1] for box in row)
    frames = []
    for month in sorted({box.month for box in row}):
        cell = [box for box in row if box.month == month]
        if month in columns:
            left, right = columns[month]
        else:
            left, right = 0.0, max(right for _, right in columns.values())
        needed = sum(sizes[id(box)][0] for box in cell) + BESIDE * (len(cell) - 1)
        at = (left + right - needed) / 2
        for box in cell:
            width, _ = sizes[id(box)]
            frames.append(Frame(box, at, top, width, height))
            at += width + BESIDE
    return frames


def _arrows(
    frames: Sequence[Frame], table: Sequence[Sequence[Frame]], lanes: _Lanes
) -> list[Arrow]:
    """An arrow for each need; those that enter a box share its edge out among them."""
    row_of = {id(frame): number for number, row in enumerate(table) for frame in row}
    arrows = []
    for at, frame in enumerate(frames):
        needed = sorted((frames[place] for place in frame.box.needs), key=lambda one: one.middle)
        for number, source in enumerate(needed, 1):
            start, end = source.middle, frame.left + frame.width * number / (len(needed) + 1)
            first, last = row_of[id(source)] + 1, row_of[id(frame)]
            passed: Arrow = []
            if first < last:
                lane = lanes.find(start, end, table[first:last], _Way(first, last, at))
                passed = [(lane, table[first][0].top), (lane, table[last - 1][0].bottom)]
            arrows.append([(start, source.bottom), *passed, (end, frame.top)])
    return arrows


class _Way(NamedTuple):
    """Which rows an arrow passes, the last one not included, and at which box it ends."""

    first: int
    last: int
    target: int


class _Lanes:
    """Where arrows pass rows."""

    def __init__(self, gaps: Sequence[float]) -> None:
        self.gaps = gaps
        self.taken: list[tuple[float, _Way]] = []

    def find(self, start: float, end: float, passed: Sequence[Sequence[Frame]], way: _Way) -> float:
        """The shortest way that no box and no arrow to another box is in."""
        frames = list(itertools.chain(*passed))
        lanes = [lane for lane in (start, end, *self._beside()) if self._is_free(lane, frames, way)]
        lane = min(lanes, key=lambda lane: abs(lane - start) + abs(lane - end))
        self.taken.append((lane, way))
        return lane

    def _beside(self) -> Iterator[float]:
        """The gaps between columns, and as many lanes on the right of all as may be taken."""
        yield from self.gaps
        for number in range(len(self.taken) + 1):
            yield max(self.gaps) + ASIDE * number

    def _is_free(self, lane: float, frames: Sequence[Frame], way: _Way) -> bool:
        return not any(
            frame.left - ASIDE / 2 < lane < frame.right + ASIDE / 2 for frame in frames
        ) and not any(
            abs(other - lane) < ASIDE
            and to.target != way.target
            and to.first < way.last
            and way.first < to.last
            for other, to in self.taken
        )
