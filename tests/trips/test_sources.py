"""How a month's file arrives, checked against real servers and files on this machine."""

import ast
import contextlib
import errno
import gzip
import io
import multiprocessing
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
from base64 import b64decode
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import quote

import aiohttp
import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taxi_pipeline.errors import InvalidConfig, InvalidTripFile, MonthNotPublished, SourceError
from taxi_pipeline.month import Month
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.trips import sources

LABEL = "green 2021-01"
NAME = "green_tripdata_2021-01.parquet"
REQUIRED = ["lpep_pickup_datetime", "PULocationID"]
HIDDEN = "s3cr3t"
brief = settings(deadline=None, max_examples=50)
names = st.text(st.characters(codec="utf-8"))
texts = st.text(st.characters(codec="utf-8"))
ascii_texts = st.text(st.characters(min_codepoint=32, max_codepoint=126))
months = st.builds(Month, st.integers(1000, 9999), st.integers(1, 12))


def parquet(rows=1000, **columns):
    columns = columns or {
        "lpep_pickup_datetime": [datetime(2021, 1, 1)] * rows,
        "pulocationid": list(range(rows)),
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


CONTENT = parquet()


# --- a server that can do everything wrong ----------------------------------------------------


class Server(ThreadingHTTPServer):
    """Gives its answers one after the other, and the last of them from then on."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = []
        self.requests = []
        self.commands = []
        self.closing = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/{NAME}"

    def secret_url(self):
        return self.url.replace("//", f"//user:{HIDDEN}@") + f"?X-Amz-Signature={HIDDEN}"

    def handle_error(self, request, client_address):
        """A client that went away is no error of the test."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requests.append(self.headers)
        self.server.commands.append(self.command)
        answers = self.server.answers
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    do_HEAD = do_CONNECT = do_GET  # noqa: N815  (the last is what a proxy is asked)

    def log_message(self, *args):
        """Say nothing."""

    def begin(self, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()


def good(handler):
    handler.begin(Content_Length=len(CONTENT))
    handler.wfile.write(CONTENT)


def without_length(handler):
    handler.begin(Connection="close")
    handler.wfile.write(CONTENT)
    handler.close_connection = True


def chunked(handler):
    handler.begin(Transfer_Encoding="chunked")
    half = len(CONTENT) // 2
    for part in (CONTENT[:half], CONTENT[half:], b""):
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))


def gzipped(handler):
    packed = gzip.compress(CONTENT)
    handler.begin(Content_Length=len(packed), Content_Encoding="gzip")
    handler.wfile.write(packed)


def closing_early(handler):
    handler.begin(Content_Length=len(CONTENT))
    handler.wfile.write(CONTENT[:500])
    handler.close_connection = True


def ending_in_a_chunk(handler):
    handler.begin(Transfer_Encoding="chunked")
    handler.wfile.write(b"%x\r\n%b" % (len(CONTENT), CONTENT[:500]))
    handler.close_connection = True


def hanging_up(handler):
    handler.close_connection = True


def silent(handler):
    handler.server.closing.wait(5)
    handler.close_connection = True


def stalling(handler):
    handler.begin(Content_Length=len(CONTENT))
    handler.wfile.write(CONTENT[:500])
    silent(handler)


def status(code):
    def answer(handler):
        handler.begin(code, Content_Length=5)
        handler.wfile.write(b"error")

    return answer


def page(handler):
    text = b"\n<!DOCTYPE html><html>Please log in</html>"
    handler.begin(Content_Length=len(text), Content_Type="text/html")
    handler.wfile.write(text)


def redirection(place):
    def answer(handler):
        handler.begin(302, Location=place, Content_Length=0)

    return answer


@contextlib.contextmanager
def another_server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.closing.set()
        running.shutdown()
        thread.join(5)


@pytest.fixture
def server():
    with another_server() as running:
        yield running


@pytest.fixture(autouse=True, scope="module")
def short_waits():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "FIRST_WAIT", 0.01)
        patch.setattr(sources, "LONGEST_WAIT", 0.02)
        yield


@pytest.fixture
def destination(tmp_path):
    return tmp_path / "trips.parquet"


def fetch(url, destination, **kwargs):
    sources.fetch(url, destination, **{"attempts": 3, "timeout": 5.0, "label": LABEL, **kwargs})


def failure(url, destination, kind=SourceError, **kwargs):
    """The text with which a fetch fails, after what every failure must keep to."""
    with pytest.raises(kind) as caught:
        fetch(url, destination, **kwargs)
    text = str(caught.value)
    assert type(caught.value) is kind
    assert not list(destination.parent.iterdir())
    assert_one_line(text)
    assert text.startswith(f"{LABEL}: ")
    assert redact_url(url) in text
    assert HIDDEN not in "".join(traceback.format_exception(caught.value))
    return text


