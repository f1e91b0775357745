"""The search for parameters, inside the training window and by time."""

import dataclasses
import json
import multiprocessing
import time
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime
from itertools import accumulate
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from taxi_pipeline import config
from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.evaluation.metrics import metrics
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.model.recipes.trip import Trip
from taxi_pipeline.model.regressors import Boosting
from taxi_pipeline.model.space import Integer, LogUniform, Uniform
from taxi_pipeline.tuning import search as tuning
from taxi_pipeline.tuning.budget import Budget
from taxi_pipeline.tuning.halving import FIRST_RUNG, MIN_TO_COMPARE, median_thresholds
from taxi_pipeline.tuning.holdout import HoldoutData, predict_late, split_by_time
from taxi_pipeline.tuning.results import Finalist, TuningResult
from taxi_pipeline.tuning.trials import MemoryJournal, Trial

END = datetime(2021, 2, 1)
HOLDOUT = 7
BORDER = datetime(2021, 1, 25)
TRIALS = 16
"""Enough for some to be stopped, and for some to be learned from those before."""

brief = settings(max_examples=50)
hours = st.lists(st.integers(0, 31 * 24 - 1), min_size=1, max_size=30)


class Numbers:
    """An encoder that costs nothing and learns nothing."""

    COLUMNS = ("miles", "pickup_zone", "dropoff_zone", "hour")

    def fit_transform(self, features, minutes):  # noqa: ARG002  (nothing is learned)
        return self.transform(features)

    def transform(self, features):
        return features[list(self.COLUMNS)].astype("float32")


FIXED = ("tree_method", "learning_rate", "max_depth", "min_child_weight", "reg_lambda", "max_bin")


class Light(Trip):
    """Trip with that encoder, one booster, and a space in which trials beat the recipe's own."""

    members = 1
    round_growth = 1.0

    parameters = {  # noqa: RUF012  (nothing changes it)
        **{name: Trip.parameters[name] for name in Trip.parameters if name in FIXED},
        "colsample_bytree": 0.5,
    }
    space = {  # noqa: RUF012  (likewise)
        **{name: Trip.space[name] for name in Trip.space if name in FIXED},
        "colsample_bytree": Uniform(0.4, 0.8),
    }

    def encoder(self, seed):  # noqa: ARG002  (nothing is drawn)
        return Numbers()


class Watched(Light):
    """Keeps the rows that its encoder is fitted on and those that it is judged by."""

    def __init__(self):
        self.fitted, self.judged = [], []

    def encoder(self, seed):  # noqa: ARG002  (likewise)
        watched = self

        class Watching(Numbers):
            def fit_transform(self, features, minutes):
                watched.fitted.append(features)
                assert (minutes == features["minutes"]).all()
                return Numbers().transform(features)

            def transform(self, features):
                watched.judged.append(features)
                return super().transform(features)

        return Watching()


class Brittle(Light):
    """Has depths in its space that XGBoost refuses."""

    space = {**Light.space, "max_depth": Integer(-6, 9)}  # noqa: RUF012  (as in Recipe)


class Counting(ThreadPoolExecutor):
    """Keeps the numbers of the trials that it was handed, and how many it had at a time."""

    def __init__(self, workers=1, pause=0.0):
        super().__init__(workers)
        self.pause = pause
        self.numbers, self.at_a_time, self.running = [], [], set()

    def submit(self, attempt):
        self.numbers.append(attempt.number)
        self.running.add(attempt.number)
        self.at_a_time.append(len(self.running))
        return super().submit(self._run, attempt)

    def _run(self, attempt):
        time.sleep(self.pause)
        trial = attempt()
        self.running.remove(attempt.number)
        return trial


def search(features, recipe=None, *, trials=4, seed=1, threads=1, holdout_days=HOLDOUT, **options):
    budget = {"max_rounds": 12, "rounds": 32}
    for field in dataclasses.fields(Budget):
        if field.name in options:
            budget[field.name] = options.pop(field.name)
    return tuning.search(
        recipe or Light(),
        features,
        window_end=END,
        holdout_days=holdout_days,
        budget=Budget(trials=trials, **budget),
        seed=seed,
        threads=threads,
        **options,
    )


def rows(result):
    return [trial.as_row() for trial in result.trials]


def without_time(table):
    return [{**row, "seconds": None} for row in table]


