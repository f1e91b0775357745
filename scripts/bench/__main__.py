"""All benchmarks by one command, their figures in one file and their ratios in one picture.

Usage: .venv/bin/python scripts/bench [--tlc FOLDER] [--out FOLDER] [--only NAME ...] [--thorough]

Without ``--thorough`` months are small and runs are few: some minutes, good for ratios and not for
absolute figures. With it, each runs as docs/explanation/performance.md reports it, for an hour or
more. FOLDER of ``--tlc`` holds green files as TLC publishes them, which the main job is measured
on. In the folder of ``--out`` (default: bench) each benchmark leaves its figures and what it
printed; bench.json and bench.png hold all.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LIMIT = 2 * 3600
"""Seconds after which a benchmark is ended."""


@dataclass(frozen=True)
class Benchmark:
    """A script of this folder that writes its figures with ``--json``.

    Attributes:
        short: its arguments for a short run; None if it has none.
        thorough: its arguments otherwise.
        needs_tlc: whether it is given published files.
    """

    short: list[str] | None
    thorough: list[str]
    needs_tlc: bool = False


BENCHMARKS = {
    "main_job": Benchmark(["--repeat", "1"], ["--repeat", "5"], needs_tlc=True),
    "noop": Benchmark(["--repeat", "7"], []),
    "course_features": Benchmark(["--rows", "300000"], ["--course-rows", "1000000"]),
    "throughput": Benchmark(["--rows", "500000", "--repeat", "3"], []),
    "prediction": Benchmark(["--rows", "100000", "--repeat", "3"], []),
    "object_store": Benchmark(["--months", "1", "12", "--repeat", "3"], []),
    "scheduler": Benchmark(["--tasks", "100", "5000", "--repeat", "10"], []),
    "workers": Benchmark(None, []),
    "dask_overhead": Benchmark(["--rows", "200000", "--rounds", "40"], []),
    "scale": Benchmark(None, ["scale"]),
}


def run(name: str, arguments: list[str], out: Path) -> dict[str, Any] | None:
    """The figures of a benchmark; None if it failed."""
    figures = out / f"{name}.json"
    figures.unlink(missing_ok=True)
    command = [sys.executable, str(HERE / f"{name}.py"), *arguments, "--json", str(figures)]
    print(f"{name}: {' '.join(arguments)}", flush=True)
    began = time.monotonic()
    with (out / f"{name}.txt").open("w") as printed:
        try:
            status = subprocess.run(  # noqa: S603
                command, stdout=printed, stderr=subprocess.STDOUT, timeout=LIMIT, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            status = -1
    taken = time.monotonic() - began
    if status or not figures.exists():
        print(f"  failed after {taken:.0f} s, see {printed.name}")
        return None
    found: dict[str, Any] = json.loads(figures.read_text())
    for label, ratio in found.get("ratios", {}).items():
        print(f"  {ratio:8.2f}  {label}")
    print(f"  in {taken:.0f} s", flush=True)
    return found


def plot(ratios: dict[str, float], path: Path) -> None:
    """All ratios on one scale, on which 1 is as long as what it is beside."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1.2 + 0.28 * len(ratios)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    bars = axes.barh(list(ratios), list(ratios.values()))
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=1)
    axes.invert_yaxis()
    axes.set_xlabel("time, as a multiple of what it is measured beside")
    figure.savefig(path)


def main() -> int:
    """Run what was asked for; the exit code is 1 if a benchmark failed."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python scripts/bench")
    parser.add_argument("--tlc", type=Path, help="folder of published green files")
    parser.add_argument("--out", type=Path, default=Path("bench"))
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS))
    parser.add_argument("--thorough", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    failed = []
    for name in options.only:
        benchmark = BENCHMARKS[name]
        arguments = benchmark.thorough if options.thorough else benchmark.short
        if arguments is None:
            print(f"{name}: left out, it has no short form (--thorough)")
            continue
        if benchmark.needs_tlc:
            if options.tlc is None:
                print(f"{name}: left out, it needs published files (--tlc FOLDER)")
                continue
            arguments = [str(options.tlc), *arguments]
        if name == "scale":
            arguments = [str(options.out / "scale"), "--plot", str(options.out / "scale.png")]
        figures = run(name, arguments, options.out)
        if figures is None:
            failed.append(name)
        else:
            found[name] = figures
    about = {
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "thorough": options.thorough,
    }
    content = json.dumps({"about": about, **found}, indent=2)
    (options.out / "bench.json").write_text(content + "\n")
    ratios = {
        label: ratio
        for figures in found.values()
        for label, ratio in figures.get("ratios", {}).items()
    }
    if ratios:
        plot(ratios, options.out / "bench.png")
    print(
        f"all figures are in {options.out / 'bench.json'}, a picture in {options.out / 'bench.png'}"
    )
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
