"""Files of features are read batch by batch, and give what the whole would give."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taxi_pipeline.model.feature_files import FeatureFiles
from taxi_pipeline.model.features import load_features

COLUMNS = ("pickup_zone", "miles")
MINE = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def files(folder, tmp_path_factory):
    """A January in three files: of 700 trips, of none, and of the others."""
    table = pq.read_table(folder / "features.parquet")
    parts = [table.slice(0, 700), table.slice(0, 0), table.slice(700)]
    paths = [tmp_path_factory.mktemp("parts") / f"{n}.parquet" for n in range(3)]
    for part, path in zip(parts, paths, strict=True):
        pq.write_table(part, path, row_group_size=100)
    return paths


@MINE
@given(size=st.integers(1, 4000))
def test_batches_are_of_one_size_and_hold_each_trip_once_in_order(files, size):
    trips = FeatureFiles(files, COLUMNS, size)
    frames = [frame for frame, _ in trips]
    assert len(trips) == len(frames)
    assert all(len(frame) == size for frame in frames[:-1])
    whole = load_features(files, COLUMNS)
    together = pd.concat(frames, ignore_index=True)
    pd.testing.assert_frame_equal(together, whole[["minutes", *COLUMNS]])
    minutes = np.concatenate([minutes for _, minutes in trips])
    np.testing.assert_array_equal(minutes, whole["minutes"])
    assert trips.rows == len(whole)


@MINE
@given(size=st.integers(1, 4000), rows=st.integers(1, 4000), seed=st.integers(0, 9))
def test_a_sample_is_what_would_be_drawn_of_the_whole(files, size, rows, seed):
    whole = load_features(files, COLUMNS)
    expected = whole.sample(rows, random_state=seed) if rows < len(whole) else whole
    found = FeatureFiles(files, COLUMNS, size).sample(rows, seed)
    pd.testing.assert_frame_equal(found, expected)


def test_trips_are_taken_by_their_row_in_the_order_asked_for(files):
    chosen = np.array([1500, 3, 699, 700, 0])
    found = FeatureFiles(files, COLUMNS, 100).take(chosen)
    pd.testing.assert_frame_equal(found, load_features(files, COLUMNS).iloc[chosen])


def test_progress_counts_what_was_read_in_all_passes(files):
    told = []
    trips = FeatureFiles(files, COLUMNS, 500, told.append)
    for _ in range(2):
        list(trips)
    assert told[0] == 500
    assert told == sorted(told)
    assert len(told) == 2 * len(trips)
    assert told[-1] == 2 * trips.rows
