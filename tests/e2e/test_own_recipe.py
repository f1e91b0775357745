"""Recipes that are not of the package, with the package installed from its wheel."""

import re
import sys

import pytest
from command_line import COMMAND
from own_recipes import MODULE, install
from places import REPOSITORY
from processes import clean_environment, run

ARGUMENTS = (
    *("--year", "2021", "--month", "1", "--local-scheduler"),
    *("--source-url", "synthetic://?rows=1000", "--tracking-uri", "sqlite:///tracking.db"),
)
PAGE = REPOSITORY / "docs" / "how-to" / "add_a_recipe.md"
EXAMPLE, DERIVED = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
PREDICT = """
import importlib.util, sys
import mlflow, pandas as pd
assert importlib.util.find_spec("my_tasks") is None
if sys.argv[1] == "with the package":
    import taxi_pipeline
mlflow.set_tracking_uri("sqlite:///tracking.db")
model = mlflow.pyfunc.load_model("models:/nyc-green-taxi-duration-mine/1")
rows = pd.read_parquet(sys.argv[2]).head(50)
minutes = model.predict(rows)
found = model.predict(rows, params={"interval": 0.9})
assert (found["low"] <= minutes).all() and (minutes < found["high"]).all()
print(len(minutes), float(minutes.min()) != float(minutes.max()))
"""


class User:
    """A folder of a user's own, beside the installed package."""

    def __init__(self, folder, *path):
        self.folder = folder
        self.path = path

    def __call__(self, *command, path=None):
        path = self.path if path is None else path
        known = clean_environment()
        known.pop("PYTHONPATH", None)  # the checkout, where it is named there
        return run(command, self.folder, path=path, environment=known, timeout=120)

    def luigi(self, module, task, recipe):
        command = (COMMAND[0], "--module", module, task, "--recipe", recipe)
        return self(*command, *ARGUMENTS)


@pytest.fixture(scope="module")
def user(wheel_site, tmp_path_factory):
    """Somebody who wrote my_tasks.py as the documentation says, and installed recipes of others."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "my_tasks.py").write_text(EXAMPLE)
    (folder / "derived_tasks.py").write_text(DERIVED)
    install(folder / "site", "their_package")
    misspelt = MODULE.replace("pickup_zone", "pickup_zones")
    install(folder / "site", "careless", "careless = careless:Theirs", source=misspelt)
    return User(folder, wheel_site, folder, folder / "site")


@pytest.fixture(scope="module")
def registered(user):
    """The run of the documentation's first example."""
    return user.luigi("my_tasks", "RegisterModel", "mine")


def test_the_documented_recipe_is_registered(user, registered):
    assert registered.returncode == 0, registered.stderr
    assert "nyc-green-taxi-duration-mine version 1" in registered.stderr
    where = user(sys.executable, "-c", "import taxi_pipeline; print(taxi_pipeline.__file__)")
    assert where.stdout.startswith(str(user.path[0]))


def test_a_second_run_finds_everything_made(user, registered):
    again = user.luigi("my_tasks", "RegisterModel", "mine")
    assert again.returncode == 0, again.stderr
    assert "Did not run any tasks" in again.stderr


def test_a_recipe_whose_code_is_edited_is_made_again_and_the_log_says_why(user, registered):
    file = user.folder / "my_tasks.py"
    try:
        file.write_text(f"# A remark.\n{EXAMPLE.replace('Ridge regression', 'A regression')}")
        remarked = user.luigi("my_tasks", "TrainModel", "mine")
        assert "Did not run any tasks" in remarked.stderr, remarked.stderr

        file.write_text(EXAMPLE.replace("SimpleImputer(),", 'SimpleImputer(strategy="median"),'))
        edited = user.luigi("my_tasks", "TrainModel", "mine")
        assert edited.returncode == 0, edited.stderr
        assert "BuildFeatures green 2021-01: " not in edited.stderr
        for stage in ("TuneHyperparameters", "TrainModel"):
            (line,) = re.findall(
                rf"{stage} green 2021-01 mine-w1: .* since (.*) -> ", edited.stderr
            )
            assert line.startswith("its recipe has changed")
    finally:
        file.write_text(EXAMPLE)
    back = user.luigi("my_tasks", "RegisterModel", "mine")
    assert "Did not run any tasks" in back.stderr, back.stderr


@pytest.mark.parametrize("process", ["with the package", "without the package"])
def test_its_model_is_loaded_and_predicts_without_its_module(user, registered, process):
    rows = user.folder / "data/ingest/green/2021-01/latest/trips.parquet"
    command = (sys.executable, "-P", "-c", PREDICT, process, str(rows))
    answer = user(*command, path=[user.path[0]] if process == "with the package" else [])
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "50 True"


def test_a_recipe_derived_from_one_of_the_package_is_trained(user):
    result = user.luigi("derived_tasks", "TrainModel", "shallow")
    assert result.returncode == 0, result.stderr
    assert "shallow fitted on" in result.stderr


def test_a_recipe_of_another_distribution_is_evaluated_without_a_module_of_ones_own(user):
    result = user.luigi("taxi_pipeline", "EvaluateModel", "theirs")
    assert result.returncode == 0, result.stderr
    assert list(user.folder.glob("data/evaluate/green/2021-01/theirs-w1/*/metrics.json"))


@pytest.mark.parametrize(
    ("module", "recipe", "told"),
    [
        ("misspelt_tasks", "mine", "names 'our' (did you mean hour?)"),
        ("taxi_pipeline", "careless", "recipe 'careless' (careless 1.5, careless:Theirs): "),
        ("taxi_pipeline", "theirz", "(did you mean theirs?)"),
        ("taxi_pipeline", "mine", "the recipes are trip, pretrip, course, linear, "),
    ],
)
def test_what_is_wrong_with_a_recipe_is_one_line(user, module, recipe, told):
    misspelt = EXAMPLE.replace('"dropoff_zone", "hour", "miles")', '"our")')
    (user.folder / "misspelt_tasks.py").write_text(misspelt)
    result = user.luigi(module, "RegisterModel", recipe)
    assert result.returncode == 40
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("ERROR: --recipe: ")
    assert told in line


def test_the_help_of_a_task_needs_no_recipe(user):
    result = user(COMMAND[0], "--module", "my_tasks", "RegisterModel", "--help")
    assert result.returncode == 0, result.stderr
    assert "trip, pretrip, course, linear, or one of your own" in " ".join(result.stdout.split())
