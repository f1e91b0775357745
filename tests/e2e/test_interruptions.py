"""Ctrl-C and SIGTERM: a run ends at once in good order, and the same command goes on."""

import itertools
import re
import shutil
import signal
import socket
import time
from http.server import BaseHTTPRequestHandler

import pytest
import servers
from command_line import SMALL
from http_servers import LoopbackServer, QuietHandler, serving
from interrupted import Interruptible, end
from servers import wait_for
from stage_families import BESIDE, FAMILIES, STAGES

JANUARY = ("--year", "2021", "--month", "1")
LOCAL = ("--local-scheduler",)
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
# Two on a machine that does nothing else; tests share theirs.
MAX_SECONDS = 5.0

# Each stage with either signal, with one worker and two, and with either kind of scheduler; over
# the stages, all pairs of these too.
WAYS = [
    [(signal.SIGTERM, "1", LOCAL), (signal.SIGINT, "2", ())],
    [(signal.SIGINT, "1", LOCAL), (signal.SIGTERM, "2", ())],
    [(signal.SIGTERM, "1", ()), (signal.SIGINT, "2", LOCAL)],
    [(signal.SIGINT, "1", ()), (signal.SIGTERM, "2", LOCAL)],
]
CASES = [(stage, *way) for stage, ways in zip(STAGES, itertools.cycle(WAYS)) for way in ways]
SHORT = [
    ("ingest", signal.SIGTERM, "1", LOCAL),
    ("tune", signal.SIGINT, "1", ()),
    ("register", signal.SIGTERM, "2", ()),
]


def name_of(value):
    if isinstance(value, signal.Signals):
        return value.name
    stage, number, workers, where = value
    return f"{stage} {number.name} {workers} {'local' if where else 'central'}"


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    with servers.scheduler(tmp_path_factory.mktemp("luigid")) as running:
        yield running


@pytest.fixture
def luigi(tmp_path):
    return Interruptible(tmp_path)


def prepared(luigi, finished, stage):
    """A root in which everything before a stage is made."""
    command, _ = finished
    shutil.copytree(command.folder / "data", luigi.folder / "data", symlinks=True)
    for later in STAGES[STAGES.index(stage) :]:
        shutil.rmtree(luigi.folder / "data" / later)


def assert_ended(luigi, process, number, lines, seconds):
    assert process.returncode == CODES[number]
    (line,) = lines
    assert line.startswith(f"WARNING: {number.name}: ended")
    assert line.endswith("are kept in data, and the same command goes on from there")
    assert seconds < MAX_SECONDS
    assert luigi.leftovers() == []
    return line


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=() if case in SHORT else pytest.mark.slow) for case in CASES],
    ids=name_of,
)
def test_a_run_ends_in_the_middle_of_a_stage_and_goes_on_there(luigi, finished, scheduler, case):
    stage, number, workers, where = case
    prepared(luigi, finished, stage)
    flags = where or scheduler.flag
    command = (FAMILIES[stage], *JANUARY, *SMALL, "--workers", workers, *flags)
    with luigi.started(*command, held=stage) as process:
        luigi.wait_for_half(process)
        # A terminal sends it to the processes of all workers.
        lines, seconds = end(process, number, group=number == signal.SIGINT)
    line = assert_ended(luigi, process, number, lines, seconds)
    assert f"ended in {FAMILIES[stage]} green 2021-0" in line
    logs = luigi.folder.glob(f"data/{stage}/green/**/logs/*.log")
    assert f"ended by {number.name}" in {
        log.read_text().rpartition(": ")[2].strip() for log in logs
    }
    if not where:
        assert scheduler.tasks("RUNNING") == {}
        assert FAMILIES[stage] in {task["name"] for task in scheduler.tasks("PENDING").values()}

    again = luigi(*command)
    assert again.returncode == 0, again.stderr
    assert "WARNING" not in again.stderr


MARCH = BESIDE["monitor"][1:]
OTHER_CITY = ("--source-url", "synthetic://?rows=3000&seed=9&last=2021-04")
ENDED_BESIDE = [
    ("MonitorChampion", "monitor", BESIDE["monitor"]),
    ("ScoreTrips", "score", BESIDE["score"]),
    ("BacktestRecipe", "backtest", BESIDE["backtest"]),
    ("MonitorChampion", "monitor", ("RetrainOnDecay", *MARCH)),
    # In another city the champion does worse than it promised.
    ("TrainModel", "train", ("RetrainOnDecay", *MARCH, *OTHER_CITY)),
]


