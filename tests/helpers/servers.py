"""Servers that tests need, as real processes on loopback that end with the block."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import pytest
from processes import clean_environment

LUIGID = (sys.executable, "-m", "taxi_pipeline", "luigid")


class Scheduler:
    """A scheduler, and what its web server answers."""

    def __init__(self, process, log, port):
        self.process = process
        self.log = log
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.flag = ("--scheduler-url", self.url)

    def get(self, path):
        """Status, headers and text; a path, or a URL of this server, is sent as it is."""
        return self.ask("GET", path.removeprefix(self.url))

    def ask(self, method, path, headers=(), body=None):
        """Status, headers and text of any request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode(errors="replace")

    def text(self, path):
        status, _, text = self.get(path)
        assert status == 200, f"{path}: {status} {text}"
        return text

    def api(self, method, **arguments):
        data = urllib.parse.quote(json.dumps(arguments))
        return json.loads(self.text(f"/api/{method}?data={data}"))["response"]

    def tasks(self, status):
        return self.api("task_list", status=status, upstream_status="")

    def history(self, task_id):
        """The states that a task has gone through, the last one first."""
        page = self.text(f"/history/by_task_id/{task_id}")
        return re.findall(r"<td>([A-Z]+)</td>", page.partition("Actions")[2])

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(20)


@contextlib.contextmanager
def scheduler(folder, *flags, port=0, **variables):
    """A scheduler that runs in a folder, and shows the folder `data` in it."""
    log = folder / "luigid.log"
    with _process((*LUIGID, "--port", str(port), *flags), folder, log, variables) as process:
        said = wait_for(
            lambda: re.search(r"scheduler at http://127\.0\.0\.1:(\d+)", log.read_text()), process
        )
        yield Scheduler(process, log, int(said[1]))


@contextlib.contextmanager
def mlflow_server(folder, database=None, artifacts=None):
    """An MLflow server that keeps all in a folder, but what is in a database or store, if given.

    The value is its URL.
    """
    port = free_port()
    command = [str(Path(sys.executable).with_name("mlflow")), "server", "--workers", "1"]
    place = ["--host", "127.0.0.1", "--port", str(port)]
    store = ["--backend-store-uri", database or f"sqlite:///{folder}/server.db"]
    files = ["--artifacts-destination", artifacts or str(folder / "artifacts")]
    with _process([*command, *place, *store, *files], folder, folder / "mlflow.log") as process:
        wait_for(lambda: answers(port, "/health"), process, seconds=90)
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def scoring_server(folder, model, tracking_uri):
    """A server of MLflow's that predicts with a registered model; its port."""
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("mlflow")),
        "models",
        "serve",
        "--model-uri",
        model,
    ]
    place = ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    # MLflow starts uvicorn by its name.
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {"MLFLOW_TRACKING_URI": tracking_uri, "PATH": programs}
    log = folder / "scoring.log"
    with _process([*command, *place], folder, log, variables) as process:
        wait_for(lambda: answers(port, "/ping"), process, seconds=120)
        yield port


@contextlib.contextmanager
def _process(command, folder, log, variables=None):
    with log.open("w") as file:
        process = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=clean_environment() | (variables or {}),
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def answers(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(OSError):
        connection.request("GET", path)
        return connection.getresponse().status == 200
    return False


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(condition, process=None, seconds=30):
    """What a condition finds, once it finds something and while a process goes on."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert process is None or process.poll() is None, "the process ended"
        assert time.monotonic() < deadline, "nothing happens"
        time.sleep(0.05)
    return found


def installed(name, *folders):
    """The path of a program; without it the test is skipped, or fails where none may be."""
    path = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, folders)]))
    if path is None:
        never = os.environ.get("TAXI_PIPELINE_NO_SKIPS") == "1"
        (pytest.fail if never else pytest.skip)(f"{name} is not installed")
    return path
