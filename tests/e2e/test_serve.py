"""The champion behind a server: as batch scoring predicts, and whoever is champion now."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest
import servers
from command_line import SMALL, CommandLine
from processes import children_of, clean_environment, python

pytestmark = pytest.mark.slow

NAME = "nyc-green-taxi-duration-trip"
NEEDED = ["lpep_pickup_datetime", "PULocationID", "DOLocationID"]
READ = [*NEEDED, "trip_distance", "VendorID", "RatecodeID", "passenger_count", "trip_type"]
PUBLISHED = "data/ingest/green/2021-02/latest/trips.parquet"


class Serve:
    """``serve`` in a folder, on a port of its own; it does not outlive the block."""

    def __init__(self, folder, *flags):
        self.folder, self.port, self.log = folder, servers.free_port(), folder / "serve.log"
        command = [sys.executable, "-m", "taxi_pipeline", "serve", "--port", str(self.port)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, "--serving-check-seconds", "0.2", *flags],
                cwd=folder,
                env=clean_environment(),
                stdout=log,
                stderr=log,
            )

    def __enter__(self):
        servers.wait_for(lambda: servers.answers(self.port, "/ping"), self.process, seconds=120)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)

    def ask(self, method, path, body=None, kind="application/json"):
        """Status, version and text of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            content = body if body is None or isinstance(body, str) else json.dumps(body)
            connection.request(method, path, content, {"Content-Type": kind} if kind else {})
            answer = connection.getresponse()
            return answer.status, answer.getheader("X-Model-Version"), answer.read().decode()

    def post(self, body, **options):
        return self.ask("POST", "/invocations", body, **options)

    def predictions(self, frame):
        status, _, text = self.post({"dataframe_split": frame.to_dict(orient="split", index=False)})
        assert status == 200, text
        return json.loads(text)["predictions"]

    def wait_for_version(self, version):
        """Wait until a version answers alone."""
        servers.wait_for(lambda: self.ask("GET", "/model")[1] == version, self.process, seconds=60)
        servers.wait_for(lambda: len(children_of(self.process.pid)) == 1, self.process, seconds=60)


@pytest.fixture(scope="module")
def folder(finished, tmp_path_factory):
    """A root with a champion, and a second version that is not."""
    command, _ = finished
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(command.folder / "data", folder / "data")
    weaker = ("--tuning-max-rounds", "3", "--gate-min-gain", "0.99", "--cleaning-max-minutes", "55")
    second = CommandLine(folder)(
        *("RegisterModel", "--year", "2021", "--month", "1", "--local-scheduler", *SMALL, *weaker)
    )
    assert "version 2" in second.stderr, second.stderr
    return folder


@pytest.fixture(scope="module")
def served(folder):
    with Serve(folder) as running:
        yield running


def as_json(frame):
    rows = frame[READ].astype(object)
    rows["lpep_pickup_datetime"] = rows["lpep_pickup_datetime"].map(str)
    return rows.where(rows.notna(), None)


def rolled_to(folder, version):
    done = python(
        *(folder, "-m", "taxi_pipeline", "champion", "rollback"),
        *("--to", version, "--reason", "a test"),
    )
    assert done.returncode == 0, done.stderr


def test_it_answers_what_batch_scoring_predicts_to_the_last_digit(folder, served):
    scored = python(
        folder, "-m", "taxi_pipeline", "score", PUBLISHED, "-o", "batch.parquet", "--force"
    )
    assert scored.returncode == 0, scored.stderr
    expected = pd.read_parquet(folder / "batch.parquet")["minutes"].tolist()
    assert served.predictions(as_json(pd.read_parquet(folder / PUBLISHED))) == expected


def test_rows_may_lack_optional_columns_and_name_unknown_zones(folder, served):
    rows = as_json(pd.read_parquet(folder / PUBLISHED).head(3))[NEEDED]
    rows["PULocationID"] = [264, 265, 999]
    assert all(minutes > 0 for minutes in served.predictions(rows))


def test_an_interval_is_answered_with_low_and_high(folder, served):
    rows = as_json(pd.read_parquet(folder / PUBLISHED).head(20))
    split = rows.to_dict(orient="split", index=False)
    status, _, text = served.post({"dataframe_split": split, "params": {"interval": 0.9}})
    assert status == 200, text
    answer = pd.DataFrame(json.loads(text)["predictions"])
    assert answer["minutes"].tolist() == served.predictions(rows)
    assert (answer["low"] <= answer["minutes"]).all()
    assert (answer["minutes"] <= answer["high"]).all()
    status, _, text = served.post({"dataframe_split": split, "params": {"interval": 2}})
    assert status == 400
    assert "\n" not in json.loads(text)["message"]


def test_it_says_which_version_answers(served):
    status, header, text = served.ask("GET", "/model")
    assert (status, header, json.loads(text)) == (200, "1", {"model": NAME, "version": "1"})


