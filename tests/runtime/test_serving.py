"""The server follows the champion, and keeps answering where it cannot."""

import socket

import pytest

from taxi_pipeline.errors import InvalidParameter, InvalidTraining, TrackingError
from taxi_pipeline.runtime import serving
from taxi_pipeline.runtime.serving import Follower

NAME = "nyc-green-taxi-duration-linear"


class Processes:
    """Processes that answer, as the tests have them be."""

    broken = frozenset()
    started = None  # a list, for each test its own

    def __init__(self, _server, _name, version, _folder, **_options):
        self.version, self.all_run = version, False

    def start(self, _listening):
        self.started.append(self.version)
        if self.version in self.broken:
            raise InvalidTraining(f"version {self.version} does not load")
        self.all_run = True

    def end(self):
        self.started.append(f"end {self.version}")


@pytest.fixture
def champion(monkeypatch):
    """Who is champion: a dictionary whose entry the tests change; an error is raised."""
    now = {"version": "1"}

    def wanted(_follower):
        if isinstance(now["version"], Exception):
            raise now["version"]
        return now["version"]

    monkeypatch.setattr(Follower, "_wanted", wanted)
    return now


@pytest.fixture
def follower(monkeypatch, champion, luigi_config):
    monkeypatch.setattr("taxi_pipeline.tracking.scoring.ScoringProcesses", Processes)
    monkeypatch.setattr(Processes, "started", [])
    with socket.socket() as listening:
        follower = Follower(NAME, listening)
        yield follower
        follower.end()


def test_the_next_champion_answers_before_the_one_before_it_ends(follower, champion):
    follower.look()
    follower.look()
    champion["version"] = "2"
    follower.look()
    assert Processes.started == ["1", "2", "end 1"]


def test_the_first_version_must_load(follower, monkeypatch):
    monkeypatch.setattr(Processes, "broken", {"1"})
    with pytest.raises(InvalidTraining, match="version 1 does not load"):
        follower.look()


def test_a_version_that_does_not_load_is_told_once_and_tried_again_later(
    follower, champion, monkeypatch, caplog
):
    follower.look()
    champion["version"] = "2"
    monkeypatch.setattr(Processes, "broken", {"2"})
    follower.look()
    follower.look()
    assert caplog.text.count("version 2 does not load; version 1 goes on answering") == 1
    assert Processes.started == ["1", "2"]
    monkeypatch.setattr(Processes, "broken", frozenset())
    monkeypatch.setattr(serving, "RETRY_SECONDS", 0.0)
    follower.look()
    assert follower.version == "2"


def test_a_registry_that_is_away_is_told_once_each_time(follower, champion, caplog):
    follower.look()
    for _ in range(2):
        champion["version"] = TrackingError("the MLflow server cannot be reached")
        follower.look()
        follower.look()
        champion["version"] = "1"
        follower.look()
    assert caplog.text.count("cannot be reached; version 1 goes on answering") == 2


def test_processes_that_end_again_and_again_end_the_server(follower):
    follower.look()
    for _ in range(serving.MAX_RESTARTS):
        follower._processes.all_run = False
        follower.look()
    follower._processes.all_run = False
    with pytest.raises(InvalidParameter, match="end as soon as they are started"):
        follower.look()
