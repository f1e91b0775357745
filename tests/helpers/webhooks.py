"""A webhook that keeps what it is told."""

import contextlib
import json
from http.server import BaseHTTPRequestHandler

from http_servers import LoopbackServer, QuietHandler, serving


class _Answer(QuietHandler, BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.texts.append(json.loads(body)["text"])
        self.send_response(200)
        self.end_headers()


@contextlib.contextmanager
def webhook():
    """A server with the ``texts`` that were posted to it."""
    server = LoopbackServer(_Answer)
    server.texts = []
    with serving(server):
        yield server