def findings(result):
    """All that a result says but for the seconds that it took."""
    trials = without_time(rows(result))
    return result.parameters, result.rounds, result.rmse, trials, result.finalists


OWN = dict(Light.parameters)


def best_row(result):
    return min(rows(result), key=lambda row: row["rmse"])


def journal_of(trials):
    journal = MemoryJournal()
    for trial in trials:
        journal.add(trial)
    return journal


def errors_by_round(features, parameters, rounds):
    """The error on the last days of a fit on the days before, after each round."""
    early, late = split_by_time(features, END, HOLDOUT)
    matrix, minutes = Numbers().transform(early), early["minutes"].to_numpy()
    regressor = Boosting(parameters, threads=1, seed=1).fit(matrix, minutes, rounds)
    data = xgboost.DMatrix(Numbers().transform(late))
    return [
        metrics(late["minutes"], regressor.boosters[0].predict(data, iteration_range=(0, n + 1)))[
            "rmse"
        ]
        for n in range(rounds)
    ]


@pytest.fixture(scope="module")
def whole(january):
    """A search that nothing interrupted, and its trials."""
    trials = []
    result = search(january, trials=TRIALS, progress=lambda trial, *_: trials.append(trial))
    return result, trials


@pytest.fixture
def fits(monkeypatch):
    """Rows, parameters and rounds of each call of XGBoost's training."""
    calls = []
    train = xgboost.train

    def watched(parameters, data, rounds, **options):
        calls.append((data.num_row(), parameters, rounds))
        return train(parameters, data, rounds, **options)

    monkeypatch.setattr(xgboost, "train", watched)
    return calls


def test_only_the_early_days_are_fitted_and_only_the_late_days_judge(january):
    recipe = Watched()
    search(january, recipe, trials=2)
    (fitted,), (judged,) = recipe.fitted, recipe.judged
    assert fitted["pickup_at"].max() < BORDER <= judged["pickup_at"].min()
    strays = january["pickup_at"] >= END
    assert judged["pickup_at"].max() < END
    assert len(fitted) + len(judged) + strays.sum() == len(january)


def test_a_large_window_is_searched_on_a_sample(january):
    recipe, again, other = Watched(), Watched(), Watched()
    search(january, recipe, trials=1, max_rows=900)
    search(january, again, trials=1, max_rows=900)
    search(january, other, trials=1, max_rows=900, seed=2)
    sample = pd.concat([*recipe.fitted, *recipe.judged])
    assert len(sample) == 900
    assert sample.index.is_unique
    pd.testing.assert_frame_equal(sample, january.loc[sample.index])
    pd.testing.assert_frame_equal(again.fitted[0], recipe.fitted[0])
    assert not other.fitted[0].index.equals(recipe.fitted[0].index)


@pytest.mark.parametrize("trials", [1, 2, 9])
def test_a_search_has_as_many_trials_as_asked_and_tells_of_each(january, trials):
    told = []
    result = search(january, trials=trials, progress=lambda *said: told.append(said))
    assert [row["trial"] for row in rows(result)] == list(range(1, trials + 1))
    errors = [row["rmse"] for row in rows(result)]
    assert [trial.as_row() for trial, *_ in told] == rows(result)
    assert [said[1:] for said in told] == [
        (n, trials, min(errors[:n])) for n in range(1, trials + 1)
    ]


def test_the_first_trial_has_the_recipes_own_parameters_and_the_others_do_not(whole):
    result, _ = whole
    own = {name: Light.parameters[name] for name in Light.space}
    tried = [{name: row[name] for name in own} for row in rows(result)]
    assert tried[0] == own
    assert all(other != own for other in tried[1:])


def test_the_default_recipe_is_searched_in_plain_numbers_inside_its_space(january):
    recipe = RECIPES["trip"]
    result = search(january, recipe)
    for row in rows(result):
        assert row["status"] == "finished"
        for name, distribution in recipe.space.items():
            assert type(row[name]) is (int if isinstance(distribution, Integer) else float)
            assert distribution.low <= row[name] <= distribution.high
    assert json.loads(json.dumps(result.as_json())) == result.as_json()


@pytest.mark.parametrize("recipe", ["course", "linear"])
def test_a_recipe_without_a_space_keeps_its_own_parameters(january, recipe):
    result = search(january[:0], RECIPES[recipe])
    assert result == TuningResult(dict(RECIPES[recipe].parameters), RECIPES[recipe].rounds)
    assert result.rmse is None


