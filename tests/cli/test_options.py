"""Every option of the configuration is a flag of a command."""

import argparse

import luigi
import pytest

from taxi_pipeline import config
from taxi_pipeline.cli.options import SHOWN, add_config_flags, apply_config_flags, given_flags
from taxi_pipeline.errors import InvalidConfig


@pytest.fixture
def parser():
    made = argparse.ArgumentParser()
    add_config_flags(made)
    return made


@pytest.mark.usefixtures("luigi_config")
def test_a_flag_sets_its_option(parser, tmp_path):
    given = ["--storage-root", str(tmp_path / "100% mine"), "--cleaning-max-minutes", "90"]
    apply_config_flags(parser.parse_args(given))
    assert config.storage().root == str(tmp_path / "100% mine")
    assert config.cleaning().max_minutes == 90
    assert config.cleaning().min_minutes == 1


@pytest.mark.usefixtures("luigi_config")
def test_a_wrong_value_is_told_with_its_option(parser):
    with pytest.raises(InvalidConfig, match=r"\[tuning\] trials is 'many'"):
        apply_config_flags(parser.parse_args(["--tuning-trials", "many"]))


def test_each_option_has_its_flag_and_help_names_the_most_used(parser):
    for section in config.SECTIONS:
        for name, _ in section.get_params():
            flag = f"--{section.__name__}-{name.replace('_', '-')}"
            assert vars(parser.parse_args([flag, "x"]))[f"{section.__name__}.{name}"] == "x"
    told = parser.format_help()
    assert all(f"--{option.replace('.', '-')}" in told for option in SHOWN)
    assert "--tuning-trials" not in told
    assert luigi.configuration.get_config() is not None


def test_flags_that_were_given_are_told_as_they_are_typed_without_secrets(parser):
    given = ["--storage-root", "my data", "--source-url", "https://ana:secret@host/{year}"]
    told = given_flags(parser.parse_args(given))
    assert "--storage-root 'my data'" in told
    assert "secret" not in told
    assert given_flags(parser.parse_args([])) == ""
