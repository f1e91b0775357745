"""A source of trips that can do everything wrong, and fetches from it."""

import gzip
import traceback
from http.server import BaseHTTPRequestHandler

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from http_servers import LoopbackServer, QuietHandler, serving
from trip_files import content, trips

from taxi_pipeline.errors import SourceError
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.trips import download

LABEL = "green 2021-01"
NAME = "green_tripdata_2021-01.parquet"
HIDDEN = "s3cr3t"


CONTENT = content(trips())


class Server(LoopbackServer):
    """Gives its answers one after the other, and the last of them from then on."""

    def __init__(self):
        super().__init__(Handler)
        self.answers = []
        self.requests = []
        self.commands = []

    @property
    def url(self):
        return f"{self.base_url}/{NAME}"

    def secret_url(self):
        return self.url.replace("//", f"//user:{HIDDEN}@") + f"?X-Amz-Signature={HIDDEN}"

    def handle_error(self, request, client_address):
        """A client that went away is no error of the test."""


class Handler(QuietHandler, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requests.append(self.headers)
        self.server.commands.append(self.command)
        answers = self.server.answers
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    do_HEAD = do_CONNECT = do_GET  # noqa: N815  (the last is what a proxy is asked)

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


def another_server():
    return serving(Server())


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


def fetch(url, destination, **kwargs):
    download.fetch(url, destination, **{"attempts": 3, "timeout": 5.0, "label": LABEL, **kwargs})


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