def test_the_choice_has_the_parameters_of_the_best_trial_and_the_recipes_learning_rate(whole):
    result, trials = whole
    smallest = min(trials, key=lambda trial: trial.rmse)
    assert smallest.number != 1
    assert result.parameters == {**Light.parameters, **smallest.parameters}
    assert result.parameters["learning_rate"] == Light.parameters["learning_rate"]


def test_the_finalists_are_the_recipes_own_parameters_and_the_best_trial(january, whole):
    result, _ = whole
    own, leader = result.finalists
    alone = search(january, trials=1).finalists[0]
    assert own == alone == Finalist("recipe", own.rmse, own.rounds, None, own.curve)
    assert leader.name == result.tuned_by == f"trial {best_row(result)['trial']}"
    assert (leader.rmse, leader.rounds, leader.stopped) == (result.rmse, result.rounds, None)
    assert result.best_rmse == best_row(result)["rmse"] != result.rmse


def test_a_recipe_whose_own_parameters_failed_has_the_best_trial_as_only_finalist(january):
    class Refused(Light):
        parameters = {**Light.parameters, "max_depth": -1}  # noqa: RUF012  (as in Recipe)
        space = {**Light.space, "max_depth": Integer(-1, 9)}  # noqa: RUF012  (likewise)

    result = search(january, Refused(), trials=6)
    assert rows(result)[0]["status"] == "failed"
    (only,) = result.finalists
    assert only.name == result.tuned_by == f"trial {result.outcome.split('trial ')[1][0]}"


def test_the_choices_error_is_that_of_a_fit_on_all_early_days(january, fits):
    result = search(january, rows=1000)
    early, _ = split_by_time(january, END, HOLDOUT)
    rows = [rows for rows, *_ in fits]
    assert rows[:4] == [1000] * 4
    assert rows[4:] in ([len(early)], [len(early)] * 2)
    errors = errors_by_round(january, result.parameters, result.rounds)
    assert result.rmse == pytest.approx(errors[-1], rel=1e-5)


@pytest.mark.parametrize("options", [{}, {"trials": 1, "max_rounds": 2000}], ids=["few", "many"])
def test_the_choice_brings_what_its_final_fit_predicts_for_the_last_days(january, options):
    result = search(january, **options)
    found = result.late
    expected = predict_late(
        Light(),
        january,
        result.parameters,
        result.rounds,
        window_end=END,
        holdout_days=HOLDOUT,
        seed=1,
        threads=1,
    )
    assert found["row"].equals(expected["row"])
    np.testing.assert_allclose(found["predicted"], expected["predicted"], rtol=1e-3)
    error = found["predicted"] - january["minutes"].to_numpy()[found["row"]]
    assert np.sqrt(np.mean(error**2)) == pytest.approx(result.rmse, rel=1e-4)


def test_a_sample_of_the_window_says_which_trips_it_predicts(january):
    result = search(january, max_rows=1500)
    late = january.iloc[result.late["row"]]
    assert late["pickup_at"].min() >= BORDER
    assert 100 < len(late) < 700
    error = result.late["predicted"].to_numpy() - late["minutes"].to_numpy()
    assert np.sqrt(np.mean(error**2)) == pytest.approx(result.rmse, rel=1e-4)


def test_the_choice_is_never_worse_than_the_recipes_own_parameters(january, monkeypatch):
    own = search(january, trials=1)
    assert search(january, trials=TRIALS).rmse <= own.rmse

    fit = HoldoutData.fit

    def wronged(data, parameters, rounds, **options):
        if "early_stopping_rounds" in options and parameters["reg_lambda"] != OWN["reg_lambda"]:
            parameters = {**parameters, "learning_rate": 0.001}
        return fit(data, parameters, rounds, **options)

    monkeypatch.setattr(HoldoutData, "fit", wronged)
    result = search(january, trials=TRIALS)
    assert best_row(result)["trial"] != 1
    assert (result.parameters, result.rounds, result.rmse) == (OWN, own.rounds, own.rmse)
    first, second = result.finalists
    assert first == Finalist("recipe", own.rmse, own.rounds, None, first.curve)
    assert second.name == f"trial {best_row(result)['trial']}"
    assert second.stopped == len(second.curve) == FIRST_RUNG
    assert second.rmse > first.rmse
    assert result.tuned_by == "recipe"


