"""How a month's file arrives, checked against real servers and files on this machine."""

import multiprocessing

import fsspec
import pytest
from trip_files import check
from trip_source import (
    CONTENT,
    NAME,
    Broken,
    chunked,
    failure,
    fetch,
    good,
    gzipped,
    silent,
    status,
    without_length,
)

from taxi_pipeline.errors import MonthNotPublished
from taxi_pipeline.month import Month
from taxi_pipeline.trips.urls import month_url

pytestmark = pytest.mark.usefixtures("short_waits", "broken")


@pytest.mark.parametrize("answer", [good, without_length, chunked, gzipped])
def test_a_file_arrives_over_http_however_its_length_is_told(server, destination, answer):
    server.answers = [answer]
    fetch(server.url, destination, attempts=1)
    assert destination.read_bytes() == CONTENT


def test_a_file_arrives_from_a_plain_path_and_from_a_file_url(tmp_path, destination):
    published = tmp_path / NAME
    published.write_bytes(CONTENT)
    for url in (str(published), f"file://{published}"):
        fetch(url, destination)
        assert destination.read_bytes() == CONTENT
        destination.unlink()


def test_a_file_arrives_from_a_store_that_fsspec_knows(destination):
    fsspec.filesystem("memory").pipe(f"/bucket/{NAME}", CONTENT)
    seen = []
    fetch(f"memory://bucket/{NAME}", str(destination), progress=lambda *told: seen.append(told))
    assert destination.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_synthetic_month_arrives_and_is_a_whole_trip_file(destination):
    url = month_url("synthetic://?rows=1000&seed=7", "green", Month(2021, 1))
    seen = []
    fetch(url, destination, progress=lambda *told: seen.append(told))
    assert check(destination, destination.read_bytes(), url=url).rows == 1000
    assert seen[-1] == (1000, 1000)


def test_a_synthetic_month_after_the_last_is_not_published(destination):
    url = month_url("synthetic://?rows=1000&last=2020-12", "green", Month(2021, 1))
    assert "no such file" in failure(url, destination, MonthNotPublished)


def test_a_wrong_synthetic_query_is_said(destination):
    url = month_url("synthetic://?rows=many", "green", Month(2021, 1))
    assert "rows" in failure(url, destination)


def test_the_user_and_password_of_a_url_reach_the_server(server, destination):
    server.answers = [good]
    fetch(server.secret_url(), destination)
    assert server.requests[0]["Authorization"].startswith("Basic ")


def test_options_of_the_user_are_added_to_those_of_the_fetch(server, destination):
    server.answers = [silent, good]
    options = {"client_kwargs": {"headers": {"X-Key": "value"}}}
    fetch(server.url, destination, timeout=0.2, options=options)
    assert server.requests[1]["X-Key"] == "value"


def test_a_proxy_from_the_environment_is_used(server, destination, monkeypatch):
    server.answers = [good]
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    fetch(f"http://nowhere.invalid/{NAME}", destination, attempts=1)
    assert server.requests[0]["Host"] == "nowhere.invalid"


def test_a_forked_process_can_fetch_after_its_parent_has(server, destination, tmp_path):
    server.answers = [good]
    fetch(server.url, destination)
    other = tmp_path / "other.parquet"
    child = multiprocessing.get_context("fork").Process(target=fetch, args=(server.url, other))
    child.start()
    child.join(10)
    if child.is_alive():
        child.kill()
    assert child.exitcode == 0
    assert other.read_bytes() == CONTENT


def test_an_interrupted_fetch_leaves_nothing(destination, monkeypatch):
    monkeypatch.setattr(Broken, "failure", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        fetch(f"broken://bucket/{NAME}", destination)
    assert not destination.exists()


# --- what is seen meanwhile -------------------------------------------------------------------


def test_progress_counts_up_to_the_announced_length(server, destination):
    server.answers = [status(503), good]
    seen = []
    fetch(server.url, destination, progress=lambda *told: seen.append(told))
    done = [arrived for arrived, _ in seen]
    assert done == sorted(done)
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert {total for _, total in seen} == {len(CONTENT)}


def test_progress_has_no_total_where_none_is_announced(server, destination):
    server.answers = [chunked]
    seen = []
    fetch(server.url, destination, progress=lambda *told: seen.append(told))
    assert seen[-1] == (len(CONTENT), None)
