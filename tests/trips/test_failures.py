"""What a failed attempt to fetch a file means, checked against real servers and file systems."""

import errno
import shutil
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import aiohttp
import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import run
from trip_source import (
    CONTENT,
    HIDDEN,
    LABEL,
    NAME,
    Broken,
    assert_one_line,
    closing_early,
    ending_in_a_chunk,
    failure,
    fetch,
    good,
    hanging_up,
    redirection,
    silent,
    stalling,
    status,
)

from taxi_pipeline.errors import MonthNotPublished, SourceError
from taxi_pipeline.trips import download
from taxi_pipeline.trips.publication import ask

pytestmark = pytest.mark.usefixtures("short_waits", "broken")


# --- what is tried again ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (status(503), "HTTP 503 Service Unavailable"),
        (status(500), "HTTP 500 Internal Server Error"),
        (status(429), "HTTP 429 Too Many Requests"),
        (closing_early, "truncated"),
        (ending_in_a_chunk, "truncated"),
        (silent, "timed out"),
        (stalling, "timed out"),
    ],
)
def test_what_may_pass_is_tried_again_and_told(server, destination, answer, cause):
    server.answers = [answer, answer, good]
    told = []
    fetch(server.url, destination, timeout=0.2, on_retry=told.append)
    assert destination.read_bytes() == CONTENT
    assert len(told) == 2
    for number, line in enumerate(told, 2):
        assert_one_line(line)
        assert line.startswith(f"{LABEL}: ")
        assert cause in line
        assert f"; attempt {number} of 3 in 0.0 s" in line


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (status(500), "HTTP 500 Internal Server Error"),
        (closing_early, "truncated"),
        (ending_in_a_chunk, "truncated"),
        (hanging_up, "Server disconnected"),
        (silent, "timed out"),
        (stalling, "timed out"),
    ],
)
def test_what_does_not_pass_fails_after_the_attempts(server, destination, answer, cause):
    server.answers = [answer]
    told = []
    text = failure(server.secret_url(), destination, timeout=0.2, on_retry=told.append)
    assert cause in text
    assert ", after 3 attempts; try again later" in text
    assert len(told) == 2


def test_a_refused_connection_is_tried_again(destination):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    told = []
    text = failure(f"http://127.0.0.1:{port}/{NAME}", destination, on_retry=told.append)
    assert "Connect call failed" in text
    assert len(told) == 2


def test_a_stalled_server_does_not_hold_the_fetch(server, destination):
    server.answers = [stalling]
    began = time.monotonic()
    failure(server.url, destination, attempts=2, timeout=0.2)
    assert time.monotonic() - began < 3


def test_a_transfer_shorter_than_announced_is_tried_again_on_any_store(destination, monkeypatch):
    monkeypatch.setattr(Broken, "failure", None)
    told = []
    text = failure(f"broken://bucket/{NAME}", destination, on_retry=told.append)
    assert "truncated" in text
    assert len(told) == 2


@pytest.mark.parametrize(
    ("code", "status", "kind", "attempts"),
    [
        ("NoSuchKey", 404, MonthNotPublished, 1),
        ("AccessDenied", 403, MonthNotPublished, 2),
        ("SlowDown", 503, SourceError, 3),
        ("InternalError", 500, SourceError, 3),
        ("AuthorizationHeaderMalformed", 400, SourceError, 1),
    ],
)
def test_an_answer_of_s3_counts_as_the_same_answer_over_http(
    *, destination, monkeypatch, code, status, kind, attempts
):
    botocore = pytest.importorskip("botocore.exceptions")
    translate = pytest.importorskip("s3fs.errors").translate_boto_error
    answer = {
        "Error": {"Code": code, "Message": "What S3 says."},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    error = translate(botocore.ClientError(answer, "GetObject"))
    monkeypatch.setattr(Broken, "failure", error)
    told = []
    text = failure(f"broken://bucket/{NAME}", destination, kind, on_retry=told.append)
    assert f"HTTP {status} What S3 says." in text
    assert len(told) == attempts - 1


def test_a_connection_lost_by_botocore_is_tried_again(destination, monkeypatch):
    botocore = pytest.importorskip("botocore.exceptions")
    for error, attempts in [
        (botocore.EndpointConnectionError(endpoint_url="https://s3.test"), 3),
        (botocore.ReadTimeoutError(endpoint_url="https://s3.test"), 3),
        (botocore.IncompleteReadError(actual_bytes=1, expected_bytes=2), 3),
        (botocore.NoCredentialsError(), 1),
    ]:
        monkeypatch.setattr(Broken, "failure", error)
        told = []
        failure(f"broken://bucket/{NAME}", destination, on_retry=told.append)
        assert len(told) == attempts - 1


def test_a_proxy_that_fails_is_tried_again_and_one_that_refuses_is_not(
    server, destination, monkeypatch
):
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    for code, attempts, says in [(502, 3, "try again later"), (403, 1, "check HTTPS_PROXY")]:
        server.answers = [status(code)]
        server.requests.clear()
        text = failure(f"https://nowhere.invalid/{NAME}", destination)
        assert f"HTTP {code} " in text
        assert says in text
        assert len(server.requests) == attempts


# --- how long is waited -----------------------------------------------------------------------


@pytest.fixture
def waits(monkeypatch):
    """The seconds that are waited, instead of waiting."""
    waited = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waited.append)
    return waited


