"""The status of a file, asked of real servers on this machine."""

import socket
import time
from http.server import BaseHTTPRequestHandler

import pytest
from http_servers import LoopbackServer, QuietHandler, serving

from taxi_pipeline.http import http_status


class Server(LoopbackServer):
    """Does with each request what `answer` does; keeps what it was asked."""

    def __init__(self):
        super().__init__(Handler)
        self.answer, self.asked = None, []
        self.url = f"{self.base_url}/file"


class Handler(QuietHandler, BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.server.asked.append((self.command, self.path))
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