def assert_one_line(text):
    assert len(text.splitlines()) == 1


# --- whether a month is published -------------------------------------------------------------


def is_published(url, timeout=5.0):
    return sources.offers(url, timeout=timeout) is not False


@pytest.mark.parametrize("code", [403, 404, 410])
def test_what_the_source_denies_is_not_published(server, code):
    server.answers = [status(code)]
    assert not is_published(server.secret_url())


@pytest.mark.parametrize("code", [200, 204, 400, 401, 405, 429, 500, 503])
def test_what_the_source_does_not_deny_counts_as_published(server, code):
    server.answers = [status(code)]
    assert is_published(server.secret_url())


@pytest.mark.parametrize("answer", [hanging_up, lambda handler: handler.wfile.write(b"nonsense\n")])
def test_a_source_that_does_not_answer_counts_as_one_that_has_it(server, answer):
    server.answers = [answer]
    assert is_published(server.url)


def test_a_source_that_is_not_there_counts_as_one_that_has_it():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert is_published(f"http://127.0.0.1:{port}/{NAME}")


def test_a_source_that_hangs_is_not_waited_for(server):
    server.answers = [silent]
    began = time.monotonic()
    assert is_published(server.url, timeout=0.2)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{HIDDEN}/x@127.0.0.1:1/a",
        f"http://user:{HIDDEN}@[::1/a",
        "http://127.0.0.1:x/a",
        "http://127.0.0.1:1/a b",
        "http://127.0.0.1:1/é",
        "http:///a",
    ],
)
def test_a_malformed_url_is_left_to_the_fetch(url):
    assert is_published(url)


def test_only_the_head_of_a_file_is_asked_for(server):
    server.answers = [good]
    assert is_published(server.url)
    assert server.commands == ["HEAD"]


