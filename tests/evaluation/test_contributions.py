"""What predictions rest on: contributions that add up, or what it costs to shuffle a feature."""

import numpy as np
import pytest

from taxi_pipeline.evaluation import contributions as module
from taxi_pipeline.evaluation.contributions import EXPLAINED_PREDICTIONS, contributions
from taxi_pipeline.model.feature_files import FeatureFiles
from taxi_pipeline.model.recipes import RECIPES

DEPTH = RECIPES["trip"].parameters["max_depth"]


def of(models, january, recipe, max_depth=DEPTH):
    return contributions(models[recipe], january, RECIPES[recipe].columns, max_depth)


def test_boosted_trees_are_explained_by_the_contributions_of_what_the_encoder_makes(
    models, january
):
    found = of(models, january, "trip")
    boosters = len(models["trip"].regressor.boosters)
    assert (found.method, found.trips) == ("shap", EXPLAINED_PREDICTIONS // boosters)
    assert "expected_minutes" in found.minutes
    assert list(found.minutes.values()) == sorted(found.minutes.values(), reverse=True)


def test_contributions_and_one_mean_add_up_to_the_predictions(models, january):
    model, some = models["trip"], january.head(50)
    matrix = model.encoder.transform(some)
    values = model.regressor.contributions(matrix)
    left = model.predict(some) - values.sum(axis=1)
    np.testing.assert_allclose(left, left.mean(), atol=1e-3)
    found = module._shap(model.regressor, matrix)
    sizes = dict(zip(matrix.columns, np.abs(values).mean(axis=0), strict=True))
    assert found == pytest.approx(sizes, rel=1e-5)


@pytest.mark.parametrize(("recipe", "max_depth"), [("course", 30), ("linear", 0), ("trip", 30)])
def test_other_models_and_very_deep_trees_are_explained_by_shuffling_their_features(
    models, january, recipe, max_depth
):
    found = of(models, january, recipe, max_depth)
    assert found.method == "permutation"
    assert set(found.minutes) == set(RECIPES[recipe].columns)
    assert max(found.minutes.values()) > 0


def test_a_feature_that_a_model_does_not_look_at_costs_nothing_when_shuffled(models, january):
    columns = (*RECIPES["linear"].columns, "hour")
    found = contributions(models["linear"], january, columns, 0)
    assert found.minutes["hour"] == 0


def test_a_month_of_few_trips_is_explained_by_all_of_them(models, january):
    assert of(models, january.head(7), "trip").trips == 7
    assert of(models, january.head(1), "trip").trips == 1


def test_the_same_trips_give_the_same_contributions(models, january):
    for recipe in ("trip", "linear"):
        assert of(models, january, recipe) == of(models, january, recipe)


@pytest.mark.parametrize("recipe", ["trip", "linear"])
def test_trips_of_a_file_have_the_contributions_of_a_table(models, january, recipe, tmp_path):
    january.to_parquet(tmp_path / "january.parquet")
    columns = RECIPES[recipe].columns
    files = FeatureFiles([tmp_path / "january.parquet"], columns, batch_rows=500)
    assert contributions(models[recipe], files, columns, DEPTH) == of(models, january, recipe)
