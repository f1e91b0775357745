"""What a user reads when a command ends in another way than it should."""

import codecs
import re
import shlex

import click
import pytest

from taxi_pipeline.cli import main as cli


def test_ctrl_c_is_one_line_and_130(monkeypatch, capsys):
    def interrupted(**_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.status.command, "callback", interrupted)
    assert cli.main(["status"]) == 130
    assert capsys.readouterr().err == "WARNING: SIGINT: ended; the same command begins again\n"


@pytest.mark.parametrize(
    ("text", "plain"),
    [("├─ a", "|- a"), ("│  └─ a", "|  `- a"), ("Größe", "Gr\\xf6\\xdfe"), ("東", "\\u6771")],
)
def test_where_only_ascii_is_known_lines_and_letters_have_a_stand_in(text, plain):
    codecs.register_error("taxi_pipeline.plain", cli._write_plainly)
    assert text.encode("ascii", "taxi_pipeline.plain").decode() == plain


def commands(group=cli.cli, path=()):
    """The words of each command that does something."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


COMMANDS = list(commands())


def examples(text):
    return re.findall(r"^ +(taxi-pipeline [a-z].*)$", text.partition("Examples:")[2], re.MULTILINE)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_each_command_tells_examples_that_its_parser_takes(words, capsys, monkeypatch, tmp_path):
    assert cli.main([*words, "--help"]) == 0
    found = examples(capsys.readouterr().out)
    assert found
    monkeypatch.chdir(tmp_path)
    for command in cli.cli.commands.values():
        for each in getattr(command, "commands", {"": command}).values():
            monkeypatch.setattr(each, "callback", lambda **_options: 7)
    for line in found:
        assert line.startswith(" ".join(("taxi-pipeline", *words)))
        assert cli.main(shlex.split(line)[1:]) == 7


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["plna"], "No such command 'plna'. Did you mean 'plan'?"),
        (["champion", "rolback"], "No such command 'rolback'. Did you mean 'rollback'?"),
        (["status", "--taxy", "green"], "No such option '--taxy'. Did you mean '--taxi'?"),
        (["verify", "--gate-min-gian", "1"], "'--gate-min-gain'"),
    ],
    ids=["command", "action", "option", "configuration"],
)
def test_what_is_mistyped_is_one_line_with_the_nearest_name(typed, told, capsys):
    assert cli.main(typed) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ERROR: No such ")
    assert told in line


def test_without_a_command_all_are_listed(capsys):
    assert cli.main([]) == 2
    told = capsys.readouterr().err
    assert all(f"\n  {words[0]} " in told for words in COMMANDS)
    assert "_TAXI_PIPELINE_COMPLETE=bash_source taxi-pipeline" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [("taxi-pipeline ver", {"verify"}), ("taxi-pipeline run Reg", {"RegisterModel"})],
)
def test_commands_and_tasks_are_completed(words, told, monkeypatch, capsys):
    monkeypatch.setenv("_TAXI_PIPELINE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert cli.main([]) == 0
    assert {line.partition(",")[2] for line in capsys.readouterr().out.split()} == told
