"""When a champion counts as decayed."""

import pytest

from taxi_pipeline import config
from taxi_pipeline.config import as_cfg
from taxi_pipeline.errors import InvalidConfig

FIGURES = {
    "max_rmse_excess": (0.1, "0", "1e-9", "inf"),
    "max_slice_excess": (0.25, "0", "1.5", "inf"),
    "min_slice_trips": (500, "1", "100000"),
}


@pytest.mark.parametrize("option", FIGURES)
def test_the_figures_have_defaults_and_take_every_value_in_their_bounds(luigi_config, option):
    default, *usable = FIGURES[option]
    assert getattr(config.monitoring(), option) == default
    for value in usable:
        luigi_config("monitoring", option, value)
        assert getattr(config.monitoring(), option) == float(value)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_rmse_excess", "-0.1"),
        ("max_rmse_excess", "nan"),
        ("max_rmse_excess", "ten"),
        ("max_slice_excess", "-1"),
        ("min_slice_trips", "0"),
        ("min_slice_trips", "1.5"),
    ],
)
def test_a_value_that_means_nothing_is_refused_and_names_the_option(luigi_config, option, value):
    luigi_config("monitoring", option, value)
    with pytest.raises(InvalidConfig, match=rf"\[monitoring\].*{option}"):
        config.monitoring()


def test_all_of_it_decides_what_is_recorded():
    assert set(config.monitoring.significant_values()) == {f"monitoring.{name}" for name in FIGURES}


def test_it_stands_in_the_written_configuration():
    assert "\n[monitoring]\n" in as_cfg()
