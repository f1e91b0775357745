"""The pages of the reference name every command, option, task and exit code, and no others."""

import re

import click
import pytest
from places import REPOSITORY

import taxi_pipeline
from taxi_pipeline import config
from taxi_pipeline.cli.main import cli
from taxi_pipeline.runtime import interruption, luigi_arguments

REFERENCE = REPOSITORY / "docs" / "reference"
SHARED = "Options of several commands"
FLAG = re.compile(r"(?<![\w-])--?[a-z][\w-]*")


def sections():
    """The text under each second heading of the page of commands."""
    page = (REFERENCE / "commands.md").read_text()
    _, *parts = re.split(r"^## ", page, flags=re.MULTILINE)
    return {title: text for title, _, text in (part.partition("\n") for part in parts)}


SECTIONS = sections()


def tables(text, heading):
    """The rows of the tables whose first column has that heading, as lists of their cells."""
    found, inside = [], False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|"):
            inside = False
        elif cells[0].strip() == heading:
            inside = True
        elif inside and not line.startswith("|--"):
            found.append(cells)
    return found


def commands(group=cli, path=()):
    """Each command that does something, by the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands())


def options(command):
    return [each for each in command.params if isinstance(each, click.Option)]


def applies(cell, name):
    """Whether a cell means a command: ``all``, ``all but`` those that it names, or only those."""
    return (f"`{name}`" in cell) != cell.startswith("all")


def documented(path):
    """The flags that the page gives for a command: by its own section, and by the shared one."""
    own = [
        option
        for option, *cells in tables(SECTIONS[path[0]], "option")
        if len(cells) == 1 or applies(cells[0], path[-1])
    ]
    shared = [
        option
        for option, commands, _ in tables(SECTIONS[SHARED], "option")
        if applies(commands, path[0])
    ]
    return {flag for option in own + shared for flag in FLAG.findall(option)}


def test_each_command_has_its_section_and_its_row():
    names = list(cli.commands)
    assert [title for title in SECTIONS if title != SHARED] == names
    page = (REFERENCE / "commands.md").read_text()
    rows = [re.match(r"\[`([\w-]+)", row[0]) for row in tables(page, "command")]
    assert [row[1] for row in rows if row] == names


def test_each_action_of_champion_has_its_row():
    named = {row[0].strip("`").split()[1] for row in tables(SECTIONS["champion"], "action")}
    assert named == set(cli.commands["champion"].commands)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_each_option_that_a_command_shows_is_named(path):
    shown = [option.opts for option in options(COMMANDS[path]) if not option.hidden]
    assert shown
    named = documented(path)
    assert [spellings for spellings in shown if not named.issuperset(spellings)] == []


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_each_option_that_is_named_for_a_command_is_one_of_it(path):
    command = COMMANDS[path]
    known = {spelling for option in options(command) for spelling in option.opts}
    if command.context_settings.get("ignore_unknown_options"):  # what it leaves to Luigi
        known |= {
            f"--{section.__name__}-{name}".replace("_", "-")
            for section in config.SECTIONS
            for name, _ in section.get_params()
        }
    assert documented(path) - known <= {"--help", "-h"}


def test_each_task_has_its_row():
    page = (REFERENCE / "tasks.md").read_text()
    named = [row[0] for row in tables(page, "task")]
    assert sorted(named) == sorted(set(taxi_pipeline.__all__) - {"Month"})


def test_each_exit_code_has_its_row():
    page = (REFERENCE / "exit_codes.md").read_text()
    of_luigi = {int(each.value) for each in config.LUIGI_SETTINGS if each.section == "retcode"}
    of_signals = {128 + number for number in interruption.SIGNALS}
    known = {0, 1, luigi_arguments.USAGE_ERROR} | of_luigi | of_signals
    assert [int(row[0]) for row in tables(page, "code")] == sorted(known)
