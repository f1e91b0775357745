"""Outputs are right, whole, written once, and made again exactly when they must be."""

import json
import re
import shutil

import luigi
import pytest

from taxi_pipeline import (
    BuildFeatures,
    EvaluateModel,
    IngestTrips,
    RegisterModel,
    TrainModel,
    TransformTrips,
)
from taxi_pipeline.errors import InvalidConfig, MonthNotPublished
from taxi_pipeline.month import Month
from taxi_pipeline.trips.synthetic import month as synthetic

# What the console shows of a step that was made.
STEP = re.compile(r"(?P<label>\S.*?): .*, in \d+\.\d s(, since (?P<reason>.+))? -> .+")


@pytest.fixture
def published(pipeline, tmp_path):
    """A folder of published files whose content a test can change."""
    folder = tmp_path / "published"
    folder.mkdir()
    template = f"file://{folder}/{{taxi}}_tripdata_{{year}}-{{month:02d}}.parquet"
    pipeline.configure("source", "url", template)

    def publish(month, seed=0):
        path = folder / f"green_tripdata_{month}.parquet"
        synthetic.write_month(path, "green", month, rows=2000, seed=seed)

    for month in (Month(2021, 1), Month(2021, 2)):
        publish(month)
    return publish


def test_a_second_run_makes_nothing(pipeline):
    task = TransformTrips(year=2021, month=1)
    pipeline.run(task)
    before = pipeline.made("")
    result = pipeline.run(task)
    assert "Did not run any tasks" in result.summary_text
    assert pipeline.made("") == before


def test_the_manifest_says_what_the_output_was_made_from(pipeline):
    task = TransformTrips(year=2021, month=1)
    pipeline.run(task)
    manifest = task.output().manifest()
    assert manifest["task"] == "TransformTrips"
    assert manifest["key"] == task.key
    assert manifest["identity"]["config"]["cleaning.max_minutes"] == "60.0"
    assert manifest["identity"]["inputs"] == {"IngestTrips green 2021-01": task.requires().key}
    assert set(manifest["files"]) == {"trips.parquet", "quality.json"}
    for name, described in manifest["files"].items():
        assert task.output().file(name).stat().st_size == described["bytes"]
    assert {"code", "packages", "started", "finished", "seconds"} <= set(manifest)


def test_another_configuration_is_another_output_and_the_log_says_why(pipeline, console):
    task = TransformTrips(year=2021, month=1)
    pipeline.run(task)
    first = task.output().location
    assert task.output().manifest()["since"] == []
    pipeline.configure("cleaning", "max_minutes", "90")
    assert not task.complete()
    pipeline.run(task)
    assert task.output().location != first
    assert task.output().manifest()["since"] == ["cleaning.max_minutes was 60.0, is 90.0"]
    (line,) = [line for line in console.messages if "max_minutes" in line]
    assert line.startswith("TransformTrips green 2021-01: ")
    assert line.endswith(f" s, since cleaning.max_minutes was 60.0, is 90.0 -> {task.output()}")


def test_going_back_to_an_earlier_configuration_finds_its_outputs(pipeline):
    task = BuildFeatures(year=2021, month=1)
    pipeline.run(task)
    pipeline.configure("cleaning", "max_minutes", "90")
    pipeline.run(task)
    pipeline.configure("cleaning", "max_minutes", "60")
    assert task.complete()
    assert len(pipeline.made("features")) == 2


def test_a_configuration_that_a_stage_does_not_read_does_not_touch_it(pipeline):
    task = BuildFeatures(year=2021, month=1)
    pipeline.run(task)
    pipeline.configure("tuning", "trials", "17")
    pipeline.configure("training", "seed", "17")
    assert task.complete()


def test_a_republished_month_makes_exactly_its_descendants_again(pipeline, published, console):
    task = EvaluateModel(year=2021, month=1, recipe="linear")
    pipeline.run(task)
    trained = task.requires()["model"].output().location

    published(Month(2021, 2), seed=99)
    shutil.rmtree(pipeline.root / "ingest" / "green" / "2021-02")  # as a refresh would
    assert not task.complete()
    console.clear()
    pipeline.run(task)

    assert task.requires()["model"].output().location == trained
    assert len(pipeline.made("evaluate")) == 2
    assert len(pipeline.made("train")) == 1
    made = [STEP.fullmatch(line) for line in console.messages]
    assert [step.group("label", "reason") for step in made if step] == [
        ("IngestTrips green 2021-02", None),
        ("TransformTrips green 2021-02", "source republished (green 2021-02)"),
        ("BuildFeatures green 2021-02", "source republished (green 2021-02)"),
        ("EvaluateModel green 2021-01 linear-w1", "source republished (green 2021-02)"),
    ]


