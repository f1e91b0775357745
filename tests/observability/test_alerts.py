"""A webhook is told of a failure and of a promotion, once, and of nothing else."""

import json
import shutil
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import create_server

import luigi
import pytest
from http_servers import LoopbackServer, QuietHandler, serving
from places import REPOSITORY
from processes import python

from taxi_pipeline import EvaluateModel, IngestTrips, RegisterModel, config
from taxi_pipeline.errors import InvalidConfig
from taxi_pipeline.observability import alerts
from taxi_pipeline.tasks.base import Stage

SECRET = "xoxb-4711-secret"  # noqa: S105  (of a server of these tests)
NAME = "nyc-green-taxi-duration-linear"


class Webhook(LoopbackServer):
    """Keeps what is posted to it; answers with a status."""

    def __init__(self):
        super().__init__(_Answer)
        self.posts, self.status = [], 200
        self.url = f"{self.base_url}/services/T0/{SECRET}"

    @property
    def texts(self):
        return [json.loads(body)["text"] for _, _, body in self.posts]


class _Answer(QuietHandler, BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, self.headers["Content-Type"], body))
        self.send_response(self.server.status)
        self.end_headers()


@pytest.fixture
def webhook():
    with serving(Webhook()) as server:
        yield server


@pytest.fixture
def configure(tmp_path, luigi_config, webhook):
    """A small pipeline that tells the webhook, and a way to configure it otherwise."""
    luigi_config("storage", "root", tmp_path / "data")
    luigi_config("source", "url", "synthetic://?rows=1500&last=2021-04")
    luigi_config("source", "attempts", 1)
    luigi_config("training", "threads", 1)
    luigi_config("alerts", "webhook", webhook.url)
    return luigi_config


@pytest.fixture
def evaluated(configure, copy_root, tmp_path):
    """January's linear model is made, and not registered."""
    task = EvaluateModel(year=2021, month=1, recipe="linear")

    def evaluate():
        assert run(task).startswith("SUCCESS")

    copy_root("evaluated of 1500 rows", tmp_path / "data", evaluate)


@pytest.fixture
def warnings(caplog):
    """The warnings of a run that are about the webhook."""
    caplog.set_level("INFO", logger="luigi-interface")

    def found():
        messages = [
            record.getMessage() for record in caplog.records if record.levelname == "WARNING"
        ]
        return [message for message in messages if message.startswith("[alerts]")]

    return found


@pytest.fixture
def cut_off(tmp_path, configure):
    """A task that fails, since its file is cut off."""
    (tmp_path / "green_2021_1.parquet").write_bytes(b"PAR1 cut off")
    configure("source", "url", f"file://{tmp_path}/{{taxi}}_{{year}}_{{month}}.parquet")
    return IngestTrips(year=2021, month=1)


@pytest.fixture
def easy_gate(monkeypatch):
    # The linear model of the tests is not better than the lookup: let it pass nevertheless.
    monkeypatch.setattr("taxi_pipeline.evaluation.gate.relative_gain", lambda *_: 0.5)


def run(task):
    return luigi.build([task], local_scheduler=True, detailed_summary=True).status.name


def linear(month):
    return RegisterModel(year=2021, month=month, recipe="linear")


class Defect(Stage):
    stage = "defect"
    said = ""

    def make(self, folder):  # noqa: ARG002
        raise RuntimeError(f"{self.said}\nand more")


# --- what is told -----------------------------------------------------------------------------


def test_a_failure_is_one_post_that_names_task_month_reason_and_log(cut_off, webhook):
    assert run(cut_off) == "FAILED"
    ((path, kind, body),) = webhook.posts
    assert path == f"/services/T0/{SECRET}"
    assert kind == "application/json"
    assert list(json.loads(body)) == ["text"]
    (text,) = webhook.texts
    assert text.startswith("IngestTrips green 2021-01 failed on ")
    assert "is truncated: the end of the parquet file is missing" in text
    assert text.endswith(f"(log {cut_off.log})")
    assert Path(cut_off.log).is_file()
    assert "\n" not in text


