"""A full disk is one line that names it and the option, in any stage, whatever is written."""

import errno
import itertools
import json
import re
import shutil
import sys

import pytest
from command_line import SMALL, CommandLine
from full_disks import failing_writes, fill, small_disk
from processes import clean_environment, run
from stage_families import BESIDE, FAMILIES, STAGES

JANUARY = ("--year", "2021", "--month", "1")


LINE = (
    r"the disk of {root}\S* is full \(0\.\d of \d+\.\d MB free\): make room, or choose another "
    r"place by \[(storage\] root|tracking\] uri); the same command then goes on"
)


def short(*short_ones):
    """All stages, of which some are looked at in short runs too."""
    return [
        pytest.param(stage, marks=() if stage in short_ones else pytest.mark.slow)
        for stage in STAGES
    ]


def prepared(finished, root, stage):
    """A root in which everything before a stage is made, and MLflow knows of nothing."""
    command, _ = finished
    shutil.copytree(command.folder / "data", root, symlinks=True)
    for later in STAGES[STAGES.index(stage) :]:
        shutil.rmtree(root / later)
    shutil.rmtree(root / "mlflow")


def prepared_beside(finished_beside, root, stage):
    """A root in which all is made but for what a task beside the main job makes."""
    shutil.copytree(finished_beside.folder / "data", root, symlinks=True)
    shutil.rmtree(root / stage)


def problems(result):
    lines = [line for line in result.stderr.splitlines() if not line.startswith("INFO: ")]
    assert not any("Traceback" in line for line in lines), result.stderr
    return [line for line in lines if line.startswith(("ERROR", "WARNING"))]


@pytest.mark.parametrize("stage", short("transform", "register"))
def test_a_disk_that_is_really_full_is_one_line_and_with_room_the_run_goes_on(
    tmp_path, finished, stage
):
    # For nothing at all; for the lease; for the log; for a part of an output.
    spares = (0, 8192, *([] if stage == "gate" else [24576]))  # its record fits in there
    command = (FAMILIES[stage], *JANUARY)
    assert_goes_on(tmp_path, lambda root: prepared(finished, root, stage), command, stage, spares)


@pytest.mark.parametrize("stage", [pytest.param(stage, marks=pytest.mark.slow) for stage in BESIDE])
def test_a_disk_that_is_full_beside_the_main_job_is_one_line_too(tmp_path, finished_beside, stage):
    prepare = lambda root: prepared_beside(finished_beside, root, stage)  # noqa: E731
    # The record of a month that was monitored fits into little.
    assert_goes_on(tmp_path, prepare, BESIDE[stage], stage, (0, 8192))


@pytest.mark.slow
def test_a_disk_that_is_full_under_a_retraining_on_decay_is_one_line_too(tmp_path, finished_beside):
    prepare = lambda root: prepared_beside(finished_beside, root, "monitor")  # noqa: E731
    command = ("RetrainOnDecay", *BESIDE["monitor"][1:])
    assert_goes_on(tmp_path, prepare, command, "monitor", (0, 8192))


def assert_goes_on(tmp_path, prepare, task, stage, spares):
    """A task fails in one line while a disk has no more room than this, and then ends well."""
    luigi = CommandLine(tmp_path)
    with small_disk(tmp_path / "disk", "80m") as disk:
        root = disk / "data"
        prepare(root)
        command = (*task, *SMALL, "--local-scheduler", "--storage-root")
        for spare in spares:
            fill(disk, spare)
            result = luigi(*command, str(root))
            assert result.returncode in {30, 40}, result.stderr
            *earlier, line = problems(result)
            assert line.startswith("ERROR: ")
            assert re.search(LINE.replace("{root}", str(root)), line)
            assert all(line.startswith("WARNING") for line in earlier)
            assert list(root.glob(".staging/*")) == []
            assert list(root.glob(f"{stage}/**/manifest.json")) == []
        (disk / "ballast").unlink()
        result = luigi(*command, str(root))
        assert result.returncode == 0, result.stderr


