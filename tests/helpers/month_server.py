"""A web server with the months of a folder: with validators or without, and with errors."""

import hashlib
from functools import partial
from http.server import SimpleHTTPRequestHandler

from http_servers import LoopbackServer, QuietHandler

from taxi_pipeline.trips.synthetic import month as synthetic


class MonthServer(LoopbackServer):
    """Serves the months that are published in a folder, and keeps what it was asked.

    Attributes:
        asked: command and month of each request.
        statuses: errors by which a file is answered, by its month.
        etags: entity tags in place of those of the content, by month.
        withheld: names of headers that are not sent.
        barrier: for requests that are answered only once as many have come.
    """

    def __init__(self, folder):
        super().__init__(partial(Handler, directory=folder))
        self.folder = folder
        self.asked, self.statuses, self.etags = [], {}, {}
        self.withheld, self.refuses_head, self.barrier = set(), 0, None
        self.template = f"{self.base_url}/{{taxi}}_tripdata_{{year}}-{{month:02d}}.parquet"

    def path(self, month):
        return self.folder / f"green_tripdata_{month}.parquet"

    def publish(self, month, rows=1000, seed=0):
        synthetic.write_month(self.path(month), "green", month, rows=rows, seed=seed)

    def fetched(self):
        return sorted({month for command, month in self.asked if command == "GET"})

    def secret_template(self, secret):
        template = self.template.replace("//", f"//user:{secret}@")
        return f"{template}?X-Amz-Signature={secret}"


class Handler(QuietHandler, SimpleHTTPRequestHandler):
    def send_head(self):
        server, month = self.server, self._month()
        server.asked.append((self.command, month))
        if server.barrier is not None:
            server.barrier.wait()
        status = server.refuses_head if self.command == "HEAD" else 0
        if status := status or server.statuses.get(month, 0):
            self.send_error(status)
            return None
        return super().send_head()

    def _month(self):
        return self.path.partition("?")[0][-15:-8]

    def send_header(self, keyword, value):
        if keyword not in self.server.withheld:
            super().send_header(keyword, value)

    def end_headers(self):
        path = self.server.path(self._month())
        if path.exists():
            content = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            self.send_header("ETag", self.server.etags.get(self._month(), f'"{content}"'))
        super().end_headers()