@pytest.mark.parametrize(
    ("family", "stage", "task"),
    [
        pytest.param(*one, id=f"{one[2][0]} {one[1]}", marks=[pytest.mark.slow] if place else [])
        for place, one in enumerate(ENDED_BESIDE)
    ],
)
def test_what_runs_beside_the_main_job_ends_in_the_middle_and_goes_on_there(
    luigi, finished, family, stage, task
):
    shutil.copytree(finished[0].folder / "data", luigi.folder / "data", symlinks=True)
    command = (task[0], *SMALL, *LOCAL, *task[1:])
    made = set(luigi.folder.glob(f"data/{stage}/**/manifest.json"))
    with luigi.started(*command, held=stage) as process:
        luigi.wait_for_half(process, seconds=120)
        lines, seconds = end(process, signal.SIGTERM)
    *earlier, last = lines
    assert all(": decayed: " in line for line in earlier)
    line = assert_ended(luigi, process, signal.SIGTERM, [last], seconds)
    assert f"ended in {family} green 2021-0" in line
    assert set(luigi.folder.glob(f"data/{stage}/**/manifest.json")) == made
    again = luigi(*command)
    assert again.returncode == 0, again.stderr
    assert set(luigi.folder.glob(f"data/{stage}/**/manifest.json")) > made


def logs(luigi, stages):
    """The logs of runs of some stages."""
    found = (luigi.folder.glob(f"data/{stage}/green/**/logs/*.log") for stage in stages)
    return set(itertools.chain.from_iterable(found))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "workers"), zip(CODES, "12", strict=True))
def test_a_backfill_that_is_interrupted_again_and_again_ends_as_if_nothing_had_been(
    luigi, number, workers
):
    months = ("BackfillMonths", "--of", "RegisterModel", "--start", "2021-01", "--stop", "2021-03")
    command = (*months, *SMALL, "--workers", workers, *LOCAL)
    for place in range(len(STAGES)):
        before = logs(luigi, STAGES[place:])
        with luigi.started(*command) as process:
            wait_for(
                lambda place=place, before=before: logs(luigi, STAGES[place:]) - before,
                process,
                seconds=100,
            )
            lines, seconds = end(process, number)
        assert_ended(luigi, process, number, lines, seconds)
    result = luigi(*command)
    assert result.returncode == 0, result.stderr
    assert "All of 2 months there." in result.stderr


def test_a_second_ctrl_c_changes_nothing(luigi, finished):
    prepared(luigi, finished, "train")
    with luigi.started("TrainModel", *JANUARY, *SMALL, *LOCAL, held="train") as process:
        luigi.wait_for_half(process)
        lines, seconds = end(process, signal.SIGINT, times=3)
    assert_ended(luigi, process, signal.SIGINT, lines, seconds)


def test_a_client_that_waits_for_another_ends_and_the_other_goes_on(luigi, finished, scheduler):
    prepared(luigi, finished, "tune")
    command = ("TuneHyperparameters", *JANUARY, *SMALL, *scheduler.flag)
    with luigi.started(*command, held="tune") as working:
        luigi.wait_for_half(working)
        with luigi.started(*command, "--no-lock") as waiting:
            while "INFO: waiting for tasks" not in (line := waiting.stdout.readline()):
                assert line, "it ended"
            lines, seconds = end(waiting, signal.SIGTERM)
        assert waiting.returncode == 143
        (line,) = lines
        assert line.startswith("WARNING: SIGTERM: ended; finished outputs (0 by this run)")
        assert seconds < MAX_SECONDS
        assert [task["name"] for task in scheduler.tasks("RUNNING").values()] == [
            "TuneHyperparameters"
        ]
        assert working.poll() is None
        lines, seconds = end(working, signal.SIGTERM)
    assert_ended(luigi, working, signal.SIGTERM, lines, seconds)
    assert scheduler.tasks("RUNNING") == {}


