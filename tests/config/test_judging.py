"""The options of the gate."""

import pytest

from taxi_pipeline import config
from taxi_pipeline.errors import InvalidConfig


def test_a_loss_in_a_slice_may_be_allowed_whatever_it_is(luigi_config):
    luigi_config("gate", "max_slice_loss", "inf")
    assert config.gate().max_slice_loss == float("inf")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("min_champion_gain", "1.5"),
        ("max_slice_loss", "-0.1"),
        ("min_slice_trips", "0"),
        ("max_drift", "-1"),
    ],
)
def test_values_that_mean_nothing_are_refused(luigi_config, option, value):
    luigi_config("gate", option, value)
    with pytest.raises(InvalidConfig, match=rf"^\[gate\] {option} is "):
        config.gate()