def test_of_a_defect_the_kind_and_the_first_line_are_told(configure, webhook, monkeypatch):
    monkeypatch.setattr(Defect, "said", "no such thing")
    task = Defect(year=2021, month=1)
    assert run(task) == "FAILED"
    (text,) = webhook.texts
    assert ": RuntimeError: no such thing (log " in text
    assert "and more" not in text


def test_only_the_task_that_failed_is_told_of_and_not_what_needs_it(cut_off, webhook):
    assert run(linear(1)) == "FAILED"
    (text,) = webhook.texts
    assert text.startswith("IngestTrips ")


def test_a_promotion_is_one_post_that_names_model_version_error_and_months(
    configure, webhook, easy_gate
):
    assert run(linear(1)).startswith("SUCCESS")
    (text,) = webhook.texts
    receipt = json.loads(linear(1).output().file("receipt.json").read_text())
    assert text.startswith(f"{NAME} version {receipt['version']} is champion: trained to 2021-01, ")
    assert f"RMSE {receipt['metrics']['rmse']:.4f} minutes on 2021-02" in text
    assert "\n" not in text


def test_a_run_with_nothing_to_do_an_older_month_and_a_lost_receipt_tell_nothing(
    evaluated, webhook, easy_gate, tmp_path
):
    assert run(linear(3)).startswith("SUCCESS")
    webhook.posts.clear()
    assert run(linear(3)).startswith("SUCCESS")
    assert run(linear(1)).startswith("SUCCESS")
    shutil.rmtree(tmp_path / "data" / "register")
    assert run(linear(3)).startswith("SUCCESS")
    assert webhook.posts == []


def test_a_version_that_the_gate_does_not_let_pass_tells_nothing(evaluated, webhook):
    assert run(linear(1)).startswith("SUCCESS")
    assert linear(1).output().manifest()["version"] == "1"
    assert webhook.posts == []


def test_a_month_that_waits_for_publication_tells_nothing(configure, webhook):
    assert run(IngestTrips(year=2021, month=5)) == "MISSING_EXT"
    assert webhook.posts == []


def test_without_a_webhook_nothing_is_told_and_nothing_said(cut_off, configure, webhook, warnings):
    configure("alerts", "webhook", "")
    assert run(cut_off) == "FAILED"
    assert webhook.posts == []
    assert warnings() == []


# --- a webhook that cannot be told ------------------------------------------------------------


# What stands in luigi.cfg; whom it reaches does not answer.
BROKEN = {
    "answers 500": "{url}",
    "hangs": "{silent}",
    "refuses": "http://127.0.0.1:9/services/{secret}",
}


@pytest.fixture
def broken(request, configure, webhook, monkeypatch):
    """A webhook that cannot be told, in one of the ways above."""
    monkeypatch.setattr(alerts, "TIMEOUT_SECONDS", 0.2)
    webhook.status = 500
    with create_server(("127.0.0.1", 0)) as silent:
        places = {"url": webhook.url, "silent": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        address = BROKEN[request.param].format(**places, secret=SECRET)
        configure("alerts", "webhook", address)
        yield


@pytest.mark.parametrize("broken", BROKEN, indirect=True)
def test_a_failure_that_cannot_be_told_is_a_warning_without_the_secret(
    cut_off, broken, warnings, caplog
):
    assert run(cut_off) == "FAILED"
    (warning,) = warnings()
    assert warning.startswith("[alerts] webhook not reached (")
    assert ": IngestTrips green 2021-01 failed on " in warning
    assert "\n" not in warning
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "broken", ["answers 500", pytest.param("hangs", marks=pytest.mark.slow)], indirect=True
)
def test_a_promotion_that_cannot_be_told_is_a_promotion_all_the_same(
    evaluated, broken, easy_gate, warnings, caplog
):
    assert run(linear(1)).startswith("SUCCESS")
    assert linear(1).complete()
    (warning,) = warnings()
    assert f"{NAME} version 1 is champion" in warning
    assert SECRET not in caplog.text


