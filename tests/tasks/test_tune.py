"""A search writes down each trial, goes on where it was, and never depends on MLflow."""

import contextlib
import dataclasses
import json
import shutil
import threading
from dataclasses import dataclass
from typing import Any

import luigi
import pandas as pd
import pytest
from matplotlib.figure import Figure

from taxi_pipeline import IngestTrips, TuneHyperparameters
from taxi_pipeline.model.recipes.trip import Trip
from taxi_pipeline.storage.files import parse_json
from taxi_pipeline.tasks import tune
from taxi_pipeline.tracking.records import RunLink
from taxi_pipeline.tuning.holdout import HoldoutData
from taxi_pipeline.tuning.trial_run import TrialRun
from taxi_pipeline.tuning.trials import Trial

OF_A_TRIAL = {
    "holdout_days": 6,
    "rows": 1000,
    "rounds": 8,
    "learning_rate": 0.2,
    "parallel": 2,
    "max_rows": 2000,
    "seed": 7,
}
OF_THE_SEARCH = {
    "trials": 5,
    "seconds": 1000,
    "patience": 50,
    "max_rounds": 21,
    "stopping_rounds": 9,
}


@dataclass
class Tuning:
    """A search of the small pipeline.

    Attributes:
        made: the numbers of the trials that the latest run made, and did not only read.
    """

    pipeline: Any
    task: TuneHyperparameters
    made: list[int]

    def run(self, trials):
        """Search, and tell whether that went well."""
        self.configure("trials", trials)
        self.made.clear()
        result = self.pipeline.run(self.task)
        return result.status is luigi.LuigiStatusCode.SUCCESS

    def configure(self, option, value):
        self.pipeline.configure("tuning", option, value)

    @property
    def journal(self):
        """The files of trials under the root, and what they hold."""
        return {
            str(path.relative_to(self.pipeline.root)): path.read_bytes()
            for path in sorted(self.pipeline.root.glob("tune/**/trials-*/*"))
        }

    @property
    def choice(self):
        return json.loads(self.task.output().file(self.task.CHOICE).read_text())

    @property
    def findings(self):
        """All that the choice says but for the seconds that it took."""
        found = self.choice
        return {**found, "trials": [{**trial, "seconds": None} for trial in found["trials"]]}


@pytest.fixture
def tuning(pipeline, monkeypatch):
    made, attempt = [], TrialRun.__call__

    def watched(self):
        made.append(self.number)
        return attempt(self)

    monkeypatch.setattr(TrialRun, "__call__", watched)
    return Tuning(pipeline, TuneHyperparameters(year=2021, month=1), made)


@pytest.fixture
def elsewhere(pipeline, tmp_path):
    """Leaves what was made behind, and goes on in an empty root."""
    return lambda: pipeline.configure("storage", "root", tmp_path / "elsewhere")


@pytest.fixture
def alone(monkeypatch):
    """A search without a live copy, where MLflow is not what is tested."""
    monkeypatch.setattr(tune._LiveCopy, "offer", lambda *_, **__: None)


def rows(search):
    return [trial.as_row() for trial in search.trials]


@pytest.fixture
def copies(monkeypatch):
    """The searches that are copied, in their order, and whether they were told to have ended."""
    told = []

    def log_search(_tracking, search, *, ended, wanted):
        told.append((search, ended))
        return RunLink("a run", "http://server/#/a-run")

    monkeypatch.setattr("taxi_pipeline.tracking.searches.log_search", log_search)
    monkeypatch.setattr(tune._LiveCopy, "INTERVAL", 0.0)
    return told


@pytest.fixture
def no_room(monkeypatch):
    """Every fit of a trial fails."""

    def fail(*_, **__):
        raise MemoryError("no room for\na histogram")

    monkeypatch.setattr(HoldoutData, "fit", fail)


