"""The real command tells a champion's course, posts a decay once, and retrains after one."""

import shutil

import pytest
import servers
from command_line import CommandLine
from webhooks import webhook

OTHER_CITY = ("--source-url", "synthetic://?rows=3000&seed=9&last=2021-04")
SHORT = ("--tuning-trials", "1", "--tuning-max-rounds", "30")
LOCAL = ("--local-scheduler", *SHORT)
COURSE = ("BackfillMonths", "--of", "MonitorChampion", "--start", "2021-02", "--stop", "2021-05")
RETRAIN = ("RetrainOnDecay", "--year", "2021", "--month", "3")
PAGE = "data/pages/green/trip-monitor/2021-02--2021-04.html"


@pytest.fixture
def luigi(tmp_path, finished):
    """A folder in which January's model is champion; the months to come are another city's."""
    command, _ = finished
    shutil.copytree(command.folder / "data", tmp_path / "data", symlinks=True)
    return CommandLine(tmp_path)


@pytest.fixture
def run(luigi):
    """Runs a command; what it said is also in ``texts``, as far as a webhook was told it."""
    with webhook() as server:

        def command(*arguments, source=OTHER_CITY):
            hook = ("--alerts-webhook", f"{server.base_url}/services/T0")
            result = luigi(*arguments, *LOCAL, *source, *hook)
            result.texts = server.texts
            assert "Traceback" not in result.stderr
            return result

        yield command


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_the_course_of_a_decay_has_a_page_and_one_post_a_month(run, luigi, workers):
    first = run(*COURSE, "--workers", workers)
    assert first.returncode == 0, first.stderr
    assert (
        "\nNo: since 2021-02, last in 2021-04, the champion, version 1 of 2021-01" in first.stderr
    )
    assert f"The course: {PAGE}\n" in first.stderr
    text = (luigi.folder / PAGE).read_text()
    assert text.count(">decayed</text>") == 3
    assert sorted(line.partition(" trip-v1: ")[0] for line in first.texts) == [
        f"MonitorChampion green 2021-0{month}" for month in (2, 3, 4)
    ]
    again = run(*COURSE)
    assert again.returncode == 0
    assert "already there" in again.stderr
    assert len(again.texts) == 3


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_a_decay_leads_to_a_model_of_the_month_before_and_the_last_line_says_why(run, workers):
    result = run(*RETRAIN, "--workers", workers)
    assert result.returncode == 0, result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "INFO: RetrainOnDecay green 2021-03 trip-w1: the model of 2021-02 is vers"
    )
    assert "since version 1 of 2021-01 in 2021-03: decayed: " in last
    decayed = [line for line in result.texts if "decayed" in line]
    assert len(decayed) == 1
    told = len(result.texts)
    again = run(*RETRAIN)
    assert (again.returncode, again.stderr.strip().splitlines()[-1]) == (0, last)
    assert len(again.texts) == told


def test_the_schedulers_page_shows_that_the_new_model_is_needed(luigi):
    with servers.scheduler(luigi.folder) as scheduler:
        flags = (*SHORT, *OTHER_CITY, *scheduler.flag, "--workers", "2")
        result = luigi(*RETRAIN, *flags)
        assert result.returncode == 0, result.stderr
        (retrained,) = [name for name in scheduler.tasks("DONE") if name.startswith("RetrainOnD")]
        graph = scheduler.api("dep_graph", task_id=retrained)
        needed = {graph[name]["name"] for name in graph[retrained]["deps"]}
        assert needed == {"MonitorChampion", "RegisterModel"}
        again = luigi(*RETRAIN, *flags)
        assert again.returncode == 0
        assert "Did not run any tasks" in again.stderr


def test_a_month_that_is_not_published_and_one_that_says_nothing_are_one_line(run):
    later = run("MonitorChampion", "--year", "2021", "--month", "5")
    assert later.returncode == 20, later.stderr
    assert "green 2021-05: not published yet at " in later.stderr
    own = run("MonitorChampion", "--year", "2021", "--month", "1")
    assert own.returncode == 35, own.stderr
    (line,) = [line for line in own.stderr.splitlines() if "says nothing" in line]
    assert line.endswith("the first month that does is 2021-02")
    assert own.texts == [line for line in own.texts if "says nothing" in line]


def test_a_model_that_nobody_registered_is_one_line(run):
    result = run("MonitorChampion", "--year", "2021", "--month", "3", "--recipe", "linear")
    assert result.returncode == 40, result.stderr
    assert "no champion of nyc-green-taxi-duration-linear is known" in result.stderr
