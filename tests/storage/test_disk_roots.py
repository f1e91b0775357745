"""Roots that are looked at before anything is written."""

import errno
import os

import pytest

from taxi_pipeline.storage import disk


def test_a_root_that_can_be_written_or_made_has_no_hindrance(tmp_path):
    assert disk.hindrance(tmp_path) == ""
    assert disk.hindrance(tmp_path / "a" / "b") == ""
    assert list(tmp_path.iterdir()) == []


def test_a_root_in_a_place_that_takes_no_folders_is_told(tmp_path, monkeypatch):
    def refuse(**asked):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), asked["dir"])

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    told = disk.hindrance(tmp_path / "data")
    assert told.startswith(f"[storage] root {tmp_path / 'data'} cannot be made (No such file")
    assert "--storage-root" in told


@pytest.mark.parametrize(
    ("read_only", "told"),
    [(True, "can only be read: mount it"), (False, "this user has no access to")],
    ids=["mount", "user"],
)
def test_a_root_without_access_is_told(tmp_path, monkeypatch, read_only, told):
    monkeypatch.setattr("os.access", lambda *_arguments: False)
    monkeypatch.setattr(disk, "_is_read_only", lambda _folder: read_only)
    assert told in disk.hindrance(tmp_path)