DRIVER = """
import ctypes, json, logging, shutil, sys
from pathlib import Path

import luigi

import taxi_pipeline
from taxi_pipeline.observability import failures
from taxi_pipeline.tasks.base import identity_cache

stage, number, task = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
steps = [int(step) for step in sys.argv[4:]]
logging.getLogger("luigi-interface").setLevel(logging.CRITICAL)
library = ctypes.CDLL(None)
root = Path("data").resolve()
family, *flags = task
names, values = [flag.removeprefix("--") for flag in flags[::2]], flags[1::2]
parsed = dict(getattr(taxi_pipeline, family).get_params())
task = getattr(taxi_pipeline, family)(
    **{name: parsed[name].parse(value) for name, value in zip(names, values)}
)
for step in steps:
    library.fail_writes(str(root).encode(), ctypes.c_long(step), number)
    try:
        task.run()
        said = ""
    except Exception as error:
        said = failures.error_line(error) or repr(error)
    library.fail_writes(b"", ctypes.c_long(-1), 0)
    left = [path.name for path in root.glob(".staging/*")]
    made = [str(path) for path in root.glob(f"{stage}/**/manifest.json")]
    print(json.dumps({"step": step, "said": said, "left": left, "made": made}), flush=True)
    if not said:
        break
"""
SAID = {
    errno.ENOSPC: r"the disk of {root}\S* is full \(.*\): make room",
    errno.EDQUOT: r"the quota of the disk of {root}\S* is used up: make room",
    errno.EROFS: r"the disk of {root}\S* can only be read: mount it to be written",
    errno.EACCES: r"this user has no access to {root}\S*: allow it",
}


# What a failure is called does not depend on the task: one for each. (While a month is fetched,
# it may as well be the published file that this user has no access to.)
@pytest.mark.parametrize(
    ("stage", "number"),
    [
        pytest.param(stage, number, marks=() if stage in {"features", "gate"} else pytest.mark.slow)
        for stage, number in zip(STAGES, itertools.cycle(SAID))
    ],
)
def test_whichever_write_fails_is_one_line_that_names_the_disk_and_the_option(
    tmp_path, finished, stage, number
):
    prepared(finished, tmp_path / "data", stage)
    assert_each_write_is_one_line(tmp_path, (FAMILIES[stage], *JANUARY), stage, number)


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "number"), list(zip(BESIDE, SAID, strict=False)))
def test_whichever_write_fails_beside_the_main_job_is_one_line_too(
    tmp_path, finished_beside, stage, number
):
    prepared_beside(finished_beside, tmp_path / "data", stage)
    assert_each_write_is_one_line(tmp_path, BESIDE[stage], stage, number)


def assert_each_write_is_one_line(tmp_path, task, stage, number):
    (tmp_path / "luigi.cfg").write_text(
        "[source]\nurl = synthetic://?rows=3000\n[tuning]\ntrials = 2\n"
    )
    steps = (0, 1, 2, 3, 4, 6, 8, 12, 20, 40, 80, 160, 320, 1000, 10_000)
    library = failing_writes(tmp_path)
    answer = run(
        [sys.executable, "-c", DRIVER, stage, str(number), json.dumps(task), *map(str, steps)],
        tmp_path,
        environment=clean_environment() | {"LD_PRELOAD": str(library)},
        timeout=200,
    )
    assert answer.returncode == 0, answer.stderr
    *failed, made = map(json.loads, answer.stdout.splitlines())
    assert len(failed) > 2
    for each in failed:
        root = re.escape(str(tmp_path / "data"))
        told = SAID[number].replace("{root}", root)
        assert re.match(told, each["said"]), each
        assert re.search(r"\[(storage\] root|tracking\] uri)", each["said"])
        assert (each["left"], each["made"]) == ([], [])
    assert made["said"] == ""
    assert len(made["made"]) == 1
