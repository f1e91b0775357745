"""A network between two processes that can be cut: a TCP proxy on loopback."""

import contextlib
import socket
import threading


class Proxy:
    """Passes on what comes to its port, until it is cut."""

    def __init__(self, port):
        self._upstream = port
        self._is_cut = threading.Event()
        self._connections = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.refused = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @contextlib.contextmanager
    def cut(self):
        """Within, connections are lost, and no new one is made."""
        self._is_cut.set()
        for connection in list(self._connections):
            _end(connection)
        try:
            yield
        finally:
            self._is_cut.clear()

    def close(self):
        self._listening.close()
        for connection in list(self._connections):
            _end(connection)

    def _accept(self):
        with contextlib.suppress(OSError):  # it was closed
            while True:
                client, _ = self._listening.accept()
                if self._is_cut.is_set():
                    self.refused += 1
                    client.close()
                    continue
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self._upstream), timeout=10)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        self._connections |= {client, server}
        threading.Thread(target=self._pass_on, args=(server, client), daemon=True).start()
        self._pass_on(client, server)

    def _pass_on(self, source, target):
        with contextlib.suppress(OSError):  # either side has ended, or the network was cut
            while data := source.recv(65536):
                target.sendall(data)
        for connection in (source, target):
            _end(connection)
            self._connections.discard(connection)


def _end(connection):
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextlib.contextmanager
def proxy(port):
    """A running proxy to a port of this machine."""
    running = Proxy(port)
    try:
        yield running
    finally:
        running.close()
