"""Which evaluations there are, and by which configuration each was made."""

import json
import shutil

import pytest
from evaluated_roots import evaluation
from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.errors import InvalidParameter, InvalidRecipe
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.month import Month
from taxi_pipeline.runtime.evaluations import Candidate, Evaluations, differences, key_of
from taxi_pipeline.storage import to_json

JANUARY, FEBRUARY, MARCH = (Month(2021, month) for month in (1, 2, 3))


def of(name):
    return Evaluations(Candidate.parse(name), "green")


def key(output):
    return None if output is None else key_of(output)


# --- names ------------------------------------------------------------------------------------


@given(
    st.sampled_from(sorted(RECIPES)),
    st.none() | st.integers(1, 120),
    st.none() | st.from_regex(r"[0-9a-f]{1,16}", fullmatch=True),
)
def test_a_name_is_read_as_paths_write_it(recipe, window, key):
    name = recipe + (f"-w{window}" if window else "") + (f":{key}" if key else "")
    candidate = Candidate.parse(name)
    assert (candidate.recipe, candidate.window) == (recipe, window or 1)
    assert (candidate.name, candidate.key) == (name, key or "")
    assert candidate.variant == f"{recipe}-w{window or 1}"


@pytest.mark.parametrize("name", ["", "trip:", "trip:xyz", "trip-w1:0123456789abcdef0", ":ab"])
def test_what_is_no_name_is_told_in_one_line(name):
    with pytest.raises(InvalidParameter, match=r"names no candidate: .* such as trip, trip-w3"):
        Candidate.parse(name)


@pytest.mark.parametrize("name", ["nosuch", "trip-w0", "trip-w", "trip-w1234"])
def test_a_name_without_such_a_recipe_is_told_with_those_that_there_are(name):
    with pytest.raises(InvalidRecipe, match="the recipes are trip, pretrip"):
        Candidate.parse(name)


# --- what is there ----------------------------------------------------------------------------


def test_without_a_key_the_present_configuration_is_meant(evaluated, luigi_config):
    found = of("linear")
    assert found.months() == [JANUARY, FEBRUARY, MARCH]
    assert {month.month: key(found.find(month)) for month in found.months()} == (
        evaluated.keys["linear"]
    )
    luigi_config("training", "seed", "3")
    assert key(of("linear").find(JANUARY)) == evaluated.keys["seeded"][1]
    assert of("linear").find(MARCH) is None


def test_with_a_key_the_configuration_is_meant_that_made_it_in_every_month(evaluated):
    seeded = evaluated.keys["seeded"]
    for digits in (4, 16):
        found = of(f"linear:{seeded[1][:digits]}")
        assert key(found.find(JANUARY)) == seeded[1]
        assert key(found.find(FEBRUARY)) == seeded[2]
        assert found.find(MARCH) is None
        assert found.flags == ["--training-seed", "3"]
    assert of(f"linear:{evaluated.keys['linear'][2]}").flags == []
    assert of("linear").flags == []


def test_windows_and_recipes_are_kept_apart(evaluated):
    assert of("linear-w2").months() == [FEBRUARY]
    assert of("course").months() == [JANUARY, FEBRUARY]
    assert of("trip").months() == []
    with pytest.raises(InvalidParameter, match=r"no key begins with .*; there are linear-w2:"):
        of(f"linear-w2:{evaluated.keys['linear'][1]}")


def test_others_are_one_of_each_configuration_with_what_differs(evaluated):
    found = of("linear").others([JANUARY, FEBRUARY])
    keys = {name: evaluated.keys[name][1][:8] for name in ("linear", "seeded", "cut")}
    assert sorted(found.split("; ")) == sorted(
        (
            f"linear-w1:{keys['linear']} (cleaning.max_minutes 60.0, training.seed 42)",
            f"linear-w1:{keys['seeded']} (cleaning.max_minutes 60.0, training.seed 3)",
            f"linear-w1:{keys['cut']} (cleaning.max_minutes 40.0, training.seed 42)",
        )
    )
    assert of("course").others([MARCH]) == ""


def test_another_that_is_alone_is_told_by_how_it_differs_from_the_present(evaluated, luigi_config):
    luigi_config("cleaning", "max_minutes", "50")
    digits = evaluated.keys["course"][1][:8]
    assert of("course").others([JANUARY]) == f"course-w1:{digits} (cleaning.max_minutes 60.0)"


def test_a_beginning_that_two_keys_have_is_refused_with_a_list(evaluated):
    made = evaluated.output("linear", 1)
    twin = made.with_name(made.name[:8] + "0" * 8)
    shutil.copytree(made, twin)
    content = json.loads((made / "manifest.json").read_text())
    del content["checksum"]
    (twin / "manifest.json").write_text(to_json({**content, "key": twin.name}))
    with pytest.raises(InvalidParameter, match=f"more than one key begins with {made.name[:8]}; "):
        of(f"linear:{made.name[:8]}")
    assert key(of(f"linear:{made.name[:9]}").find(JANUARY)) in {made.name, twin.name}


def test_an_evaluation_whose_manifest_is_damaged_counts_as_missing(evaluated):
    (evaluated.output("linear", 1) / "manifest.json").write_text("{")
    found = of("linear")
    assert found.find(JANUARY) is None
    assert found.find(FEBRUARY) is not None
    assert evaluated.keys["linear"][1][:8] not in found.others([JANUARY])


def test_settings_name_options_versions_and_contents(evaluated):
    found = of("linear")
    settings = found.settings(found.find(JANUARY))
    assert settings["cleaning.max_minutes"] == "60.0"
    assert settings["version of TrainModel"] == evaluation(1).identity().version.replace("2,", "1,")
    assert {"published green 2021-01", "published green 2021-02"} <= set(settings)
    assert "published green 2021-03" not in settings


def test_settings_of_which_the_outputs_are_gone_are_left_out(evaluated):
    shutil.rmtree(evaluated.folder / "data" / "train")
    found = of("linear")
    settings = found.settings(found.find(JANUARY))
    assert "training.seed" not in settings
    assert "cleaning.max_minutes" in settings


def test_differences_are_told_with_both_values_for_what_is_asked(evaluated):
    one, other = of("linear"), of(f"linear:{evaluated.keys['cut'][1]}")
    settings = [found.settings(found.find(JANUARY)) for found in (one, other)]
    assert differences(*settings, ("cleaning.",)) == ["cleaning.max_minutes 60.0 against 40.0"]
    assert differences(*settings, ("published ", "training.")) == []
    assert differences({"published green 2021-01": "a" * 64}, {}, ("published ",)) == [
        "published green 2021-01 aaaaaaaa against none"
    ]
