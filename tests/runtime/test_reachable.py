"""What is needed, and why the rest is not."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from outputs import publish

from taxi_pipeline import TransformTrips
from taxi_pipeline.errors import TrackingError
from taxi_pipeline.identity import ContentIdentity, Identity
from taxi_pipeline.runtime import reachable
from taxi_pipeline.storage import open_storage
from taxi_pipeline.storage.leases import Lease
from taxi_pipeline.tasks.base import Stage
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tracking.lookup import RegisteredModel, RegisteredVersion

NOW = datetime.now(UTC) + timedelta(days=1)
STAGES = [
    *("evaluate", "features", "gate", "intervals", "register", "report"),
    *("train", "transform", "tune"),
]
"""The stages of a finished root that depend on the rules of cleaning."""


class CountTrips(Stage):
    """A stage of somebody's own."""

    stage = "count"

    def requires(self):
        return [self.clone(TransformTrips)]


@pytest.fixture
def root(finished):
    return open_storage("data")


@pytest.fixture
def no_versions(monkeypatch):
    monkeypatch.setattr(reachable, "look_up", lambda *_: None)


def survey(storage, leases=(), before=NOW):
    return reachable.survey(storage, leases, before)


def stages(found):
    return sorted({removal.location.partition("/")[0] for removal in found.removals})


def outputs(found):
    """The outputs that are not needed; what stands beside them has tests of its own."""
    return [removal for removal in found.removals if removal.what == "output"]


def reasons(found):
    return {removal.reason for removal in outputs(found)}


def manifest_of(stage, month):
    """The manifest of the only output of a stage; a copied folder has a copy for each link."""
    found = Path("data", stage, "green", month).rglob("manifest.json")
    (manifest,) = (path for path in found if path.parent.name != "latest")
    return manifest


def own_output(storage, version="1", task="CountTrips", stage="count", **parameters):
    """An output of a stage of somebody's own, made of the trips that there are."""
    trips = manifest_of("transform", "2021-01")
    identity = Identity(
        task,
        {"year": "2021", "month": "1", "taxi": "green", **parameters},
        version,
        {},
        {"TransformTrips green 2021-01": json.loads(trips.read_text())["key"]},
    )
    place = f"{stage}/green/2021-01/{identity.key}"
    publish(
        storage,
        place=place,
        key=identity.key,
        identity=asdict(identity),
        finished="2021-02-03T04:05:06+00:00",
    )
    return place


def test_all_that_is_current_is_needed(root, no_versions):
    found = survey(root)
    assert found.removals == []
    assert found.unknown == {}
    assert found.outputs == 13


def test_versions_in_the_registry_need_all_that_they_were_made_of(root, luigi_config):
    luigi_config("cleaning", "max_minutes", 50)
    assert survey(root).removals == []


def test_what_no_version_and_no_task_needs_is_not_needed_and_it_is_told_why(
    root, no_versions, luigi_config
):
    luigi_config("cleaning", "max_minutes", 50)
    found = survey(root)
    assert stages(found) == STAGES
    assert reasons(found) == {"cleaning.max_minutes was 60.0, is 50.0"}
    assert sum(removal.seconds for removal in found.removals) > 0
    first = found.removals[0]
    assert first.location.startswith("report/")
    assert first.size == sum(root.file_sizes(first.location).values())
    assert first.logs
    assert root.exists(first.logs[0])


def test_a_version_of_a_candidate_is_found_by_its_key(root, monkeypatch, luigi_config):
    key = json.loads(manifest_of("evaluate", "2021-01").read_text())["key"]
    version = RegisteredVersion("", NOW, {"candidate_key": key})
    monkeypatch.setattr(reachable, "look_up", lambda *_: RegisteredModel({"7": version}, {}))
    luigi_config("cleaning", "max_minutes", 50)
    # The receipt is for version 1, which is gone.
    removed = {removal.location.partition("/")[0] for removal in survey(root).removals}
    assert removed == {"register"}  # the page of the candidate needs the gate's record


def test_the_champion_of_a_ledger_needs_all_that_it_was_made_of(root, no_versions, luigi_config):
    luigi_config("cleaning", "max_minutes", 50)
    assert "evaluate" in stages(survey(root))
    ledger = open_ledger("nyc-green-taxi-duration-linear")
    key = manifest_of("evaluate", "2021-01").parent.name
    for candidate_key in (key, "of another"):
        facts = {"pinned": False, "why": "", "candidate_key": candidate_key}
        ledger.append(ledger.read(), "promoted", candidate_key[:1], **facts)
        kept = candidate_key == key
        assert ("evaluate" in stages(survey(root))) is not kept
        assert ("train" in stages(survey(root))) is not kept


def test_receipts_of_another_registry_need_what_they_certify(root, no_versions, luigi_config):
    luigi_config("cleaning", "max_minutes", 50)
    luigi_config("tracking", "uri", "sqlite:///other.db")
    assert survey(root).removals == []


def test_nothing_is_judged_while_the_registry_does_not_answer(root, luigi_config):
    luigi_config("tracking", "uri", "http://127.0.0.1:9")
    with pytest.raises(TrackingError, match="does not answer"):
        survey(root)


