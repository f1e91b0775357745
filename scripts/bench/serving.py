"""How many requests a second the served champion answers, and how long each waits.

Usage: .venv/bin/python scripts/bench/serving.py FILE [--rows 1 100 10000] [--clients N]
           [--seconds S] [--model FOLDER] [SERVE_ARGUMENTS ...]

FILE holds rows as TLC publishes them; the other arguments are those of ``taxi-pipeline
serve``, such as ``--storage-root``. It is started on a port of its own, and asked over loopback
with so many rows a request, by one client and by several at a time. Beside it is printed what the
model alone takes for the same rows, in this process.
"""

import argparse
import http.client
import json
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd

from taxi_pipeline.model.duration import DurationModel

START_SECONDS = 120.0


def started(arguments: list[str]) -> tuple[subprocess.Popen[str], int]:
    """The server and its port, once it answers."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "taxi_pipeline", "serve", "--port", "0", *arguments],
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr or ():
        if found := re.search(r"http://[^:]+:(\d+)/", line):
            return process, int(found[1])
        sys.stderr.write(line)
    sys.exit("the server did not start")


def latencies(port: int, body: str, clients: int, seconds: float) -> list[float]:
    """Seconds that each request waited, asked by so many clients at a time."""
    found: list[float] = []
    until = time.perf_counter() + seconds

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.perf_counter() < until:
            begun = time.perf_counter()
            connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.status != 200:  # noqa: PLR2004
                sys.exit(answer.read().decode())
            answer.read()
            found.append(time.perf_counter() - begun)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 100, 10_000])
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--model", type=Path, help="folder of the model, to time it alone")
    options, arguments = parser.parse_known_args()
    columns = ["lpep_pickup_datetime", "PULocationID", "DOLocationID", "trip_distance", "VendorID"]
    columns += ["RatecodeID", "passenger_count", "trip_type"]
    published = pd.read_parquet(options.file, columns=columns)
    process, port = started(arguments)
    try:
        for rows in options.rows:
            frame = published.head(rows)
            as_text = frame.astype(object).assign(
                lpep_pickup_datetime=frame["lpep_pickup_datetime"].astype(str)
            )
            as_text = as_text.where(as_text.notna(), None)
            body = json.dumps({"dataframe_split": as_text.to_dict(orient="split", index=False)})
            latencies(port, body, 1, 0.5)
            for clients in (1, options.clients):
                found = latencies(port, body, clients, options.seconds)
                middle, late = statistics.median(found), statistics.quantiles(found, n=20)[-1]
                print(
                    f"{rows:6,d} rows a request, {clients} at a time: "
                    f"{len(found) / options.seconds:7.1f} requests/s, "
                    f"median {1000 * middle:7.1f} ms, 95 % below {1000 * late:7.1f} ms"
                )
            if options.model:
                model = DurationModel.load(options.model)
                model.predict_published(frame)
                begun = time.perf_counter()
                model.predict_published(frame)
                print(f"{'the model alone':>37}: {1000 * (time.perf_counter() - begun):.1f} ms")
    finally:
        process.terminate()
        process.wait(60)


if __name__ == "__main__":
    main()
