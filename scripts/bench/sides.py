"""What the benchmarks have in common: sides that run in turn, each in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figures:
    """What a process took.

    Attributes:
        wall: seconds that it measured itself, without its imports.
        cpu: processor seconds of the same.
        peak: megabytes of its largest resident set, imports included.
    """

    wall: float
    cpu: float
    peak: float


def available(*packages: str) -> list[str]:
    """The packages of these that are installed; each that is not is a line."""
    for name in packages:
        if importlib.util.find_spec(name) is None:
            print(f"{name} is not installed, its side is left out: pip install .[bench]")
    return [name for name in packages if importlib.util.find_spec(name)]


_clocks: dict[str, float] = {}


def start() -> None:
    """Start the clocks of a side, once its imports are done."""
    _clocks.update(wall=time.perf_counter(), cpu=time.process_time())


def stop() -> None:
    """Print, as the last line of a side's process, what it took since :func:`start`."""
    wall, cpu = time.perf_counter() - _clocks["wall"], time.process_time() - _clocks["cpu"]
    print(json.dumps([wall, cpu]))


def in_turn(
    script: str, sides: Sequence[str], arguments: Sequence[str], repeat: int
) -> dict[str, Figures]:
    """The medians of sides that run in turn, so that a noisy machine is noisy for all.

    Args:
        script: the benchmark's file; with ``--side NAME`` it runs one side between
            :func:`start` and :func:`stop`.
        sides: their names.
        arguments: further ones of the script.
        repeat: runs of each.
    """
    measured: dict[str, list[Figures]] = {side: [] for side in sides}
    for _ in range(repeat):
        for side, runs in measured.items():
            runs.append(_run([sys.executable, script, "--side", side, *arguments]))
    return {side: _median(runs) for side, runs in measured.items()}


def _median(runs: Sequence[Figures]) -> Figures:
    columns = zip(*(astuple(run) for run in runs), strict=True)
    return Figures(*(statistics.median(column) for column in columns))


def _run(command: list[str]) -> Figures:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed")
    wall, cpu = json.loads(output.splitlines()[-1])
    return Figures(wall, cpu, usage.ru_maxrss / 1024)


def show(figures: Mapping[str, Figures], rows: int) -> None:
    """Print the sides as a table, each beside the first."""
    first = next(iter(figures.values()))
    print(f"{'':10s} {'wall':>7} {'CPU':>7} {'peak':>8} {'rows/s':>12} {'wall, ratio':>12}")
    for side, taken in figures.items():
        print(
            f"{side:10s} {taken.wall:5.2f} s {taken.cpu:5.2f} s {taken.peak:5,.0f} MB "
            f"{rows / taken.wall:>12,.0f} {taken.wall / first.wall:>12.2f}"
        )


def save(figures: Mapping[str, Figures], path: Path | None, **about: object) -> None:
    """Write figures as JSON, if a path is given, and a plot beside it."""
    if path is None:
        return
    first, *others = figures
    content = {
        **about,
        "sides": {side: asdict(taken) for side, taken in figures.items()},
        "ratios": {
            f"{first} / {side}": figures[first].wall / figures[side].wall for side in others
        },
    }
    path.write_text(json.dumps(content, indent=2) + "\n")

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.6), layout="constrained")
    FigureCanvasAgg(figure)
    units = {"wall": "seconds", "cpu": "processor seconds", "peak": "peak memory, MB"}
    for axes, (name, unit) in zip(figure.subplots(1, len(units)), units.items(), strict=True):
        axes.barh(list(figures), [getattr(taken, name) for taken in figures.values()])
        axes.invert_yaxis()
        axes.set_xlabel(unit)
    figure.savefig(path.with_suffix(".png"))
    print(f"figures in {path}, a plot in {path.with_suffix('.png')}")
