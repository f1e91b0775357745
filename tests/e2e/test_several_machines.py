"""A backfill that workers of several machines share, of which one dies and one is cut off.

The machines are processes of this one that share nothing but servers: each has its own home, its
own folders and its own name.
"""

import contextlib
import json
import os
import subprocess
import time

import mlflow
import postgresql
import proxies
import pytest
import servers
from command_line import COMMAND, SMALL
from object_store import BUCKET
from processes import clean_environment

from taxi_pipeline.luigid.scheduler import WORKER_TIMEOUT_SECONDS
from taxi_pipeline.tracking.tags import KEY_TAG

MODEL = "nyc-green-taxi-duration-linear"
MONTHS = ("2021-01", "2021-02", "2021-03", "2021-04")
BACKFILL = (
    *("BackfillMonths", "--of", "RegisterModel", "--of-params", '{"recipe": "linear"}'),
    *("--start", MONTHS[0], "--stop", "2021-05"),
)
CUT_SECONDS = WORKER_TIMEOUT_SECONDS + 10
"""The scheduler has given the task of who is cut off to another worker by then."""

NAMED = """
import socket
socket.gethostname = lambda: {name!r}
"""


class Machine:
    """A worker of a machine of its own."""

    def __init__(self, folder, root, tracking_uri, scheduler_url):
        self.folder = folder
        for name in ("home", "tmp", "work", "site"):
            (folder / name).mkdir(parents=True)
        # Python imports it before anything else.
        (folder / "site" / "sitecustomize.py").write_text(NAMED.format(name=folder.name))
        (folder / "work" / "luigi.cfg").write_text(
            f"[storage]\nroot = {root}\n[tracking]\nuri = {tracking_uri}\n"
        )
        self.log = folder / "log"
        places = [str(folder / "site"), os.environ.get("PYTHONPATH", "")]
        self.command = [*COMMAND, *BACKFILL, *SMALL, "--scheduler-url", scheduler_url]
        self.variables = clean_environment() | {
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "PYTHONPATH": os.pathsep.join(filter(None, places)),
        }

    @contextlib.contextmanager
    def started(self):
        with self.log.open("w") as file:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder / "work",
                env=self.variables,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        try:
            yield self
        finally:
            self.process.kill()
            self.process.wait(20)

    def ends(self, seconds):
        code = self.process.wait(seconds)
        assert code == 0, self.log.read_text()[-3000:]
        return self.log.read_text()


def outputs(store, prefix):
    """Manifests by place, and the logs of completed runs by the folder of their task."""
    manifests, logs = {}, {}
    for name in store.names(prefix):
        if name.startswith((".", "mlflow/")):
            continue
        if name.endswith("/manifest.json"):
            manifests[name.removesuffix("/manifest.json")] = json.loads(
                store.read(f"{prefix}/{name}")
            )
        elif "/logs/" in name:
            logs.setdefault(name.partition("/logs/")[0], []).append(name)
    return manifests, logs


def running_on(scheduler, name):
    """The tasks that a machine runs, by the scheduler."""
    return [
        task
        for task, what in scheduler.tasks("RUNNING").items()
        if f"host={name}," in str(what.get("worker_running"))
    ]


def judged_again(manifests):
    """The folders of gates that have more than one record."""
    gates = [place.rpartition("/")[0] for place in manifests if place.startswith("gate/")]
    return {folder for folder in gates if gates.count(folder) > 1}


@pytest.mark.slow
def test_a_backfill_of_three_machines_outlives_one_and_the_network_of_another(store, tmp_path):
    prefix = tmp_path.name
    root = store.root(prefix)
    with contextlib.ExitStack() as running:
        database = running.enter_context(postgresql.database())
        files = f"s3://{BUCKET}/{prefix}/mlflow"
        tracking = running.enter_context(
            servers.mlflow_server(tmp_path, database.full_url, artifacts=files)
        )
        (tmp_path / "luigid").mkdir()
        scheduler = running.enter_context(servers.scheduler(tmp_path / "luigid"))
        network = running.enter_context(proxies.proxy(scheduler.port))
        urls = {"dies": scheduler.url, "is-cut-off": network.url, "goes-on": scheduler.url}
        machines = [
            running.enter_context(Machine(tmp_path / name, root, tracking, url).started())
            for name, url in urls.items()
        ]
        dies, is_cut_off, goes_on = machines
        servers.wait_for(
            lambda: len(scheduler.tasks("DONE")) >= 4 and running_on(scheduler, "dies"),
            dies.process,
            seconds=120,
        )
        dies.process.kill()
        servers.wait_for(lambda: running_on(scheduler, "is-cut-off"), seconds=60)
        with network.cut():
            time.sleep(CUT_SECONDS)
        assert network.refused
        said = [machine.ends(240) for machine in (is_cut_off, goes_on)]

        assert all("Traceback" not in text for text in said)
        assert "the scheduler does not answer: waiting" in said[0]
        manifests, logs = outputs(store, prefix)
        done = {place.rpartition("/")[0] for place in manifests}
        assert {place for place in done if place.startswith("register/")} == {
            f"register/green/{month}/linear-w1" for month in MONTHS
        }
        # Each task has made one output, in one run; what was killed left nothing. A candidate is
        # compared again if another month has become champion since.
        again = judged_again(manifests)
        assert len(manifests) - len(done) == len(again)
        assert sorted(folder for folder, runs in logs.items() if len(runs) > 1) == sorted(again)
        client = mlflow.MlflowClient(tracking)
        keys = [
            version.tags[KEY_TAG] for version in client.search_model_versions(f"name = '{MODEL}'")
        ]
        assert len(keys) == len(set(keys)) == len(MONTHS)
        assert not [name for name in store.names(prefix) if name.startswith(".locks/")]
        assert any(name.startswith("mlflow/") for name in store.names(prefix))