@pytest.fixture
def killed(monkeypatch):
    """Makes a search end with an error at a trial; with None, no more."""

    def at(trial, error=None):
        def report(_task, _message, done, _total):
            if done == trial:
                raise error

        monkeypatch.setattr(TuneHyperparameters, "report", report)

    return at


def lines(console, level):
    return [record.getMessage() for record in console.records if record.levelname == level]


# --- what is written down ---------------------------------------------------------------------


def test_the_table_has_one_row_a_trial_and_the_choice_is_the_best_or_the_recipes_own(pipeline):
    pipeline.configure("tuning", "trials", "3")
    task = TuneHyperparameters(year=2021, month=1)
    pipeline.run(task)
    trials = pd.read_csv(task.output().file(task.TRIALS))
    choice = json.loads(task.output().file(task.CHOICE).read_text())
    assert len(trials) == 3
    finalists = trials.loc[[0, trials["rmse"].idxmin()], "reg_lambda"].to_numpy()
    assert abs(finalists - choice["parameters"]["reg_lambda"]).min() < 1e-9


@pytest.mark.usefixtures("alone")
def test_each_trial_is_a_file_by_number_in_a_folder_of_the_search(tuning):
    assert tuning.run(3)
    folder = f"tune/green/2021-01/trip-w1/trials-{tuning.task.search_key}"
    files = tuning.journal
    assert list(files) == [f"{folder}/{number:05d}.json" for number in (1, 2, 3)]
    written = [Trial.from_json(parse_json(content, name)) for name, content in files.items()]
    assert [trial.as_row() for trial in written] == tuning.choice["trials"]
    assert [trial.number for trial in written] == [1, 2, 3]


@pytest.mark.usefixtures("alone")
def test_the_plot_says_taxi_month_recipe_and_rmse(tuning, monkeypatch):
    titles = []
    monkeypatch.setattr(Figure, "suptitle", lambda _, title, **__: titles.append(title))
    tuning.run(3)
    (title,) = titles
    assert title.startswith("Search for recipe trip, green taxi, 2021-01: ")
    assert f"RMSE {tuning.choice['rmse']:.4f} minutes on the last " in title


@pytest.mark.usefixtures("alone")
def test_the_output_is_choice_trials_plot_and_predictions_of_the_last_days(tuning):
    tuning.run(3)
    manifest = tuning.task.output().manifest()
    files = {"choice.json", "trials.csv", "search.png", "late.parquet"}
    assert set(manifest["files"]) == files
    table = pd.read_csv(tuning.task.output().file(tuning.task.TRIALS), keep_default_na=False)
    assert table.to_dict("records") == tuning.choice["trials"]
    assert tuning.task.output().file(tuning.task.PLOT).read_bytes().startswith(b"\x89PNG")
    assert manifest["trials"] == 3
    assert manifest["rmse"] == tuning.choice["rmse"]
    late = pd.read_parquet(tuning.task.output().file(tuning.task.LATE))
    assert list(late.columns) == ["row", "predicted"]
    assert len(late) > 0


@pytest.mark.usefixtures("alone")
def test_the_summary_tells_how_many_trials_ended_how(tuning, monkeypatch):
    attempt = TrialRun.__call__

    def second_fails(self):
        if self.number == 2:
            return Trial(2, self.proposal, "failed", error="MemoryError: no room")
        return attempt(self)

    monkeypatch.setattr(TrialRun, "__call__", second_fails)
    tuning.run(8)
    manifest, choice = tuning.task.output().manifest(), tuning.choice
    own, leader = choice["finalists"]
    assert manifest["summary"] == (
        f"the recipe's own parameters, fitted in full: {own['rmse']:.4f}; best of 8 trials "
        f"({leader['name']}; 7 finished, 1 failed), stopped at round {leader['stopped']}, behind; "
        "the recipe's own win (RMSE on the window's last 7 days)"
    )
    assert manifest["tuned_by"] == choice["tuned_by"] == "recipe"
    (told,) = [trial for trial in tuning.choice["trials"] if trial["status"] == "failed"]
    assert (told["trial"], told["rmse"], told["error"]) == (2, None, "MemoryError: no room")