REFUSED = {
    "of another kind": f"ftp://example.org/{SECRET}",
    "no URL": SECRET,
    "without //": "https:/example.org",
    "without host": f"http:///services/{SECRET}",
    "with half a host": f"http://[::1/services/{SECRET}",
    "with a login": f"http://joe:{SECRET}@127.0.0.1/services",
    "with a port that is none": f"http://127.0.0.1:{SECRET}/services",
    "with a blank": f"https://example.org/{SECRET} x",
    "with an accent": f"https://example.org/{SECRET}/\u00e9",
}


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED)
def test_a_webhook_that_cannot_be_posted_to_is_refused_in_one_line_without_it(luigi_config, url):
    luigi_config("alerts", "webhook", url)
    with pytest.raises(InvalidConfig) as raised:
        config.check()
    assert str(raised.value).startswith("[alerts] webhook must be a URL such as https://")
    assert SECRET not in str(raised.value)


# --- secrets ----------------------------------------------------------------------------------


def test_secrets_are_neither_told_nor_logged(configure, webhook, tmp_path, monkeypatch, caplog):
    caplog.set_level("DEBUG", logger="luigi-interface")
    source = (
        "http://joe:s3cretpassword@127.0.0.1:9/{taxi}_{year}_{month}.parquet?token=abcdef123456"
    )
    server = "http://joe:trackingpassword@127.0.0.1:9"
    configure("source", "url", source)
    configure("tracking", "uri", server)
    monkeypatch.setattr(Defect, "said", f"{webhook.url} {source} {server} s3cretpassword")
    assert run(Defect(year=2021, month=1)) == "FAILED"
    assert run(IngestTrips(year=2021, month=1)) == "FAILED"
    assert len(webhook.texts) == 2
    kept = [file.read_text() for file in tmp_path.rglob("*.log")]
    assert len(kept) == 2
    seen = "\n".join([*webhook.texts, caplog.text, *kept])
    for secret in ("s3cretpassword", "abcdef123456", "trackingpassword", SECRET):
        assert secret not in seen


# --- a process that dies ----------------------------------------------------------------------

DEADLY = """
import os
import signal
import time

import luigi
from taxi_pipeline.tasks.base import Stage


class Deadly(Stage):
    stage = "deadly"

    def make(self, folder):
        # Until both are at work.
        while len(list(self.storage.local_path("deadly/green").glob("*/logs/*"))) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)


class TwoDeadly(luigi.WrapperTask):
    def requires(self):
        return [Deadly(year=2021, month=month) for month in (1, 2)]
"""


@pytest.fixture
def killed(tmp_path, webhook):
    """A run whose two workers are killed at the same time, and what it said."""
    (tmp_path / "deadly.py").write_text(DEADLY)
    command = ("-m", "luigi", "--module", "deadly", "TwoDeadly", "--workers", "2")
    options = ("--local-scheduler", "--alerts-webhook", webhook.url)
    return python(tmp_path, *command, *options, path=[tmp_path, REPOSITORY])


def test_each_worker_that_is_killed_is_told_of_once(killed, webhook):
    assert killed.returncode == 30
    assert all("died unexpectedly with exit code -9" in text for text in webhook.texts)
    assert sorted(text.partition(" failed on ")[0] for text in webhook.texts) == [
        "Deadly green 2021-01",
        "Deadly green 2021-02",
    ]


def test_the_console_says_that_a_worker_was_killed(killed):
    errors = [line for line in killed.stderr.splitlines() if line.startswith("ERROR: Deadly")]
    assert len(errors) == 2, killed.stderr
