"""What a failed attempt to fetch a file means, checked against real servers and file systems."""

import errno
import socket
import ssl
import time
from types import SimpleNamespace

import aiohttp
import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
    silent,
    stalling,
    status,
)

from taxi_pipeline.errors import MonthNotPublished, SourceError

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
    assert "try again later" in text
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


# --- what is final ----------------------------------------------------------------------------


def test_404_means_not_published_at_once(server, destination):
    server.answers = [status(404)]
    text = failure(server.secret_url(), destination, MonthNotPublished)
    assert "HTTP 404 Not Found" in text
    assert "two months late" in text
    assert "evaluation month" in text
    assert len(server.requests) == 1


def test_403_means_not_published_or_throttled_and_is_tried_twice(server, destination):
    server.answers = [status(403)]
    told = []
    text = failure(server.secret_url(), destination, MonthNotPublished, on_retry=told.append)
    assert "HTTP 403 Forbidden" in text
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


def test_a_full_disk_is_said(destination, monkeypatch):
    error = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(Broken, "failure", error)
    text = failure(f"broken://bucket/{NAME}", destination)
    assert "No space left on device" in text
    assert "make room" in text


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


@settings(deadline=None, max_examples=50)
@given(st.text())
def test_any_failure_is_one_line(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("any")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Broken, "failure", RuntimeError(f"https://u:{HIDDEN}@host/ {text}"))
        failure(f"broken://bucket/{NAME}", folder / "trips.parquet")
