"""The verdict on a candidate stands where a person looks."""

import pytest

from taxi_pipeline.month import Month
from taxi_pipeline.tracking.champion import promote_version, set_pin
from taxi_pipeline.tracking.server import TrackingServer
from taxi_pipeline.tracking.verdicts import KEPT, PROMOTED, REJECTED, verdict_of


@pytest.mark.parametrize(
    ("passed", "aliases", "verdict"),
    [
        (True, ("challenger", "champion"), PROMOTED),
        (True, ("challenger",), KEPT),
        (False, ("challenger",), REJECTED),
        (False, ("champion",), REJECTED),
    ],
)
def test_a_verdict_is_what_the_gate_says_and_who_serves(passed, aliases, verdict):
    assert verdict_of(passed=passed, aliases=aliases) == verdict


@pytest.mark.parametrize(("promote", "verdict"), [(True, PROMOTED), (False, REJECTED)])
def test_run_and_version_hold_the_verdict_and_why(copy, held, promote, verdict):
    copy(promote=promote)
    (run,), _, (version,) = held()
    for tags in (run.data.tags, version.tags):
        assert (tags["verdict"], tags["verdict_reason"]) == (verdict, "it is good")
    assert version.tags["rmse"] == "5.5000"


@pytest.mark.parametrize(("promote", "verdict"), [(True, KEPT), (False, REJECTED)])
def test_the_reason_says_that_a_pin_holds_since_when_by_whom_and_why(
    copy, client, ledger, promote, verdict
):
    server = TrackingServer(client.tracking_uri, "")
    copy()
    set_pin(server, ledger, pinned=True, reason="holidays")
    pin = ledger.read().changes[-1]
    text = f"version 1 is pinned since {pin.when:%Y-%m-%d} by {pin.by} (holidays)"
    newer = copy(promote=promote, key="newer", month=Month(2021, 3))
    version = client.get_model_version(newer.model_name, "2")
    for tags in (client.get_run(newer.run_id).data.tags, version.tags):
        words = f"{text}; it is good" if promote else f"it is good; {text}"
        assert (tags["verdict"], tags["verdict_reason"]) == (verdict, words)
        assert f"{verdict}: {words}." in version.description
    # It is of no later moment than the decision.
    set_pin(server, ledger, pinned=False, reason="")
    promote_version(server, ledger, "2", "it is better")
    set_pin(server, ledger, pinned=False, reason="")
    copy(promote=promote, key="newer", month=Month(2021, 3))
    version = client.get_model_version(newer.model_name, "2")
    assert version.tags["verdict_reason"] == "it is good"


def test_a_versions_page_begins_with_month_error_and_verdict(copy, held):
    copy()
    _, _, (version,) = held()
    first, *others = version.description.splitlines()
    assert first == "2021-01: RMSE 5.5000 minutes, PROMOTED: it is good."
    assert others == ["", "A linear model."]


def test_a_candidate_that_is_registered_again_has_the_new_verdict(copy, held):
    copy()
    copy(promote=False)
    (run,), _, (version,) = held()
    assert run.data.tags["verdict"] == version.tags["verdict"] == REJECTED
    assert version.description.count("RMSE") == 1
    assert version.description.startswith("2021-01: RMSE 5.5000 minutes, REJECTED: ")


@pytest.mark.parametrize("text", ["Do not use it.", None], ids=["own", "none"])
def test_what_a_person_made_of_the_description_stays(copy, client, held, text):
    name = copy().model_name
    client.update_model_version(name, "1", text or "")
    copy()
    assert (held()[2][0].description or "") == (text or "")


def test_what_a_person_wrote_below_the_description_stays(copy, client, held):
    name = copy().model_name
    before = held()[2][0].description
    client.update_model_version(name, "1", f"{before}\n\nAsk Ann.")
    copy(promote=False)
    described = held()[2][0].description
    assert described.startswith("2021-01: RMSE 5.5000 minutes, REJECTED: ")
    assert described.endswith("\n\nA linear model.\n\nAsk Ann.")
