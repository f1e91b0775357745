"""Commands that are printed do what they say when they are typed as they are printed."""

import html
import os
import re
import sys
from pathlib import Path

import pytest
from processes import clean_environment, run

RIDGE = """
from taxi_pipeline.model.recipes import register_recipe
from taxi_pipeline.model.recipes.linear import Linear

@register_recipe("ridge")
class Ridge(Linear):
    summary = "one of my own"
"""
MODULE = "--module my_recipes.ridge"
GIVEN = "--source-url 'synthetic://?rows=300' --storage-root 'my data'"
TASK = "RegisterModel --year 2021 --month 1 --recipe ridge"
RUN = f"taxi-pipeline run {MODULE} {TASK} {GIVEN} --local-scheduler"


class Person:
    """Somebody with a recipe of their own in the current folder, and no luigi.cfg."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = clean_environment()
        programs = Path(sys.executable).parent
        self.environment["PATH"] = f"{programs}{os.pathsep}{self.environment['PATH']}"

    def __call__(self, command):
        return run(["bash", "-c", command], self.folder, environment=self.environment, timeout=120)

    def printed(self, command):
        """What a command prints, whatever its exit code."""
        answer = self(command)
        assert "Traceback" not in answer.stderr
        return answer.stdout + answer.stderr

    def typed(self, command):
        """A printed command, typed."""
        answer = self(command)
        assert answer.returncode == 0, f"{command}\n{answer.stdout}{answer.stderr}"
        return answer.stdout + answer.stderr


@pytest.fixture(scope="module")
def person(tmp_path_factory):
    folder = tmp_path_factory.mktemp("person")
    (folder / "my_recipes").mkdir()
    (folder / "my_recipes" / "__init__.py").touch()
    (folder / "my_recipes" / "ridge.py").write_text(RIDGE)
    made = Person(folder)
    made.typed(RUN)
    return made


def command_in(text, end):
    (found,) = re.findall(rf"(taxi-pipeline [^\n]*?){end}", text)
    return found


def test_the_command_of_a_plan_runs_it(person):
    plan = person.printed(f"taxi-pipeline plan {MODULE} {TASK} {GIVEN} --cleaning-max-minutes 50")
    command = command_in(plan, " runs them")
    assert "-> " in person.typed(command)
    assert "Did not run any tasks" in person.typed(command)


def test_the_command_of_a_status_makes_what_is_stale(person):
    flags = f"{MODULE} {GIVEN} --cleaning-max-minutes 40"
    assert "1 of 1 model not current" in person.printed(f"taxi-pipeline status {flags}")
    person.typed(command_in(person.printed(f"taxi-pipeline status {flags}"), "$"))
    assert "1 model, nothing to run." in person.printed(f"taxi-pipeline status {flags}")


def test_the_command_of_latest_makes_what_is_not_made(person):
    task = "EvaluateModel --year 2021 --month 1 --recipe ridge --cleaning-max-minutes 30"
    line = person.printed(f"taxi-pipeline latest {MODULE} {task} {GIVEN}")
    person.typed(command_in(line, " makes it"))
    assert "my data/evaluate" in person.typed(f"taxi-pipeline latest {MODULE} {task} {GIVEN}")


def test_the_command_of_a_comparison_makes_what_is_missing(person):
    compare = f"taxi-pipeline compare ridge linear {MODULE} {GIVEN}"
    person.typed(command_in(person.printed(compare), " makes it"))
    assert "RMSE in minutes" in person.typed(compare)


def test_the_report_page_tells_how_it_is_made_again(person):
    page = next(person.folder.glob("my data/report/*/*/*/*/report.html")).read_text()
    (command,) = re.findall(r"^.*(taxi-pipeline run .*?)(?:</|$)", page, re.MULTILINE)
    assert "Did not run any tasks" in person.typed(html.unescape(command))


def test_luigis_own_command_is_repeated_as_ours(person):
    task = f"BuildFeatures --year 2021 {GIVEN} --local-scheduler"
    line = person.printed(f"PYTHONPATH=.:$PYTHONPATH luigi {MODULE} {task}")
    assert "BuildFeatures needs --month (taxi-pipeline run BuildFeatures --help --module my" in line
    assert "--year YEAR" in person.typed(command_in(line, " tells of each"))


def test_a_recipe_without_its_module_is_told_to_need_it(person):
    line = person.printed(f"taxi-pipeline run {TASK} {GIVEN} --local-scheduler")
    assert line.startswith("ERROR: --recipe: no recipe is named 'ridge'")
    assert "--module my_recipes.mine" in line
    line = person.printed(f"taxi-pipeline run --module my_recipes {TASK} {GIVEN}")
    person.typed(RUN.replace(MODULE, line.rpartition("such as ")[2].strip()))
