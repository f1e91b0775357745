"""Each trip is described by features."""

import pandas as pd

from taxi_pipeline import BuildFeatures, TransformTrips
from taxi_pipeline.model.features import FEATURES


def test_features_are_one_row_a_trip_in_the_order_of_the_trips(pipeline):
    task = BuildFeatures(year=2021, month=1)
    pipeline.run(task)
    features = pd.read_parquet(task.output().file(task.FILE))
    trips = pd.read_parquet(task.requires().output().file(TransformTrips.FILE))
    assert list(features.columns) == ["pickup_at", "minutes", *FEATURES]
    pd.testing.assert_series_equal(features["minutes"], trips["minutes"])
