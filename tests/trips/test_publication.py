"""Whether a month is published, asked of real servers and files on this machine."""

import socket
import time
import urllib.request
import zipfile
from base64 import b64decode
from datetime import UTC, datetime
from urllib.parse import quote

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from processes import python
from trip_source import (
    CONTENT,
    HIDDEN,
    LABEL,
    NAME,
    another_server,
    assert_one_line,
    good,
    hanging_up,
    redirection,
    silent,
    status,
)

from taxi_pipeline.month import Month
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.trips.publication import ask, not_published
from taxi_pipeline.trips.urls import month_url

ascii_texts = st.text(st.characters(min_codepoint=32, max_codepoint=126))


def counts_as_published(url, timeout=5.0):
    return ask(url, timeout=timeout).published is not False


@pytest.mark.parametrize("code", [403, 404, 410])
def test_what_the_source_denies_is_not_published(server, code):
    server.answers = [status(code)]
    assert not counts_as_published(server.secret_url())


@pytest.mark.parametrize("code", [200, 204, 400, 401, 405, 429, 500, 503])
def test_what_the_source_does_not_deny_counts_as_published(server, code):
    server.answers = [status(code)]
    assert counts_as_published(server.secret_url())


@pytest.mark.parametrize("answer", [hanging_up, lambda handler: handler.wfile.write(b"nonsense\n")])
def test_a_source_that_does_not_answer_counts_as_one_that_has_it(server, answer):
    server.answers = [answer]
    assert counts_as_published(server.url)


def test_a_source_that_is_not_there_counts_as_one_that_has_it():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert counts_as_published(f"http://127.0.0.1:{port}/{NAME}")


def test_a_server_that_has_no_answer_to_head_is_asked_for_the_file(server):
    server.answers = [status(404), good]
    assert ask(server.url, timeout=5).published is True
    assert server.commands == ["HEAD", "GET"]


def test_a_source_that_hangs_is_not_waited_for(server):
    server.answers = [silent]
    began = time.monotonic()
    assert counts_as_published(server.url, timeout=0.2)
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
    assert counts_as_published(url)


def test_only_the_head_of_a_file_is_asked_for(server):
    server.answers = [good]
    assert counts_as_published(server.url)
    assert server.commands == ["HEAD"]


@given(ascii_texts.filter(lambda user: user and ":" not in user), ascii_texts)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_user_and_password_are_sent_as_they_are(server, user, password):
    server.answers, server.requests = [status(200)], []
    signed = f"//{quote(user, safe='')}:{quote(password, safe='')}@"
    assert counts_as_published(server.url.replace("//", signed))
    (asked,) = server.requests
    kind, _, sent = asked["Authorization"].partition(" ")
    assert (kind, b64decode(sent).decode()) == ("Basic", f"{user}:{password}")
    assert "@" not in asked["Host"]


def test_without_a_user_none_is_sent(server):
    server.answers = [status(200)]
    assert counts_as_published(server.url)
    assert "Authorization" not in server.requests[0]


def test_a_redirection_is_followed(server):
    server.answers = [redirection("/elsewhere"), status(410)]
    assert not counts_as_published(server.url)
    assert len(server.requests) == 2


def test_user_and_password_are_not_sent_to_another_server_that_is_named(server):
    with another_server() as other:
        other.answers = [status(200)]
        server.answers = [redirection(other.url.replace("127.0.0.1", "localhost"))]
        assert counts_as_published(server.secret_url())
        assert "Authorization" not in other.requests[0]


def test_a_proxy_from_the_environment_is_asked(server, monkeypatch):
    server.answers = [status(404)]
    monkeypatch.setattr(urllib.request, "_opener", None)  # which has read the environment
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert not counts_as_published(f"http://nowhere.invalid/{NAME}")
    assert server.requests[0]["Host"] == "nowhere.invalid"


@pytest.mark.parametrize("scheme", ["", "file://", "memory://"])
def test_a_file_is_published_where_it_is(tmp_path, scheme):
    url = f"{scheme}{tmp_path}/{NAME}"
    assert not counts_as_published(url)
    with fsspec.open(url, "wb") as file:
        file.write(CONTENT)
    assert counts_as_published(url)


@pytest.mark.parametrize(("last", "published"), [("", True), ("2021-01", True), ("2020-12", False)])
def test_a_synthetic_month_is_published_up_to_the_last(last, published):
    template = f"synthetic://?rows=1000&last={last}" if last else "synthetic://"
    url = month_url(template, "green", Month(2021, 1))
    assert counts_as_published(url) == published


def test_a_wrong_synthetic_query_is_left_to_the_fetch():
    assert counts_as_published(month_url("synthetic://?rows=many", "green", Month(2021, 1)))


def test_a_store_that_cannot_be_asked_counts_as_one_that_has_it(monkeypatch):
    def refuse(*_arguments, **_options):
        raise PermissionError("AccessDenied")

    monkeypatch.setattr(MemoryFileSystem, "info", refuse)
    assert counts_as_published(f"memory://bucket/{NAME}")
    assert counts_as_published(f"soup://bucket/{NAME}")


