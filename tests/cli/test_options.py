"""Every option of the configuration is a flag of a command."""

import sys

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


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A current folder with a package and a module, neither of which is on the path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    package = tmp_path / "front_recipes"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "ridge.py").write_text("IS_IMPORTED = True\n")
    (package / "needy.py").write_text("import front_helper\n")
    (tmp_path / "front_tasks.py").write_text("IS_IMPORTED = True\n")
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("front_")]:
        del sys.modules[name]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", ["front_tasks", "front_recipes.ridge"])
def test_a_module_of_the_current_folder_is_imported(name):
    import_modules((name,))
    assert sys.modules[name].IS_IMPORTED


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no_such", "ModuleNotFoundError: No module named 'no_such': be in the folder that holds"),
        ("no_such.ridge", "be in the folder that holds no_such, or name that folder in the var"),
        ("front_recipes.ridg", ": did you mean front_recipes.ridge?"),
        ("front_task", ": did you mean front_tasks?"),
        ("front_tasks.py", "a module is named without .py, and with dots: --module front_tasks"),
        ("front_recipes/ridge.py", "and with dots: --module front_recipes.ridge"),
        ("./front_tasks.py", "and with dots: --module front_tasks"),
        ("front_tasks.mine", "be in the folder that holds front_tasks"),
    ],
)
def test_a_module_that_cannot_be_imported_is_one_line_with_what_to_do(name, told):
    with pytest.raises(InvalidParameter) as failure:
        import_modules((name,))
    assert str(failure.value).startswith(f"--module {name} cannot be imported: ")
    assert told in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.usefixtures("here")
def test_what_a_module_lacks_itself_is_told_without_advice_about_its_folder():
    with pytest.raises(InvalidParameter) as failure:
        import_modules(("front_recipes.needy",))
    assert str(failure.value).endswith("ModuleNotFoundError: No module named 'front_helper'")
