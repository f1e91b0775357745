"""Luigi's pages on their way to the browser."""

import base64
import hashlib
import re

import pytest

from taxi_pipeline.luigid import headers, visualiser
from taxi_pipeline.luigid.visualiser import LAYOUT_PATCHES, LUIGI, STATIC_PATCHES, patched

ELSEWHERE = re.compile(r"(?:src|href)=[\"'](?:https?:)?//|url\([\"']?(?:https?:)?//|@import")
PATCHED = [(LUIGI / "static" / name, (patch,)) for name, patch in STATIC_PATCHES.items()]
PATCHED.append((LUIGI / "templates" / visualiser.LAYOUT, LAYOUT_PATCHES))
NAMES = [file.name for file, _ in PATCHED]


@pytest.mark.parametrize(("file", "patches"), PATCHED, ids=NAMES)
def test_every_place_is_found_in_this_version_of_luigi(file, patches, caplog):
    assert patched(file, *patches) != file.read_text()
    assert not caplog.records


@pytest.mark.parametrize(("file", "patches"), PATCHED, ids=NAMES)
def test_nothing_is_fetched_elsewhere(file, patches):
    assert not ELSEWHERE.search(patched(file, *patches))


@pytest.mark.parametrize(("file", "patches"), PATCHED, ids=NAMES)
def test_a_file_of_another_version_is_served_as_it_is_with_one_line_each(
    file, patches, caplog, tmp_path
):
    other = tmp_path / file.name
    other.write_text("other")
    assert patched(other, *patches) == "other"
    assert len(caplog.records) == len(patches)
    for record in caplog.records:
        assert record.getMessage().startswith(f"this version of Luigi has another {file.name}: ")


def test_a_file_that_another_version_lacks_is_left_out_with_one_line(caplog, monkeypatch, tmp_path):
    monkeypatch.setattr(visualiser, "LUIGI", tmp_path)
    (tmp_path / "templates").mkdir()
    assert len(visualiser.routes(None)) == 2  # the times of runs, and our script
    assert sorted(visualiser.templates().dict) == ["history.html"]
    assert len(caplog.records) == len(STATIC_PATCHES) + 1


def test_a_policy_allows_the_scripts_of_the_page_and_no_other():
    page = (LUIGI / "static" / visualiser.INDEX).read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = headers.page_policy(visualiser.script_hashes(page))
    assert f"script-src 'self' 'sha256-{digest}';" in policy


def test_the_history_has_a_page_without_scripts():
    frame = visualiser.templates().dict[visualiser.LAYOUT]
    assert "<script" not in frame
    assert "<style" not in frame
    assert "bootstrap.min.css" in frame
