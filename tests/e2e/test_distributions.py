"""The sdist and the wheel are complete, and run the job where nothing else is installed."""

import email
import re
import shutil
import tarfile
import zipfile

import pytest
from command_line import SMALL
from places import REPOSITORY
from processes import clean_environment, python, run

pytestmark = pytest.mark.slow

SHIPPED = ("taxi_pipeline", "tests", "scripts", "docs", ".ci")
WHOLE = (
    "setup.cfg",
    "pyproject.toml",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "mkdocs.yml",
    ".pre-commit-config.yaml",
)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """A folder with the sdist, and the wheel that was built from nothing but that."""
    folder = tmp_path_factory.mktemp("distributions")
    source = folder / "source"
    left = shutil.ignore_patterns(".*_cache", "__pycache__", ".venv", ".git", "data", "*.egg-info")
    shutil.copytree(REPOSITORY, source, ignore=left)
    build = "import sys; from setuptools import build_meta as b; b.build_sdist(sys.argv[1])"
    built = python(source, "-c", build, str(folder), timeout=120)
    assert built.returncode == 0, built.stderr
    (sdist,) = folder.glob("*.tar.gz")
    pip = ("-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps")
    made = python(folder, *pip, "--no-build-isolation", str(sdist), timeout=120)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(distributions):
    (file,) = distributions.glob("*.whl")
    return file


def test_the_sdist_holds_all_that_the_repository_has(distributions):
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    there = {
        file.relative_to(REPOSITORY).as_posix()
        for top in SHIPPED
        for file in (REPOSITORY / top).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc"
    }
    assert there | set(WHOLE) <= held


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    there = {
        file.relative_to(REPOSITORY).as_posix()
        for file in (REPOSITORY / "taxi_pipeline").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert held == there


def test_its_description_leads_to_nothing_that_is_only_in_the_repository(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = email.message_from_bytes(archive.read(name))
    targets = re.findall(r"\]\(([^)]+)\)", metadata.get_payload())
    assert targets
    assert [target for target in targets if not target.startswith("https://")] == []
    assert {"Programming Language :: Python :: 3.13", "Typing :: Typed"} <= set(
        metadata.get_all("Classifier")
    )
    assert metadata["License"] == "MIT"
    assert metadata.get_all("Project-URL")


def alone():
    """The variables without the one by which the checkout may be found."""
    return {name: text for name, text in clean_environment().items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The programs of a new environment that has the wheel with all that it requires."""
    folder = tmp_path_factory.mktemp("installed")
    made = python(folder, "-m", "venv", str(folder / "venv"), timeout=120)
    assert made.returncode == 0, made.stderr
    # The versions that are tested; a wheel has no digest there.
    text = (REPOSITORY / "requirements.txt").read_text()
    pins = re.findall(r"^[\w.-]+==.*?(?= \\$)", text, flags=re.MULTILINE)
    (folder / "pins.txt").write_text("\n".join(pins))
    programs = folder / "venv" / "bin"
    pip = (programs / "python", "-m", "pip", "--disable-pip-version-check")
    for command in (("install", "--quiet", "-c", "pins.txt", wheel), ("check",)):
        line = [*map(str, pip), *map(str, command)]
        answer = run(line, folder, environment=alone(), timeout=900)
        assert answer.returncode == 0, answer.stdout + answer.stderr
    return programs


def test_it_runs_the_main_job_from_an_empty_folder(installed, tmp_path):
    known = alone()
    known["PATH"] = f"{installed}:{known['PATH']}"
    job = ("RegisterModel", "--year", "2021", "--month", "1", "--local-scheduler", *SMALL)
    command = ["luigi", "--module", "taxi_pipeline", *job]
    result = run(command, tmp_path, environment=known, timeout=600)
    assert result.returncode == 0, result.stderr
    assert list(tmp_path.glob("data/register/green/2021-01/trip-w1/*/receipt.json"))
    where = "import taxi_pipeline; print(taxi_pipeline.__file__)"
    said = run([str(installed / "python"), "-c", where], tmp_path, environment=known)
    assert said.stdout.startswith(str(installed.parent))
    status = run(
        [str(installed / "python"), "-m", "taxi_pipeline", "status"], tmp_path, environment=known
    )
    assert status.returncode == 0, status.stderr
    assert "2021-01" in status.stdout
