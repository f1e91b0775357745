"""Which levels intervals may have."""

import numpy as np
import pytest

from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.model.levels import MAX_LEVEL, MIN_LEVEL, check_level


@pytest.mark.parametrize("level", [MIN_LEVEL, 0.9, MAX_LEVEL], ids=str)
def test_the_ends_of_the_range_are_levels(level):
    assert check_level(level) == level


@pytest.mark.parametrize("level", [0.0, 0.499, 0.991, 1.0, -1.0, 90.0, np.nan, np.inf], ids=str)
def test_what_is_beyond_is_refused_in_one_line(level):
    with pytest.raises(InvalidParameter, match=r"from 0\.5 to 0\.99, such as 0\.9$") as refusal:
        check_level(level)
    assert str(refusal.value).startswith(f"interval is {level}: ")
    assert "\n" not in str(refusal.value)
