"""Why a task runs again is traced to what caused it, through the manifests of older inputs."""

import shutil

import pytest

from taxi_pipeline import BuildFeatures, IngestTrips, Month, TransformTrips
from taxi_pipeline.trips.synthetic import month as synthetic


def january(task):
    return task(year=2021, month=1)


def reasons(task):
    return task.change_reasons(task.identity())


@pytest.fixture
def features(pipeline):
    """The features of January, which are made."""
    task = january(BuildFeatures)
    pipeline.run(task)
    assert task.complete()
    return task


def test_what_was_never_made_has_no_reason(pipeline):
    pipeline.run(january(IngestTrips))
    assert reasons(january(BuildFeatures)) == []


def test_the_cause_is_the_option_that_an_input_reads(pipeline, features):
    pipeline.configure("cleaning", "max_minutes", "90")
    pipeline.configure("features", "max_miles", "50")
    assert reasons(features) == [
        "features.max_miles was 100.0, is 50.0",
        "cleaning.max_minutes was 60.0, is 90.0",
    ]


def test_the_version_of_an_input_is_told_with_its_name(features, monkeypatch):
    monkeypatch.setattr(TransformTrips, "version", 7)
    (reason,) = reasons(features)
    assert reason.startswith("TransformTrips green 2021-01: its version was ")
    assert reason.endswith(", is 7")
    assert reasons(january(TransformTrips))[0].startswith("its version was ")


@pytest.mark.parametrize("damage", ["removed", "emptied"])
def test_where_the_older_input_is_gone_the_reason_names_it(pipeline, features, damage):
    older = pipeline.root / features.requires().output().location
    if damage == "removed":
        shutil.rmtree(older)
    else:
        (older / "manifest.json").write_text("")
    pipeline.configure("cleaning", "max_minutes", "90")
    assert reasons(features) == ["TransformTrips green 2021-01 changed"]


def test_a_republished_source_is_told_with_its_rows_as_long_as_the_older_is_there(
    pipeline, tmp_path
):
    path = tmp_path / "2021-01.parquet"
    pipeline.configure("source", "url", f"{tmp_path}/{{year}}-{{month:02d}}.parquet")
    features, ingest = january(BuildFeatures), january(IngestTrips)
    synthetic.write_month(path, "green", Month(2021, 1), rows=1000, seed=0)
    pipeline.run(features)
    older = pipeline.root / ingest.output().location
    synthetic.write_month(path, "green", Month(2021, 1), rows=999, seed=0)
    ingest.refresh(ingest.ask_again(5))
    told = "source republished (green 2021-01)"
    assert reasons(features) == [f"{told}: 1,000 -> 999 rows"]
    shutil.rmtree(older)
    assert reasons(features) == [told]


def test_another_source_is_not_called_republished(pipeline, tmp_path):
    for name, rows in (("one", 1000), ("other", 999)):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "2021-01.parquet"
        synthetic.write_month(path, "green", Month(2021, 1), rows=rows, seed=0)
    pipeline.configure("source", "url", f"{tmp_path}/one/{{year}}-{{month:02d}}.parquet")
    features = january(BuildFeatures)
    pipeline.run(features)
    pipeline.configure("source", "url", f"{tmp_path}/other/{{year}}-{{month:02d}}.parquet")
    pipeline.run(january(IngestTrips))
    assert reasons(features) == ["another source is read (green 2021-01): 1,000 -> 999 rows"]
