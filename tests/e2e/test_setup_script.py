"""The script that sets the checkout up takes a Python that Luigi runs on, and refuses others."""

import shutil
import subprocess
import sys

import pytest
from places import REPOSITORY

# The real interpreter, which says that it is of another version and makes no environment.
STAND_IN = """#!/bin/sh
case "$1" in
  --version) echo "Python {version}" ;;
  -c) exec {python} -c "
import platform, sys
sys.version_info = tuple(map(int, '{version}'.split('.')))
platform.python_version = lambda: '{version}'
exec(sys.argv[1])" "$2" ;;
  *) exit 7 ;;
esac
"""


@pytest.fixture
def set_up(tmp_path):
    """Runs the script beside interpreters of some versions; exit code, and what it says."""
    programs = tmp_path / "bin"
    (tmp_path / "scripts").mkdir()
    programs.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "requirements.txt", "scripts/setup"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    for name in ("bash", "dirname", "cat", "cksum", "rm"):
        (programs / name).symlink_to(shutil.which(name))

    def run(versions, **variables):
        for name, version in versions.items():
            file = programs / name
            file.write_text(STAND_IN.format(version=version, python=sys.executable))
            file.chmod(0o755)
        environment = {"PATH": str(programs), **variables}
        answer = subprocess.run(
            [tmp_path / "scripts" / "setup"],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
        )
        return answer.returncode, answer.stdout, answer.stderr

    return run


NEEDED = "Python 3.11, 3.12 or 3.13 with venv is needed, as Luigi runs on no other "
REFUSED = {
    "too old": ({"python3": "3.10.13"}, "found: python3 is 3.10.13; "),
    "too new": ({"python3": "3.14.0"}, "found: python3 is 3.14.0; "),
    "none": ({}, ""),
    "two": (
        {"python3": "3.14.1", "python3.11": "3.9.2"},
        "found: python3 is 3.14.1, python3.11 is 3.9.2; ",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_python_that_luigi_cannot_run_on_is_refused_in_one_line(set_up, case):
    versions, found = REFUSED[case]
    line = f"{NEEDED}({found}install one, or name it with PYTHON=...)\n"
    assert set_up(versions) == (1, "", line)


def test_a_python_that_is_named_is_refused_as_well(set_up):
    code, _, line = set_up({"python3": "3.12.1", "mine": "3.14.0"}, PYTHON="mine")
    assert code == 1
    assert line.startswith(f"{NEEDED}(found: mine is 3.14.0; ")


@pytest.mark.parametrize("version", ["3.11.0", "3.12.1", "3.13.9"])
def test_a_python_that_luigi_runs_on_is_taken(set_up, version):
    code, said, _ = set_up({"python3": "3.14.0", f"python{version[:4]}": version})
    assert (code, said) == (7, f"setting up .venv with Python {version} (a minute or two)\n")


def test_what_is_up_to_date_is_left_and_the_next_command_is_told(set_up, tmp_path):
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "luigi").touch(0o755)
    files = ("setup.cfg", "pyproject.toml", "requirements.txt")
    content = b"".join((tmp_path / name).read_bytes() for name in files)
    answer = subprocess.run([shutil.which("cksum")], input=content, capture_output=True, check=True)
    (tmp_path / ".venv" / "made-from").write_bytes(answer.stdout)
    code, said, _ = set_up({})
    assert code == 0
    assert said == (
        f"taxi-pipeline is in {tmp_path}/.venv/bin. Next: source .venv/bin/activate, and then "
        "taxi-pipeline --help, or scripts/demo\n"
    )
