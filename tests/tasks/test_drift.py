"""A month is compared with the months of the champion, or with those that are named."""

import csv
import json
import shutil
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from taxi_pipeline import BackfillMonths, Month, RegisterModel, ReportDrift, TrainModel
from taxi_pipeline.errors import InvalidParameter, InvalidTraining
from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.runtime.reachable import survey
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tasks.base.recipe import tracking_server
from taxi_pipeline.tracking.champion import promote_version
from taxi_pipeline.trips.synthetic.month import write_month

LINEAR = {"year": 2021, "recipe": "linear"}
MARCH = {**LINEAR, "month": 3}
NAME = "nyc-green-taxi-duration-linear"
JANUARY = {"reference_month": "2021-01"}


def drift(task):
    return json.loads(task.output().file(task.RECORD).read_text())


def verdicts(task):
    return {one["feature"]: one["verdict"] for one in drift(task)["features"]}


def refusal(**parameters):
    with pytest.raises(InvalidParameter) as caught:
        ReportDrift(**parameters)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- whose months -------------------------------------------------------------------------------


def test_a_month_is_compared_with_those_of_the_champion(pipeline, champion, console):
    task = pipeline.done(ReportDrift(**MARCH))
    assert (task.model_version, task.reference_month, task.window) == (1, "2021-01", 1)
    found = drift(task)
    assert (found["month"], found["reference"], found["model"]) == (
        "2021-03",
        "2021-01",
        "version 1",
    )
    shares = {one["feature"]: one["share"] for one in found["features"]}
    assert shares["pickup_zone"] > 0.2
    assert shares["hour"] == 0  # the linear recipe reads zones alone
    assert set(verdicts(task).values()) == {"stable"}
    assert task.identity().config["model"] == champion.candidate_key
    lines = [line for line in console.messages if line.startswith(f"{task.label}: ")]
    assert found["sentence"] in lines[-1]
    assert task.task_dir == "drift/green/2021-03/linear-v1-2021-01-w1"


def test_table_and_page_say_the_same(pipeline, champion):
    task = pipeline.done(ReportDrift(**MARCH))
    rows = list(csv.DictReader(task.output().file(task.TABLE).open()))
    assert [row["feature"] for row in rows] == [one["feature"] for one in drift(task)["features"]]
    assert rows[0]["unit"] == "minutes"
    assert drift(task)["sentence"] in task.output().file(task.PAGE).read_text()


def test_a_version_of_several_months_is_compared_with_all_of_them(pipeline, champion):
    pipeline.done(RegisterModel(month=2, window=2, **LINEAR))
    task = ReportDrift(**MARCH, model_version=2)
    assert (task.reference_month, task.window) == ("2021-02", 2)
    pipeline.done(task)
    assert drift(task)["reference"] == "2021-01 to 2021-02"


def test_a_later_champion_makes_another_report_beside_the_first(pipeline, champion):
    older = pipeline.done(ReportDrift(**MARCH))
    pipeline.done(RegisterModel(month=2, window=2, **LINEAR))
    promote_version(tracking_server(), open_ledger(NAME), "2", "a test")
    newer = ReportDrift(**MARCH)
    assert newer.model_version == 2
    assert not newer.complete()
    assert older.complete()
    assert ReportDrift(**MARCH, model_version=1) is older


def test_named_months_need_neither_registry_nor_model(pipeline):
    task = pipeline.done(ReportDrift(**MARCH, **JANUARY))
    found = drift(task)
    assert {one["share"] for one in found["features"]} == {None}
    assert "No model is named: features are ranked by how far they drifted." in found["notes"]
    assert not (pipeline.root / "mlflow").exists()
    assert not (pipeline.root / "train").exists()
    assert task.task_dir == "drift/green/2021-03/no-model-2021-01-w1"


def test_a_candidates_drift_is_ranked_by_its_own_model(pipeline):
    task = pipeline.done(ReportDrift(**MARCH, reference_month="2021-02", candidate=True))
    assert TrainModel(month=2, **LINEAR).complete()
    assert TrainModel(month=2, **LINEAR).label in task.identity().inputs
    assert drift(task)["model"] == "the candidate"


