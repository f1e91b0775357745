"""Damage of each kind is found, told in one line, and set aside if that is asked for."""

from dataclasses import asdict
from pathlib import Path

import pytest
from outputs import CONTENTS, HOME, KEY, PLACE, everything, publish

from taxi_pipeline.identity import ContentIdentity, Identity
from taxi_pipeline.storage import MANIFEST, verify
from taxi_pipeline.storage.verify import Finding

TASK = "tune/green/2021-01/trip-w1"
TRIALS = f"{TASK}/trials-{'f' * 16}"


def findings(storage, **options):
    return verify.run(storage, verify.checks(storage, **options))


def lines(storage):
    return [str(finding) for finding in findings(storage)]


def publish_ingested(storage, content=b"PAR1"):
    import hashlib

    sha256 = hashlib.sha256(content).hexdigest()
    identity = ContentIdentity("IngestTrips", {}, "1", {}, {"content": sha256})
    place = f"ingest/green/2021-01/{identity.key}"
    publish(storage, {"trips.parquet": content}, place, key=identity.key, identity=asdict(identity))
    storage.write_json("ingest/green/2021-01/source-1.json", {"url": "u", "sha256": sha256})
    return place


def write(storage, location, content):
    """Write to a file behind the storage's back."""
    import fsspec

    files, root = fsspec.core.url_to_fs(storage.root)
    files.pipe_file(f"{root}/{location}", content)


def test_what_is_as_it_was_published_has_no_findings(kept):
    publish(kept)
    publish_ingested(kept)
    kept.write_json(f"{TRIALS}/00001.json", {"number": 1})
    kept.write_json(f"{TASK}/logs/1.log", {})
    planned = verify.checks(kept)
    assert sorted(check.what for check in planned) == ["output", "output", "pointer", "trial"]
    read = []
    assert verify.run(kept, planned, read.append) == []
    assert sum(read) == sum(check.size for check in planned)


def test_a_root_without_anything_has_no_findings(kept):
    assert verify.checks(kept) == []


@pytest.mark.parametrize("name", [name for name, content in CONTENTS.items() if content])
def test_a_byte_that_was_flipped_is_found(kept, name):
    publish(kept)
    write(kept, f"{PLACE}/{name}", bytes([CONTENTS[name][0] ^ 1]) + CONTENTS[name][1:])
    assert lines(kept) == [f"damaged     {PLACE}: {name} is not what was published"]


def test_a_file_that_was_cut_off_and_one_that_is_missing_are_found(kept):
    publish(kept)
    write(kept, f"{PLACE}/trips.parquet", b"PA")
    kept.remove(f"{PLACE}/zzz.txt")
    assert lines(kept) == [
        f"damaged     {PLACE}: trips.parquet has 2 bytes, 4 were published; zzz.txt is missing"
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", f"its {MANIFEST} is no JSON"),
        (b"", f"its {MANIFEST} is empty"),
        (
            b'{"key": "0123456789abcdef", "checksum": "x"}',
            f"its {MANIFEST} is not what its checksum says",
        ),
        (b'{"key": "fedcba9876543210"}', f"its {MANIFEST} is that of another key"),
        (b'{"key": "0123456789abcdef"}', f"its {MANIFEST} does not say which files it has"),
        (
            b'{"key": "0123456789abcdef", "files": {"a": 1}}',
            f"its {MANIFEST} does not say which files it has",
        ),
    ],
)
def test_a_manifest_that_is_not_one_is_found(kept, content, problem):
    publish(kept)
    write(kept, f"{PLACE}/{MANIFEST}", content)
    assert lines(kept) == [f"damaged     {PLACE}: {problem}"]


def test_an_output_without_manifest_is_damaged_unless_its_task_is_running(kept):
    publish(kept)
    kept.remove(f"{PLACE}/{MANIFEST}")
    assert lines(kept) == [f"damaged     {PLACE}: its {MANIFEST} is missing"]
    assert findings(kept, is_written=lambda place: place == HOME) == []


def test_a_key_that_is_not_that_of_the_identity_is_found(kept):
    identity = Identity("TransformTrips", {}, "1", {}, {})
    place = f"{HOME}/{identity.key}"
    publish(kept, place=place, key=identity.key, identity=asdict(identity))
    publish(kept, identity=asdict(identity))
    assert lines(kept) == [f"damaged     {PLACE}: its key is not that of its identity"]


def test_a_key_that_is_not_that_of_the_content_is_found(kept):
    identity = ContentIdentity("IngestTrips", {}, "1", {}, {"content": KEY + "0" * 48})
    publish(kept, identity=asdict(identity))
    assert lines(kept) == [f"damaged     {PLACE}: its key is not that of its content"]


