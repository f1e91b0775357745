"""The recipe `linear` is the course's homework: scikit-learn's own way on real yellow trips."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from places import TLC
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression

from taxi_pipeline.model import fitting
from taxi_pipeline.model.feature_writing import write_features
from taxi_pipeline.month import Month
from taxi_pipeline.trips.cleaning import Rules, clean_file

SAMPLE = TLC / "yellow_sample"
MONTHS = [f"2017-{month:02d}" for month in range(1, 8)]
ZONES = ["PULocationID", "DOLocationID"]

pytestmark = pytest.mark.skipif(
    not SAMPLE.is_dir(), reason=f"the real yellow sample is not in {SAMPLE}"
)


@pytest.fixture(params=MONTHS)
def homework(request):
    """A month's trips, and the homework's model of them with its matrix and its minutes."""
    file = SAMPLE / f"yellow_tripdata_{request.param}.parquet"
    trips = pd.read_parquet(file)
    elapsed = trips["tpep_dropoff_datetime"] - trips["tpep_pickup_datetime"]
    minutes = elapsed.dt.total_seconds() / 60
    kept = (minutes >= 1) & (minutes <= 60)
    records = trips.loc[kept, ZONES].astype(str).to_dict(orient="records")
    matrix = DictVectorizer().fit_transform(records)
    return file, matrix, minutes[kept].to_numpy(), LinearRegression().fit(matrix, minutes[kept])


@pytest.fixture
def recipe(homework, tmp_path):
    """The trips that the pipeline keeps, and the recipe's model of them."""
    file = homework[0]
    clean, computed = tmp_path / "clean.parquet", tmp_path / "features.parquet"
    month = Month.parse(file.stem[-7:])
    clean_file(file, clean, taxi="yellow", month=month, rules=Rules())
    write_features(clean, computed, max_miles=100.0)
    trips = pq.read_table(computed).to_pandas()
    model = fitting.fit(
        "linear", trips, {}, None, taxi="yellow", max_miles=100.0, seed=0, threads=1
    )
    return trips, model


def test_the_recipe_equals_scikit_learn_alone(homework, recipe):
    _, matrix, minutes, expected = homework
    trips, model = recipe
    np.testing.assert_allclose(trips["minutes"], minutes, rtol=1e-12)
    assert model.regressor.estimator.coef_.shape == expected.coef_.shape
    assert model.regressor.estimator.intercept_ == pytest.approx(expected.intercept_, abs=1e-3)
    np.testing.assert_allclose(model.predict(trips), expected.predict(matrix), atol=2e-3)