def test_a_scheduler_that_is_gone_does_not_hold_up_the_end(luigi, finished):
    prepared(luigi, finished, "train")
    with servers.scheduler(luigi.folder) as scheduler:
        command = ("TrainModel", *JANUARY, *SMALL, *scheduler.flag)
        with luigi.started(*command, held="train") as process:
            luigi.wait_for_half(process)
            scheduler.end(signal.SIGKILL)
            lines, seconds = end(process, signal.SIGINT)
    assert process.returncode == 130
    assert "; scheduler or storage do not answer" in lines[-1]
    assert seconds < MAX_SECONDS
    assert luigi.leftovers() == []


class Drip(QuietHandler, BaseHTTPRequestHandler):
    """Announces a large file, and sends it drop by drop."""

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", "100000000")
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        while not self.server.closing.wait(0.05):
            self.wfile.write(b"PAR1" * 100)


class DripServer(LoopbackServer):
    def __init__(self):
        super().__init__(Drip)

    def handle_error(self, request, client_address):
        """A client that went away is no error of the test."""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_download_ends_and_leaves_no_part_of_the_file(luigi, workers):
    with serving(DripServer()) as server:
        source = ("--source-url", f"{server.base_url}/{{taxi}}-{{year}}-{{month}}.parquet")
        command = ("IngestTrips", *JANUARY, *source, *LOCAL, "--workers", workers)
        with luigi.started(*command) as process:
            wait_for(lambda: list(luigi.folder.glob("data/.staging/*/trips.parquet")), process)
            lines, seconds = end(process, signal.SIGTERM)
    assert_ended(luigi, process, signal.SIGTERM, lines, seconds)


def test_a_run_that_waits_for_a_sources_answer_ends_at_once(luigi):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"http://127.0.0.1:{silent.getsockname()[1]}/{{taxi}}-{{year}}-{{month}}.parquet"
        with luigi.started("IngestTrips", *JANUARY, "--source-url", place, *LOCAL) as process:
            silent.settimeout(30)
            silent.accept()
            lines, seconds = end(process, signal.SIGINT)
    assert_ended(luigi, process, signal.SIGINT, lines, seconds)


FIT = """
import numpy, taxi_pipeline, xgboost
from taxi_pipeline.tasks.base import Stage

class LongFit(Stage):
    stage = "fit"

    def requires(self):
        return []

    def make(self, folder):
        matrix = xgboost.DMatrix(numpy.random.rand(1_000_000, 20), numpy.random.rand(1_000_000))
        (folder / "half").write_text("half")
        # One round is one call into C, of a minute.
        xgboost.train({"tree_method": "exact", "max_depth": 14, "nthread": 1}, matrix, 9)
        return {"summary": ""}
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_long_fit_of_xgboost_is_not_waited_for(luigi, workers):
    (luigi.folder / "held.py").write_text(FIT)
    with luigi.started("LongFit", *JANUARY, *LOCAL, "--workers", workers) as process:
        luigi.wait_for_half(process)
        time.sleep(1)  # into the fit
        lines, seconds = end(process, signal.SIGINT, group=True)
    assert_ended(luigi, process, signal.SIGINT, lines, seconds)


def test_a_program_that_is_interrupted_signs_its_worker_off_and_holds_nothing(luigi, finished):
    prepared(luigi, finished, "train")
    (luigi.folder / "program.py").write_text(
        "import luigi, held\n"
        "from taxi_pipeline.runtime.factory import Factory\n"
        "from pathlib import Path\n"
        "try:\n"
        "    luigi.build([held.TrainModel(year=2021, month=1)],\n"
        "                local_scheduler=True, worker_scheduler_factory=Factory())\n"
        "except KeyboardInterrupt:\n"
        "    print('held:', sorted(Path('data/.running').iterdir()))\n"
    )
    (luigi.folder / "luigi.cfg").write_text(
        "[source]\nurl = synthetic://?rows=3000\n[tuning]\ntrials = 2\n"
    )
    with luigi.program("program.py", held="train") as process:
        luigi.wait_for_half(process)
        lines, _ = end(process, signal.SIGINT)
    assert re.search(r"^held: \[\]$", "\n".join(lines), re.MULTILINE)
