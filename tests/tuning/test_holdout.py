"""The last days of a window judge what is fitted on the earlier ones."""

from datetime import datetime, timedelta

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.tuning.holdout import split_by_time

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
