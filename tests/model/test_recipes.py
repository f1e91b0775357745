"""What recipes read, and what naming them costs."""

import numpy as np
import pytest
from processes import python

from taxi_pipeline.model.features import FEATURES
from taxi_pipeline.model.recipes import RECIPES

HEAVY = ["hyperopt", "mlflow", "numpy", "pandas", "pyarrow", "sklearn", "xgboost"]

every = pytest.mark.parametrize("name", RECIPES)


def test_the_recipes_have_the_names_that_users_type():
    assert list(RECIPES) == ["trip", "pretrip", "course", "linear"]


def test_naming_the_recipes_imports_nothing_heavy(tmp_path):
    code = (
        "import sys\n"
        "from taxi_pipeline.model.recipes import RECIPES\n"
        f"print(*(name for name in {HEAVY} if name in sys.modules))"
    )
    done = python(tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


@every
def test_a_recipe_says_in_one_line_what_it_is(name):
    assert RECIPES[name].summary
    assert "\n" not in RECIPES[name].summary


@every
def test_a_recipe_reads_features_that_there_are_and_no_price_or_time_of_arrival(name):
    columns = RECIPES[name].columns
    assert set(columns) <= set(FEATURES)
    assert len(set(columns)) == len(columns)
    for word in ("minutes", "fare", "amount", "tip", "dropoff_at", "duration"):
        assert not [column for column in columns if word in column]


@every
def test_a_recipes_own_parameters_lie_in_its_space(name):
    recipe = RECIPES[name]
    for parameter, distribution in recipe.space.items():
        assert distribution.low <= recipe.parameters[parameter] <= distribution.high


def test_the_course_is_fixed_and_says_that_it_was_chosen_on_the_month_it_reports():
    assert RECIPES["course"].space == {}
    assert RECIPES["course"].rounds == 30
    assert "chose" in RECIPES["course"].caveat


@every
def test_a_prediction_needs_the_recipes_columns_and_no_others(name, models, january):
    alone = models[name].predict(january[list(RECIPES[name].columns)])
    assert (alone == models[name].predict(january)).all()


@every
def test_a_prediction_does_not_read_the_target(name, models, january):
    other = january.assign(minutes=61 - january["minutes"])
    assert (models[name].predict(other) == models[name].predict(january)).all()


@pytest.mark.parametrize("name", ["trip", "course", "linear"])
def test_a_fit_needs_the_target_the_recipes_columns_and_no_others(name, fit, models, january):
    alone = fit(name, january[["minutes", *RECIPES[name].columns]])
    assert (alone.predict(january) == models[name].predict(january)).all()


@every
def test_the_same_seed_gives_the_same_model(name, fit, models, january):
    assert (fit(name, january).predict(january) == models[name].predict(january)).all()


@pytest.mark.parametrize(
    "other",
    [{"trip_distance": 17.0}, {"trip_distance": np.nan}, {"trip_distance": 0.0}],
    ids=str,
)
def test_pretrip_does_not_read_the_metered_distance(models, records, other):
    changed = records.assign(**other)
    before, after = (models["pretrip"].predict_published(rows) for rows in (records, changed))
    assert (before == after).all()
    before, after = (models["trip"].predict_published(rows) for rows in (records, changed))
    assert not (before == after).all()


def test_pretrip_does_not_read_which_rate_was_charged(models, january):
    """Whether there is a rate code at all is another feature, the record's origin."""
    for code in (1.0, 5.0):
        changed = january.assign(rate_code=code)
        assert (models["pretrip"].predict(changed) == models["pretrip"].predict(january)).all()


def test_pretrip_is_all_of_trip_but_what_the_meter_and_the_tariff_say():
    assert set(RECIPES["trip"].columns) - set(RECIPES["pretrip"].columns) == {"miles", "rate_code"}
    assert set(RECIPES["pretrip"].columns) < set(RECIPES["trip"].columns)
