import luigi
import pytest

from taxi_pipeline import config
from taxi_pipeline.errors import InvalidConfig


def test_a_section_is_read_by_making_it(luigi_config):
    luigi_config("cleaning", "max_minutes", "90")
    assert config.cleaning().max_minutes == 90.0


def test_a_section_is_read_anew_each_time(luigi_config):
    assert config.cleaning().max_minutes == 60.0
    luigi_config("cleaning", "max_minutes", "90")
    assert config.cleaning().max_minutes == 90.0


def test_an_option_may_be_written_with_dashes(luigi_config):
    luigi_config("cleaning", "max-minutes", "90")
    with pytest.warns(DeprecationWarning, match="max-minutes"):
        assert config.cleaning().max_minutes == 90.0


def test_a_misspelt_option_is_an_error_that_names_the_nearest_one(luigi_config):
    luigi_config("cleaning", "max_minute", "90")
    with pytest.raises(InvalidConfig) as raised:
        config.cleaning()
    line = "[cleaning] has no option max_minute: did you mean max_minutes?"
    assert str(raised.value) == line


def test_an_unknown_option_that_resembles_none_is_an_error_that_names_all(luigi_config):
    luigi_config("gate", "zzz", "1")
    with pytest.raises(InvalidConfig) as raised:
        config.gate()
    options = (
        "min_gain, min_champion_gain, max_slice_loss, min_slice_trips, max_drift, accept_drift"
    )
    assert str(raised.value) == f"[gate] has no option zzz: it has {options}."


@pytest.mark.parametrize("section", config.SECTIONS, ids=lambda section: section.__name__)
def test_every_section_refuses_options_that_it_does_not_know(luigi_config, section):
    luigi_config(section.__name__, "colour", "red")
    with pytest.raises(InvalidConfig, match=rf"^\[{section.__name__}\] has no option colour: "):
        section()


def test_an_option_that_came_later_counts_only_where_it_is_not_the_default(luigi_config):
    before = config.gate.significant_values()
    assert list(before) == [
        "gate.min_gain",
        "gate.min_champion_gain",
        "gate.max_slice_loss",
        "gate.min_slice_trips",
    ]
    luigi_config("gate", "max_drift", "INF")
    assert config.gate.significant_values() == before
    luigi_config("gate", "max_drift", "0.25")
    assert config.gate.significant_values() == {**before, "gate.max_drift": "0.25"}
    luigi_config("gate", "accept_drift", "a snow week")
    assert config.gate.changed_values() == {
        "gate.max_drift": "0.25",
        "gate.accept_drift": "a snow week",
    }


def test_significant_values_are_texts_in_one_form(luigi_config):
    luigi_config("cleaning", "max_minutes", "060")
    luigi_config("cleaning", "known_zones", "TRUE")
    values = config.cleaning().significant_values()
    assert values == {
        "cleaning.min_minutes": "1.0",
        "cleaning.max_minutes": "60.0",
        "cleaning.only_month": "false",
        "cleaning.known_zones": "true",
        "cleaning.keep_reversals": "true",
        "cleaning.min_miles": "0.0",
        "cleaning.max_miles": "inf",
    }


@pytest.mark.parametrize("text", ["https://h/a%20b/{year}-{month:02d}", "${NOT_SET}/{year}{month}"])
def test_a_value_that_cannot_be_read_is_one_line_that_says_how_to_write_it(luigi_config, text):
    luigi.configuration.get_config().set("source", "url", "x")
    luigi.configuration.get_config()._sections["source"]["url"] = text
    with pytest.raises(InvalidConfig) as raised:
        config.source()
    assert str(raised.value).startswith("[source] cannot be read: ")
    assert "\n" not in str(raised.value)


def test_names_of_the_default_section_are_no_options_of_the_others(luigi_config):
    luigi.configuration.get_config().defaults()["base"] = "/somewhere"
    luigi.configuration.get_config().set("storage", "root", "%(base)s/data")
    assert config.storage().root == "/somewhere/data"
