"""What a month's file must be when it arrives, as it is configured."""

import pytest

from taxi_pipeline import config
from taxi_pipeline.errors import InvalidConfig
from taxi_pipeline.trips.contract import ZONED_TIMES, Contract
from taxi_pipeline.trips.reading import BATCH_ROWS


def test_the_options_are_those_of_the_contract_with_its_defaults(luigi_config):
    assert Contract(**config.contract().param_kwargs) == Contract()
    assert config.source().batch_rows == BATCH_ROWS


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("min_month_share", "1.5", "0 to 1"),
        ("min_rows_share", "-0.1", "0 to 1"),
        ("zoned_times", "guess", "one of check, convert"),
    ],
)
def test_a_value_that_means_nothing_is_refused_in_one_line(luigi_config, option, value, expected):
    luigi_config("contract", option, value)
    with pytest.raises(InvalidConfig) as caught:
        config.contract()
    text = str(caught.value)
    assert text.startswith(f"[contract] {option} is {value!r}: ")
    assert expected in text
    assert "\n" not in text


@pytest.mark.parametrize("choice", ZONED_TIMES)
def test_every_way_with_zoned_times_can_be_chosen(luigi_config, choice):
    luigi_config("contract", "zoned_times", choice)
    assert config.contract().zoned_times == choice
