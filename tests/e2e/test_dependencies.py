"""What the package asks for is what it imports, has a line in the docs, and is held by digest."""

import ast
import configparser
import re
import sys

import pytest
from places import REPOSITORY

IMPORTED_AS = {"scikit-learn": "sklearn", "xgboost-cpu": "xgboost"}
BY_OTHERS = {"prometheus_client": "Luigi's /metrics imports it"}
"""Packages that are asked for though this package does not import them, and why."""


@pytest.fixture(scope="module")
def setup_cfg():
    parser = configparser.ConfigParser()
    parser.read(REPOSITORY / "setup.cfg")
    return parser


def names(requirements):
    lines = [line for line in requirements.splitlines() if line and not line.startswith("#")]
    return [re.match(r"[\w-]+", line)[0] for line in lines]


@pytest.fixture(scope="module")
def required(setup_cfg):
    return names(setup_cfg["options"]["install_requires"])


def imported():
    """The packages of others that the modules import, at whatever place."""
    found = set()
    for file in (REPOSITORY / "taxi_pipeline").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module)
    tops = {name.partition(".")[0] for name in found}
    return tops - sys.stdlib_module_names - {"taxi_pipeline"}


def test_what_is_imported_is_asked_for_and_the_reverse(required):
    asked = {IMPORTED_AS.get(name, name) for name in required}
    assert imported() == asked - set(BY_OTHERS)


def rows():
    text = (REPOSITORY / "docs" / "dependencies.md").read_text()
    table = re.findall(r"^\| `([\w-]+)` \|(.*)\|$", text, flags=re.MULTILINE)
    return [(name, [cell.strip() for cell in cells.split("|")]) for name, cells in table]


def test_each_package_that_is_asked_for_has_one_line_in_the_docs(setup_cfg, required):
    extras = setup_cfg["options.extras_require"]
    optional = [*names(extras["postgresql"]), *names(extras["s3"])]
    assert sorted(name for name, _ in rows()) == sorted(required + optional)


def test_each_line_says_who_uses_the_package_and_why():
    rooms = {folder.name for folder in (REPOSITORY / "taxi_pipeline").iterdir() if folder.is_dir()}
    for name, cells in rows():
        assert cells[-1], name
        if len(cells) > 2:
            assert set(cells[0].split(", ")) <= rooms, name


def pins():
    text = (REPOSITORY / "requirements.txt").read_text().replace("\\\n", "")
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_everything_that_is_installed_is_held_by_version_and_digest(required):
    held = [
        re.fullmatch(r"([\w.-]+)==\S+( ; .*?)?(\s+--hash=sha256:\w{64})+", pin) for pin in pins()
    ]
    assert None not in held
    assert {name.replace("_", "-") for name in required} <= {pin[1] for pin in held}


def test_no_address_of_an_index_stands_beside_what_is_installed():
    text = (REPOSITORY / "requirements.txt").read_text()
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host", text)
