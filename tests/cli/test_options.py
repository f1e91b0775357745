"""Every option of the configuration is a flag of a command."""

import click
import pytest
from click.testing import CliRunner

from taxi_pipeline import config
from taxi_pipeline.cli.options import SHOWN, configured, import_modules
from taxi_pipeline.errors import InvalidConfig, InvalidParameter


@click.command
@configured
def told():
    """The root that was given."""
    click.echo(config.storage().root)


@pytest.fixture
def given(luigi_config):
    """What the command prints that was given some flags."""

    def run(*flags):
        return CliRunner().invoke(told, flags, catch_exceptions=False).output.rstrip("\n")

    return run


def test_a_flag_sets_its_option(given, tmp_path):
    given("--storage-root", str(tmp_path / "100% mine"), "--cleaning-max-minutes", "90")
    assert config.storage().root == str(tmp_path / "100% mine")
    assert config.cleaning().max_minutes == 90
    assert config.cleaning().min_minutes == 1


def test_a_wrong_value_is_told_with_its_option(given):
    with pytest.raises(InvalidConfig, match=r"\[tuning\] trials is 'many'"):
        given("--tuning-trials", "many")


def test_each_option_has_its_flag_and_help_names_the_most_used(given):
    flags = {flag for parameter in told.params for flag in parameter.opts}
    assert flags >= {
        f"--{section.__name__}-{name}".replace("_", "-")
        for section in config.SECTIONS
        for name, _ in section.get_params()
    }
    shown = given("--help")
    assert all(f"--{option.replace('.', '-')}" in shown for option in SHOWN)
    assert "--tuning-trials" not in shown


def test_a_module_that_cannot_be_imported_is_one_line():
    with pytest.raises(InvalidParameter, match="--module no_such_module cannot be imported: Mod"):
        import_modules(("no_such_module",))