def test_a_model_that_is_only_in_mlflow_is_asked_as_it_was_packaged(pipeline, champion):
    before = drift(pipeline.done(ReportDrift(**MARCH)))
    shares = {one["feature"]: one["share"] for one in before["features"]}
    shutil.rmtree(pipeline.root / "train")
    shutil.rmtree(pipeline.root / "drift")
    found = drift(pipeline.done(ReportDrift(**MARCH)))
    assert {one["feature"]: one["share"] for one in found["features"]} == pytest.approx(shares)


def test_a_model_that_cannot_be_loaded_does_not_rank_and_that_is_said(
    pipeline, champion, monkeypatch, console
):
    def refuses(*_):
        raise InvalidTraining("its files are gone")

    monkeypatch.setattr("taxi_pipeline.tasks.drift.load_version", refuses)
    found = drift(pipeline.done(ReportDrift(**MARCH)))
    assert {one["share"] for one in found["features"]} == {None}
    assert "version 1 cannot be loaded: its files are gone" in found["notes"][0]
    assert "version 1: its files are gone; features are ranked by how far" in console.text


def test_a_task_is_itself_again_from_its_parameters(pipeline, champion):
    task = ReportDrift(**MARCH)
    assert ReportDrift.from_str_params(task.to_str_params()) is task


def test_nothing_of_reports_is_removed_whoever_is_champion_later(pipeline, champion):
    older = pipeline.done(ReportDrift(**MARCH))
    pipeline.done(RegisterModel(month=2, window=2, **LINEAR))
    promote_version(tracking_server(), open_ledger(NAME), "2", "a test")
    pipeline.done(ReportDrift(**MARCH))
    pipeline.done(ReportDrift(**MARCH, reference_month="2021-02", candidate=True))
    found = survey(older.storage, [], datetime.now(UTC) + timedelta(days=1))
    assert not found.unknown
    assert not [gone for gone in found.removals if gone.location.startswith("drift/")]


# --- what is refused ----------------------------------------------------------------------------


def test_without_a_champion_one_line_says_what_to_do(pipeline):
    assert refusal(**MARCH).startswith(f"no champion of {NAME} is known: ")


def test_a_version_whose_months_are_not_known_is_told_with_what_to_name(pipeline, champion):
    shutil.rmtree(pipeline.root / "evaluate")
    line = refusal(**MARCH)
    assert line == (
        f"on which months version 1 of {NAME} was trained is not known under this root: name the "
        "months to compare with by --reference-month and --window"
    )


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"window": 2}, "--window goes with --reference-month"),
        ({"candidate": True}, "--candidate goes with --reference-month"),
        ({"candidate": True, "model_version": 1, **JANUARY}, "without a version"),
    ],
    ids=["window", "candidate", "both"],
)
def test_parameters_that_do_not_go_together_are_refused(pipeline, parameters, said):
    assert said in refusal(**MARCH, **parameters)


def test_what_is_no_month_is_refused(pipeline):
    assert "a month, written YYYY-MM" in refusal(**MARCH, reference_month="last year")


# --- months that differ -------------------------------------------------------------------------


@pytest.fixture
def source(pipeline, tmp_path):
    """Writes published months, changed as a function of their table says."""

    def publish(month, change=lambda table: table):
        path = tmp_path / f"green_tripdata_{month}.parquet"
        write_month(path, "green", Month.parse(month), rows=6000, seed=5)
        pq.write_table(change(pq.read_table(path)), path)

    template = f"file://{tmp_path}/{{taxi}}_tripdata_{{year}}-{{month:02d}}.parquet"
    pipeline.configure("source", "url", template)
    publish("2021-01")
    return publish


def compared(pipeline, month="2021-02"):
    number = Month.parse(month)
    return pipeline.done(ReportDrift(year=number.year, month=number.month, **JANUARY))


def test_a_month_beside_itself_is_stable_in_everything(pipeline, source):
    task = compared(pipeline, "2021-01")
    found = drift(task)
    assert {one["psi"] for one in found["features"]} == {0.0}
    assert set(verdicts(task).values()) == {"stable"}
    assert found["schema"] == found["missing"] == []


