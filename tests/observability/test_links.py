import multiprocessing
import time
from http.server import BaseHTTPRequestHandler

import pytest
from http_servers import LoopbackServer, QuietHandler, serving

from taxi_pipeline import redaction
from taxi_pipeline.observability import links
from taxi_pipeline.observability.links import BrowserLinks

LOG = "transform/green/2021-01/logs/1.log"


class Handler(QuietHandler, BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.server.asked.append(self.path)
        if self.server.silent:
            self.server.closing.wait(5)
            return
        self.send_response(200 if self.path in self.server.shown else 404)
        self.end_headers()


class Scheduler(LoopbackServer):
    """Shows some files, and remembers what it was asked for."""

    def __init__(self):
        super().__init__(Handler)
        self.asked, self.shown, self.silent = [], set(), False


@pytest.fixture(autouse=True)
def no_secrets(luigi_config, monkeypatch):
    """No secrets are known."""
    monkeypatch.setattr(redaction, "_secrets", set())


@pytest.fixture
def scheduler():
    with serving(Scheduler()) as running:
        yield running


def test_without_a_scheduler_there_is_no_browser_url():
    assert BrowserLinks().browser_url(LOG) == ""


@pytest.mark.parametrize("slash", ["", "/"])
def test_what_the_scheduler_shows_has_its_url_there(scheduler, slash):
    scheduler.shown.add(f"/files/{LOG}")
    of_run = BrowserLinks(scheduler.base_url + slash)
    assert of_run.browser_url(LOG) == f"{scheduler.base_url}/files/{LOG}"


def test_a_scheduler_is_asked_once_for_all(scheduler):
    scheduler.shown.add(f"/files/{LOG}")
    of_run = BrowserLinks(scheduler.base_url)
    assert of_run.browser_url(LOG)
    assert of_run.browser_url("train/green/") == f"{scheduler.base_url}/files/train/green/"
    assert scheduler.asked == [f"/files/{LOG}"]


def test_a_scheduler_that_shows_another_folder_gives_no_url(scheduler):
    of_run = BrowserLinks(scheduler.base_url)
    assert [of_run.browser_url(LOG), of_run.browser_url(LOG)] == ["", ""]
    assert len(scheduler.asked) == 1


def test_of_another_root_a_scheduler_is_asked_anew(scheduler, luigi_config):
    of_run = BrowserLinks(scheduler.base_url)
    assert of_run.browser_url(LOG) == ""
    scheduler.shown.add(f"/files/{LOG}")
    luigi_config("storage", "root", "elsewhere")
    assert of_run.browser_url(LOG)
    assert len(scheduler.asked) == 2


def test_another_run_asks_its_own_scheduler(scheduler):
    earlier = BrowserLinks(scheduler.base_url)
    assert earlier.browser_url(LOG) == ""
    scheduler.shown.add(f"/files/{LOG}")
    other = scheduler.base_url.replace("127.0.0.1", "localhost")
    assert BrowserLinks(other).browser_url(LOG) == f"{other}/files/{LOG}"
    assert [BrowserLinks().browser_url(LOG), earlier.browser_url(LOG)] == ["", ""]
    assert len(scheduler.asked) == 2


def test_links_can_be_sent_to_another_process(scheduler):
    scheduler.shown.add(f"/files/{LOG}")
    of_run = BrowserLinks(scheduler.base_url)
    url = of_run.browser_url(LOG)
    here, there = multiprocessing.Pipe()
    here.send(of_run)
    assert there.recv().browser_url(LOG) == url
    assert len(scheduler.asked) == 1


def test_a_scheduler_that_is_gone_gives_no_url():
    assert BrowserLinks("http://127.0.0.1:1").browser_url(LOG) == ""


def test_a_scheduler_that_hangs_gives_no_url(scheduler, monkeypatch):
    monkeypatch.setattr(links, "TIMEOUT_SECONDS", 0.2)
    scheduler.silent = True
    began = time.monotonic()
    assert BrowserLinks(scheduler.base_url).browser_url(LOG) == ""
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "url", ["https://files.example.org/taxi", "https://files.example.org/taxi/"]
)
def test_a_configured_url_is_used_unasked(scheduler, luigi_config, url):
    luigi_config("storage", "url", url)
    url = BrowserLinks(scheduler.base_url).browser_url(LOG)
    assert url == f"https://files.example.org/taxi/{LOG}"
    assert scheduler.asked == []


def test_a_browser_url_names_no_user_of_the_scheduler(scheduler):
    scheduler.shown.add(f"/files/{LOG}")
    of_run = BrowserLinks(scheduler.base_url.replace("//", "//user:hunter2222@"))
    assert of_run.browser_url(LOG) == f"{scheduler.base_url}/files/{LOG}"
    assert redaction.redact("hunter2222") == redaction.MASK


def test_a_browser_url_names_no_user_of_the_configured_url(luigi_config):
    luigi_config("storage", "url", "https://user:hunter2222@files.example.org")
    assert BrowserLinks().browser_url(LOG) == f"https://files.example.org/{LOG}"
