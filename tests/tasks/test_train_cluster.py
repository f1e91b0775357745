"""Which recipes' training asks for a Dask cluster."""

import pytest

from taxi_pipeline import TrainModel, TuneHyperparameters


@pytest.fixture
def training(pipeline, copy_root, no_cluster):
    """The training of a recipe that was tuned here; the cluster that it is to use is gone."""

    def tuned(recipe):
        tuning = TuneHyperparameters(year=2021, month=1, recipe=recipe)
        copy_root(f"tuned {recipe}", pipeline.root, lambda: pipeline.done(tuning))
        pipeline.configure("compute", "scheduler", no_cluster)
        return TrainModel(year=2021, month=1, recipe=recipe)

    return tuned


def test_a_recipe_that_is_not_boosted_needs_no_cluster(pipeline, training):
    assert pipeline.done(training("linear")).output().exists()


def test_a_recipe_that_is_boosted_needs_the_cluster(pipeline, training, no_cluster, caplog):
    assert pipeline.run(training("course")).status.name == "FAILED"
    assert f"no Dask cluster answers at {no_cluster}" in caplog.text