def test_the_learning_curve_of_a_final_fit_is_its_error_after_each_round(january):
    (own,) = search(january, trials=1, max_rounds=20).finalists
    assert own.curve == pytest.approx(errors_by_round(january, OWN, 20)[: len(own.curve)], abs=1e-3)
    assert own.rounds == 1 + np.argmin(own.curve)
    assert own.rmse == pytest.approx(min(own.curve), abs=1e-4)


def test_the_choices_rounds_are_those_after_which_the_error_falls_no_more(january):
    result = search(january, trials=1, max_rounds=2000, stopping_rounds=15)
    errors = errors_by_round(january, result.parameters, result.rounds + 15)
    assert result.rounds == 1 + np.argmin(errors)
    assert 12 < result.rounds < 1000
    assert search(january, trials=1, max_rounds=12).rounds == 12


def test_a_trials_error_is_the_smallest_on_its_way(january):
    told = []
    search(
        january,
        trials=3,
        rounds=40,
        learning_rate=0.9,
        progress=lambda trial, *_: told.append(trial),
    )
    for trial in told:
        parameters = {**Light.parameters, **trial.parameters, "learning_rate": 0.9}
        errors = list(accumulate(errors_by_round(january, parameters, 40), min))
        assert trial.rmse == pytest.approx(errors[-1], rel=1e-5)
        assert trial.rungs == pytest.approx(
            {"8": errors[7], "16": errors[15], "32": errors[31]}, rel=1e-5
        )


def test_trials_shorter_than_the_first_rung_are_not_compared(january):
    result = search(january, trials=12, rounds=FIRST_RUNG - 1)
    assert {(row["status"], row["rounds"]) for row in rows(result)} == {("finished", 7)}


def test_a_search_is_determined_by_its_seed(january, whole):
    result, _ = whole
    assert findings(search(january, trials=TRIALS)) == findings(result)
    assert findings(search(january, trials=TRIALS, seed=2)) != findings(result)


@pytest.mark.parametrize("threads", [2, 3])
def test_the_findings_do_not_depend_on_the_number_of_threads(january, whole, threads):
    assert findings(search(january, trials=TRIALS, threads=threads)) == findings(whole[0])


@pytest.mark.parametrize(
    "executor",
    [
        lambda: ThreadPoolExecutor(1),
        lambda: ThreadPoolExecutor(3),
        lambda: ProcessPoolExecutor(2, multiprocessing.get_context("spawn")),
    ],
    ids=["one thread", "three threads", "two processes"],
)
def test_the_findings_do_not_depend_on_where_trials_run(january, whole, executor):
    with executor() as pool:
        assert findings(search(january, trials=TRIALS, threads=3, executor=pool)) == findings(
            whole[0]
        )
        assert pool.submit(int).result() == 0


