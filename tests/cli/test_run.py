"""``run`` hands its arguments to Luigi, and its own options may stand anywhere among them."""

import pytest

from taxi_pipeline.cli import run
from taxi_pipeline.cli.main import main

MODEL = ["RegisterModel", "--year", "2021", "--month", "1"]


@pytest.fixture
def handed_over(monkeypatch):
    """What Luigi was given, and how its console was made."""
    given = {}

    def luigi_run(arguments):
        given["arguments"] = arguments
        raise SystemExit(20)

    monkeypatch.setattr(run, "luigi_run", luigi_run)
    monkeypatch.setattr(run.luigi_command, "install", lambda **options: given.update(options))
    return given


@pytest.mark.parametrize(
    ("typed", "quiet"),
    [(MODEL, False), (["--quiet", *MODEL], True), ([*MODEL, "-q"], True)],
    ids=["plain", "before the task", "behind it"],
)
def test_luigi_gets_the_task_and_decides_on_the_exit_code(handed_over, typed, quiet):
    with pytest.raises(SystemExit) as ended:
        main(["run", *typed])
    assert ended.value.code == 20
    assert handed_over == {"arguments": ["--module", "taxi_pipeline", *MODEL], "quiet": quiet}


def test_a_module_of_ones_own_is_imported_before(handed_over, tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_own_tasks.py").write_text("print('imported')")
    with pytest.raises(SystemExit):
        main(["run", *MODEL, "--module", "my_own_tasks"])
    assert handed_over["arguments"][2:] == MODEL
    assert capsys.readouterr().out == "imported\n"
    assert main(["run", *MODEL, "--module", "my_own_task"]) == 1
    assert capsys.readouterr().err.endswith("'my_own_task': did you mean my_own_tasks?\n")


def test_without_a_task_an_example_is_told(handed_over, capsys):
    assert main(["run", "--quiet"]) == 2
    assert "which task? For example RegisterModel --year 2021" in capsys.readouterr().err
    assert handed_over == {}


def test_help_is_the_commands_own_and_behind_a_task_luigis(handed_over, capsys):
    assert main(["run", "-h"]) == 0
    assert "--dry-run" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["run", "RegisterModel", "--help"])
    assert handed_over["arguments"][2:] == ["RegisterModel", "--help"]
