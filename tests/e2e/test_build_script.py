"""The script that builds a release takes what git has of the commit, and nothing else."""

import shutil
import sys
import tarfile
import zipfile

import pytest
from places import REPOSITORY
from processes import run

COPIED = ("setup.cfg", "pyproject.toml", "MANIFEST.in", "LICENSE", "luigi.cfg")
LEFT_OUT = "notes.txt"


def git(folder, *arguments):
    author = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    answer = run(["git", *author, *arguments], folder)
    assert answer.returncode == 0, answer.stderr


@pytest.fixture
def built(tmp_path):
    """The distributions of a small checkout in whose folders files lie that are not committed."""
    checkout = tmp_path / "checkout"
    for name in ("taxi_pipeline", "scripts", "docs", "tests"):
        (checkout / name).mkdir(parents=True)
    for name in (*COPIED, "scripts/build", "docs/package.md", "taxi_pipeline/__init__.py"):
        shutil.copy(REPOSITORY / name, checkout / name)
    (checkout / "scripts" / "setup").write_text("#!/bin/sh\n")
    (checkout / "scripts" / "setup").chmod(0o755)
    (checkout / "tests" / "test_it.py").write_text("")
    git(checkout, "init", "--quiet")
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "a release")
    (checkout / ".venv").symlink_to(sys.prefix)
    for name in ("taxi_pipeline", "scripts", "docs", "tests"):
        (checkout / name / LEFT_OUT).write_text("not committed\n")
    answer = run(["scripts/build"], checkout, timeout=120)
    assert answer.returncode == 0, answer.stderr
    return checkout / "dist"


def test_a_release_has_what_is_committed_and_nothing_else(built):
    (sdist,), (wheel,) = built.glob("*.tar.gz"), built.glob("*.whl")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"tests/test_it.py", "docs/package.md", "scripts/build"} <= held
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    assert "taxi_pipeline/__init__.py" in packed
    assert [name for name in held | packed if name.endswith(LEFT_OUT)] == []
    assert sorted(file.name for file in built.iterdir()) == sorted([sdist.name, wheel.name])
