"""What is read of an output is what was published; damage is told and makes way."""

import json

import fsspec
import pytest
from outputs import CONTENTS, KEY, PLACE, assert_whole, everything, publish

from taxi_pipeline.errors import DamagedOutput, StorageError
from taxi_pipeline.storage import MANIFEST, Output


def change(kept, name, edit):
    """Change a file of the output behind the storage's back; None removes it."""
    files, root = fsspec.core.url_to_fs(kept.root)
    path = f"{root}/{PLACE}/{name}"
    content = edit(files.cat_file(path))
    files.rm_file(path)
    if content is not None:
        files.pipe_file(path, content)


def flip(content):
    """The same length, one byte changed in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


SEEN_AT_ONCE = {
    "emptied manifest": (MANIFEST, lambda _: b""),
    "cut manifest": (MANIFEST, lambda content: content[:-30]),
    "flipped manifest": (MANIFEST, flip),
    "manifest of another key": (MANIFEST, lambda content: content.replace(KEY.encode(), b"0" * 16)),
    "manifest that is a list": (MANIFEST, lambda _: b"[]"),
    "lost file": ("trips.parquet", lambda _: None),
    "cut file": ("trips.parquet", lambda content: content[:-1]),
    "emptied file": ("model/booster.json", lambda _: b""),
}


@pytest.mark.parametrize("damage", SEEN_AT_ONCE)
def test_a_damaged_output_does_not_count_as_there_and_makes_way(kept, damage, caplog):
    publish(kept)
    change(kept, *SEEN_AT_ONCE[damage])
    assert not Output(kept, PLACE).exists()
    assert f"{PLACE}" in caplog.text
    assert "is damaged" in caplog.text
    publish(kept, maker="the next run")
    assert Output(kept, PLACE).manifest()["maker"] == "the next run"
    assert_whole(Output(kept, PLACE))
    assert any("/.damaged/" in path for path in everything(kept))


@pytest.mark.parametrize("name", [name for name, content in CONTENTS.items() if content])
def test_a_file_with_a_flipped_byte_is_not_read_and_the_output_is_made_again(kept, name):
    publish(kept)
    change(kept, name, flip)
    with pytest.raises(DamagedOutput) as raised:
        Output(kept, PLACE).file(name)
    line = str(raised.value)
    assert line.startswith(f"{kept.uri(PLACE)} is damaged: its {name} is not what was published; ")
    assert "run the same command again" in line
    assert not Output(kept, PLACE).exists()
    publish(kept)
    assert_whole(Output(kept, PLACE))


def test_damage_that_another_process_sets_aside_at_once_is_told_the_same_way(local, monkeypatch):
    publish(local)
    change(local, "trips.parquet", flip)
    set_aside = type(local).set_aside

    def too_late(self, location):
        set_aside(self, location)
        return set_aside(self, location)

    monkeypatch.setattr(type(local), "set_aside", too_late)
    with pytest.raises(DamagedOutput, match=r"; it was set aside: run the same command again"):
        Output(local, PLACE).file("trips.parquet")


def test_damage_that_cannot_be_set_aside_is_told_with_the_reason(local, monkeypatch):
    publish(local)
    change(local, "trips.parquet", flip)

    def refuse(*_):
        raise StorageError("it is read-only")

    monkeypatch.setattr(type(local), "set_aside", refuse)
    with pytest.raises(StorageError, match="it is read-only"):
        Output(local, PLACE).file("trips.parquet")


def test_a_damaged_file_is_found_in_the_folder_that_is_read(kept):
    publish(kept)
    change(kept, "model/booster.json", flip)
    with pytest.raises(DamagedOutput, match=r"its model/booster\.json is not what was published"):
        Output(kept, PLACE).file("model")


def test_what_brings_a_damaged_output_back_is_told_as_the_reader_knows_it(kept):
    publish(kept)
    change(kept, "trips.parquet", flip)
    with pytest.raises(DamagedOutput, match=r"it was set aside as .*: luigi makes it$"):
        Output(kept, PLACE).file("trips.parquet", "luigi makes it")


def test_damage_elsewhere_in_the_output_does_not_matter_for_a_file(kept):
    publish(kept)
    change(kept, "model/booster.json", flip)
    assert Output(kept, PLACE).file("trips.parquet").read_bytes() == CONTENTS["trips.parquet"]


def test_a_file_is_compared_once_a_process(local, monkeypatch):
    publish(local)
    compared = []
    monkeypatch.setattr(
        "taxi_pipeline.storage.output.sha256",
        lambda path: (
            compared.append(path) or Output(local, PLACE).manifest()["files"][path.name]["sha256"]
        ),
    )
    for _ in range(3):
        Output(local, PLACE).file("trips.parquet")
    assert len(compared) == 1


def test_a_file_that_was_changed_after_it_was_compared_is_compared_again(local):
    publish(local)
    Output(local, PLACE).file("trips.parquet")
    change(local, "trips.parquet", flip)
    with pytest.raises(DamagedOutput):
        Output(local, PLACE).file("trips.parquet")


def test_a_file_that_an_output_never_had_is_named_with_those_that_it_has(kept):
    publish(kept)
    with pytest.raises(StorageError, match=r"has no file other\.csv; it has model/booster\.json"):
        Output(kept, PLACE).file("other.csv")


def test_a_manifest_without_checksum_as_the_first_versions_wrote_it_is_whole(kept):
    publish(kept, rows=7)

    def without(content):
        manifest = json.loads(content)
        del manifest["checksum"]
        return json.dumps(manifest).encode()

    change(kept, MANIFEST, without)
    assert Output(kept, PLACE).exists()
    assert Output(kept, PLACE).manifest()["rows"] == 7
