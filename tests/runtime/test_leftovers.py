"""Trials and pointers stay as long as an output that is kept, or a run, would go by them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from taxi_pipeline import ApplyGate
from taxi_pipeline.runtime import reachable
from taxi_pipeline.storage import layout, open_storage
from taxi_pipeline.storage.leases import Lease

NOW = datetime.now(UTC) + timedelta(days=1)
GATE = "gate/green/2021-01/linear-w1"


@pytest.fixture
def root(finished):
    return open_storage("data")


@pytest.fixture
def no_versions(monkeypatch):
    monkeypatch.setattr(reachable, "look_up", lambda *_: None)


def survey(storage, leases=(), before=NOW):
    return reachable.survey(storage, leases, before)


def pointers():
    return [str(path.relative_to("data")) for path in Path("data").glob("gate/**/champion-*.json")]


def removed_pointers(found):
    return [removal.location for removal in found.removals if removal.what == "pointer"]


def test_the_trials_of_a_search_go_when_no_output_and_no_run_needs_them(
    root, no_versions, luigi_config
):
    place = "tune/green/2021-01/linear-w1"
    root.write_json(f"{place}/trials-{'f' * 16}/00001.json", {"number": 1})
    (removal,) = survey(root).removals
    assert (removal.what, removal.location) == ("trials", f"{place}/trials-{'f' * 16}")
    assert survey(root, before=datetime.now(UTC) - timedelta(days=1)).removals == []
    lease = Lease("one", frozenset({place}), removes=False)
    assert survey(root, [lease]).removals == []
    luigi_config("source", "url", "synthetic://?rows=700")
    found = survey(root)
    assert found.removals == []
    assert "its search is not known" in found.unknown[place]


def test_the_trials_of_searches_that_led_to_needed_outputs_stay(root, luigi_config):
    from taxi_pipeline.tasks.tune import TuneHyperparameters

    place = "tune/green/2021-01/linear-w1"
    task = TuneHyperparameters(year=2021, month=1, recipe="linear")
    root.write_json(f"{place}/trials-{task.search_key}/00001.json", {"number": 1})
    luigi_config("cleaning", "max_minutes", 50)
    # Another search is current, but the version in the registry came from this one.
    assert survey(root).removals == []
    luigi_config("cleaning", "max_minutes", 60)
    luigi_config("tuning", "trials", 7)
    assert survey(root).removals == []


def test_the_pointer_to_a_champion_goes_with_the_record_of_the_gate(
    root, no_versions, luigi_config
):
    (pointer,) = pointers()
    luigi_config("cleaning", "max_minutes", 50)
    assert removed_pointers(survey(root)) == [pointer]
    assert removed_pointers(survey(root, before=datetime.now(UTC) - timedelta(days=1))) == []
    assert removed_pointers(survey(root, [Lease("one", frozenset({GATE}), removes=False)])) == []


def test_the_pointer_of_a_record_that_a_version_needs_stays(root, luigi_config):
    luigi_config("cleaning", "max_minutes", 50)
    luigi_config("source", "url", "synthetic://?rows=700")
    assert survey(root).removals == []


def test_the_pointer_of_a_record_that_was_pruned_before_goes_alone(root):
    stale = layout.champion_pointer(GATE, "f" * 16)
    root.write_json(stale, {"identity": "of another", "champion": None})
    (removal,) = survey(root).removals
    assert (removal.location, removal.size) == (stale, root.file_sizes(GATE)[Path(stale).name])
    assert removal.reason == "no record of the gate is found by it"


def test_the_pointer_of_a_candidate_that_is_judged_next_stays(root, no_versions):
    # Its record was set aside as damaged, or its run was ended before there was one.
    for name in ("gate", "register"):
        for manifest in list(Path("data", name).rglob("manifest.json")):
            root.set_aside(str(manifest.parent.relative_to("data")))
    assert removed_pointers(survey(root)) == []


def test_a_pointer_that_does_not_say_whose_it_is_stays_while_there_is_a_record(
    root, no_versions, luigi_config
):
    (pointer,) = pointers()
    root.write_json(pointer, {"champion": None})
    assert removed_pointers(survey(root)) == []
    luigi_config("cleaning", "max_minutes", 50)
    assert removed_pointers(survey(root)) == [pointer]


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_damaged_pointer_is_left_to_verify_beside_a_record(root, content):
    (pointer,) = pointers()
    Path("data", pointer).write_text(content)
    assert survey(root).removals == []


def test_a_pointer_says_whose_it_is(root):
    (pointer,) = pointers()
    identity = ApplyGate(year=2021, month=1, recipe="linear").identity()
    content = root.read_json(pointer)
    assert content["identity"] == ApplyGate.pointed_key(identity)
    assert content["champion"] is None
