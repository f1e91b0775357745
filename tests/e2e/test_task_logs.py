"""Each task has a log of its own, the console a line for each step, and neither has secrets."""

import json
import re
from base64 import b64encode
from collections import Counter
from http.server import BaseHTTPRequestHandler

import pytest
from command_line import CommandLine
from http_servers import LoopbackServer, QuietHandler, serving

from taxi_pipeline.month import Month
from taxi_pipeline.trips.synthetic.month import write_month

BACKFILL = ("BackfillMonths", "--of", "RegisterModel", "--of-params", '{"recipe": "linear"}')
RANGE = ("--start", "2021-01", "--stop", "2021-04")
WEBHOOK = "xoxb-4711-webhook"
SECRETS = {
    "SOURCE_PASSWORD": "s3cretpassword",
    "SOURCE_TOKEN": "abcdef123456",
    "MLFLOW_LOGIN": "trackingpassword",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI",
}
CONFIGURATION = """
[core]
local_scheduler = true
[source]
url = {server}/{{taxi}}_{{year}}-{{month:02d}}.parquet?token=${{SOURCE_TOKEN}}
attempts = 2
[alerts]
webhook = http://127.0.0.1:9/services/{webhook}
"""

# A line of a log, and a message that a task begins with its name.
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ (.*)")
LABELLED = re.compile(r"(?:ERROR: |INFO: )?(\w+ green \d{4}-\d\d(?: [\w-]+)?): ")


class Source(LoopbackServer):
    """Offers three months: the first at the second attempt, the last one never whole."""

    def __init__(self, folder):
        super().__init__(_Answer)
        self.folder, self.asked, self.logins = folder, Counter(), set()


