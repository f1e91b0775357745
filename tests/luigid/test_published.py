"""What of the storage root a browser may see."""

import os

import artifacts
import pytest

from taxi_pipeline.luigid.published import KINDS, PublishedRoot


@pytest.fixture
def published(tmp_path):
    return PublishedRoot(artifacts.make(tmp_path / "root"))


@pytest.mark.parametrize("location", artifacts.SECRETS)
def test_what_is_no_output_is_no_file_that_is_shown(published, location):
    assert published.file(location) is None


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_an_output_are_shown(published, kind):
    file = published.root / artifacts.OUTPUT / f"name{kind}"
    file.touch()
    assert published.file(f"{artifacts.OUTPUT}/name{kind}") == file
    assert published.file(f"{artifacts.OUTPUT}/name{kind}.db") is None
    assert published.file(f"{artifacts.OUTPUT}/.name{kind}") is None


def test_a_link_within_the_outputs_is_followed(published):
    latest = f"{artifacts.MONTH}/latest"
    assert published.folder(latest) == published.root / artifacts.OUTPUT
    assert published.file(f"{latest}/report.html")
    first, *_ = sorted(published.entries(artifacts.MONTH), key=lambda entry: entry.name != "latest")
    assert (first.is_folder, first.is_shown) == (True, True)
    assert first.note.endswith("0123456789abcdef")


def test_changes_of_a_champion_are_shown(published):
    ledger = published.root / "champions" / "model"
    (ledger / "00001.json").touch()
    (ledger / "00001.done.json").touch()
    assert published.file("champions/model/00001.json")
    assert published.file("champions/model/00001.done.json")
    shown = {entry.name for entry in published.entries("champions/model") if entry.is_shown}
    assert shown == {"00001.json", "00001.done.json"}


@pytest.mark.parametrize(
    ("location", "names"),
    [
        ("", {"champions", "evaluate"}),
        ("evaluate", {"green"}),
        ("evaluate/green", {"2021-01"}),
        ("champions", {"model"}),
        ("tasks", set()),
        ("luigid", set()),
        (".staging", set()),
        ("..", set()),
    ],
)
def test_folders_list_what_leads_to_outputs(published, location, names):
    assert {entry.name for entry in published.entries(location)} == names


@pytest.mark.parametrize(
    "location",
    [
        *("\0", "a\0b", "..", "../root", "/etc", "/etc/passwd", "a" * 5000, "a/" * 3000),
        *("evaluate/green/2021-01/../../../luigi.cfg", "evaluate/green/2021-01/circle"),
        *("evaluate/green/2021-01/circle/a.json", "evaluate/green/2021-01/pipe.json"),
        "\udcff",
    ],
    ids=lambda location: ascii(location[:40]),
)
def test_odd_locations_are_not_there(published, location):
    month = published.root / artifacts.MONTH
    (month / "circle").symlink_to("circle")
    os.mkfifo(month / "pipe.json")
    assert published.file(location) is None
    assert published.folder(location) is None
    assert list(published.entries(location)) == []


def test_a_stage_that_is_a_link_to_another_place_is_not_shown(published):
    (published.root / "copy").symlink_to(published.root / "evaluate")
    assert published.folder("copy") is None
    assert published.folder("copy/green") is None
    assert "copy" not in {entry.name for entry in published.entries("")}