def test_the_same_content_from_another_place_makes_nothing_but_the_copy(pipeline, published):
    task = BuildFeatures(year=2021, month=1)
    pipeline.run(task)
    pipeline.configure("source", "url", "synthetic://?rows=2000&seed=0")
    assert not task.complete()  # what the other place offers is not known yet
    result = pipeline.run(task)
    assert result.scheduling_succeeded
    assert len(pipeline.made("features")) == 1


def test_a_stage_that_fails_leaves_nothing_behind(pipeline, monkeypatch):
    def broken(self, folder):
        (folder / "half.parquet").write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(TransformTrips, "make", broken)
    result = pipeline.run(TransformTrips(year=2021, month=1))
    assert result.status == luigi.LuigiStatusCode.FAILED
    assert pipeline.made("transform") == set()
    assert list((pipeline.root / ".staging").iterdir()) == []


def test_a_retry_after_a_lost_answer_makes_nothing_again(pipeline, monkeypatch):
    task = TransformTrips(year=2021, month=1)
    pipeline.run(task)

    def never(self, folder):
        raise AssertionError("made again")

    monkeypatch.setattr(TransformTrips, "make", never)
    task.run()


def test_a_month_that_is_not_published_is_told_in_one_line_and_the_rest_is_made(pipeline, console):
    pipeline.configure("source", "url", "synthetic://?rows=2000&last=2021-01")
    task = EvaluateModel(year=2021, month=1, recipe="linear")
    result = pipeline.run(task)
    assert result.status is luigi.LuigiStatusCode.MISSING_EXT
    assert len(pipeline.made("train")) == 1
    assert pipeline.made("evaluate") == set()
    told = [record for record in console.records if "not published" in record.getMessage()]
    assert [record.levelname for record in told] == ["INFO"]
    assert told[0].getMessage().startswith("green 2021-02: not published yet at ")
    assert "\n" not in told[0].getMessage()
    assert not any(record.levelname == "ERROR" for record in console.records)


def test_the_web_page_shows_a_failure_that_a_user_can_mend_as_its_line():
    error = MonthNotPublished("green 2030-01: not published")
    assert IngestTrips(year=2021, month=1).on_failure(error) == "green 2030-01: not published"


def test_an_output_without_manifest_is_not_there(pipeline):
    task = IngestTrips(year=2021, month=1)
    pipeline.run(task)
    (pipeline.root / task.output().location / "manifest.json").unlink()
    assert not task.complete()


def test_a_recipe_of_another_version_is_another_output(pipeline, monkeypatch):
    task = TrainModel(year=2021, month=1, recipe="linear")
    pipeline.run(task)
    monkeypatch.setattr(type(task.chosen_recipe), "version", 2)
    assert not task.complete()


def test_threads_and_places_are_no_part_of_an_identity(pipeline):
    task = TrainModel(year=2021, month=1, recipe="linear")
    pipeline.run(task)
    key = task.key
    pipeline.configure("training", "threads", "2")
    pipeline.configure("source", "attempts", "9")
    assert task.key == key


def test_a_manifest_is_json_with_its_files_digests(pipeline):
    task = IngestTrips(year=2021, month=1)
    pipeline.run(task)
    text = task.output().file("manifest.json").read_text()
    assert len(json.loads(text)["files"]["trips.parquet"]["sha256"]) == 64


def test_outputs_can_be_kept_at_any_url_that_fsspec_understands(pipeline, tmp_path):
    bucket = f"memory://{tmp_path.name}"
    pipeline.configure("storage", "root", bucket)
    task = EvaluateModel(year=2021, month=1, recipe="linear")
    assert pipeline.run(task).scheduling_succeeded
    assert task.complete()
    assert str(task.output()).startswith(bucket)
    assert task.output().file(task.METRICS).is_file()
    assert "Did not run any tasks" in pipeline.run(task).summary_text


def test_a_root_that_is_no_folder_needs_a_tracking_server_before_anything_runs(pipeline):
    pipeline.configure("storage", "root", "memory://bucket")
    with pytest.raises(InvalidConfig, match=r"^\[tracking\] uri must be set"):
        RegisterModel(year=2021, month=1)
