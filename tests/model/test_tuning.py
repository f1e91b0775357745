"""The search for parameters, inside the training window and by time."""

import json
from datetime import datetime, timedelta

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model import tuning
from taxi_pipeline.model.encoders import TripEncoder
from taxi_pipeline.model.evaluation import metrics
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.model.recipes.trip import Trip
from taxi_pipeline.model.regressors import Boosting
from taxi_pipeline.model.space import Integer

END = datetime(2021, 2, 1)
HOLDOUT = 7
BORDER = datetime(2021, 1, 25)

brief = settings(deadline=None, max_examples=50)
hours = st.lists(st.integers(0, 31 * 24 - 1), min_size=1, max_size=30)


def search(features, recipe=None, trials=4, max_rows=10**6, seed=1, **options):
    return tuning.search(
        recipe or RECIPES["trip"],
        features,
        window_end=END,
        holdout_days=HOLDOUT,
        budget=tuning.Budget(trials=trials, max_rounds=12, patience=3, max_rows=max_rows),
        seed=seed,
        threads=1,
        **options,
    )


def findings(choice):
    """All that a choice says but for the seconds that it took."""
    trials = [{**trial, "seconds": None} for trial in choice.trials]
    return choice.parameters, choice.rounds, choice.rmse, trials


@pytest.fixture(scope="module")
def choice(january):
    return search(january)


class Watched(Trip):
    """Keeps the rows that its encoder is fitted on and those that it is judged by."""

    def __init__(self):
        self.fitted, self.judged = [], []

    def encoder(self, seed):
        watched = self

        class Watching(TripEncoder):
            def fit_transform(self, features, minutes):
                watched.fitted.append(features)
                return super().fit_transform(features, minutes)

            def transform(self, features):
                watched.judged.append(features)
                return super().transform(features)

        return Watching(self.columns, seed)


@brief
@given(hours=hours, days=st.integers(1, 30))
def test_the_last_days_and_no_others_are_late(hours, days):
    pickups = [datetime(2021, 1, 1) + timedelta(hours=hour) for hour in hours]
    border = END - timedelta(days=days)
    assume(min(pickups) < border <= max(pickups))
    frame = pd.DataFrame({"pickup_at": pickups, "row": range(len(pickups))})
    early, late = tuning.split_by_time(frame, END, days)
    assert early["row"].tolist() == [n for n, at in enumerate(pickups) if at < border]
    assert late["row"].tolist() == [n for n, at in enumerate(pickups) if at >= border]


@pytest.mark.parametrize(
    ("pickups", "text"),
    [
        ([BORDER], "0 trips before 2021-01-25 and 1 from then on"),
        ([BORDER - timedelta(microseconds=1)] * 2, "2 trips before 2021-01-25 and 0 from then on"),
        ([], "0 trips before 2021-01-25 and 0 from then on"),
    ],
    ids=["no early", "no late", "none at all"],
)
def test_a_window_with_an_empty_part_is_refused_in_one_line(pickups, text):
    frame = pd.DataFrame({"pickup_at": pd.Series(pickups, dtype="datetime64[us]")})
    with pytest.raises(InvalidTraining, match=text) as refusal:
        tuning.split_by_time(frame, END, HOLDOUT)
    assert "\n" not in str(refusal.value)
    assert "[tuning] holdout_days" in str(refusal.value)


@pytest.mark.parametrize("trials", [1, 2, 4])
def test_a_search_has_as_many_trials_as_asked_and_tells_of_each(january, trials):
    told = []
    choice = search(january, trials=trials, progress=lambda *said: told.append(said))
    assert [trial["trial"] for trial in choice.trials] == list(range(1, trials + 1))
    errors = [trial["rmse"] for trial in choice.trials]
    assert told == [(n, trials, min(errors[:n])) for n in range(1, trials + 1)]


def test_the_first_trial_has_the_recipes_own_parameters_and_the_others_do_not(choice):
    recipe = RECIPES["trip"]
    own = {name: recipe.parameters[name] for name in recipe.space}
    tried = [{name: trial[name] for name in own} for trial in choice.trials]
    assert tried[0] == own
    assert all(other != own for other in tried[1:])


def test_a_search_is_determined_by_its_seed(january, choice):
    assert findings(search(january)) == findings(choice)
    assert findings(search(january, seed=2)) != findings(choice)


def test_the_choice_is_the_best_of_the_trials(choice):
    best = min(choice.trials, key=lambda trial: trial["rmse"])
    assert choice.rmse == best["rmse"] < max(trial["rmse"] for trial in choice.trials)
    assert choice.rounds == best["rounds"]
    for name, value in choice.parameters.items():
        assert value == best.get(name, RECIPES["trip"].parameters[name])


def test_the_choices_error_is_that_of_a_fit_on_the_early_days(january, choice):
    early, late = tuning.split_by_time(january, END, HOLDOUT)
    encoder = RECIPES["trip"].encoder(1)
    matrix = encoder.fit_transform(early, early["minutes"].to_numpy())
    regressor = Boosting(choice.parameters, 1, 1)
    regressor.fit(matrix, early["minutes"].to_numpy(), choice.rounds)
    predicted = regressor.predict(encoder.transform(late))
    assert metrics(late["minutes"].to_numpy(), predicted)["rmse"] == pytest.approx(
        choice.rmse, rel=1e-5
    )


def test_every_trial_has_plain_numbers_inside_the_space(choice):
    space = RECIPES["trip"].space
    for trial in choice.trials:
        for name, distribution in space.items():
            expected = int if isinstance(distribution, Integer) else float
            assert type(trial[name]) is expected
            assert distribution.low <= trial[name] <= distribution.high
    text = json.dumps([choice.parameters, choice.rounds, choice.rmse, choice.trials])
    assert json.loads(text)[0] == choice.parameters


@pytest.mark.parametrize("recipe", ["course", "linear"])
def test_a_recipe_without_a_space_keeps_its_own_parameters(january, recipe):
    choice = search(january[:0], RECIPES[recipe])
    assert choice == tuning.Choice(dict(RECIPES[recipe].parameters), RECIPES[recipe].rounds)
    assert choice.rmse is None


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
