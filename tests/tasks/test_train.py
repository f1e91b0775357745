"""A recipe is fitted on the whole window."""

from taxi_pipeline import TrainModel
from taxi_pipeline.model.duration import DurationModel


def test_a_window_trains_on_all_its_months(pipeline):
    task = TrainModel(year=2023, month=2, recipe="linear", window=3)
    pipeline.run(task)
    months = [required.output().manifest() for required in task.requires()["window"]]
    assert [manifest["label"] for manifest in months] == [
        "BuildFeatures green 2022-12",
        "BuildFeatures green 2023-01",
        "BuildFeatures green 2023-02",
    ]
    rows = sum(manifest["rows"] for manifest in months)
    assert task.output().manifest()["rows"] == rows
    DurationModel.load(task.output().file(task.MODEL))