@given(ascii_texts.filter(lambda user: user and ":" not in user), ascii_texts)
@settings(brief, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_user_and_password_are_sent_as_they_are(server, user, password):
    server.answers, server.requests = [status(200)], []
    signed = f"//{quote(user, safe='')}:{quote(password, safe='')}@"
    assert is_published(server.url.replace("//", signed))
    (asked,) = server.requests
    kind, _, sent = asked["Authorization"].partition(" ")
    assert (kind, b64decode(sent).decode()) == ("Basic", f"{user}:{password}")
    assert "@" not in asked["Host"]


def test_without_a_user_none_is_sent(server):
    server.answers = [status(200)]
    assert is_published(server.url)
    assert "Authorization" not in server.requests[0]


def test_a_redirection_is_followed(server):
    server.answers = [redirection("/elsewhere"), status(404)]
    assert not is_published(server.url)
    assert len(server.requests) == 2


def test_user_and_password_are_not_sent_to_another_server_that_is_named(server):
    with another_server() as other:
        other.answers = [status(200)]
        server.answers = [redirection(other.url.replace("127.0.0.1", "localhost"))]
        assert is_published(server.secret_url())
        assert "Authorization" not in other.requests[0]


def test_a_proxy_from_the_environment_is_asked(server, monkeypatch):
    server.answers = [status(404)]
    monkeypatch.setattr(urllib.request, "_opener", None)  # which has read the environment
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert not is_published(f"http://nowhere.invalid/{NAME}")
    assert server.requests[0]["Host"] == "nowhere.invalid"


@pytest.mark.parametrize("scheme", ["", "file://", "memory://"])
def test_a_file_is_published_where_it_is(tmp_path, scheme):
    url = f"{scheme}{tmp_path}/{NAME}"
    assert not is_published(url)
    with fsspec.open(url, "wb") as file:
        file.write(CONTENT)
    assert is_published(url)


@pytest.mark.parametrize(("last", "published"), [("", True), ("2021-01", True), ("2020-12", False)])
def test_a_synthetic_month_is_published_up_to_the_last(last, published):
    template = f"synthetic://?rows=1000&last={last}" if last else "synthetic://"
    url = sources.month_url(template, "green", Month(2021, 1))
    assert is_published(url) == published


def test_a_wrong_synthetic_query_is_left_to_the_fetch():
    assert is_published(sources.month_url("synthetic://?rows=many", "green", Month(2021, 1)))


def test_a_store_that_cannot_be_asked_counts_as_one_that_has_it(monkeypatch):
    def refuse(*_arguments, **_options):
        raise PermissionError("AccessDenied")

    monkeypatch.setattr(MemoryFileSystem, "exists", refuse)
    assert is_published(f"memory://bucket/{NAME}")
    assert is_published(f"soup://bucket/{NAME}")


def test_an_http_source_is_asked_without_what_is_slow_to_import(server):
    server.answers = [status(200)]
    program = (
        "import sys; from taxi_pipeline.trips import sources\n"
        f"assert sources.offers({server.url!r}, timeout=5)\n"
        "print(sorted({'aiohttp', 'fsspec'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_the_line_for_an_unpublished_month_names_month_and_place_but_no_secret(server):
    line = sources.not_published(LABEL, server.secret_url())
    assert_one_line(line)
    assert line.startswith(f"{LABEL}: not published yet at {redact_url(server.secret_url())}, ")
    assert HIDDEN not in line
    for told in ("two months late", "evaluation month", "[source] url"):
        assert told in line


# --- what arrives -----------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [good, without_length, chunked, gzipped])
def test_a_file_arrives_over_http_however_its_length_is_told(server, destination, answer):
    server.answers = [answer]
    fetch(server.url, destination, attempts=1)
    assert destination.read_bytes() == CONTENT


def test_a_file_arrives_from_a_plain_path_and_from_a_file_url(tmp_path, destination):
    published = tmp_path / NAME
    published.write_bytes(CONTENT)
    for url in (str(published), f"file://{published}"):
        fetch(url, destination)
        assert destination.read_bytes() == CONTENT
        destination.unlink()


def test_a_file_arrives_from_a_store_that_fsspec_knows(destination):
    fsspec.filesystem("memory").pipe(f"/bucket/{NAME}", CONTENT)
    seen = []
    fetch(f"memory://bucket/{NAME}", destination, progress=lambda *told: seen.append(told))
    assert destination.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_synthetic_month_arrives_and_is_a_whole_trip_file(destination):
    url = sources.month_url("synthetic://?rows=1000&seed=7", "green", Month(2021, 1))
    seen = []
    fetch(url, destination, progress=lambda *told: seen.append(told))
    rows = sources.check_file(destination, label=LABEL, url=url, required=REQUIRED)
    assert rows == 1000
    assert seen[-1] == (1000, 1000)


def test_a_synthetic_month_after_the_last_is_not_published(destination):
    url = sources.month_url("synthetic://?rows=1000&last=2020-12", "green", Month(2021, 1))
    assert "no such file" in failure(url, destination, MonthNotPublished)


def test_a_wrong_synthetic_query_is_said(destination):
    url = sources.month_url("synthetic://?rows=many", "green", Month(2021, 1))
    assert "rows" in failure(url, destination)


def test_the_user_and_password_of_a_url_reach_the_server(server, destination):
    server.answers = [good]
    fetch(server.secret_url(), destination)
    assert server.requests[0]["Authorization"].startswith("Basic ")


def test_options_of_the_user_are_added_to_those_of_the_fetch(server, destination):
    server.answers = [silent, good]
    options = {"client_kwargs": {"headers": {"X-Key": "value"}}}
    fetch(server.url, destination, timeout=0.2, options=options)
    assert server.requests[1]["X-Key"] == "value"


def test_a_proxy_from_the_environment_is_used(server, destination, monkeypatch):
    server.answers = [good]
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    fetch(f"http://nowhere.invalid/{NAME}", destination, attempts=1)
    assert server.requests[0]["Host"] == "nowhere.invalid"


def test_a_forked_process_can_fetch_after_its_parent_has(server, destination, tmp_path):
    server.answers = [good]
    fetch(server.url, destination)
    other = tmp_path / "other.parquet"
    child = multiprocessing.get_context("fork").Process(target=fetch, args=(server.url, other))
    child.start()
    child.join(10)
    if child.is_alive():
        child.kill()
    assert child.exitcode == 0
    assert other.read_bytes() == CONTENT


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


class Broken(MemoryFileSystem):
    """A file system whose transfers fail, or end early if there is no failure to raise."""

    protocol = "broken"
    failure: Exception | None = None

    def get_file(self, _rpath, lpath, callback):
        with open(lpath, "wb") as file:  # noqa: PTH123  (as file systems do)
            file.write(CONTENT[:500])
        callback.set_size(len(CONTENT))
        callback.relative_update(500)
        if self.failure:
            raise self.failure


@pytest.fixture(autouse=True, scope="module")
def broken():
    fsspec.register_implementation("broken", Broken, clobber=True)


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


def test_an_interrupted_fetch_leaves_nothing(destination, monkeypatch):
    monkeypatch.setattr(Broken, "failure", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        fetch(f"broken://bucket/{NAME}", destination)
    assert not destination.exists()


@brief
@given(st.text())
def test_any_failure_is_one_line(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("any")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Broken, "failure", RuntimeError(f"https://u:{HIDDEN}@host/ {text}"))
        failure(f"broken://bucket/{NAME}", folder / "trips.parquet")


# --- what is seen meanwhile -------------------------------------------------------------------


def test_progress_counts_up_to_the_announced_length(server, destination):
    server.answers = [status(503), good]
    seen = []
    fetch(server.url, destination, progress=lambda *told: seen.append(told))
    done = [arrived for arrived, _ in seen]
    assert done == sorted(done)
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert {total for _, total in seen} == {len(CONTENT)}


def test_progress_has_no_total_where_none_is_announced(server, destination):
    server.answers = [chunked]
    seen = []
    fetch(server.url, destination, progress=lambda *told: seen.append(told))
    assert seen[-1] == (len(CONTENT), None)


def test_a_terminal_shows_a_bar_and_anything_else_does_not(server, destination, monkeypatch):
    server.answers = [good]
    for terminal in (True, False):
        stderr = io.StringIO()
        stderr.isatty = lambda terminal=terminal: terminal
        monkeypatch.setattr(sys, "stderr", stderr)
        fetch(server.url, destination)
        assert (LABEL in stderr.getvalue()) is terminal
        assert ("100%" in stderr.getvalue()) is terminal


# --- URLs -------------------------------------------------------------------------------------


@brief
@given(st.sampled_from(["green", "yellow"]), months)
def test_a_url_names_its_taxi_and_month(taxi, month):
    for template in (sources.DEFAULT_URL, "synthetic://", "synthetic://?rows=5&seed=1"):
        name = sources.month_url(template, taxi, month).rpartition("/")[2].partition("?")[0]
        found, _, rest = name.partition("_tripdata_")
        assert (found, Month.parse(rest.removesuffix(".parquet"))) == (taxi, month)


def test_synthetic_is_short_for_a_whole_url():
    url = f"synthetic://{NAME}"
    assert sources.month_url("synthetic://", "green", Month(2021, 1)) == url
    query = "?rows=20000&seed=7"
    assert sources.month_url(f"synthetic://{query}", "green", Month(2021, 1)) == url + query


@pytest.mark.parametrize(
    "template",
    [
        sources.DEFAULT_URL,
        "synthetic://",
        "synthetic://?rows=20000&seed=7",
        "synthetic://{taxi}_tripdata_{year}-{month:02d}.parquet?rows=5",
        "file:///data/{taxi}_{year}-{month:02d}.parquet",
        "data/{year:04d}/{month}.parquet",
        "memory://{year}{month:02}",
        "zip://{taxi}.parquet::https://host/{year}-{month:02d}.zip",
    ],
)
def test_a_template_that_names_each_month_passes(template):
    sources.check_template(template)
    assert "{" not in sources.month_url(template, "green", Month(2021, 1))


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("", "lacks the month and the year"),
        ("https://host/{taxi}-{year}.parquet", "lacks the month;"),
        ("https://host/{month:02d}.parquet", "lacks the year;"),
        ("synthetic://green_tripdata_2021-01.parquet", "lacks the month and the year"),
        ("https://host/{year}-{month:02d}-{borough}", "braces"),
        ("https://host/{year}-{month:02d", "braces"),
        ("https://host/{year}-{month:02d}}", "braces"),
        ("https://host/{year}-{month:02d}-{}", "braces"),
        ("https://host/{year}-{month:x!}", "braces"),
        ("https://host/{year.real}-{month:02d}", "braces"),
        ("https://host/{taxi:02d}-{year}-{month:02d}", "braces"),
        ("htps://host/{year}-{month:02d}", "no protocol htps"),
        ("simplecache::htps://host/{year}-{month:02d}", "no protocol htps"),
    ],
)
def test_a_template_that_cannot_name_each_month_is_refused(template, says):
    with pytest.raises(InvalidConfig, match=r"^\[source\] url ") as caught:
        sources.check_template(template)
    assert says in str(caught.value)
    assert_one_line(str(caught.value))


def test_a_protocol_whose_package_is_missing_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(InvalidConfig, match=r"^\[source\] url .* pip install gcsfs$"):
        sources.check_template("gs://bucket/{year}-{month:02d}.parquet")


@brief
@given(st.text(alphabet="{}taxiyearmonth:02d./?", max_size=40))
def test_a_template_that_passes_can_be_filled(text):
    template = f"https://host/{text}"
    with contextlib.suppress(InvalidConfig):
        sources.check_template(template)
        sources.month_url(template, "green", Month(2021, 1))


def test_a_usual_template_is_checked_without_fsspec(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setitem(sys.modules, "fsspec.registry", None)
    for template in (
        sources.DEFAULT_URL,
        "synthetic://",
        "file:///{year}-{month}",
        "{year}{month}",
    ):
        sources.check_template(template)


def test_importing_the_module_imports_nothing_slow():
    with open(sources.__file__, "rb") as file:  # noqa: PTH123
        statements = ast.parse(file.read()).body
    imported = {node.module for node in statements if isinstance(node, ast.ImportFrom)}
    imported |= {
        name.name for node in statements if isinstance(node, ast.Import) for name in node.names
    }
    top = {name.partition(".")[0] for name in imported}
    assert not top & {"fsspec", "tenacity", "pyarrow", "tqdm", "aiohttp", "pandas", "luigi"}


@pytest.mark.parametrize("taxi", ["green", "yellow"])
def test_the_first_month_can_be_had_and_the_one_before_cannot(taxi):
    first = sources.FIRST_MONTHS[taxi]
    sources.check_month(taxi, first)
    with pytest.raises(MonthNotPublished, match=f"^{taxi} .*choose {first} or a later") as caught:
        sources.check_month(taxi, first - 1)
    assert_one_line(str(caught.value))


# --- what has arrived -------------------------------------------------------------------------


def check(path, content):
    path.write_bytes(content)
    return sources.check_file(
        path, label=LABEL, url=f"https://u:{HIDDEN}@host/{NAME}?sig={HIDDEN}", required=REQUIRED
    )


def test_a_whole_file_is_accepted_with_its_number_of_rows(destination):
    assert check(destination, CONTENT) == 1000


def test_only_the_ends_of_a_file_are_read(destination):
    footer = 4 + 4 + int.from_bytes(CONTENT[-8:-4], "little")
    assert (
        check(destination, b"PAR1".ljust(len(CONTENT) - footer, b"\0") + CONTENT[-footer:]) == 1000
    )


OLD = {"lpep_pickup_datetime": [1], "Pickup_longitude": [-73.9], "Pickup_latitude": [40.7]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n<!DOCTYPE html><html></html>", "is an HTML page instead of a parquet file"),
        (b"\xef\xbb\xbf<HTML></HTML>", "is an HTML page instead of a parquet file"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "is an XML document"),
        (b'{"error": "not found"}', "is a JSON document"),
        (b"VendorID,lpep_pickup\n1,2\n", "is something that begins with b'VendorID'"),
        (b"P", "is something that begins with b'P'"),
        (b"PAR1", "is a damaged parquet file"),
        (b"PAR1" * 2, "is a damaged parquet file"),
        (CONTENT[:500], "is truncated"),
        (CONTENT[:-1], "is truncated"),
        (CONTENT[:-9] + b"\xff" + CONTENT[-8:], "is a damaged parquet file"),
        (parquet(lpep_pickup_datetime=[1]), "has no column PULocationID;"),
        (parquet(other=[1]), "has no column lpep_pickup_datetime, PULocationID;"),
        (parquet(**OLD), "has no column PULocationID, but coordinates"),
        (parquet(rows=0), "has no rows"),
    ],
)
def test_a_file_that_is_of_no_use_is_named_for_what_it_is(destination, content, says):
    with pytest.raises(InvalidTripFile) as caught:
        check(destination, content)
    text = str(caught.value)
    assert text.startswith(f"{LABEL}: https://***@host/{NAME}?*** {says}")
    assert HIDDEN not in "".join(traceback.format_exception(caught.value))
    assert_one_line(text)


def test_a_page_in_place_of_a_file_is_found_when_it_is_checked(server, destination):
    server.answers = [page]
    fetch(server.url, destination)
    with pytest.raises(InvalidTripFile, match="an HTML page"):
        sources.check_file(destination, label=LABEL, url=server.url, required=REQUIRED)


@brief
@given(st.binary(max_size=600), st.binary(max_size=20))
def test_any_bytes_are_refused_in_one_line(tmp_path_factory, begin, end):
    path = tmp_path_factory.mktemp("bytes") / "trips.parquet"
    for content in (begin, b"PAR1" + begin + end + b"PAR1"):
        with pytest.raises(InvalidTripFile) as caught:
            check(path, content)
        assert_one_line(str(caught.value))
