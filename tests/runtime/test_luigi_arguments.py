"""What is wrong with the flags of a run is one line that names the right one."""

import pytest
from luigi.cmdline_parser import CmdlineParser

from taxi_pipeline.runtime import luigi_arguments

MODEL = ("RegisterModel", "--year", "2021", "--month", "1")


@pytest.fixture
def refused(monkeypatch, capsys):
    """The one line about arguments that Luigi's parser does not take."""
    monkeypatch.setattr(CmdlineParser, "_build_parser", CmdlineParser._build_parser)
    luigi_arguments.install("--draw")

    def parse(*arguments):
        with pytest.raises(SystemExit) as ended:
            CmdlineParser([*arguments])
        assert ended.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return parse


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--yaer", "2021"), "has no flag --yaer: did you mean --year? (taxi-pipeline run Reg"),
        (("--tuning-trails=3",), "has no flag --tuning-trails: did you mean --tuning-trials?"),
        (("--drwa", "plan.svg"), "has no flag --drwa: did you mean --draw?"),
        (("--qqqqqqq",), "has no flag --qqqqqqq (taxi-pipeline run RegisterModel --help lists"),
        (("2021",), "takes flags, such as --year 2021, and not 2021 ("),
    ],
)
def test_a_flag_that_is_not_known_is_told_with_the_nearest(refused, arguments, told):
    assert refused(*MODEL, *arguments).startswith(f"ERROR: RegisterModel {told}")


def test_flags_of_other_tasks_are_not_proposed(refused):
    line = refused("BuildFeatures", *MODEL[1:], "--recipe", "linear")
    assert line.startswith("ERROR: BuildFeatures has no flag --recipe (taxi-pipeline ")


def test_a_flag_without_its_value_is_one_line(refused):
    assert "argument --tuning-trials: expected one argument" in refused(*MODEL, "--tuning-trials")


@pytest.fixture
def helped(monkeypatch, capsys):
    """What Luigi's parser answers to a flag that asks for help."""
    monkeypatch.setattr(CmdlineParser, "_build_parser", CmdlineParser._build_parser)
    luigi_arguments.install()

    def ask(*arguments):
        with pytest.raises(SystemExit) as ended:
            CmdlineParser([*arguments])
        assert ended.value.code in {0, None}
        return " ".join(capsys.readouterr().out.split())

    return ask


def test_help_lists_each_flag_of_the_task_once_and_says_that_there_are_more(helped):
    text = helped("RegisterModel", "--help")
    assert "--RegisterModel-year" not in text
    assert text.count("Year of the month, not after the next.") == 1
    assert "--cleaning-max-minutes, [source] url is --source-url" in text
    assert "--tuning-trials" not in text
    assert "--local-scheduler Run by yourself, without the central scheduler" in text
    assert "Use an in-memory" not in text


def test_all_flags_are_listed_with_their_descriptions_as_they_are_written(helped):
    text = helped("RegisterModel", "--help-all")
    assert "--tuning-trials" in text
    assert "at least 5 % of" in text


def test_a_switch_needs_no_value(helped):
    assert "--reverse [REVERSE]" in helped("BackfillMonths", "--help")
    months = ("BackfillMonths", "--of", "RegisterModel", "--start", "2021-01")
    for said, means in (((), False), (("--reverse",), True), (("--reverse", "false"), False)):
        assert CmdlineParser([*months, *said]).get_task_obj().reverse is means
