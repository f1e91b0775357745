"""A damaged output is told in one line and made again; no stage reads it."""

import shutil

import pytest

from taxi_pipeline import BuildFeatures, IngestTrips, TransformTrips, TuneHyperparameters
from taxi_pipeline.storage import MANIFEST


@pytest.fixture
def features(pipeline):
    """A month whose features are made."""
    task = BuildFeatures(year=2021, month=1)
    assert pipeline.run(task).scheduling_succeeded
    assert task.complete()
    return task


def made_from(task, required):
    return task.clone(required).output()


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def remove_features(pipeline):
    shutil.rmtree(pipeline.root / "features")


def test_a_flipped_byte_in_an_input_fails_in_one_line_and_the_next_run_makes_it_again(
    pipeline, features, console
):
    trips = made_from(features, TransformTrips)
    digest = trips.manifest()["files"]["trips.parquet"]["sha256"]
    flip(trips.file("trips.parquet"))
    remove_features(pipeline)
    assert not pipeline.run(features).scheduling_succeeded
    (line,) = {
        record.getMessage()
        for record in console.records
        if "is not what was published" in record.getMessage()
    }
    assert f"{trips} is damaged: its trips.parquet is not what was published" in line
    assert "Traceback" not in console.text
    assert pipeline.run(features).scheduling_succeeded
    assert trips.manifest()["files"]["trips.parquet"]["sha256"] == digest
    assert features.complete()


@pytest.mark.parametrize("content", [b"", b'{"key": '])
@pytest.mark.parametrize("place", range(3))
def test_an_output_with_a_cut_manifest_is_made_again_where_it_is_needed(
    pipeline, features, console, place, content
):
    stages = [IngestTrips, TransformTrips, BuildFeatures]
    output = made_from(features, stages[place])
    output.file(MANIFEST).write_bytes(content)
    for needs_it in stages[place + 1 :]:
        shutil.rmtree(pipeline.root / needs_it.stage)
    assert pipeline.run(features).scheduling_succeeded
    assert output.exists()
    assert features.complete()
    assert f"{output}/{MANIFEST} is damaged" in console.text


def test_an_output_that_lost_a_file_is_made_again(pipeline, features, console):
    output = features.output()
    output.file("features.parquet").unlink()
    assert not features.complete()
    assert pipeline.run(features).scheduling_succeeded
    assert features.complete()
    assert f"{output} is damaged: its features.parquet is missing; it is made again" in console.text


def test_a_damaged_trial_runs_again_and_the_search_finds_the_same(pipeline):
    pipeline.configure("tuning", "trials", "3")
    task = TuneHyperparameters(year=2021, month=1)
    pipeline.run(task)
    choice = task.output().file(task.CHOICE).read_text()
    second = next((pipeline.root / "tune").rglob("00002.json"))
    flip(second)
    shutil.rmtree(str(task.output()))
    assert pipeline.run(task).scheduling_succeeded
    again = task.output().file(task.CHOICE).read_text()
    assert _without_seconds(again) == _without_seconds(choice)
    assert list((pipeline.root / ".damaged").rglob("00002.json.*"))


def _without_seconds(choice):
    return [line for line in choice.splitlines() if '"seconds"' not in line]
