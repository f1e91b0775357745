"""Web servers of a test's own, on loopback, that end with the block."""

import contextlib
import threading
from http.server import ThreadingHTTPServer


class QuietHandler:
    """Comes before the handler of http.server that a class is made from; says nothing."""

    def log_message(self, *_):
        pass


class LoopbackServer(ThreadingHTTPServer):
    """A server at a free port; `closing` is set once the test is over, for answers that hang."""

    daemon_threads = True

    def __init__(self, handler):
        super().__init__(("127.0.0.1", 0), handler)
        self.closing = threading.Event()

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.server_port}"


@contextlib.contextmanager
def serving(server):
    """A server that answers, in a thread of its own, until the block ends."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join(5)