class _Answer(QuietHandler, BaseHTTPRequestHandler):
    def do_HEAD(self):
        self._answer(200)

    def do_GET(self):
        self.server.asked[self.path] += 1
        first = self.server.asked[self.path] % 2 == 1
        cut = "2021-03" in self.path
        self._answer(500 if first and (cut or "2021-01" in self.path) else 200, cut=cut)

    def _answer(self, status, *, cut=False):
        self.server.logins.add((self.headers["Authorization"], self.path.partition("?")[2]))
        file = self.server.folder / self.path.partition("?")[0].lstrip("/")
        if not file.exists():
            status = 404
        content = file.read_bytes() if status == 200 else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[: len(content) // 2] if cut else content)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    for month in (Month(2021, 1), Month(2021, 2), Month(2021, 3)):
        write_month(folder / f"green_{month}.parquet", "green", month, rows=1500, seed=0)
    with serving(Source(folder)) as server:
        yield server


class Told:
    """A run, what it said, and what it wrote under the root."""

    def __init__(self, folder, result):
        self.root = folder / "data"
        self.code, self.said = result.returncode, result.stdout + result.stderr

    @property
    def console(self):
        return self.said.splitlines()

    @property
    def manifests(self):
        return [
            json.loads(path.read_text())
            for path in self.root.glob("*/**/[0-9a-f]*/manifest.json")
            if "mlflow" not in path.parts
        ]

    @property
    def logs(self):
        return {path.relative_to(self.root).as_posix() for path in self.root.rglob("*.log")}

    def lines(self, log):
        return (self.root / log).read_text().splitlines()


def run(folder, source, *arguments):
    command = CommandLine(folder)
    server = f"http://joe:${{SOURCE_PASSWORD}}@127.0.0.1:{source.server_port}"
    written = CONFIGURATION.format(server=server, webhook=WEBHOOK)
    (folder / "luigi.cfg").write_text(written)
    command.environment |= SECRETS | {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    return Told(folder, command(*arguments, timeout=100))


@pytest.fixture(
    scope="module",
    params=[pytest.param(("INFO", "1"), marks=pytest.mark.slow), ("DEBUG", "2")],
    ids="-".join,
)
def backfilled(request, tmp_path_factory, source):
    """A run in which a month is made, one fails and one waits, by one worker and by two."""
    level, workers = request.param
    folder = tmp_path_factory.mktemp("backfilled")
    told = run(folder, source, *BACKFILL, *RANGE, "--log-level", level, "--workers", workers)
    assert told.code == 30, told.said
    assert len(told.manifests) == 15, told.said
    return told


# --- a log for each task ----------------------------------------------------------------------


def test_the_manifest_names_the_log_which_lies_beside_the_output(backfilled):
    named = {}
    for manifest in backfilled.manifests:
        family, *words = manifest["label"].split()
        home = f"{manifest['log'].partition('/')[0]}/{'/'.join(words)}"
        assert re.fullmatch(rf"{home}/logs/[^/]+\.log", manifest["log"])
        assert list((backfilled.root / home).glob(f"{manifest['key']}/manifest.json")), family
        named[manifest["log"]] = manifest
    assert len(named) == 15
    assert {log.partition("/logs/")[0] for log in backfilled.logs - set(named)} == {
        "ingest/green/2021-03"
    }


def test_a_log_begins_with_the_start_and_ends_with_what_was_made_and_in_which_time(backfilled):
    for manifest in backfilled.manifests:
        lines = backfilled.lines(manifest["log"])
        assert LINE.fullmatch(lines[0])[1] == f"{manifest['label']}: starts"
        last = LINE.fullmatch(lines[-1])[1]
        assert last.startswith(f"{manifest['label']}: {manifest['summary']}, in ")
        assert last.endswith(f"/{manifest['key']}")


def test_no_line_of_a_task_is_in_the_log_of_another(backfilled):
    own = {manifest["log"]: manifest["label"] for manifest in backfilled.manifests}
    for log in backfilled.logs:
        messages = [line[1] for line in map(LINE.fullmatch, backfilled.lines(log)) if line]
        labels = {found[1] for found in map(LABELLED.match, messages) if found}
        assert labels == {own.get(log, "IngestTrips green 2021-03")}


def test_a_retry_is_in_the_log_of_its_task_and_on_the_console(backfilled):
    (log,) = (log for log in backfilled.logs if log.startswith("ingest/green/2021-01/"))
    retry = "IngestTrips: green 2021-01: HTTP 500 Internal Server Error; attempt 2 of 2 in "
    assert len([line for line in backfilled.lines(log) if f" WARNING {retry}" in line]) == 1
    assert len([line for line in backfilled.console if line.startswith(f"WARNING: {retry}")]) == 1


def test_a_failure_is_a_traceback_in_the_log_and_one_line_that_names_it_on_the_console(backfilled):
    (log,) = (log for log in backfilled.logs if log.startswith("ingest/green/2021-03/"))
    kept = (backfilled.root / log).read_text()
    assert " ERROR IngestTrips green 2021-03: failed\nTraceback (most recent call last):\n" in kept
    assert "\ntaxi_pipeline.errors.SourceError: green 2021-03: the transfer broke off" in kept
    (line,) = (line for line in backfilled.console if line.startswith("ERROR"))
    assert line.startswith("ERROR: IngestTrips: green 2021-03: the transfer broke off")
    assert line.endswith(f"(log data/{log})")
    assert "Traceback" not in backfilled.said


def test_the_console_has_one_line_for_each_step_with_the_time_taken(backfilled):
    for manifest in backfilled.manifests:
        step = f"INFO: {manifest['label']}: "
        (line,) = (line for line in backfilled.console if line.startswith(step))
        assert re.search(r", in \d+\.\d s -> data/", line)


def test_what_has_changed_is_the_reason_in_the_first_line(luigi):
    arguments = ("TransformTrips", "--year", "2021", "--month", "1", "--local-scheduler")
    arguments = (*arguments, "--source-url", "synthetic://?rows=1500")
    assert luigi(*arguments).returncode == 0
    assert luigi(*arguments, "--cleaning-max-minutes", "90").returncode == 0
    _, last = sorted((luigi.folder / "data/transform/green/2021-01/logs").iterdir())
    first, *_ = last.read_text().splitlines()
    assert first.endswith(": starts, since cleaning.max_minutes was 60.0, is 90.0")


# --- secrets ----------------------------------------------------------------------------------


def written(root):
    """The files that hold secrets, and the secrets."""
    hidden = (*SECRETS.values(), WEBHOOK)
    return [
        (str(path.relative_to(root)), secret)
        for path in root.rglob("*")
        if path.is_file()
        for secret in hidden
        if secret.encode() in path.read_bytes()
    ]


def test_a_password_and_a_token_are_sent_to_the_source_and_written_nowhere(backfilled, source):
    login = b64encode(f"joe:{SECRETS['SOURCE_PASSWORD']}".encode()).decode()
    assert (f"Basic {login}", f"token={SECRETS['SOURCE_TOKEN']}") in source.logins
    assert "[alerts] webhook not reached" in backfilled.said
    assert "not published yet at http://***@127.0.0.1" in backfilled.said
    shown = [secret for secret in (*SECRETS.values(), WEBHOOK, login) if secret in backfilled.said]
    assert shown == []
    assert written(backfilled.root) == []


def test_the_password_of_a_tracking_server_is_written_nowhere(tmp_path, source):
    told = run(
        tmp_path,
        source,
        *("RegisterModel", "--year", "2021", "--month", "1", "--log-level", "DEBUG"),
        *("--tracking-uri", f"http://joe:{SECRETS['MLFLOW_LOGIN']}@127.0.0.1:9"),
        *("--tuning-trials", "1", "--tuning-max-rounds", "10"),
    )
    assert told.code == 30
    assert "cannot be reached" in told.said
    assert SECRETS["MLFLOW_LOGIN"] not in told.said
    assert written(told.root) == []