ROW = {"lpep_pickup_datetime": "2021-02-01T07:24:35", "PULocationID": 62, "DOLocationID": 74}
NO_TIME = "the column lpep_pickup_datetime holds 'soon', which is no time in ISO 8601"
MALFORMED = {
    "no time": ({"dataframe_records": [{**ROW, "lpep_pickup_datetime": "soon"}]}, NO_TIME),
    "no number": ({"dataframe_records": [{**ROW, "PULocationID": "x"}]}, "holds 'x', which is no"),
    "a list": ({"inputs": {**{name: [1] for name in ROW}, NEEDED[0]: [[1]]}}, "holds [1], which"),
    "a column lacks": ({"dataframe_records": [{"DOLocationID": 1}]}, "Model is missing inputs ["),
    "no rows": ({"dataframe_records": []}, "Model is missing inputs ["),
    "no JSON": ("{", "Ensure that input is a valid JSON formatted string"),
    "empty": ("", "Ensure that input is a valid JSON formatted string"),
    "a number": ("7", "The input must be a JSON dictionary with exactly one of"),
    "no frame": ({"dataframe_split": 3}, "must be a dictionary"),
    "another key": ({"rows": []}, "The input must be a JSON dictionary with exactly one of"),
    "lengths differ": ({"inputs": {**{name: [1] for name in ROW}, "x": [1, 2]}}, ""),
    "wrong split": ({"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, ""),
    "not utf-8": (b"\xff\xfe".decode("latin-1"), "Ensure that input is a valid JSON"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_rows_are_refused_in_one_line(served, case):
    body, said = MALFORMED[case]
    status, version, text = served.post(body)
    told = json.loads(text)
    assert (status, version) == (400, "1"), text
    assert said in told["message"]
    assert "\n" not in told["message"]
    assert set(told) == {"error_code", "message"}
    assert len(told["message"]) < 520


@pytest.mark.parametrize("kind", ["text/html", "application/json; charset=latin-1", ""])
def test_a_content_type_that_it_does_not_read_is_refused(served, kind):
    status, _, text = served.post("{}", kind=kind)
    assert status == 415
    assert "\n" not in json.loads(text)["message"]


def test_a_promotion_and_a_rollback_are_followed_without_a_request_lost(folder, served):
    rows = as_json(pd.read_parquet(folder / PUBLISHED).head(1))
    body = {"dataframe_split": rows.to_dict(orient="split", index=False)}
    ended, answers, failures = threading.Event(), [], []

    def ask():
        while not ended.is_set():
            try:
                answers.append(served.post(body)[:2])
            except OSError as error:
                failures.append(error)

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    try:
        rolled_to(folder, "2")
        served.wait_for_version("2")
        rolled_to(folder, "1")
        served.wait_for_version("1")
    finally:
        ended.set()
        for thread in asking:
            thread.join(60)
    assert failures == []
    assert {status for status, _ in answers} == {200}
    assert {version for _, version in answers} == {"1", "2"}
    ended = "version 2 has ended, with all its requests answered"
    servers.wait_for(lambda: ended in served.log.read_text(), served.process)


def test_a_process_that_is_killed_is_started_again(served):
    (process,) = children_of(served.process.pid)
    os.kill(process, signal.SIGKILL)
    servers.wait_for(lambda: served.ask("GET", "/model")[0] == 200, served.process, seconds=60)
    assert "a process of version 1 has ended: another is started" in served.log.read_text()


def test_a_champion_that_does_not_load_leaves_the_one_before_it(finished, tmp_path):
    command, _ = finished
    shutil.copytree(command.folder / "data", tmp_path / "data")
    again = ("--month", "1", "--local-scheduler", *SMALL, "--cleaning-max-minutes", "55")
    CommandLine(tmp_path)("RegisterModel", "--year", "2021", *again, "--gate-min-gain", "0.99")
    with Serve(tmp_path) as running:
        files = max((tmp_path / "data/mlflow").rglob("MLmodel"), key=lambda p: p.stat().st_mtime)
        booster = next(path for path in files.parent.rglob("*.ubj"))
        booster.write_bytes(b"no booster")
        rolled_to(tmp_path, "2")
        servers.wait_for(
            lambda: "goes on answering" in running.log.read_text(), running.process, seconds=60
        )
        assert running.ask("GET", "/model")[:2] == (200, "1")
    said = [line for line in running.log.read_text().splitlines() if "goes on" in line]
    assert len(said) == 1
    assert "version 2 of nyc-green-taxi-duration-trip cannot be loaded" in said[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order_and_nothing_is_left(folder, number):
    with Serve(folder, "--workers", "2") as running:
        children = children_of(running.process.pid)
        assert len(children) == 2
        running.process.send_signal(number)
        assert running.process.wait(60) == 0
    assert "ended, with all requests answered" in running.log.read_text()
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_its_processes_end_when_it_is_killed(folder):
    with Serve(folder) as running:
        (child,) = children_of(running.process.pid)
        running.process.kill()
        running.process.wait(20)
        servers.wait_for(lambda: not Path(f"/proc/{child}").exists(), seconds=60)


def refusal(folder, *flags):
    done = python(folder, "-m", "taxi_pipeline", "serve", *flags)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    return line


def test_a_port_that_is_taken_is_one_line(folder, served):
    assert "another with --port" in refusal(folder, "--port", str(served.port))


def test_a_model_without_a_champion_is_one_line(folder):
    port = str(servers.free_port())
    line = refusal(folder, "--recipe", "linear", "--port", port)
    assert line.startswith("ERROR: no champion of nyc-green-taxi-duration-linear is known")


def test_a_version_that_is_not_there_is_one_line(folder):
    line = refusal(folder, "--model-version", "9", "--port", str(servers.free_port()))
    assert "version 9 of nyc-green-taxi-duration-trip is not in the registry" in line
