"""How long a run with nothing to do takes, beside the shortest run that Luigi can make.

Usage: .venv/bin/python scripts/bench/noop.py [--repeat N] [--json FILE] [LUIGI_ARGUMENTS ...]

The arguments are those of a run that is already done, for example

    RegisterModel --year 2021 --month 1 --local-scheduler

Without any, two small synthetic months are run through RegisterModel first. Both commands are run
in turn, so that a noisy machine is noisy for both; the medians and their ratio are printed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SMALL = ["RegisterModel", "--year", "2021", "--month", "1", "--local-scheduler"]
SMALL += ["--source-url", "synthetic://?rows=4000", "--tuning-trials", "2"]
ONE_LINE = "import luigi\n\n\nclass OneLine(luigi.WrapperTask):\n    pass\n"


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Wall time of a command that must succeed, in seconds."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)  # noqa: S603
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--json", type=Path)
    options, arguments = parser.parse_known_args()
    luigi = str(Path(sys.executable).with_name("luigi"))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "one_line.py").write_text(ONE_LINE)
        path = os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": path}
        # Both are compiled, as installed packages are.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        if not arguments:
            arguments = [*SMALL, "--storage-root", str(Path(folder, "root"))]
            command = [luigi, "--module", "taxi_pipeline", *arguments]
            subprocess.run(command, check=True, capture_output=True, env=environment)  # noqa: S603
        commands = {
            "one-line Luigi task": [luigi, "--module", "one_line", "OneLine", "--local-scheduler"],
            "pipeline, nothing to do": [luigi, "--module", "taxi_pipeline", *arguments],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.repeat + 1):
            for name, command in commands.items():
                times[name].append(seconds(command, environment))
    # The first of each warms the caches of the file system.
    medians = [statistics.median(measured[1:]) for measured in times.values()]
    for name, median in zip(times, medians, strict=True):
        print(f"{name:25s} {median:.3f} s")
    ratio = medians[1] / medians[0]
    print(f"{'ratio':25s} {ratio:.2f}")
    if options.json:
        found = {
            "seconds": dict(zip(times, medians, strict=True)),
            "ratios": {"nothing to do / one-line Luigi task": ratio},
        }
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
