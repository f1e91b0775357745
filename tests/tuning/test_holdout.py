"""The last days of a window judge what is fitted on the earlier ones."""

from datetime import datetime, timedelta

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.tuning.holdout import predict_late, split_by_time

END = datetime(2021, 2, 1)
HOLDOUT = 7
BORDER = datetime(2021, 1, 25)

brief = settings(max_examples=50)
hours = st.lists(st.integers(0, 31 * 24 - 1), min_size=1, max_size=30)


@brief
@given(hours=hours, days=st.integers(1, 30))
def test_the_last_days_and_no_others_are_late(hours, days):
    pickups = [datetime(2021, 1, 1) + timedelta(hours=hour) for hour in hours]
    border = END - timedelta(days=days)
    assume(min(pickups) < border <= max(pickups))
    frame = pd.DataFrame({"pickup_at": pickups, "row": range(len(pickups))})
    early, late = split_by_time(frame, END, days)
    assert early["row"].tolist() == [n for n, at in enumerate(pickups) if at < border]
    assert late["row"].tolist() == [n for n, at in enumerate(pickups) if at >= border]


@pytest.mark.parametrize(
    ("pickups", "text"),
    [
        ([BORDER], "0 trips before 2021-01-25 and 1 from then on"),
        ([BORDER - timedelta(microseconds=1)] * 2, "2 trips before 2021-01-25 and 0 from then on"),
        ([], "0 trips before 2021-01-25 and 0 from then on"),
    ],
    ids=["no early", "no late", "none at all"],
)
def test_a_window_with_an_empty_part_is_refused_in_one_line(pickups, text):
    frame = pd.DataFrame({"pickup_at": pd.Series(pickups, dtype="datetime64[us]")})
    with pytest.raises(InvalidTraining, match=text) as refusal:
        split_by_time(frame, END, HOLDOUT)
    assert "\n" not in str(refusal.value)
    assert "`holdout_days`" in str(refusal.value)


# --- predictions of the last days -----------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_last_days_are_predicted_by_a_model_of_the_earlier_ones(january, recipe):
    chosen = RECIPES[recipe]
    options = {"window_end": END, "holdout_days": HOLDOUT, "seed": 3, "threads": 1}
    found = predict_late(chosen, january, chosen.parameters, 5, **options)
    late = january[(january["pickup_at"] >= BORDER) & (january["pickup_at"] < END)]
    assert found["row"].tolist() == late.index.tolist()
    # Other minutes on the last days are not seen: the same is predicted.
    other = january.assign(
        minutes=january["minutes"].where(january["pickup_at"] < BORDER, 59 - january["minutes"])
    )
    again = predict_late(chosen, other, chosen.parameters, 5, **options)
    pd.testing.assert_frame_equal(again, found)
    error = found["predicted"].to_numpy() - january["minutes"].to_numpy()[found["row"]]
    assert abs(error).mean() < abs(late["minutes"] - january["minutes"].mean()).mean() * 1.1


def test_a_window_without_last_days_has_no_predictions(january):
    early = january[january["pickup_at"] < BORDER]
    with pytest.raises(InvalidTraining, match="0 from then on"):
        predict_late(
            RECIPES["linear"],
            early,
            {},
            None,
            window_end=END,
            holdout_days=HOLDOUT,
            seed=0,
            threads=1,
        )
