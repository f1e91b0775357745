"""An output that changes under an unchanged `version` of its stage fails here.

Otherwise nobody who has older outputs would get the new ones. What is expected stands in
tests/fixtures/golden/golden.json; a failure says what to raise, and how the file is written anew.
"""

import copy
import json

import golden
import pytest

LABELS = list(json.loads(golden.EXPECTED.read_text()))


@pytest.fixture(scope="module")
def measured(request, tmp_path_factory):
    """What each stage makes; written down as expected where that is asked for."""
    found = golden.measure(tmp_path_factory.mktemp("golden"))
    if request.config.getoption("--renew-golden"):
        golden.EXPECTED.write_text(golden.as_text(found))
    return found


@pytest.fixture(scope="module")
def expected(measured):
    return json.loads(golden.EXPECTED.read_text())


@pytest.mark.parametrize("label", LABELS)
def test_a_stage_makes_what_it_made_or_has_another_version(label, expected, measured):
    problem = golden.verdict(label, expected, measured)
    if problem:
        pytest.fail(problem, pytrace=False)


def test_every_stage_and_recipe_is_guarded(expected, measured):
    assert list(expected) == list(measured)


# --- the guard itself -------------------------------------------------------------------------


def changed(content):
    """A content in which the first figure or text is another."""
    if isinstance(content, dict):
        name = next((name for name, value in content.items() if value), "one more")
        return {**content, name: changed(content.get(name, 0))}
    if isinstance(content, list):
        return [changed(content[0]), *content[1:]]
    return f"{content} or so" if isinstance(content, str) else content * 1.01 + 1


@pytest.mark.parametrize("label", LABELS)
def test_another_output_under_the_same_version_fails_and_says_what_to_raise(label, measured):
    other = copy.deepcopy(measured)
    other[label]["made"] = changed(other[label]["made"])
    problem = golden.verdict(label, measured, other)
    assert f"raise `version` of {label.partition(' ')[0]}" in problem
    assert golden.RENEW in problem
    assert "\n" not in problem


@pytest.mark.parametrize("label", LABELS)
def test_another_version_fails_until_it_is_written_down(label, measured):
    other = copy.deepcopy(measured)
    other[label] = {**other[label], "version": "9", "made": changed(other[label]["made"])}
    problem = golden.verdict(label, measured, other)
    assert f"has '9': write it anew with {golden.RENEW}" in problem
    assert golden.verdict(label, other, other) == ""


def test_another_output_of_another_configuration_needs_no_other_version(measured):
    label = "TransformTrips green 2021-01"
    other = copy.deepcopy(measured)
    other[label]["config"]["cleaning.max_minutes"] = "59.0"
    assert golden.verdict(label, measured, other) == ""
    other[label]["made"] = changed(other[label]["made"])
    problem = golden.verdict(label, measured, other)
    assert "cleaning.max_minutes was 60.0, is 59.0: write golden.json anew" in problem


def test_a_stage_that_reads_what_has_changed_is_not_blamed(measured):
    month = "green 2021-01"
    other = copy.deepcopy(measured)
    for label in (f"TransformTrips {month}", f"BuildFeatures {month}"):
        other[label]["made"] = changed(other[label]["made"])
    problem = golden.verdict(f"BuildFeatures {month}", measured, other)
    assert f"reads what has changed, see TransformTrips {month}: " in problem


@pytest.mark.parametrize(("by", "told"), [(1e-4, ""), (1e-2, ": rmse was ")])
def test_what_is_fitted_may_differ_a_little_between_machines(measured, by, told):
    label = "TuneHyperparameters green 2021-01 trip-w1"
    other = copy.deepcopy(measured)
    other[label]["made"]["rmse"] *= 1 + by
    problem = golden.verdict(label, measured, other)
    assert told in problem
    assert bool(problem) == bool(told)