def test_nothing_is_judged_without_a_registry_that_can_be_asked(root, luigi_config):
    luigi_config("tracking", "uri", "databricks")
    with pytest.raises(TrackingError, match="cannot be asked which versions it has"):
        survey(root)


def test_what_was_made_from_another_source_is_current_too(root, no_versions, luigi_config):
    luigi_config("source", "url", "synthetic://?rows=700")
    assert survey(root).removals == []


def test_what_was_made_of_a_content_that_no_source_offers_any_more_is_not_needed(root, no_versions):
    content = "ab" * 32
    identity = ContentIdentity("IngestTrips", {}, "1", {}, {"content": content})
    month = Path("data/ingest/green/2021-01")
    publish(
        root, place=f"ingest/green/2021-01/{identity.key}", key=identity.key,
        identity=asdict(identity), finished="2021-02-03T04:05:06+00:00",
    )  # fmt: skip
    assert survey(root).removals[0].reason == "source republished (green 2021-01)"
    (pointer,) = month.glob("source-*.json")
    root.write_json(f"ingest/green/2021-01/{pointer.name}", {"url": "u", "sha256": content})
    found = survey(root)
    assert stages(found) == sorted([*STAGES, "ingest"])
    assert reasons(found) == {"source republished (green 2021-01)"}
    february = [removal for removal in found.removals if "2021-02" in removal.location]
    assert february == []
    assert outputs(found)[-1].location.startswith("ingest/green/2021-01/")


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_month_whose_pointer_is_lost_or_damaged_is_not_judged(root, no_versions, content):
    (pointer,) = Path("data/ingest/green/2021-01").glob("source-*.json")
    pointer.unlink()
    if content:
        pointer.write_text(content)
    found = survey(root)
    assert "ingest/green/2021-01" in found.unknown
    assert found.removals == []


def test_a_stage_that_is_not_imported_is_not_judged_and_needs_its_inputs(
    root, no_versions, luigi_config
):
    place = own_output(root, task="Nobody'sTask")
    luigi_config("cleaning", "max_minutes", 50)
    found = survey(root)
    assert "no task Nobody'sTask is known here" in found.unknown["count/green/2021-01"]
    removed = [removal.location for removal in found.removals]
    assert place not in removed
    kept = json.loads(Path(f"data/{place}/manifest.json").read_text())["identity"]["inputs"]
    assert not any(location.endswith(key) for location in removed for key in kept.values())
    assert any(location.startswith("transform/green/2021-02") for location in removed)


def test_a_recipe_that_is_not_known_is_not_judged(root, no_versions):
    own_output(root, task="TrainModel", stage="train", recipe="nobodys", window="1")
    found = survey(root)
    assert found.removals == []
    assert "no recipe is named 'nobodys'" in found.unknown["train/green/2021-01"]


def test_a_stage_of_ones_own_is_judged_once_it_is_imported(root, no_versions, monkeypatch):
    place = own_output(root)
    assert survey(root).removals == []
    monkeypatch.setattr(CountTrips, "version", 2)
    (removal,) = survey(root).removals
    assert removal.location == place
    assert removal.reason == "its version was 1, is 2"


def test_a_stage_of_ones_own_that_raises_anything_is_not_judged(root, no_versions, monkeypatch):
    own_output(root)
    monkeypatch.setattr(CountTrips, "requires", lambda _: 1 / 0)
    found = survey(root)
    assert found.removals == []
    assert "division by zero" in found.unknown["count/green/2021-01"]


def test_an_output_without_a_usable_manifest_is_not_judged(root, no_versions, luigi_config):
    manifest = manifest_of("transform", "2021-02")
    manifest.write_text("{")
    luigi_config("cleaning", "max_minutes", 50)
    found = survey(root)
    assert found.unknown == {
        "transform/green/2021-02": "an output has no usable manifest: see verify"
    }
    assert not any("transform/green/2021-02" in removal.location for removal in found.removals)


def test_an_input_that_is_gone_does_not_make_an_output_needless(root, no_versions):
    trips = manifest_of("transform", "2021-01")
    root.remove(str(trips.parent.relative_to("data")))
    assert survey(root).removals == []


def test_what_is_young_is_kept_with_all_that_it_was_made_of(root, no_versions, luigi_config):
    luigi_config("cleaning", "max_minutes", 50)
    found = survey(root, before=datetime.now(UTC) - timedelta(days=1))
    assert found.removals == []
    assert (found.young, found.in_use) == (11, 0)


def test_what_a_run_works_on_is_kept_with_all_that_it_was_made_of(root, no_versions, luigi_config):
    luigi_config("cleaning", "max_minutes", 50)
    lease = Lease("one", frozenset({"features/green/2021-02"}), removes=False)
    found = survey(root, [lease])
    kept = {"features/green/2021-02", "transform/green/2021-02"}
    assert len(outputs(found)) == 9
    assert not kept & {removal.task_dir for removal in found.removals}
    assert found.in_use == 1
    assert survey(root, [Lease("all", None, removes=False)]).removals == []