def test_a_recipe_that_is_not_tuned_has_no_trials_and_says_so(tuning, copies):
    tuning.task = TuneHyperparameters(year=2021, month=1, recipe="linear")
    assert tuning.run(3)
    manifest = tuning.task.output().manifest()
    assert manifest["summary"] == "recipe linear is not tuned"
    assert manifest["trials"] == 0
    assert set(manifest["files"]) == {"choice.json", "trials.csv"}
    assert tuning.choice["trials"] == []
    assert tuning.journal == {}
    assert copies == []


# --- going on ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        KeyboardInterrupt(),
        pytest.param(SystemExit(1), marks=pytest.mark.slow),
        pytest.param(RuntimeError("a defect"), marks=pytest.mark.slow),
    ],
)
@pytest.mark.usefixtures("alone")
def test_an_interrupted_search_makes_what_is_missing_and_finds_the_same(
    tuning, killed, elsewhere, error
):
    killed(2, error)
    with contextlib.suppress(KeyboardInterrupt):
        assert not tuning.run(5)
    before = tuning.journal
    assert len(before) == 2
    assert not tuning.task.complete()
    killed(None)
    assert tuning.run(5)
    assert tuning.made == [3, 4, 5]
    after = tuning.journal
    assert len(after) == 5
    assert {name: after[name] for name in before} == before
    interrupted = tuning.findings

    elsewhere()
    assert tuning.run(5)
    assert tuning.made == [1, 2, 3, 4, 5]
    assert tuning.findings == interrupted


@pytest.mark.usefixtures("alone")
def test_a_search_that_lost_trials_from_its_middle_makes_these_again(tuning):
    tuning.run(6)
    found, files = tuning.findings, list(tuning.journal)
    shutil.rmtree(str(tuning.task.output()))
    for lost in (files[1], files[4]):
        (tuning.pipeline.root / lost).unlink()
    assert tuning.run(6)
    assert tuning.made == [2, 5]
    assert tuning.findings == found


@pytest.mark.usefixtures("alone")
def test_a_search_that_is_whole_but_not_published_makes_no_trial(tuning, killed):
    killed(3, RuntimeError("killed before the output was published"))
    assert not tuning.run(3)
    killed(None)
    assert tuning.run(3)
    assert tuning.made == []
    assert len(tuning.choice["trials"]) == 3


@pytest.mark.usefixtures("alone")
def test_more_trials_are_added_to_those_that_are_there(tuning, elsewhere):
    tuning.run(3)
    three = tuning.journal
    assert tuning.run(6)
    six = tuning.journal
    assert tuning.made == [4, 5, 6]
    assert len(six) == 6
    assert {name: six[name] for name in three} == three
    assert len(tuning.pipeline.made("tune")) == 2

    added = tuning.findings
    elsewhere()
    assert tuning.run(6)
    assert tuning.findings == added


@pytest.mark.usefixtures("alone")
def test_fewer_trials_are_the_first_of_those_that_are_there(tuning):
    tuning.run(4)
    four = tuning.choice["trials"]
    assert tuning.run(2)
    assert tuning.made == []
    assert tuning.choice["trials"] == four[:2]
    assert len(tuning.journal) == 4


@pytest.mark.parametrize(
    ("option", "value"), [("seed", 7), pytest.param("rows", 1000, marks=pytest.mark.slow)]
)
@pytest.mark.usefixtures("alone")
def test_another_search_writes_into_a_folder_of_its_own(tuning, option, value):
    tuning.run(2)
    first = tuning.journal
    tuning.configure(option, value)
    assert tuning.run(2)
    assert tuning.made == [1, 2]
    both = tuning.journal
    assert len(both) == 4
    assert {name: both[name] for name in first} == first
    assert len({name.rpartition("/")[0] for name in both}) == 2


