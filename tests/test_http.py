"""The status of a file, asked of real servers on this machine."""

import socket
import time
from http.server import BaseHTTPRequestHandler

import pytest
from http_servers import LoopbackServer, QuietHandler, serving

from taxi_pipeline.http import RedirectRefused, check_redirect, http_answer, http_status


class Server(LoopbackServer):
    """Does with each request what `answer` does; keeps what it was asked."""

    def __init__(self):
        super().__init__(Handler)
        self.answer, self.asked, self.encodings = None, [], []
        self.url = f"{self.base_url}/file"


class Handler(QuietHandler, BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.server.asked.append((self.command, self.path))
        self.server.encodings.append(self.headers["Accept-Encoding"])
        self.server.answer(self)

    do_GET = do_HEAD  # noqa: N815  (http.server's names)


@pytest.fixture
def server():
    with serving(Server()) as running:
        yield running


def status(code, **headers):
    def answer(handler):
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()

    return answer


def hanging_up(handler):
    handler.close_connection = True


def nonsense(handler):
    handler.wfile.write(b"nonsense\n")


@pytest.mark.parametrize("code", [200, 204, 400, 401, 403, 404, 405, 410, 429, 500, 503])
def test_the_status_of_an_answer_is_told_and_nothing_is_fetched(server, code):
    server.answer = status(code)
    assert http_status(server.url, 5.0) == code
    assert server.asked == [("HEAD", "/file")]


def test_a_redirection_is_followed(server):
    def answer(handler):
        moved = status(302, Location="/moved")
        (moved if handler.path == "/file" else status(200))(handler)

    server.answer = answer
    assert http_status(server.url, 5.0) == 200
    assert server.asked == [("HEAD", "/file"), ("HEAD", "/moved")]


@pytest.mark.parametrize("answer", [hanging_up, nonsense])
def test_a_server_that_gives_no_answer_has_status_0(server, answer):
    server.answer = answer
    assert http_status(server.url, 5.0) == 0


def test_a_server_that_is_not_there_has_status_0():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert http_status(f"http://127.0.0.1:{port}/file", 5.0) == 0


def test_a_server_that_hangs_is_not_waited_for(server):
    server.answer = lambda handler: handler.server.closing.wait(5)
    began = time.monotonic()
    assert http_status(server.url, 0.2) == 0
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("url", ["http://", "http://[::1/file", "no URL", ""])
def test_what_is_no_url_has_status_0(url):
    assert http_status(url, 5.0) == 0


# --- what a server says -----------------------------------------------------------------------


def only(command, code, **headers):
    """An answer for this method; the other is refused with the code."""

    def answer(handler):
        (status(200, **headers) if handler.command == command else status(code))(handler)

    return answer


def test_the_headers_of_an_answer_are_told_for_the_file_as_it_is(server):
    server.answer = status(200, ETag='"a"')
    answer = http_answer(server.url, 5.0)
    assert (answer.status, answer.headers["etag"], answer.problem) == (200, '"a"', "")
    assert (server.asked, server.encodings) == ([("HEAD", "/file")], ["identity"])


@pytest.mark.parametrize("code", [400, 403, 404, 405, 501])
def test_where_head_is_refused_a_get_is_begun(server, code):
    server.answer = only("GET", code, ETag='"a"')
    answer = http_answer(server.url, 5.0)
    assert (answer.status, answer.headers["ETag"]) == (200, '"a"')
    assert server.asked == [("HEAD", "/file"), ("GET", "/file")]


def test_a_get_that_was_begun_is_not_waited_for(server):
    def answer(handler):
        only("GET", 405)(handler)
        if handler.command == "GET":
            handler.server.closing.wait(5)

    server.answer = answer
    began = time.monotonic()
    assert http_answer(server.url, 5.0).status == 200
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("code", [401, 410, 429, 500, 503])
def test_a_status_that_says_nothing_of_head_is_the_answer(server, code):
    server.answer = only("GET", code)
    assert http_answer(server.url, 5.0).status == code
    assert server.asked == [("HEAD", "/file")]


def test_why_there_is_no_answer_is_told_without_the_url(server):
    server.answer = lambda handler: handler.server.closing.wait(5)
    assert http_answer(server.url, 0.2).problem == "no answer within 0.2 s"
    server.answer = hanging_up
    assert http_answer(server.url, 5.0).problem == "the connection failed"
    assert http_answer("http://user:secret@[::1/file", 5.0).problem == (
        "the URL or the answer makes no sense"
    )


# --- redirections -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "location", ["/moved", "moved", "?a=b", "//other/file", "http://other/file", "https://other/"]
)
def test_a_redirection_on_the_web_is_allowed(location):
    check_redirect("http://host/file", location)


@pytest.mark.parametrize(
    ("url", "location", "says"),
    [
        ("https://host/file", "http://host/file", "redirects from https to http"),
        ("HTTPS://host/file", "HTTP://host/file", "redirects from https to http"),
        ("http://host/file", "file:///etc/passwd", "redirects to file:, which is not on the web"),
        ("https://host/file", "ftp://host/file", "redirects to ftp:"),
        ("https://host/file", "data:,hello", "redirects to data:"),
        ("https://host/file", "https://[::1/file", "redirects to what is no URL"),
    ],
)
def test_a_redirection_off_the_web_or_to_no_encryption_is_refused(url, location, says):
    with pytest.raises(RedirectRefused, match=says):
        check_redirect(url, location)


def test_a_refused_redirection_is_told_and_not_followed(server):
    server.answer = status(302, Location="file:///etc/passwd")
    answer = http_answer(server.url, 5.0)
    assert (answer.status, answer.problem) == (0, "it redirects to file:, which is not on the web")
    assert server.asked == [("HEAD", "/file")]


def test_a_redirection_without_end_ends(server):
    server.answer = status(302, Location="/file")
    answer = http_answer(server.url, 5.0)
    assert (answer.status, answer.problem) == (0, "it redirects without end")
    assert len(server.asked) == 11
