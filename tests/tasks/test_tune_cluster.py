"""Which recipes' tuning asks for a Dask cluster."""

import pytest

from taxi_pipeline import BuildFeatures, TuneHyperparameters


@pytest.fixture
def described(pipeline, copy_root, no_cluster):
    """January's features, made here; from now on there is to be a cluster, and it is gone."""
    features = BuildFeatures(year=2021, month=1)
    copy_root("features", pipeline.root, lambda: pipeline.done(features))
    pipeline.configure("compute", "scheduler", no_cluster)


@pytest.mark.parametrize("recipe", ["course", "linear"])
def test_a_recipe_that_is_not_tuned_needs_no_cluster(pipeline, described, recipe):
    task = TuneHyperparameters(year=2021, month=1, recipe=recipe)
    assert pipeline.done(task).output().manifest()["summary"] == f"recipe {recipe} is not tuned"


def test_a_recipe_that_is_tuned_needs_the_cluster(pipeline, described, no_cluster, caplog):
    assert pipeline.run(TuneHyperparameters(year=2021, month=1)).status.name == "FAILED"
    assert f"no Dask cluster answers at {no_cluster}" in caplog.text