def busy(code, value):
    return lambda handler: handler.begin(code, Retry_After=value, Content_Length=0)


@pytest.mark.parametrize("code", [429, 503, 403])
@pytest.mark.parametrize(("value", "seconds"), [("7", 7), ("100000", 60), ("9" * 400, 60)])
def test_the_wait_that_a_server_asks_for_is_kept_within_a_bound(
    *, server, destination, waits, code, value, seconds
):
    server.answers = [busy(code, value), good]
    told = []
    fetch(server.url, destination, max_wait=60, on_retry=told.append)
    assert waits == [seconds]
    assert told[0].endswith(f" in {seconds:.1f} s")


def test_a_server_may_name_the_moment_until_which_it_asks_to_wait(server, destination, waits):
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    server.answers = [busy(503, moment), good]
    fetch(server.url, destination)
    assert 25 <= waits[0] <= 30


@pytest.mark.parametrize(
    "value", ["", "soon", "-5", "Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 99 Foo 2021 99:99:99 GMT"]
)
def test_a_wait_that_makes_no_sense_is_none(server, destination, waits, value):
    server.answers = [busy(503, value), good]
    fetch(server.url, destination)
    assert 0 <= waits[0] <= download.MAX_WAIT


def test_no_wait_is_longer_than_the_bound(server, destination, waits, monkeypatch):
    monkeypatch.setattr(download, "FIRST_WAIT", 1000.0)
    monkeypatch.setattr(download, "MAX_WAIT", 1000.0)
    server.answers = [status(503)] * 4 + [good]
    fetch(server.url, destination, attempts=5, max_wait=0.5)
    assert max(waits) <= 0.5


# --- redirections -----------------------------------------------------------------------------


def test_a_redirection_is_followed(server, destination):
    server.answers = [redirection("/elsewhere"), good]
    fetch(server.url, destination)
    assert destination.read_bytes() == CONTENT


def test_a_redirection_without_end_is_told_after_one_attempt(server, destination):
    server.answers = [redirection("/again")]
    text = failure(server.secret_url(), destination)
    assert ": it redirects without end at " in text
    assert ", after 1 attempt; check `url`" in text


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/file"])
def test_a_redirection_off_the_web_is_refused(server, destination, place):
    server.answers = [redirection(place)]
    text = failure(server.secret_url(), destination)
    assert f": it redirects to {place.partition(':')[0]}:, which is not on the web at " in text


@pytest.fixture
def encrypted(server, tmp_path, monkeypatch):
    """The server with a certificate that clients trust."""
    openssl = shutil.which("openssl") or pytest.skip("there is no openssl command")
    files = {name: str(tmp_path / f"{name}.pem") for name in ("key", "certificate")}
    command = f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    alternative = ("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    places = ("-keyout", files["key"], "-out", files["certificate"])
    answer = run([*command.split(), *alternative, *places])
    assert answer.returncode == 0, answer.stderr
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["certificate"], files["key"])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", files["certificate"])
    server.trusted = {"ssl": ssl.create_default_context(cafile=files["certificate"])}
    server.https_url = server.url.replace("http://", "https://")
    return server


def test_a_redirection_from_https_to_http_is_refused(encrypted, tmp_path_factory):
    destination = tmp_path_factory.mktemp("fetched") / NAME
    encrypted.answers = [redirection(f"http://127.0.0.1:{encrypted.server_port}/{NAME}")]
    text = failure(encrypted.https_url, destination, options=encrypted.trusted)
    assert ": it redirects from https to http, which anyone may change at " in text
    assert ask(encrypted.https_url, timeout=5).problem.startswith("it redirects from https to http")
    assert len(encrypted.requests) == 2
    encrypted.answers = [redirection("/elsewhere"), good]
    fetch(encrypted.https_url, destination, options=encrypted.trusted)
    assert destination.read_bytes() == CONTENT