@pytest.mark.parametrize("option", OF_A_TRIAL)
def test_what_decides_a_trial_is_part_of_the_search_and_of_the_output(tuning, option):
    tuning.pipeline.run(IngestTrips(year=2021, month=1))
    search, output = tuning.task.search_key, tuning.task.output().location
    tuning.configure(option, OF_A_TRIAL[option])
    assert tuning.task.search_key != search
    assert tuning.task.output().location != output


@pytest.mark.parametrize("option", OF_THE_SEARCH)
def test_how_long_is_searched_is_part_of_the_output_and_not_of_the_search(tuning, option):
    tuning.pipeline.run(IngestTrips(year=2021, month=1))
    search, output = tuning.task.search_key, tuning.task.output().location
    tuning.configure(option, OF_THE_SEARCH[option])
    assert tuning.task.search_key == search
    assert tuning.task.output().location != output


def test_every_option_of_tuning_is_known_to_decide_a_trial_or_not(pipeline):
    names = set(tune.config.tuning.get_param_names())
    assert names == set(OF_A_TRIAL) | set(OF_THE_SEARCH)


def test_another_recipe_window_or_version_is_another_search(tuning, monkeypatch):
    for month in (1, 12):
        tuning.pipeline.run(IngestTrips(year=2021 if month == 1 else 2020, month=month))
    others = [{"recipe": "pretrip"}, {"window": 2}]
    keys = {TuneHyperparameters(year=2021, month=1, **other).search_key for other in others}
    keys.add(tuning.task.search_key)
    monkeypatch.setattr(Trip, "version", Trip.version + 1)
    keys.add(tuning.task.search_key)
    assert len(keys) == 4


def test_other_trips_are_another_search(tuning):
    tuning.pipeline.run(IngestTrips(year=2021, month=1))
    search = tuning.task.search_key
    tuning.pipeline.configure("cleaning", "max_minutes", 50)
    assert tuning.task.search_key != search


def test_there_is_no_search_before_the_months_are_ingested(tuning):
    label = "TuneHyperparameters green 2021-01 trip-w1"
    with pytest.raises(RuntimeError, match=f"^{label} has no search before its months are ing"):
        _ = tuning.task.search_key


# --- trials of others -------------------------------------------------------------------------


@pytest.mark.usefixtures("alone")
def test_a_trial_that_another_process_wrote_first_stays_and_is_the_one_chosen_from(
    tuning, monkeypatch
):
    attempt = TrialRun.__call__

    def beaten(self):
        ours = attempt(self)
        tuning.task.journal.add(dataclasses.replace(ours, seconds=1234.0))
        return ours

    monkeypatch.setattr(TrialRun, "__call__", beaten)
    assert tuning.run(2)
    assert [trial["seconds"] for trial in tuning.choice["trials"]] == [1234.0] * 2
    assert all(json.loads(written)["seconds"] == 1234.0 for written in tuning.journal.values())


def test_a_journal_gives_back_what_was_written_and_knows_no_other(tuning):
    tuning.pipeline.run(IngestTrips(year=2021, month=1))
    trial = Trial(3, {"max_depth": 7, "reg_lambda": 0.1}, "stopped", 5.5, 8, {"8": 5.5}, 0.25)
    assert tuning.task.journal.get(3) is None
    assert tuning.task.journal.add(trial) is trial
    assert tuning.task.journal.get(3) == trial
    assert tuning.task.journal.get(30) is None
    assert tuning.task.journal.add(dataclasses.replace(trial, rmse=1.0)) == trial


# --- failures ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("alone")
def test_a_search_whose_every_trial_failed_is_one_line_that_says_why(tuning, no_room, console):
    assert not tuning.run(3)
    (line,) = lines(console, "ERROR")
    assert "all 3 trials failed, the first with: MemoryError: no room for a histogram" in line
    assert "\n" not in line
    assert not tuning.task.complete()
    assert tuning.pipeline.made("tune") == set()


# --- MLflow while it runs ---------------------------------------------------------------------


