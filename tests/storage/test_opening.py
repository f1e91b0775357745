"""Roots, and those that cannot be used."""

import errno
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from outputs import PLACE, fill, publish

from taxi_pipeline.errors import StorageError
from taxi_pipeline.storage import Output, open_storage

ANOTHER = "name a folder that can be written, by --storage-root or in luigi.cfg"


@pytest.mark.parametrize(
    ("place", "is_a"),
    [("file", "is a file"), ("file/sub/data", "lies in {file}, which is a file")],
)
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_root_that_is_no_folder_is_one_line_that_names_it(tmp_path, place, is_a, scheme):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(StorageError) as raised:
        open_storage(f"{scheme}{tmp_path / place}")
    told = is_a.format(file=tmp_path / "file")
    assert str(raised.value) == f"[storage] root {tmp_path / place} {told}: {ANOTHER}"


def test_a_root_that_cannot_be_made_is_one_line_that_names_it(tmp_path, monkeypatch):
    root = tmp_path / "root"
    kept = open_storage(str(root))
    line = f"[storage] root {root} cannot be made (No such file or directory): {ANOTHER}"

    def refuse(path, *_arguments, **_options):  # as /proc does
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError) as raised:
        publish(kept)
    assert str(raised.value) == line
    with pytest.raises(StorageError) as raised:
        kept.write_json("source.json", {})
    assert str(raised.value) == line
    with pytest.raises(StorageError) as raised:
        kept.write_json_exclusive("source.json", {})
    assert str(raised.value) == line


def test_a_root_with_an_unknown_protocol_is_one_line_that_names_it():
    with pytest.raises(StorageError, match=r"^\[storage\] root nope://bucket is not usable: .+$"):
        open_storage("nope://bucket")


def test_a_remote_root_that_cannot_be_asked_is_one_line(remote, monkeypatch):
    def refuse(*_arguments, **_options):
        raise ConnectionError("no route to host")

    for method in ("exists", "cat_file", "ls"):
        monkeypatch.setattr(remote._files, method, refuse)
    for question in (remote.exists, remote.read_json, remote.list_dirs):
        with pytest.raises(StorageError) as raised:
            question(PLACE)
        where = f"{remote.root}/{PLACE}"
        assert str(raised.value) == (
            f"{where} cannot be read: ConnectionError no route to host; "
            "check [storage] root and the access to it"
        )


def test_a_download_that_broke_off_is_not_taken_for_the_file(remote, monkeypatch):
    remote.write_json("a/b.json", {"whole": True})
    get = remote._files.get

    def broken(_source, target, **_options):
        Path(target).write_text("{")
        raise ConnectionError("reset")

    monkeypatch.setattr(remote._files, "get", broken)
    with pytest.raises(StorageError):
        remote.local_path("a/b.json")
    monkeypatch.setattr(remote._files, "get", get)
    assert json.loads(remote.local_path("a/b.json").read_text())["whole"]


def test_a_store_that_refuses_to_be_written_is_one_line(remote, monkeypatch):
    def refuse(*_arguments, **_options):
        raise PermissionError("AccessDenied")

    monkeypatch.setattr(remote._files, "pipe_file", refuse)
    with pytest.raises(StorageError, match=r"cannot be written: PermissionError AccessDenied"):
        remote.write_json("a.json", {})


def test_a_local_root_may_be_a_url(tmp_path):
    publish(open_storage(f"file://{tmp_path}/root"), rows=7)
    assert Output(open_storage(f"{tmp_path}/root"), PLACE).manifest()["rows"] == 7


def test_a_slash_at_the_end_of_a_root_does_not_matter(kept):
    publish(kept, rows=7)
    output = Output(open_storage(f"{kept.root}/"), PLACE)
    assert output.manifest()["rows"] == 7
    assert str(output) == str(Output(kept, PLACE))


def test_a_root_is_opened_once_in_a_process_and_anew_in_another(tmp_path, monkeypatch):
    root = str(tmp_path)
    first = open_storage(root)
    assert open_storage(root) is first
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert open_storage(root) is not first


def test_a_root_with_a_colon_is_no_url_to_arrow(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept = open_storage("a:b")
    table = pa.table({"a": [1]})
    with kept.staging() as folder:
        pq.write_table(table, folder / "a.parquet")
        fill(folder, {})
        kept.publish(folder, PLACE)
    assert (tmp_path / "a:b" / PLACE / "a.parquet").exists()
    assert pq.read_table(kept.local_path(f"{PLACE}/a.parquet")) == table