def test_trips_that_are_all_some_hours_later_have_another_hour_and_no_other_feature(
    pipeline, source
):
    def later(table):
        for name in ("lpep_pickup_datetime", "lpep_dropoff_datetime"):
            place = table.schema.get_field_index(name)
            moved = pc.add(table[name], pa.scalar(timedelta(hours=5), pa.duration("us")))
            table = table.set_column(place, name, moved.cast(table[name].type))
        return table

    source("2021-02", later)
    task = compared(pipeline)
    assert verdicts(task)["hour"] == "strong"
    assert {name for name, word in verdicts(task).items() if word == "strong"} == {"hour"}
    assert "hour of the pickup (PSI " in drift(task)["sentence"]


@pytest.mark.parametrize(
    ("column", "feature"), [("trip_type", "trip_type"), ("VendorID", "vendor")]
)
def test_an_optional_column_that_is_gone_is_told_as_schema_and_as_drift(
    pipeline, source, column, feature
):
    source("2021-02", lambda table: table.drop_columns([column]))
    task = compared(pipeline)
    assert verdicts(task)[feature] == "strong"
    (change,) = drift(task)["schema"]
    assert (change["column"], change["now"], change["is_read"]) == (column, "", True)


def test_half_of_the_zones_gone_is_a_drift_of_zones_that_names_them(pipeline, source):
    source("2021-02", lambda table: table.filter(pc.less(table["PULocationID"], 130)))
    task = compared(pipeline)
    assert verdicts(task)["pickup_zone"] == "strong"
    lost = [one for one in drift(task)["zones"]["pickup_zone"] if one["now"] < one["before"]]
    assert {one["now"] for one in lost} == {0.0}
    assert all(int(one["detail"].rpartition(" ")[2]) >= 130 for one in lost)


def test_an_added_column_is_told_and_drifts_nothing(pipeline, source):
    source(
        "2021-02",
        lambda table: table.append_column("cbd_congestion_fee", pa.array([0.75] * len(table))),
    )
    task = compared(pipeline)
    assert drift(task)["schema"] == [
        {"column": "cbd_congestion_fee", "before": "", "now": "double", "is_read": False}
    ]
    assert set(verdicts(task).values()) == {"stable"}


def test_a_small_month_has_no_verdict(pipeline, source):
    source("2021-02", lambda table: table.slice(0, 1000))
    task = compared(pipeline)
    assert set(verdicts(task).values()) == {"too few trips"}
    assert "[drift] min_rows" in " ".join(drift(task)["notes"])


def test_other_thresholds_make_another_report(pipeline, source):
    source("2021-02")
    first = compared(pipeline)
    pipeline.configure("drift", "warn_psi", "0.0")
    pipeline.configure("drift", "alert_psi", "0.0")
    second = ReportDrift(year=2021, month=2, **JANUARY)
    assert not second.complete()
    pipeline.done(second)
    assert set(verdicts(second).values()) == {"strong"}
    assert len(pipeline.made("drift")) == 2
    assert first.task_id == second.task_id


def test_a_backfill_compares_each_month(pipeline, source):
    for month in ("2021-02", "2021-03"):
        source(month)
    backfill = BackfillMonths(
        of=ReportDrift,
        start=Month(2021, 2),
        stop=Month(2021, 4),
        of_params={"reference_month": "2021-01"},
    )
    pipeline.done(backfill)
    assert len(pipeline.made("drift")) == 2


def test_a_recipe_of_boosted_trees_ranks_distance_and_zones_first(pipeline, source):
    source("2021-02")
    task = pipeline.done(ReportDrift(year=2021, month=2, candidate=True, **JANUARY))
    ranked = [one["feature"] for one in drift(task)["features"]]
    assert ranked[0] == "minutes"
    assert set(ranked[1:4]) == {"miles", "pickup_zone", "dropoff_zone"}
    model = TrainModel(year=2021, month=1).output().file(TrainModel.MODEL)
    assert DurationModel.load(model).recipe == "trip"
