"""Drift keeps a candidate from becoming champion where that is asked for."""

import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from taxi_pipeline import ApplyGate, EvaluateModel, Month, ReportCandidate, ReportDrift
from taxi_pipeline.tracking.ledger import user_and_host
from taxi_pipeline.trips.synthetic.month import write_month

LINEAR = {"year": 2021, "month": 1, "recipe": "linear"}


@pytest.fixture
def drifted(pipeline, tmp_path, monkeypatch):
    """February has only half of January's zones; the model is good enough."""
    monkeypatch.setattr("taxi_pipeline.evaluation.gate.relative_gain", lambda *_: 0.5)
    template = f"file://{tmp_path}/{{taxi}}_tripdata_{{year}}-{{month:02d}}.parquet"
    pipeline.configure("source", "url", template)
    for month in ("2021-01", "2021-02"):
        path = tmp_path / f"green_tripdata_{month}.parquet"
        write_month(path, "green", Month.parse(month), rows=6000, seed=5)
        table = pq.read_table(path)
        if month == "2021-02":
            table = table.filter(pc.less(table["PULocationID"], pa.scalar(130)))
        pq.write_table(table, path)


def record(pipeline):
    task = pipeline.done(ApplyGate(**LINEAR))
    return json.loads(task.output().file(task.RECORD).read_text())


def test_by_default_drift_has_no_part_in_the_gate_nor_in_its_identity(pipeline, drifted):
    task = ApplyGate(**LINEAR)
    assert set(task.requires()) == {"evaluation", "features", "trips"}
    assert not [name for name in task._config_values() if name.endswith("_drift")]
    found = record(pipeline)
    assert found["verdict"] == "PROMOTED"
    assert pipeline.made("drift") == set()


def test_drift_beyond_the_limit_keeps_the_champion(pipeline, drifted):
    pipeline.configure("gate", "max_drift", "0.25")
    found = record(pipeline)
    assert found["verdict"] == "KEPT"
    (reason,) = found["decisive"]
    assert reason.startswith(
        "2021-02 drifted from the training window, 2021-01, beyond [gate] max_drift 0.25 in "
    )
    assert "zone of the pickup (PSI " in reason
    assert "or say in [gate] accept_drift why it may serve" in reason
    assert found["options"]["gate.max_drift"] == "0.25"
    assert ReportDrift(
        year=2021, month=2, recipe="linear", reference_month="2021-01", candidate=True
    ).complete()


def test_a_reason_lets_it_pass_and_stands_in_the_record(pipeline, drifted, console):
    pipeline.configure("gate", "max_drift", "0.25")
    record(pipeline)
    pipeline.configure("gate", "accept_drift", "half of the city was closed")
    task = ApplyGate(**LINEAR)
    assert not task.complete()
    found = record(pipeline)
    assert found["verdict"] == "PROMOTED"
    accepted = found["reasons"][-1]
    assert f": accepted by {user_and_host()} at 20" in accepted
    assert accepted.endswith(" UTC (half of the city was closed)")
    assert accepted not in found["decisive"]
    assert accepted in console.text
    page = pipeline.done(ReportCandidate(**LINEAR))
    assert "half of the city was closed" in page.output().file(page.PAGE).read_text()


def test_an_empty_reason_is_none(pipeline, drifted):
    pipeline.configure("gate", "max_drift", "0.25")
    pipeline.configure("gate", "accept_drift", " ")
    assert record(pipeline)["verdict"] == "KEPT"


def test_drift_within_the_limit_changes_nothing_but_the_options(pipeline, drifted):
    default = record(pipeline)
    pipeline.configure("gate", "max_drift", "1e6")
    found = record(pipeline)
    assert found["verdict"] == "PROMOTED"
    assert found["decisive"] == default["decisive"]
    assert found["options"] == {**default["options"], "gate.max_drift": "1000000.0"}
    pipeline.configure("gate", "max_drift", "inf")
    assert ApplyGate(**LINEAR).complete()
    assert len(pipeline.made("gate")) == 2


def test_a_model_that_is_worse_than_a_baseline_is_rejected_whatever_drifted(
    pipeline, drifted, monkeypatch
):
    monkeypatch.setattr("taxi_pipeline.evaluation.gate.relative_gain", lambda *_: -0.5)
    pipeline.configure("gate", "max_drift", "0.25")
    found = record(pipeline)
    assert found["verdict"] == "REJECTED"
    assert "drifted from the training window" in found["reasons"][-1]
    assert found["candidate"] == EvaluateModel(**LINEAR).key
