"""Figures on published months: green 2021-01 is trained on, 2021-02 takes no part in it."""

import pyarrow.parquet as pq
import pytest
from places import TLC

from taxi_pipeline.evaluation.baselines import baselines
from taxi_pipeline.evaluation.metrics import metrics
from taxi_pipeline.model import fitting
from taxi_pipeline.model.feature_writing import write_features
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.month import Month
from taxi_pipeline.trips.cleaning import Rules, clean_file

MAX_MILES = 100.0

pytestmark = pytest.mark.skipif(not TLC.is_dir(), reason=f"real TLC files are not in {TLC}")


@pytest.fixture(scope="module")
def months(tmp_path_factory):
    """The features of January and February."""
    folder = tmp_path_factory.mktemp("real")
    frames = []
    for month in (Month(2021, 1), Month(2021, 2)):
        clean, described = folder / f"{month}-clean.parquet", folder / f"{month}.parquet"
        source = TLC / f"green_tripdata_{month}.parquet"
        clean_file(source, clean, taxi="green", month=month, rules=Rules())
        write_features(clean, described, max_miles=MAX_MILES)
        frames.append(pq.read_table(described).to_pandas())
    return frames


@pytest.fixture
def february_rmse(months):
    """The RMSE on February of a recipe with its own parameters, fitted on January."""
    january, february = months

    def measured(recipe, rounds=None):
        model = fitting.fit(
            recipe,
            january,
            RECIPES[recipe].parameters,
            rounds or RECIPES[recipe].rounds,
            taxi="green",
            max_miles=MAX_MILES,
            seed=42,
            threads=2,
        )
        actual = february["minutes"].to_numpy()
        return metrics(actual, model.predict(february))["rmse"]

    return measured


def test_the_baselines_have_their_known_figures(months):
    january, february = months
    actual = february["minutes"].to_numpy()
    simple = baselines(january, february)
    figures = {name: metrics(actual, guess)["rmse"] for name, guess in simple.items()}
    known = {"mean": 12.213, "zone_pair": 8.022, "linear": 10.474}
    assert figures == pytest.approx(known, abs=0.001)


def test_the_linear_recipe_has_its_known_figure(february_rmse):
    assert february_rmse("linear") == pytest.approx(10.4737, abs=0.001)


@pytest.mark.slow
def test_the_course_recipe_has_the_published_figure(february_rmse):
    assert february_rmse("course") == pytest.approx(6.6077, abs=0.001)


@pytest.mark.slow
def test_the_trip_recipe_is_far_better_before_any_tuning(february_rmse):
    assert february_rmse("trip", rounds=500) < 5.25
