"""What the package asks for is what it imports, has a line in the docs, and is held by digest."""

import ast
import configparser
import json
import re
import sys

import pytest
from places import REPOSITORY
from processes import python

IMPORTED_AS = {"scikit-learn": "sklearn", "xgboost-cpu": "xgboost"}
BY_OTHERS = {"prometheus_client": "Luigi's /metrics imports it"}
"""Packages that are asked for though this package does not import them, and why."""

OF_EXTRAS = {"dask", "distributed"}
"""Packages that are imported where an option asks for them, and come with an extra."""


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
    assert imported() == asked - set(BY_OTHERS) | OF_EXTRAS


def rows():
    text = (REPOSITORY / "docs" / "reference" / "dependencies.md").read_text()
    table = re.findall(r"^\| `([\w-]+)` \|(.*)\|$", text, flags=re.MULTILINE)
    return [(name, [cell.strip() for cell in cells.split("|")]) for name, cells in table]


def test_each_package_that_is_asked_for_has_one_line_in_the_docs(setup_cfg, required):
    extras = setup_cfg["options.extras_require"]
    optional = [
        name
        for extra in ("postgresql", "s3", "gs", "az", "dask", "docs")
        for name in names(extras[extra])
    ]
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


def test_the_oldest_versions_are_those_of_the_bounds_and_the_rest_is_as_tested(tmp_path, setup_cfg):
    said = python(tmp_path, str(REPOSITORY / "scripts" / "oldest.py"))
    assert said.returncode == 0, said.stderr
    oldest = said.stdout.splitlines()
    bounds = setup_cfg["options"]["install_requires"]
    (luigi,) = re.findall(r"^luigi >=([\d.]+)", bounds, flags=re.MULTILINE)
    assert f"luigi=={luigi}" in oldest
    held = {pin.split()[0] for pin in pins()}
    assert {pin for pin in oldest if pin.startswith("certifi==")} <= held
    assert len({pin.partition("==")[0] for pin in oldest}) == len(oldest)


SKIPPED = {"name": "numpy", "skip_reason": "not found"}
SOUND = {"name": "numpy", "version": "2.4.6", "vulns": []}
FOUND = {**SOUND, "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.4.7"]}]}
ANSWERS = {
    "sound": ([SOUND, SKIPPED], 0, "audit: 0 known in 1 of 2 packages (osv)\n"),
    "found": (
        [FOUND],
        1,
        "audit: numpy 2.4.6: PYSEC-1, mended in 2.4.7\naudit: 1 known in 1 of 1 packages (osv)\n",
    ),
    "not asked": ([SKIPPED], 3, ""),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_audit_that_was_not_answered_is_not_taken_for_a_clean_one(tmp_path, case):
    packages, code, says = ANSWERS[case]
    file = tmp_path / "answer.json"
    file.write_text(json.dumps({"dependencies": packages}))
    said = python(tmp_path, str(REPOSITORY / "scripts" / "audited.py"), "osv", str(file))
    assert (said.returncode, said.stdout) == (code, says)


def test_an_audit_that_wrote_nothing_was_not_answered(tmp_path):
    nothing = str(tmp_path / "answer.json")
    said = python(tmp_path, str(REPOSITORY / "scripts" / "audited.py"), "osv", nothing)
    assert (said.returncode, said.stdout) == (3, "")
