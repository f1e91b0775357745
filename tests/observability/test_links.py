import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from taxi_pipeline import redaction
from taxi_pipeline.observability import links

LOG = "transform/green/2021-01/logs/1.log"


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.server.asked.append(self.path)
        if self.server.silent:
            self.server.closing.wait(5)
            return
        self.send_response(200 if self.path in self.server.shown else 404)
        self.end_headers()

    def log_message(self, *args):
        """Say nothing."""


class Scheduler(ThreadingHTTPServer):
    """Shows some files, and remembers what it was asked for."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.shown, self.silent = [], set(), False
        self.closing = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"


@pytest.fixture(autouse=True)
def nothing_asked(luigi_config, monkeypatch):
    """No scheduler is named and nothing is known of any."""
    monkeypatch.setattr(links, "_scheduler", "")
    monkeypatch.setattr(links, "_shown", {})
    monkeypatch.setattr(redaction, "_secrets", set())


@pytest.fixture
def scheduler():
    with Scheduler() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.closing.set()
        running.shutdown()
        thread.join(5)


def test_without_a_scheduler_there_is_no_browser_url():
    assert links.browser_url(LOG) == ""


@pytest.mark.parametrize("slash", ["", "/"])
def test_what_the_scheduler_shows_has_its_url_there(scheduler, slash):
    scheduler.shown.add(f"/files/{LOG}")
    links.set_scheduler_url(scheduler.url + slash)
    assert links.browser_url(LOG) == f"{scheduler.url}/files/{LOG}"


def test_a_scheduler_is_asked_once_for_all(scheduler):
    scheduler.shown.add(f"/files/{LOG}")
    links.set_scheduler_url(scheduler.url)
    assert links.browser_url(LOG)
    assert links.browser_url("train/green/") == f"{scheduler.url}/files/train/green/"
    assert scheduler.asked == [f"/files/{LOG}"]


def test_a_scheduler_that_shows_another_folder_gives_no_url(scheduler):
    links.set_scheduler_url(scheduler.url)
    assert [links.browser_url(LOG), links.browser_url(LOG)] == ["", ""]
    assert len(scheduler.asked) == 1


def test_another_root_or_another_scheduler_is_asked_anew(scheduler, luigi_config):
    links.set_scheduler_url(scheduler.url)
    assert links.browser_url(LOG) == ""
    scheduler.shown.add(f"/files/{LOG}")
    luigi_config("storage", "root", "elsewhere")
    assert links.browser_url(LOG)
    links.set_scheduler_url(scheduler.url.replace("127.0.0.1", "localhost"))
    assert links.browser_url(LOG)
    assert len(scheduler.asked) == 3


def test_a_scheduler_that_is_gone_or_hangs_gives_no_url(scheduler, monkeypatch):
    monkeypatch.setattr(links, "TIMEOUT_SECONDS", 0.2)
    links.set_scheduler_url("http://127.0.0.1:1")
    assert links.browser_url(LOG) == ""
    scheduler.silent = True
    links.set_scheduler_url(scheduler.url)
    began = time.monotonic()
    assert links.browser_url(LOG) == ""
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "url", ["https://files.example.org/taxi", "https://files.example.org/taxi/"]
)
def test_a_configured_url_is_used_unasked(scheduler, luigi_config, url):
    luigi_config("storage", "url", url)
    links.set_scheduler_url(scheduler.url)
    assert links.browser_url(LOG) == f"https://files.example.org/taxi/{LOG}"
    assert scheduler.asked == []


def test_a_browser_url_names_no_user_of_the_scheduler(scheduler):
    scheduler.shown.add(f"/files/{LOG}")
    links.set_scheduler_url(scheduler.url.replace("//", "//user:hunter2222@"))
    assert links.browser_url(LOG) == f"{scheduler.url}/files/{LOG}"
    assert redaction.redact("hunter2222") == redaction.MASK


def test_a_browser_url_names_no_user_of_the_configured_url(luigi_config):
    luigi_config("storage", "url", "https://user:hunter2222@files.example.org")
    assert links.browser_url(LOG) == f"https://files.example.org/{LOG}"
