"""The options of drift."""

import pytest

from taxi_pipeline import config
from taxi_pipeline.errors import InvalidConfig


@pytest.mark.parametrize(
    ("option", "value"), [("warn_psi", "-0.1"), ("alert_psi", "much"), ("min_rows", "0")]
)
def test_values_that_mean_nothing_are_refused(luigi_config, option, value):
    luigi_config("drift", option, value)
    with pytest.raises(InvalidConfig, match=rf"^\[drift\] {option} is "):
        config.drift()