def test_a_file_that_no_manifest_names_is_an_orphan_and_no_damage(kept):
    publish(kept)
    write(kept, f"{PLACE}/notes.txt", b"mine")
    write(kept, f"{HOME}/notes.txt", b"mine")
    found = findings(kept)
    assert [(finding.kind, finding.location) for finding in found] == [
        ("orphan", f"{PLACE}/notes.txt"),
        ("orphan", f"{HOME}/notes.txt"),
    ]
    assert not any(finding.is_damage for finding in found)
    assert verify.repair(kept, found) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "it is no JSON"),
        (b"[]", "it names no content"),
        (b'{"sha256": 5}', "it names no content"),
        (b'{"sha256": "%s"}' % (b"a" * 64), f"it points to {'a' * 16}, which is not there"),
    ],
)
def test_a_pointer_that_leads_nowhere_is_found_and_set_aside(kept, content, problem):
    publish_ingested(kept)
    pointer = "ingest/green/2021-01/source-1.json"
    write(kept, pointer, content)
    found = findings(kept)
    assert [str(finding) for finding in found] == [f"damaged     {pointer}: {problem}"]
    assert verify.repair(kept, found) == [pointer]
    assert findings(kept) == []


def test_a_pointer_goes_with_the_output_that_it_points_to(kept):
    place = publish_ingested(kept)
    write(kept, f"{place}/trips.parquet", b"PAR2")
    assert verify.repair(kept, findings(kept)) == [place, "ingest/green/2021-01/source-1.json"]
    assert findings(kept) == []
    assert not kept.exists(place)


def test_what_another_process_has_set_aside_meanwhile_is_left_to_it(kept):
    place = publish_ingested(kept)
    write(kept, f"{place}/trips.parquet", b"PAR2")
    found = findings(kept)
    kept.set_aside(place)
    assert place not in verify.repair(kept, found)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"number": 2}'])
def test_a_trial_that_is_not_readable_is_found_and_set_aside(kept, content):
    kept.write_json(f"{TRIALS}/00002.json", {"number": 2})
    write(kept, f"{TRIALS}/00010.json", content)
    found = findings(kept)
    assert [finding.location for finding in found] == [f"{TRIALS}/00010.json"]
    assert verify.repair(kept, found) == [f"{TRIALS}/00010.json"]
    assert findings(kept) == []
    assert any("/.damaged/" in path for path in everything(kept))


def test_a_store_that_does_not_give_a_file_is_told_and_nothing_is_set_aside(local, monkeypatch):
    publish(local)

    def fail(*_, **__):
        raise OSError(5, "I/O error")

    monkeypatch.setattr(Path, "open", fail)
    found = findings(local)
    monkeypatch.undo()
    assert [finding.kind for finding in found] == ["unreadable"]
    assert "I/O error" in found[0].problem
    assert found[0].is_damage
    assert verify.repair(local, found) == []


def test_what_was_removed_meanwhile_is_no_damage(kept):
    publish(kept)
    planned = verify.checks(kept)
    kept.remove(PLACE)
    assert verify.run(kept, planned) == []


def test_links_out_of_the_root_are_not_followed(local, tmp_path):
    publish(local)
    outside = tmp_path / "outside"
    Path(local.uri(HOME)).rename(outside)
    Path(local.uri(HOME)).symlink_to(outside)
    (outside / KEY / "trips.parquet").write_bytes(b"????")
    assert findings(local) == [
        Finding("elsewhere", HOME, "a link leads out of the root; it was not read")
    ]
    assert verify.repair(local, findings(local)) == []
    assert (outside / KEY / "trips.parquet").exists()


def test_a_file_that_was_replaced_by_a_link_out_of_the_root_is_damage(local, tmp_path):
    publish(local)
    (tmp_path / "same").write_bytes(CONTENTS["trips.parquet"])
    file = Path(local.uri(f"{PLACE}/trips.parquet"))
    file.unlink()
    file.symlink_to(tmp_path / "same")
    assert lines(local) == [
        f"damaged     {PLACE}: trips.parquet is a link that leads out of the root"
    ]


def test_a_latest_link_that_leads_nowhere_is_removed(local):
    publish(local)
    local.link_latest(HOME, "f" * 16)
    found = findings(local)
    assert [str(finding) for finding in found] == [
        f"orphan      {HOME}/latest: leads to {'f' * 16}, which is not there"
    ]
    assert verify.repair(local, found) == [f"{HOME}/latest"]
    assert not Path(local.uri(f"{HOME}/latest")).is_symlink()
    assert findings(local) == []


def test_a_latest_link_goes_with_the_output_that_it_leads_to(local):
    publish(local)
    local.link_latest(HOME, KEY)
    Path(local.uri(f"{PLACE}/trips.parquet")).write_bytes(b"????")
    assert verify.repair(local, findings(local)) == [PLACE, f"{HOME}/latest"]
    assert findings(local) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"champion": None}, ""),
        ({"champion": {"version": "1"}}, ""),
        ({}, "names no"),
        (5, "names"),
    ],
    ids=["nobody", "a version", "empty", "a number"],
)
def test_a_pointer_to_a_champion_that_names_none_is_damage(kept, content, problem):
    kept.write_json("gate/green/2021-01/trip-w1/champion-ab12.json", content)
    found = lines(kept)
    assert bool(found) == bool(problem)
    assert problem in " ".join(found)