@pytest.mark.parametrize(
    ("threads", "parallel", "expected"),
    [(1, 4, (4, 1)), (2, 4, (4, 1)), (8, 2, (2, 4)), (9, 4, (4, 2))],
)
def test_an_executor_is_given_parallel_trials_at_a_time_which_share_the_threads(
    january, fits, threads, parallel, expected
):
    with Counting(8, pause=0.05) as executor:
        search(january, trials=9, threads=threads, parallel=parallel, executor=executor)
    each = [parameters["nthread"] for _, parameters, _ in fits]
    assert (max(executor.at_a_time), each[0]) == expected
    assert each[:9] == [each[0]] * 9
    finals = each[9:]  # which run side by side as well
    assert set(finals) == {threads // min(threads, len(finals))}


@settings(max_examples=30)
@given(recorded=st.sets(st.integers(1, TRIALS)))
def test_a_search_continued_from_any_trials_finds_the_same_and_makes_none_again(
    january, whole, recorded
):
    result, trials = whole
    journal, told = journal_of(trial for trial in trials if trial.number in recorded), []
    with Counting() as executor:
        continued = search(
            january,
            trials=TRIALS,
            journal=journal,
            executor=executor,
            progress=lambda trial, *_: told.append(trial.number),
        )
    assert findings(continued) == findings(result)
    assert executor.numbers == [n for n in range(1, TRIALS + 1) if n not in recorded]
    assert sorted(told) == list(range(1, TRIALS + 1))
    assert [journal.get(n).as_row() for n in range(1, TRIALS + 1)] == rows(continued)


@pytest.mark.parametrize("after", [1, 7, TRIALS])
@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupted_search_goes_on_as_if_it_had_not_been(january, whole, after, threads):
    def interrupt(trial, done, *_):
        if done == after:
            raise KeyboardInterrupt

    journal = MemoryJournal()
    with pytest.raises(KeyboardInterrupt):
        search(january, trials=TRIALS, threads=threads, journal=journal, progress=interrupt)
    with Counting() as executor:
        continued = search(january, trials=TRIALS, journal=journal, executor=executor)
    assert len(executor.numbers) == TRIALS - after
    assert findings(continued) == findings(whole[0])


@pytest.mark.parametrize("fewer", [1, 5, 15])
def test_more_trials_are_the_earlier_ones_and_others(january, whole, fewer):
    journal = MemoryJournal()
    before = search(january, trials=fewer, journal=journal)
    with Counting() as executor:
        after = search(january, trials=TRIALS, journal=journal, executor=executor)
    assert rows(after)[:fewer] == rows(before)
    assert executor.numbers == list(range(fewer + 1, TRIALS + 1))
    assert findings(after) == findings(whole[0])


def test_searches_that_share_a_journal_find_the_same(january, whole):
    journal = MemoryJournal()
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(
            lambda _: search(january, trials=TRIALS, journal=journal), range(2), timeout=60
        )
    assert one == other
    assert findings(one) == findings(whole[0])


def test_of_two_results_of_a_trial_the_one_that_was_there_first_counts(january):
    class Late(MemoryJournal):
        def get(self, number):  # noqa: ARG002  (it is only there once this one has ended)
            return None

    first = Trial(2, {**Light.parameters, "max_depth": 7}, "finished", rmse=0.5, rounds=32)
    journal = Late()
    journal.add(first)
    result = search(january, journal=journal)
    assert rows(result)[1] == first.as_row()
    assert result.parameters["max_depth"] == 7


def test_a_trial_survives_being_written_as_json(whole):
    for trial in whole[1]:
        written = json.dumps(dataclasses.asdict(trial))
        assert Trial(**json.loads(written)) == trial


@pytest.mark.parametrize("threads", [1, 2])
def test_a_search_without_time_has_a_trial_all_the_same(january, whole, threads):
    result = search(january, trials=TRIALS, threads=threads, seconds=0)
    assert 1 <= len(rows(result)) <= threads
    assert without_time(rows(result)) == findings(whole[0])[3][: len(rows(result))]
    assert result.rounds == 12


def test_no_trial_is_begun_after_the_time_is_up(january, monkeypatch):
    ended = []
    clock = SimpleNamespace(monotonic=lambda: 10.0 * len(ended))
    monkeypatch.setattr(tuning, "time", clock)
    search(january, trials=TRIALS, seconds=25, progress=lambda *said: ended.append(said))
    assert len(ended) == 3


@pytest.mark.parametrize("patience", [1, 2, 4])
def test_a_search_ends_after_its_patience_without_a_better_trial(january, patience):
    result = search(january, trials=50, parallel=1, patience=patience)
    errors = [row["rmse"] for row in rows(result)]
    since_best = [n - 1 - int(np.argmin(errors[:n])) for n in range(1, len(errors) + 1)]
    assert since_best[-1] == patience
    assert max(since_best[:-1]) < patience


def test_a_trial_is_stopped_at_the_first_rung_where_it_is_in_the_worse_half(whole):
    _, trials = whole
    assert {trial.status for trial in trials} == {"finished", "stopped"}
    for trial in trials:
        highest = median_thresholds(trials[: max(0, trial.number - 4)])
        worse = [
            int(rung) for rung, rmse in trial.rungs.items() if rmse > highest.get(int(rung), 99)
        ]
        rounds = min([*worse, 32])
        assert trial.rounds == rounds
        assert trial.status == ("stopped" if rounds < 32 else "finished")
        assert list(trial.rungs) == [rung for rung in ("8", "16", "32") if int(rung) <= rounds]


def test_nobody_is_stopped_before_there_are_trials_to_compare_with(whole):
    knowing_too_few = whole[1][: Budget(TRIALS).parallel + MIN_TO_COMPARE - 1]
    assert {trial.status for trial in knowing_too_few} == {"finished"}


def test_a_trial_with_a_parameter_that_is_refused_has_failed_and_the_others_go_on(january):
    result = search(january, Brittle(), trials=TRIALS)
    failed = [row for row in rows(result) if row["status"] == "failed"]
    assert 1 <= len(failed) < TRIALS == len(rows(result))
    assert failed == [row for row in rows(result) if row["max_depth"] < 0]
    for row in failed:
        assert (row["rmse"], row["rounds"]) == (None, 0)
        assert row["error"].startswith("XGBoostError: value -")
        assert "max_depth" in row["error"]
        assert "\n" not in row["error"]
    assert {row["error"] for row in rows(result) if row not in failed} == {""}
    assert result.parameters["max_depth"] >= 0


def test_a_search_with_failed_trials_is_continued_without_making_them_again(january):
    journal = MemoryJournal()
    result = search(january, Brittle(), trials=TRIALS, journal=journal)
    with Counting() as executor:
        again = search(january, Brittle(), trials=TRIALS, journal=journal, executor=executor)
    assert executor.numbers == []
    assert again == result


def test_a_trial_that_runs_out_of_memory_has_failed_and_the_others_go_on(
    january, whole, monkeypatch
):
    calls, train = [], xgboost.train

    def scarce(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 3:
            raise MemoryError("no room\nfor a tree")
        return train(*arguments, **options)

    monkeypatch.setattr(xgboost, "train", scarce)
    told = []
    result = search(january, trials=6, progress=lambda *said: told.append(said))
    undisturbed = findings(whole[0])[3][:6]
    assert rows(result)[2]["status"] == "failed"
    assert rows(result)[2]["error"] == "MemoryError: no room for a tree"
    assert without_time(rows(result)[:2] + rows(result)[3:]) == undisturbed[:2] + undisturbed[3:]
    assert told[2][3] == told[1][3]


@pytest.mark.parametrize("refuses", [False, True], ids=["in a trial", "before it"])
def test_a_worker_that_died_ends_the_search_in_one_line_and_blames_no_trial(january, refuses):
    class Dying(ThreadPoolExecutor):
        def submit(self, attempt):
            if attempt.number < 3:
                return super().submit(attempt)
            if refuses:
                raise BrokenExecutor("a process was killed")
            future = Future()
            future.set_exception(BrokenExecutor("a process was killed"))
            return future

    journal = MemoryJournal()
    with Dying(1) as executor, pytest.raises(InvalidTraining, match="process was killed") as end:
        search(january, executor=executor, journal=journal, parallel=1)
    assert "\n" not in str(end.value)
    assert [journal.get(number) is not None for number in (1, 2, 3, 4)] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("parameters", "options", "text"),
    [
        ({"colsample_bytree": -1.0}, {}, "XGBoostError: value -1 for Parameter colsample_bytree"),
        ({}, {"learning_rate": 1e30}, r"ArithmeticError: the error is (inf|nan) after \d rounds"),
    ],
    ids=["refused", "no number"],
)
def test_a_search_whose_trials_all_fail_is_refused_in_one_line(january, parameters, options, text):
    recipe, journal, told = Light(), MemoryJournal(), []
    recipe.parameters = {**Light.parameters, **parameters}
    recipe.space = {"reg_lambda": LogUniform(1, 100)}
    with pytest.raises(InvalidTraining, match=f"all 3 trials failed, .*{text}") as refusal:
        search(
            january,
            recipe,
            trials=3,
            journal=journal,
            progress=lambda *said: told.append(said),
            **options,
        )
    assert "\n" not in str(refusal.value)
    assert [journal.get(n).status for n in (1, 2, 3)] == ["failed"] * 3
    assert [said[3] for said in told] == [None] * 3


OTHER = {
    "holdout_days": 6,
    "rows": 1000,
    "rounds": 16,
    "learning_rate": 0.2,
    "parallel": 3,
    "max_rows": 2500,
    "seed": 2,
    "trials": 12,
    "seconds": 100.0,
    "patience": 5,
    "max_rounds": 5,
    "stopping_rounds": 1,
}


def test_every_option_of_tuning_is_judged_below():
    assert list(OTHER) == [name for name, _ in config.tuning.get_params()]
    budget = {field.name for field in dataclasses.fields(Budget)}
    assert budget | {"holdout_days", "seed"} == set(OTHER)


@pytest.mark.parametrize("name", OTHER)
def test_what_decides_of_a_trial_is_known_and_nothing_else_does(january, whole, name):
    before = findings(whole[0])[3]
    changed = without_time(rows(search(january, **{"trials": TRIALS, name: OTHER[name]})))
    assert (changed != before[: len(changed)]) == (name in config.tuning.OF_A_TRIAL)
