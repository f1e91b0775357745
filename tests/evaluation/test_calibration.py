"""Whether trips take as long as predicted."""

import numpy as np
import pandas as pd
import pytest

from taxi_pipeline.evaluation.calibration import calibration


def test_a_bin_has_the_means_of_its_trips():
    predicted = np.array([-3.0, 4.9, 5.0, 9.0, 61.0])
    actual = np.array([2.0, 6.0, 5.0, 11.0, 50.0])
    found = calibration(actual, predicted)
    expected = pd.DataFrame(
        {
            "from_minutes": [np.nan, 5, 60],
            "below_minutes": [5, 10, np.nan],
            "rows": [2, 2, 1],
            "predicted": [0.95, 7, 61],
            "actual": [4.0, 8, 50],
        }
    )
    pd.testing.assert_frame_equal(found, expected)


def test_a_bin_with_one_end_has_no_number_for_the_other():
    found = calibration(np.array([1.0, 70.0]), np.array([1.0, 70.0]))
    assert found["from_minutes"].isna().tolist() == [True, False]
    assert found["below_minutes"].isna().tolist() == [False, True]


def test_bins_hold_every_trip_and_add_up_to_the_bias(january, predicted, result):
    found = calibration(january["minutes"].to_numpy(), predicted)
    assert found["rows"].sum() == len(january)
    bias = (found["rows"] * (found["predicted"] - found["actual"])).sum() / len(january)
    assert bias == pytest.approx(result.model["bias"])