def test_a_search_is_copied_while_it_runs_and_whole_at_the_end(tuning, copies):
    assert tuning.run(4)
    searches = [search for search, _ in copies]
    assert [ended for _, ended in copies] == [False] * (len(copies) - 1) + [True]
    assert rows(searches[-1]) == tuning.choice["trials"]
    assert {search.key for search in searches} == {tuning.task.search_key}
    assert searches[-1].name == "search 2021-01 trip"
    assert searches[-1].tags == {"recipe": "trip", "taxi": "green"}
    for search in searches:
        assert rows(search) == tuning.choice["trials"][: len(search.trials)]


@pytest.mark.parametrize(
    ("option", "value", "trials"),
    [("patience", "1", 2), ("seconds", "0", 1)],
    ids=["patience", "seconds"],
)
def test_the_copy_of_a_search_ends_with_the_search_whatever_ended_it(
    tuning, copies, option, value, trials
):
    tuning.pipeline.configure("tuning", "parallel", "1")
    tuning.pipeline.configure("tuning", option, value)
    assert tuning.run(50)
    search, ended = copies[-1]
    assert ended
    assert rows(search) == tuning.choice["trials"]
    assert trials <= len(search.trials) < 50


def test_a_search_that_was_interrupted_has_no_end_in_mlflow(tuning, copies, killed):
    killed(2, RuntimeError("interrupted"))
    tuning.run(4)
    assert copies
    assert not any(ended for _, ended in copies)


def test_a_search_is_not_copied_at_each_trial(tuning, copies, monkeypatch):
    monkeypatch.setattr(tune._LiveCopy, "INTERVAL", 1000.0)
    tuning.run(6)
    assert [len(search.trials) for search, _ in copies] == [1, 6]


def test_the_web_page_links_to_the_search_in_mlflow(tuning, copies, monkeypatch):
    links = []
    monkeypatch.setattr(
        TuneHyperparameters, "set_tracking_link", lambda _task, url: links.append(url)
    )
    tuning.run(1)
    assert set(links) == {"http://server/#/a-run"}


def test_the_last_copy_has_the_trials_of_the_interrupted_search_too(tuning, copies, killed):
    killed(2, RuntimeError("interrupted"))
    tuning.run(4)
    killed(None)
    copies.clear()
    assert tuning.run(4)
    assert [trial.number for trial in copies[-1][0].trials] == [1, 2, 3, 4]


def test_without_a_server_the_search_goes_on_and_says_so_in_one_line(tuning, console, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr(tune._LiveCopy, "INTERVAL", 0.0)
    tuning.pipeline.configure("tracking", "uri", "http://127.0.0.1:9")
    assert tuning.run(4)
    (line,) = lines(console, "WARNING")
    assert line.startswith(
        "TuneHyperparameters green 2021-01 trip-w1: not in MLflow while it runs: the MLflow server "
        "http://127.0.0.1:9 cannot be reached: "
    )
    assert "\n" not in line
    assert lines(console, "ERROR") == []
    assert len(tuning.choice["trials"]) == 4


def test_whatever_fails_in_the_copy_the_search_goes_on(tuning, console, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError("a defect of MLflow")

    monkeypatch.setattr("taxi_pipeline.tracking.searches.log_search", fail)
    monkeypatch.setattr(tune._LiveCopy, "INTERVAL", 0.0)
    assert tuning.run(3)
    (line,) = lines(console, "WARNING")
    assert line.endswith("not in MLflow while it runs: a defect of MLflow")


def test_a_search_does_not_wait_for_a_server_that_hangs(tuning, monkeypatch):
    over, answered = threading.Event(), []

    def hang(*_, **__):
        over.wait(20)
        answered.append(True)
        return RunLink("a run", "")

    monkeypatch.setattr("taxi_pipeline.tracking.searches.log_search", hang)
    monkeypatch.setattr(tune._LiveCopy, "LAST_WAIT", 0.1)
    try:
        assert tuning.run(3)
        assert answered == []
    finally:
        over.set()