def test_an_http_source_is_asked_without_what_is_slow_to_import(server, tmp_path):
    server.answers = [status(200)]
    program = (
        "import sys; from taxi_pipeline.trips.publication import ask\n"
        f"assert ask({server.url!r}, timeout=5).published\n"
        "print(sorted({'aiohttp', 'fsspec'} & set(sys.modules)))"
    )
    answer = python(tmp_path, "-c", program)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "[]"


# --- by what a file is recognised -------------------------------------------------------------


def test_a_server_gives_its_headers(server):
    def answer(handler):
        handler.begin(ETag='"a"', Last_Modified="Monday", Content_Length=len(CONTENT), X="y")

    server.answers = [answer]
    found = ask(server.secret_url(), timeout=5)
    expected = {"ETag": '"a"', "Last-Modified": "Monday", "Content-Length": len(CONTENT)}
    assert (found.published, found.validators, found.problem) == (True, expected, "")


@pytest.mark.parametrize(
    ("answer", "published", "problem", "is_silent"),
    [
        (status(404), False, "HTTP 404 Not Found", False),
        (status(503), None, "HTTP 503 Service Unavailable", False),
        (status(599), None, "HTTP 599", False),
        (hanging_up, None, "the connection failed", True),
    ],
    ids=["denied", "busy", "unknown", "gone"],
)
def test_why_a_server_offers_nothing_is_told(server, answer, published, problem, is_silent):
    server.answers = [answer]
    found = ask(server.secret_url(), timeout=5)
    assert (found.published, found.problem, found.is_silent) == (published, problem, is_silent)
    assert found.validators == {}


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_file_is_recognised_by_time_and_size_without_what_is_slow_to_import(tmp_path, prefix):
    path = tmp_path / NAME
    path.write_bytes(CONTENT)
    program = (
        "import sys; from taxi_pipeline.trips.publication import ask\n"
        f"print(*ask({f'{prefix}{path}'!r}, timeout=5).validators.values())\n"
        "assert 'fsspec' not in sys.modules"
    )
    answer = python(tmp_path, "-c", program)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == [str(path.stat().st_mtime_ns), str(len(CONTENT))]


def test_a_file_that_is_named_from_home_or_relatively_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / NAME).write_bytes(CONTENT)
    assert ask(f"~/{NAME}", timeout=5).published
    assert ask(NAME, timeout=5).published
    assert ask(f"{NAME}/below", timeout=5).published is False


def test_an_object_of_a_store_is_recognised_when_it_is_written_again(monkeypatch):
    url = f"memory://bucket/{NAME}"
    seen = []
    for content in (b"one", b"two", None):
        if content:
            fsspec.filesystem("memory").pipe(f"/bucket/{NAME}", content)
        seen.append(ask(url, timeout=5).validators)
    assert seen[0] != seen[1] == seen[2]
    assert seen[0]["size"] == seen[1]["size"] == 3


def test_a_file_in_an_archive_is_recognised(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr(NAME, CONTENT)
    found = ask(f"zip://{NAME}::file://{tmp_path}/all.zip", timeout=5)
    assert found.published
    assert found.validators.keys() == {"size", "ukey"}
    assert ask(f"zip://other::file://{tmp_path}/all.zip", timeout=5).published is False


def test_a_store_says_more_than_the_size_where_it_can(monkeypatch):
    info = {
        "name": NAME,
        "size": 3,
        "ETag": '"a"',
        "LastModified": datetime(2021, 1, 2, tzinfo=UTC),
    }
    monkeypatch.setattr(MemoryFileSystem, "info", lambda *_arguments, **_options: info)
    found = ask(f"memory://bucket/{NAME}", timeout=5)
    expected = {"ETag": '"a"', "LastModified": "2021-01-02T00:00:00+00:00", "size": 3}
    assert found.validators == expected


def test_the_synthetic_city_gives_nothing_to_compare():
    found = ask(month_url("synthetic://", "green", Month(2021, 1)), timeout=5)
    assert (found.published, found.validators) == (True, {})


def test_an_answer_is_as_old_as_the_question(server):
    server.answers = [status(200)]
    before = datetime.now(UTC)
    assert before <= ask(server.url, timeout=5).asked <= datetime.now(UTC)


def test_an_error_of_a_store_is_told_by_its_kind_alone(monkeypatch):
    def refuse(*_arguments, **_options):
        raise PermissionError(f"AccessDenied for {HIDDEN}")

    monkeypatch.setattr(MemoryFileSystem, "info", refuse)
    found = ask(f"memory://bucket/{NAME}", timeout=5)
    assert (found.published, found.problem) == (None, "PermissionError")


def test_the_line_for_an_unpublished_month_names_month_and_place_but_no_secret(server):
    line = not_published(LABEL, server.secret_url())
    assert_one_line(line)
    place = redact_url(server.secret_url())
    assert line.startswith(f"{LABEL}: not published yet at {place}, or refused; ")
    assert "refused" not in not_published(LABEL, "file:///data/2021-01.parquet")
    assert HIDDEN not in line
    for told in ("two months late", "evaluation month", "check `url`"):
        assert told in line
