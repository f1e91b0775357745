"""The real command tells a webhook and sends Luigi's mail, as luigi.cfg says, without secrets."""

import email
import email.policy
import json
from http.server import BaseHTTPRequestHandler

import pytest
from aiosmtpd.controller import Controller
from http_servers import LoopbackServer, QuietHandler, serving

TASK = ("--year", "2021", "--month", "1")
WEBHOOK = "xoxb-4711-secret"
CONFIGURATION = """
[core]
local_scheduler = true
[alerts]
webhook = {webhook}
[email]
receiver = team@example.org
sender = luigi@example.org
force_send = true
[smtp]
host = 127.0.0.1
port = {port}
[tuning]
trials = 1
max_rounds = 50
[source]
attempts = 1
url = {url}
"""
LOGIN = "http://joe:s3cretpassword@127.0.0.1:9/{taxi}_{year}_{month}.parquet?token=abcdef123456"


class _Answer(QuietHandler, BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.posts.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()


@pytest.fixture
def posts():
    """What a webhook was told, in its server."""
    with serving(LoopbackServer(_Answer)) as server:
        server.posts = []
        yield server


class MailServer(Controller):
    """Keeps the mails that it is sent; takes any free port."""

    def __init__(self):
        super().__init__(self, hostname="127.0.0.1", port=0, ready_timeout=20)
        self.kept = []

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802  (aiosmtpd's name)
        self.kept.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    @property
    def texts(self):
        """Each mail's subject and text."""
        return [f"{mail['Subject']}\n{next(mail.iter_parts()).get_content()}" for mail in self.kept]


@pytest.fixture
def mails():
    server = MailServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def told(luigi, posts, mails):
    """The command in a folder whose luigi.cfg names the webhook, the mail server and a source."""

    def run(url, *arguments, more=""):
        webhook = f"{posts.base_url}/services/{WEBHOOK}"
        written = CONFIGURATION.format(webhook=webhook, port=mails.port, url=url)
        (luigi.folder / "luigi.cfg").write_text(written + more)
        luigi.environment["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
        result = luigi(*arguments, timeout=60)
        result.texts = [json.loads(post)["text"] for post in posts.posts]
        result.mails = mails.texts
        return result

    return run


@pytest.mark.parametrize("workers", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_a_failure_is_one_post_and_one_mail_with_task_reason_and_log(told, luigi, workers):
    (luigi.folder / "green_2021_1.parquet").write_bytes(b"PAR1 cut off")
    source = f"file://{luigi.folder}/{{taxi}}_{{year}}_{{month}}.parquet"
    result = told(source, "TransformTrips", *TASK, "--workers", workers)
    assert result.returncode == 30, result.stderr
    (log,) = (path.relative_to(luigi.folder) for path in luigi.folder.rglob("*.log"))
    reason = f"{luigi.folder}/green_2021_1.parquet is truncated: the end of the parquet file is "
    (text,) = result.texts
    assert text.startswith("IngestTrips green 2021-01 failed on ")
    (mail,) = result.mails
    assert mail.startswith("Luigi: IngestTrips(year=2021, month=1, taxi=green) FAILED. Host: ")
    for said in (text, mail):
        assert reason in said
        assert f"(log {log})" in said
        assert "Traceback" not in said
        assert WEBHOOK not in said


@pytest.mark.parametrize("workers", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_a_promotion_is_one_post_and_no_mail_and_a_month_that_waits_is_neither(told, workers):
    backfill = ("BackfillMonths", "--of", "RegisterModel", "--start", "2021-01")
    arguments = (*backfill, "--stop", "2021-03", "--workers", workers)
    result = told("synthetic://?rows=3000&last=2021-02", *arguments)
    assert result.returncode == 20, result.stderr
    (text,) = result.texts
    assert text.startswith("nyc-green-taxi-duration-trip version 1 is champion: trained to 2021-01")
    assert " minutes on 2021-02; " in text
    assert result.mails == []


def test_a_run_that_has_nothing_to_do_tells_nothing(told):
    source = "synthetic://?rows=1500"
    assert told(source, "IngestTrips", *TASK).returncode == 0
    result = told(source, "IngestTrips", *TASK)
    assert "Did not run any tasks" in result.stderr
    assert (result.texts, result.mails) == ([], [])


def test_the_mail_server_may_be_down(told, luigi, mails):
    mails.port = 9
    (luigi.folder / "green_2021_1.parquet").write_bytes(b"PAR1 cut off")
    source = f"file://{luigi.folder}/{{taxi}}_{{year}}_{{month}}.parquet"
    result = told(source, "IngestTrips", *TASK)
    assert result.returncode == 30
    assert "ERROR: Not able to connect to smtp server" in result.stderr
    assert len(result.texts) == 1


# --- secrets ----------------------------------------------------------------------------------


def assert_without(secrets, result):
    """Something was told and mailed, and the secrets are in nothing of it."""
    assert len(result.texts) == len(result.mails) == 1
    for said in (*result.texts, *result.mails, result.stdout, result.stderr):
        assert [secret for secret in secrets if secret in said] == []


def test_the_password_and_the_token_of_the_source_are_not_sent(told):
    result = told(LOGIN, "IngestTrips", *TASK)
    assert result.returncode == 30, result.stderr
    assert "http://***@127.0.0.1:9/green_2021_1.parquet?***" in result.mails[0]
    assert_without(["s3cretpassword", "abcdef123456", WEBHOOK], result)


def test_the_password_of_the_tracking_server_is_not_sent(told):
    tracking = "[tracking]\nuri = http://joe:trackingpassword@127.0.0.1:9\n"
    arguments = ("RegisterModel", *TASK, "--recipe", "linear")
    result = told("synthetic://?rows=1500", *arguments, more=tracking)
    assert result.returncode == 30, result.stderr
    assert "cannot be reached" in result.mails[0]
    assert_without(["trackingpassword"], result)


def test_a_password_that_is_given_as_a_flag_is_not_sent(told):
    result = told("synthetic://?rows=1500", "IngestTrips", *TASK, "--source-url", LOGIN)
    assert result.returncode == 30, result.stderr
    assert_without(["s3cretpassword", "abcdef123456"], result)


@pytest.fixture
def store_down(told):
    """A run whose store does not answer, so that nothing can be scheduled."""
    store = "[storage]\nroot = http://joe:rootpassword@127.0.0.1:9/x\n[tracking]\nuri = http://x\n"
    result = told("synthetic://?rows=1500", "IngestTrips", *TASK, more=store)
    assert result.returncode == 35, result.stderr
    assert "rootpassword" not in result.stderr
    return result


def test_of_a_task_that_cannot_be_scheduled_the_reason_is_mailed(store_down):
    (mail,) = store_down.mails
    assert "http://***@127.0.0.1:9/x/ingest/green/2021-01/" in mail
    assert " cannot be read: " in mail
    assert "Traceback" not in mail
    assert "rootpassword" not in mail


def test_of_a_task_that_cannot_be_scheduled_the_reason_is_posted(store_down):
    (text,) = store_down.texts
    assert " cannot be read: " in text
    assert "rootpassword" not in text
