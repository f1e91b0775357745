"""JSON that is written once, by whoever is first."""

import errno
import os
import threading
from pathlib import Path

import pytest
from outputs import HOME, at_once, everything

from taxi_pipeline import storage
from taxi_pipeline.errors import StorageError

TRIAL = f"{HOME}/trials/00001.json"


@pytest.fixture
def without_links(local, monkeypatch):
    """A local storage on a file system that knows no hard links."""

    def refuse(*_arguments):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    monkeypatch.setattr(os, "link", refuse)
    return local


@pytest.fixture
def atomic(remote, monkeypatch):
    """A remote storage that creates a file in one step, as object stores do; memory has two."""
    lock, pipe_file = threading.Lock(), remote._files.pipe_file

    def pipe(*arguments, **options):
        with lock:
            pipe_file(*arguments, **options)

    monkeypatch.setattr(remote._files, "pipe_file", pipe)
    return remote


@pytest.fixture(params=["local", "without_links", "atomic"])
def creating(request):
    """A storage of each kind that creates a file in its own way."""
    return request.getfixturevalue(request.param)


def create_at_once(kept, *contents):
    """Create one file from as many threads, none of which writes before all are about to."""
    barrier, answers = threading.Barrier(len(contents)), {}

    class Last(dict):
        """A content that is ready when the others are."""

        def items(self):
            barrier.wait(10)
            return super().items()

    def create(number):
        answers[number] = kept.write_json_exclusive(TRIAL, Last(contents[number]))

    at_once(*(lambda number=number: create(number) for number in range(len(contents))))
    return [answers[number] for number in range(len(contents))]


def test_json_that_is_created_first_stays(creating):
    assert creating.write_json_exclusive(TRIAL, {"maker": "first"}) is True
    assert creating.write_json_exclusive(TRIAL, {"maker": "second"}) is False
    assert creating.read_json(TRIAL) == {"maker": "first"}
    assert {path.partition("/root/")[2] for path in everything(creating)} == {TRIAL}


def test_each_location_is_created_for_itself(creating):
    assert creating.write_json_exclusive(TRIAL, 1)
    assert creating.write_json_exclusive(f"{HOME}/trials/00002.json", 2)
    assert creating.read_json(f"{HOME}/trials/00002.json") == 2


def test_json_is_created_as_it_is_written(creating):
    content = {"b": [1, None], "a": "ü"}
    creating.write_json_exclusive(TRIAL, content)
    assert creating.local_path(TRIAL).read_text() == storage.to_json(content)


def test_created_json_can_be_written_over_on_purpose(creating):
    creating.write_json_exclusive(TRIAL, 1)
    creating.write_json(TRIAL, 2)
    assert creating.read_json(TRIAL) == 2


def test_what_is_no_json_is_not_created_and_leaves_nothing(creating):
    with pytest.raises((TypeError, StorageError), match="not JSON serializable"):
        creating.write_json_exclusive(TRIAL, {"a": object()})
    assert everything(creating) == []
    assert creating.write_json_exclusive(TRIAL, {"a": 1})


@pytest.mark.parametrize("kind", ["local", "atomic"])
@pytest.mark.parametrize("attempt", range(20))
def test_of_many_that_create_at_once_exactly_one_has_written_and_its_json_stays(
    request, kind, attempt
):
    kept = request.getfixturevalue(kind)
    contents = [{"maker": maker, "rows": ["x" * 50] * 50} for maker in range(6)]
    answers = create_at_once(kept, *contents)
    assert sorted(answers) == [False] * 5 + [True]
    assert kept.read_json(TRIAL) == contents[answers.index(True)]
    assert len(everything(kept)) == 1


@pytest.mark.parametrize("attempt", range(10))
def test_of_two_that_create_at_once_without_links_one_json_stays_whole(without_links, attempt):
    contents = [{"maker": maker, "rows": ["x" * 50] * 50} for maker in range(2)]
    answers = create_at_once(without_links, *contents)
    assert True in answers
    assert without_links.read_json(TRIAL) in contents
    assert len(everything(without_links)) == 1


def test_a_reader_sees_created_json_whole_or_not_at_all(creating):
    content = {"rows": ["x" * 50] * 20_000}
    locations = [f"{HOME}/trials/{number:05d}.json" for number in range(5)]
    seen, stop = [], threading.Event()

    def read():
        for location in locations:
            over, found = False, None
            while found is None and not over:
                over, found = stop.is_set(), creating.read_json(location)
            seen.append(found)

    def create():
        try:
            for location in locations:
                creating.write_json_exclusive(location, content)
        finally:
            stop.set()

    at_once(read, create)
    assert seen == [content] * 5


@pytest.mark.parametrize("refused", [FileExistsError, PermissionError])
def test_a_store_tells_itself_whether_json_was_there(remote, monkeypatch, refused):
    def refuse(*_arguments, mode, **_options):
        assert mode == "create"
        raise refused("AccessDenied")

    monkeypatch.setattr(remote._files, "pipe_file", refuse)
    if refused is FileExistsError:
        assert remote.write_json_exclusive(TRIAL, {}) is False
    else:
        with pytest.raises(StorageError, match=r"json cannot be written: PermissionError Access"):
            remote.write_json_exclusive(TRIAL, {})


def test_a_file_in_the_way_of_a_created_files_folder_is_one_line_that_names_it(local):
    local.write_json(HOME, {})
    with pytest.raises(StorageError) as raised:
        local.write_json_exclusive(TRIAL, {})
    line = str(raised.value)
    assert line.startswith(f"{local.uri(TRIAL)} cannot be written: ")
    assert "\n" not in line