# --- what is final ----------------------------------------------------------------------------


def test_404_means_not_published_at_once(server, destination):
    server.answers = [status(404)]
    text = failure(server.secret_url(), destination, MonthNotPublished)
    assert ", or refused (HTTP 404 Not Found), after 1 attempt; " in text
    assert text.count("not published") == 1
    assert "two months late" in text
    assert "evaluation month" in text
    assert len(server.requests) == 1


def test_403_means_not_published_or_throttled_and_is_tried_twice(server, destination):
    server.answers = [status(403)]
    told = []
    text = failure(server.secret_url(), destination, MonthNotPublished, on_retry=told.append)
    assert ", or refused (HTTP 403 Forbidden), after 2 attempts; " in text
    assert text.count("not published") == 1
    assert "not published" not in told[0]
    assert "throttles" in text
    assert "two months late" in text
    assert len(server.requests) == 2
    assert "attempt 2 of 2" in told[0]


def test_403_is_tried_once_where_one_attempt_is_allowed(server, destination):
    server.answers = [status(403)]
    failure(server.url, destination, MonthNotPublished, attempts=1)
    assert len(server.requests) == 1


def test_a_throttled_month_arrives_at_the_second_attempt(server, destination):
    server.answers = [status(403), good]
    fetch(server.url, destination)
    assert destination.read_bytes() == CONTENT


@pytest.mark.parametrize(("code", "attempts"), [(404, 1), (410, 1), (403, 2)])
def test_a_file_that_was_offered_and_is_denied_is_no_reason_for_another_month(
    server, destination, code, attempts
):
    server.answers = [status(code)]
    text = failure(server.secret_url(), destination, is_offered=True)
    assert f": HTTP {code} " in text
    assert text.endswith(
        "; the source says that it has the file, but does not give it: try again later, or check "
        "`url` and its credentials"
    )
    assert len(server.requests) == attempts


@pytest.mark.parametrize("code", [400, 401, 405, 416])
def test_another_refusal_is_final(server, destination, code):
    server.answers = [status(code)]
    assert f"HTTP {code} " in failure(server.secret_url(), destination)
    assert len(server.requests) == 1


@pytest.mark.parametrize("scheme", ["", "file://", "memory://"])
def test_a_missing_file_is_not_published(tmp_path, destination, scheme):
    text = failure(f"{scheme}{tmp_path}/missing.parquet", destination, MonthNotPublished)
    assert "no such file" in text


@pytest.mark.parametrize("scheme", ["", "file://", "memory://"])
def test_a_folder_is_no_file(tmp_path_factory, destination, scheme):
    folder = tmp_path_factory.mktemp("folder")
    fsspec.filesystem("memory").makedirs(str(folder))
    assert "a folder, not a file" in failure(f"{scheme}{folder}", destination)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_disk_is_no_failure_of_the_source(destination, monkeypatch, number):
    monkeypatch.setattr(Broken, "failure", OSError(number, "of some library"))
    told = []
    with pytest.raises(OSError, match=str(destination)) as caught:
        fetch(f"broken://bucket/{NAME}", destination, on_retry=told.append)
    assert caught.value.errno == number
    assert not told
    assert not destination.exists()


def test_a_wrong_certificate_is_not_tried_again(destination, monkeypatch):
    host = SimpleNamespace(host="host", port=443, ssl=True, is_ssl=True)
    refused = ssl.SSLCertVerificationError("certificate verify failed: self-signed certificate")
    error = aiohttp.ClientConnectorCertificateError(host, refused)
    monkeypatch.setattr(Broken, "failure", error)
    told = []
    text = failure(f"broken://bucket/{NAME}", destination, on_retry=told.append)
    assert "certificate verify failed" in text
    assert not told


def test_an_unknown_protocol_in_a_chain_is_said(destination):
    assert "simplecach" in failure(f"simplecach::file:///{NAME}", destination)


def test_a_malformed_url_does_not_show_its_password(destination):
    for url in (f"http://user:{HIDDEN}/x@127.0.0.1:1/a", f"http://user:{HIDDEN}@[::1/a"):
        failure(url, destination, attempts=1)


@settings(max_examples=50)
@given(st.text())
def test_any_failure_is_one_line(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("any")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Broken, "failure", RuntimeError(f"https://u:{HIDDEN}@host/ {text}"))
        failure(f"broken://bucket/{NAME}", folder / "trips.parquet")
