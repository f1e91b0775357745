"""Within a snapshot a store is asked as seldom as can be, and what it says is what is there."""

import json

import pytest
from object_store import BUCKET, DENIED
from outputs import KEY, fill

from taxi_pipeline.storage import MANIFEST, Output, RemoteStorage, layout
from taxi_pipeline.storage.snapshot import MAX_UNINDEXED

MONTHS = [f"2021-{month:02d}" for month in range(1, 13)]
INDEX = layout.index_file("transform/green")


@pytest.fixture
def name(tmp_path):
    """A prefix of the test's own."""
    return tmp_path.name


@pytest.fixture
def kept(store, name, tmp_path):
    """A root with the outputs of a year."""
    fill(tmp_path, {"data": b"1"})
    for month in MONTHS:
        for file in ("data", MANIFEST):
            key = f"{name}/{place(month)}/{file}"
            store.client().put_object(Bucket=BUCKET, Key=key, Body=(tmp_path / file).read_bytes())
    return RemoteStorage(store.root(name))


def place(month):
    return f"transform/green/{month}/{KEY}"


def look_at_all(kept):
    return [Output(kept, place(month)).exists() for month in MONTHS]


def test_nothing_is_asked_twice(store, kept):
    output = Output(kept, place(MONTHS[0]))
    with kept.snapshot(), store.counted() as requests:
        assert output.exists()
        assert output.manifest()["key"] == KEY
        assert kept.exists(f"{output.location}/{MANIFEST}")
        assert output.exists()
    assert len(requests) == 2


def test_months_are_asked_for_together_and_the_next_time_with_two_requests(store, kept):
    with kept.snapshot(wide=True), store.counted() as requests:
        assert all(look_at_all(kept))
    # The index, the listing, each manifest, and the index that is written then.
    assert len(requests) == 2 + len(MONTHS) + 1
    with kept.snapshot(wide=True), store.counted() as requests:
        assert all(look_at_all(kept))
    assert len(requests) == 2


def test_the_same_is_found_with_and_without_a_snapshot(store, kept, name):
    with kept.snapshot(wide=True):
        look_at_all(kept)
    store.client().delete_object(Bucket=BUCKET, Key=f"{name}/{place(MONTHS[3])}/data")
    store.client().delete_object(Bucket=BUCKET, Key=f"{name}/{place(MONTHS[5])}/{MANIFEST}")
    damaged = f"{name}/{place(MONTHS[7])}/{MANIFEST}"
    store.client().put_object(Bucket=BUCKET, Key=damaged, Body=b"{}")
    expected = [number not in {3, 5, 7} for number in range(len(MONTHS))]
    assert look_at_all(kept) == expected
    with kept.snapshot(wide=True):
        assert look_at_all(kept) == expected
        assert kept.list_dirs("transform/green") == MONTHS


def test_a_copy_in_the_index_is_of_no_use_once_its_file_has_changed(store, kept, name):
    with kept.snapshot(wide=True):
        look_at_all(kept)
    location = f"{place(MONTHS[0])}/{MANIFEST}"
    content = json.loads(store.read(f"{name}/{location}")) | {"rows": 7}
    del content["checksum"]
    kept.write_json(location, content)
    with kept.snapshot(wide=True):
        assert Output(kept, place(MONTHS[0])).manifest()["rows"] == 7


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"a": 1}', '{"a": ["b"]}'])
def test_a_damaged_index_is_written_anew(store, kept, content):
    kept.write_text(INDEX, content)
    for requests in (2 + len(MONTHS) + 1, 2):
        with kept.snapshot(wide=True), store.counted() as counted:
            assert all(look_at_all(kept))
        assert len(counted) == requests


def test_an_index_is_left_as_it_is_while_few_files_are_not_in_it(store, kept, tmp_path):
    with kept.snapshot(wide=True):
        look_at_all(kept)
    before = kept.read_bytes(INDEX)
    for month in MONTHS[:MAX_UNINDEXED]:
        kept.write_json(f"transform/green/{month}/source-{KEY}.json", {"rows": 7})
    with kept.snapshot(wide=True):
        look_at_all(kept)
        assert kept.read_json(f"transform/green/{MONTHS[0]}/source-{KEY}.json") == {"rows": 7}
    assert kept.read_bytes(INDEX) == before


def test_a_root_that_is_there_to_be_read_only_needs_no_index(store, kept):
    def refuse(method, _path):
        return DENIED if method == "PUT" else None

    with store.refusing(refuse), kept.snapshot(wide=True):
        assert all(look_at_all(kept))


def test_what_this_process_writes_is_seen_at_once(kept):
    location = f"transform/green/{MONTHS[0]}/source-{KEY}.json"
    with kept.snapshot(wide=True):
        assert kept.read_json(location) is None
        kept.write_json(location, {"rows": 7})
        assert kept.read_json(location) == {"rows": 7}
        kept.remove(location)
        assert kept.read_json(location) is None


def test_after_a_snapshot_the_store_is_asked_again(store, kept, name):
    with kept.snapshot(wide=True):
        assert all(look_at_all(kept))
    store.client().delete_object(Bucket=BUCKET, Key=f"{name}/{place(MONTHS[0])}/{MANIFEST}")
    assert not Output(kept, place(MONTHS[0])).exists()


def test_a_local_root_has_no_index(tmp_path):
    from taxi_pipeline.storage import open_storage

    local = open_storage(str(tmp_path / "root"))
    with local.snapshot(wide=True):
        assert not Output(local, place(MONTHS[0])).exists()
    assert list(tmp_path.iterdir()) == []
