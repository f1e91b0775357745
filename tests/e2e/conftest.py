"""What the tests of real processes share."""

import shutil
import zipfile

import pytest
import servers
from command_line import SMALL, CommandLine
from places import REPOSITORY
from processes import python
from stage_families import BESIDE


@pytest.fixture
def luigi(tmp_path):
    return CommandLine(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A folder in which the main job has run on the synthetic city, and what the run said.

    Tests add to its folder, and change nothing that is there.
    """
    command = CommandLine(tmp_path_factory.mktemp("finished"))
    result = command("RegisterModel", "--year", "2021", "--month", "1", "--local-scheduler", *SMALL)
    return command, result


@pytest.fixture(scope="session")
def finished_beside(finished, tmp_path_factory):
    """A folder in which the tasks beside the main job have run too; tests change nothing in it."""
    command = CommandLine(tmp_path_factory.mktemp("finished_beside"))
    shutil.copytree(finished[0].folder / "data", command.folder / "data", symlinks=True)
    for task in BESIDE.values():
        result = command(*task, *SMALL, "--local-scheduler")
        assert result.returncode == 0, result.stderr
    return command


@pytest.fixture(scope="session")
def scheduler(tmp_path_factory):
    """A scheduler through which the main job has run once, in the folder of its command line."""
    folder = tmp_path_factory.mktemp("scheduler")
    with servers.scheduler(folder) as running:
        running.client = CommandLine(folder)
        result = running.client(
            *("RegisterModel", "--year", "2021", "--month", "1"), *SMALL, *running.flag
        )
        assert result.returncode == 0, result.stderr
        yield running


@pytest.fixture(scope="session")
def wheel_site(tmp_path_factory):
    """A folder that holds nothing but the wheel's content."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    pip = ("-m", "pip", "--disable-pip-version-check")
    built = python(folder, *pip, *build, str(REPOSITORY), timeout=120)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"
