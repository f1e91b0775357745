"""Classes of encoders and regressors, named in a saved model."""

import json

import pytest

from taxi_pipeline.errors import InvalidRecipe
from taxi_pipeline.model.components import build_component, describe_component
from taxi_pipeline.model.encoders import SklearnEncoder, TripEncoder
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.model.regressors import Boosting, LeastSquares, SklearnRegressor


class Scaled(SklearnEncoder):
    """An encoder of one's own."""

    def __init__(self, by):
        super().__init__()
        self.by = by

    def settings(self):
        return {"by": self.by}


class Bare:
    """A regressor of one's own, without settings."""

    fit = predict = save = load = print


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_class_and_its_settings_survive_json(recipe):
    encoder = RECIPES[recipe].encoder(seed=7)
    built = build_component("encoder", json.loads(json.dumps(describe_component(encoder))))
    assert type(built) is type(encoder)
    assert built.settings() == encoder.settings()


def test_a_trip_encoder_is_built_with_its_columns_and_seed():
    built = build_component("encoder", describe_component(TripEncoder(("hour", "miles"), 7)))
    assert (built.columns, built.seed) == (("hour", "miles"), 7)


@pytest.mark.parametrize("regressor", [Boosting(), LeastSquares(), SklearnRegressor(), Bare()])
def test_a_regressor_is_built(regressor):
    built = build_component("regressor", describe_component(regressor))
    assert type(built) is type(regressor)


def test_a_class_of_ones_own_is_named_and_built_by_its_module():
    description = describe_component(Scaled(2))
    assert description == {"class": f"{__name__}:Scaled", "settings": {"by": 2}}
    assert build_component("encoder", description).by == 2


def test_a_class_inside_a_function_is_refused():
    class Inside(SklearnEncoder):
        pass

    with pytest.raises(InvalidRecipe, match="top of a module"):
        describe_component(Inside())


def test_settings_that_json_cannot_hold_are_refused():
    with pytest.raises(InvalidRecipe, match=r"settings\(\) of .*:Scaled"):
        describe_component(Scaled(len))


@pytest.mark.parametrize(
    ("role", "description", "told"),
    [
        ("encoder", {"class": "my_tasks:Mine", "settings": {}}, "No module named 'my_tasks'"),
        ("encoder", {"class": "os:system", "settings": {"command": "false"}}, "fit_transform"),
        ("encoder", {"class": "subprocess:Popen", "settings": {"args": "false"}}, "methods"),
        (
            "regressor",
            {"class": f"{TripEncoder.__module__}:TripEncoder", "settings": {}},
            "predict",
        ),
        ("encoder", {"class": f"{TripEncoder.__module__}:Gone", "settings": {}}, "Gone"),
        (
            "encoder",
            {"class": f"{TripEncoder.__module__}:TripEncoder", "settings": {"x": 1}},
            "'x'",
        ),
    ],
)
def test_what_cannot_be_built_is_told_in_one_line(role, description, told):
    with pytest.raises(InvalidRecipe) as failure:
        build_component(role, description)
    assert told in str(failure.value)
    assert description["class"] in str(failure.value)
    assert "\n" not in str(failure.value)
