"""What a Dask cluster costs: the same work here, and on two workers of a thread each beside it.

Usage: .venv/bin/python scripts/bench/dask_overhead.py [--rows N] [--rounds N] [--json FILE]

A cluster on the same cores cannot be faster: the ratio is what sending and waiting cost. It begins
to pay where its cores are more than those here by this ratio. Both sides have two threads in all,
and each is measured twice in turns, of which the faster counts. Months are of the synthetic yellow
city; the error is that of the next month, which took no part in the fit.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from taxi_pipeline import Month

JANUARY = Month(2023, 1)
MAX_MILES = 100.0
THREADS = 2
TURNS = 2


def clean_months(folder: Path, rows: int) -> list[Path]:
    """Two clean months of the synthetic city."""
    from taxi_pipeline.trips.cleaning import Rules, clean_file
    from taxi_pipeline.trips.synthetic.month import write_month

    made = []
    for month in (JANUARY, JANUARY + 1):
        published, clean = folder / f"{month}.parquet", folder / f"{month}-clean.parquet"
        write_month(published, "yellow", month, rows=rows, seed=1)
        clean_file(published, clean, taxi="yellow", month=month, rules=Rules())
        made.append(clean)
    return made


def in_turns(**sides: Callable[[], Any]) -> dict[str, float]:
    """The seconds of the faster turn of each side."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(TURNS):
        for name, side in sides.items():
            started = time.perf_counter()
            side()
            seconds[name].append(time.perf_counter() - started)
    return {name: round(min(taken), 2) for name, taken in seconds.items()}


def measure(folder: Path, rows: int, rounds: int) -> dict[str, Any]:
    """All figures."""
    from distributed import LocalCluster

    from taxi_pipeline.compute.cluster import connect
    from taxi_pipeline.model.feature_bytes import feature_bytes
    from taxi_pipeline.model.feature_writing import write_features
    from taxi_pipeline.model.features import load_features

    months = clean_months(folder, rows)
    files = [folder / f"{month.stem}-features.parquet" for month in months]

    def here() -> None:
        for month, file in zip(months, files, strict=True):
            write_features(month, file, max_miles=MAX_MILES)

    here()
    figures: dict[str, Any] = {"rows": rows, "rounds": rounds}
    with LocalCluster(
        n_workers=THREADS,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs="CRITICAL",
    ) as running:
        figures["connect"] = in_turns(seconds=lambda: connect_and_leave(running.scheduler_address))
        with connect(running.scheduler_address) as cluster:

            def there(month: Path) -> None:
                content, _ = cluster.run(feature_bytes, month.read_bytes(), MAX_MILES)
                (folder / "answer.parquet").write_bytes(content)

            def both_there() -> None:
                with ThreadPoolExecutor(THREADS) as pool:
                    list(pool.map(there, months))

            both_there()  # workers import what they need the first time
            figures["features of a month"] = in_turns(
                here=lambda: write_features(months[0], files[0], max_miles=MAX_MILES),
                cluster=lambda: there(months[0]),
            )
            figures["features of two months"] = in_turns(here=here, cluster=both_there)
            figures["training"] = training(cluster, load_features, files, rounds)
    for name in ("features of a month", "features of two months", "training"):
        sides = figures[name]
        sides["ratio"] = round(sides["cluster"] / sides["here"], 2)
    figures["ratios"] = {
        f"{name}, Dask / here": figures[name]["ratio"]
        for name in ("features of two months", "training")
    }
    return figures


def connect_and_leave(scheduler: str) -> None:
    """What each task does beside its work."""
    from taxi_pipeline.compute.cluster import connect

    with connect(scheduler):
        pass


def training(cluster: Any, load_features: Any, files: list[Path], rounds: int) -> dict[str, Any]:
    """A fit of the default recipe on the first month, here and there, and the errors of both."""
    from taxi_pipeline.evaluation.metrics import metrics
    from taxi_pipeline.model import fitting
    from taxi_pipeline.model.recipes import get_recipe

    recipe = get_recipe("trip")
    window, later = (load_features([file], recipe.training_columns) for file in files)
    models = {}

    def fit(side: str, on: Any) -> None:
        models[side] = fitting.fit(
            "trip",
            window,
            recipe.parameters,
            rounds,
            taxi="yellow",
            max_miles=MAX_MILES,
            seed=1,
            threads=THREADS,
            cluster=on,
        )

    sides: dict[str, Any] = in_turns(
        here=lambda: fit("here", None), cluster=lambda: fit("cluster", cluster)
    )
    for side, model in models.items():
        sides[f"rmse {side}"] = metrics(later["minutes"], model.predict(later))["rmse"]
    return sides


def main() -> None:
    """Measure, print, and write the figures where they are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), arguments.rows, arguments.rounds)
    text = json.dumps(figures, indent=2)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
