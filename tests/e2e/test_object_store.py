"""Real commands on a real S3-compatible store: outputs as on disk, and failures in a line."""

import json
import re
import time

import pytest
from command_line import SMALL, CommandLine
from object_store import BUSY, DENIED

JOB = ("RegisterModel", "--year", "2021", "--month", "1", "--local-scheduler", *SMALL)


@pytest.fixture
def on_store(store, tmp_path):
    """The command, with a root on the store and MLflow's database in a file of its own."""
    folder = tmp_path / "host"
    folder.mkdir()
    root = store.root(tmp_path.name)
    (folder / "luigi.cfg").write_text(
        f"[storage]\nroot = {root}\n[tracking]\nuri = sqlite:///{folder}/mlflow.db\n"
    )
    command = CommandLine(folder)
    command.environment |= store.environment
    command.prefix = tmp_path.name
    return command


def manifests_on_disk(folder):
    found = {}
    for file in folder.rglob("manifest.json"):
        place = file.parent.relative_to(folder).as_posix()
        if "/latest" not in place and not place.startswith((".", "mlflow/")):
            found[place] = json.loads(file.read_text())
    return found


def manifests_on_store(store, prefix):
    return {
        name.removesuffix("/manifest.json"): json.loads(store.read(f"{prefix}/{name}"))
        for name in store.names(prefix)
        if name.endswith("/manifest.json") and not name.startswith(".")
    }


def test_a_run_on_an_object_store_makes_what_a_run_on_disk_makes(on_store, store, finished):
    result = on_store(*JOB)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    command, told = finished
    # Other tests add to the folder: what counts is what its own run made.
    made = re.findall(r" -> data/(\S+)$", told.stderr, re.MULTILINE)
    found = manifests_on_disk(command.folder / "data")
    on_disk = {place: found[place] for place in made}
    stored = manifests_on_store(store, on_store.prefix)

    # The receipt's key names the registry, which is another one.
    def without_receipts(places):
        return {place for place in places if not place.startswith("register/")}

    assert without_receipts(stored) == without_receipts(on_disk)
    compared = 0
    for place in without_receipts(stored):
        here, there = on_disk[place]["files"], stored[place]["files"]
        assert set(here) == set(there)
        for name in here:
            if name.endswith((".parquet", ".ubj")):
                assert here[name] == there[name], f"{place}/{name}"
                compared += 1
    assert compared >= 8
    assert not [name for name in store.names(on_store.prefix) if name.startswith(".")]

    with store.counted() as requests:
        again = on_store(*JOB)
    assert again.returncode == 0
    assert "Did not run any tasks" in again.stderr
    # Two months' pointers, the gate's pointer, manifest and sizes, and the ledger.
    assert len(requests) <= 2 * 4, requests


def assert_one_line(result, says):
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if says in line]
    assert lines, result.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("code", "says"), [(DENIED, "the store denies access"), (BUSY, "the store is not available")]
)
def test_a_store_that_refuses_ends_a_run_within_seconds_in_a_line(on_store, store, code, says):
    started = time.monotonic()
    with store.refusing(lambda _method, _path: code):
        result = on_store("IngestTrips", *JOB[1:])
    line = assert_one_line(result, says)
    assert f"s3://taxi-tests/{on_store.prefix}" in line
    assert result.returncode == 35
    assert time.monotonic() - started < 60


def test_a_store_that_loses_its_mind_in_a_publish_leaves_nothing_half(on_store, store):
    def refuse(method, path):
        return BUSY if method == "PUT" and path.endswith("/trips.parquet") else None

    with store.refusing(refuse):
        result = on_store("IngestTrips", *JOB[1:])
    assert_one_line(result, "the store is not available")
    assert result.returncode == 30
    assert not manifests_on_store(store, on_store.prefix)
    assert on_store("IngestTrips", *JOB[1:]).returncode == 0


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no credentials for the store"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "the store cannot be reached"),
    ],
)
def test_a_store_that_is_not_set_up_is_a_line_that_says_what_to_do(on_store, variables, says):
    on_store.environment |= {"HOME": str(on_store.folder), **variables}
    assert_one_line(on_store("IngestTrips", *JOB[1:]), says)


def test_a_bucket_that_is_not_there_is_a_line(on_store):
    root = ("--storage-root", "s3://nobody-made-this/root")
    assert_one_line(on_store("IngestTrips", *JOB[1:], *root), "the bucket is not there: create it")


def test_a_backfill_by_forked_workers_uses_the_store_and_is_then_found_done(on_store, store):
    backfill = (
        *("BackfillMonths", "--of", "BuildFeatures", "--start", "2021-01", "--stop", "2021-05"),
        *("--local-scheduler", "--workers", "2", *SMALL),
    )
    result = on_store(*backfill)
    assert result.returncode == 0, result.stderr
    done = manifests_on_store(store, on_store.prefix)
    assert len([place for place in done if place.startswith("features/")]) == 4
    assert not [name for name in store.names(on_store.prefix) if name.startswith(".locks/")]
    with store.counted() as requests:
        again = on_store(*backfill)
    assert again.returncode == 0
    assert "Did not run any tasks" in again.stderr
    # Of each stage the index, the listing, and what is not in the index.
    assert len(requests) <= 2 * 3 * 4, requests
