"""The plan of the rooms: who may import whom, and how large a piece may get."""

import ast
import functools
import re
from pathlib import Path

import pytest
from places import REPOSITORY

from taxi_pipeline import config

PACKAGE = REPOSITORY / "taxi_pipeline"

FLOORS = (
    {"cli"},
    {"runtime"},
    {"tasks"},
    {"luigid"},
    {"observability"},
    {"config"},
    {"tracking"},
    {"evaluation"},
    {"tuning"},
    {"model"},
    {"trips"},
    {"storage"},
    {"compute"},
)
"""The rooms from the top floor down; modules that stand in no room are the values at the bottom.

The configuration stands above the pure rooms, since an option takes its check and its default from
what it configures.
"""

TOP = {"taxi_pipeline", "taxi_pipeline.__main__"}
PURE = {"trips", "model", "tuning", "evaluation"}
OPTION = re.compile(rf"\[({'|'.join(section.__name__ for section in config.SECTIONS)})\]")
TESTS = REPOSITORY / "tests"
UNIT_TESTS = [
    file
    for file in sorted(TESTS.rglob("test_*.py"))
    if TESTS / "e2e" not in file.parents and file.name != Path(__file__).name
]

MAX_MODULE_LINES = 350
MAX_CLASS_LINES = 200

FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(file):
    parts = file.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in FILES}


@functools.cache
def imports_of(module):
    """The modules that a module imports, late or for types only as well; own ones in full."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: a relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & MODULES.keys()
            if not names <= MODULES.keys():
                found.add(node.module)
    return found - {module}


def room_of(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (PACKAGE / parts[1]).is_dir() else ""


def floor_of(module):
    """0 is the top; a value is on the lowest floor."""
    if module in TOP:
        return -1
    return next((n for n, floor in enumerate(FLOORS) if room_of(module) in floor), len(FLOORS))


def own(modules):
    return {module for module in modules if module.split(".")[0] == "taxi_pipeline"}


def ids(file):
    return str(file.relative_to(PACKAGE))


def test_every_room_has_its_floor():
    rooms = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists()}
    assert rooms == set.union(*FLOORS)


@pytest.mark.parametrize("module", MODULES)
def test_no_module_imports_from_a_floor_above(module):
    above = {name for name in own(imports_of(module)) if floor_of(name) < floor_of(module)}
    assert not above


def test_no_modules_import_each_other_in_a_circle():
    unfinished, finished = [], set()

    def visit(module):
        if module in unfinished:
            circle = [*unfinished[unfinished.index(module) :], module]
            pytest.fail(" -> ".join(circle))
        if module not in finished:
            unfinished.append(module)
            for name in sorted(own(imports_of(module)) & MODULES.keys()):
                visit(name)
            finished.add(unfinished.pop())

    for module in MODULES:
        visit(module)


@pytest.mark.parametrize("module", [name for name in MODULES if room_of(name) in PURE])
def test_a_pure_room_knows_nothing_of_luigi_of_mlflow_or_of_options(module):
    packages = {name.split(".")[0] for name in imports_of(module)}
    assert not packages & {"luigi", "mlflow"}
    assert not OPTION.search(MODULES[module].read_text())


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_no_module_and_no_class_grows_too_large(file):
    text = file.read_text()
    assert len(text.splitlines()) <= MAX_MODULE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            assert node.end_lineno - node.lineno < MAX_CLASS_LINES, node.name


@pytest.mark.parametrize("file", [f for f in FILES if f.name == "__init__.py"], ids=ids)
def test_a_room_says_what_belongs_in_it(file):
    assert len(ast.get_docstring(ast.parse(file.read_text())) or "") > 40


def module_under_test(file):
    """The file or room that a test file is named after; an aspect may follow: test_worker_seams."""
    words = file.stem.removeprefix("test_").split("_")
    folder = PACKAGE / file.parent.relative_to(TESTS)
    names = ["_".join(words[:end]) for end in range(1, len(words) + 1)]
    places = [folder / f"{name}.py" for name in names] + [folder / name for name in names]
    return [place for place in places if place.exists()] or words == ["init"]


@pytest.mark.parametrize("file", UNIT_TESTS, ids=lambda file: str(file.relative_to(TESTS)))
def test_a_test_file_stands_where_the_module_stands_that_it_tests(file):
    assert module_under_test(file)


def test_the_module_that_registered_models_name_keeps_its_place():
    serving = ast.parse(Path(PACKAGE, "model", "serving.py").read_text())
    assert "_load_pyfunc" in {
        node.name for node in serving.body if isinstance(node, ast.FunctionDef)
    }
