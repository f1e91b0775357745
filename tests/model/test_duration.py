"""A trained model: what it answers for published records, and the folder that keeps it."""

import dataclasses
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from taxi_pipeline.compute.cores import cores
from taxi_pipeline.errors import InvalidRecipe, InvalidRecords, InvalidTraining
from taxi_pipeline.model import FEATURES_VERSION, duration, serving
from taxi_pipeline.model.duration import DESCRIPTION, DurationModel
from taxi_pipeline.model.recipes import RECIPES

IDS = ["VendorID", "PULocationID", "DOLocationID"]
COUNTS = ["RatecodeID", "passenger_count", "trip_type", "payment_type"]
NEEDED = ["lpep_pickup_datetime", "PULocationID", "DOLocationID"]


OLD_FORMAT = {"encoder": None, "regressor": None}


def rewrite(folder, change):
    """Change the description of a saved model; what is None is left out."""
    described = json.loads((folder / DESCRIPTION).read_text()) | change
    kept = {name: value for name, value in described.items() if value is not None}
    (folder / DESCRIPTION).write_text(json.dumps(kept))


def agree(some, others):
    np.testing.assert_allclose(some, others, rtol=1e-9)


@pytest.fixture(params=list(RECIPES))
def model(models, request):
    return models[request.param]


def test_published_records_are_answered_as_the_features_of_the_same_trips(model, records, january):
    answers = model.predict_published(records)
    assert len(answers) == len(january) == len(records)
    assert answers.dtype == np.float64
    agree(answers, model.predict(january))


def test_predictions_differ_from_trip_to_trip_and_follow_the_durations(model, records, january):
    answers = model.predict_published(records)
    assert np.corrcoef(answers, january["minutes"])[0, 1] > 0.3


def test_a_record_is_answered_alone_as_it_is_among_others(model, records):
    among = model.predict_published(records)
    for row in (0, 5, len(records) - 1):
        agree(model.predict_published(records[row : row + 1]), among[row : row + 1])


def test_the_order_and_the_index_of_the_records_do_not_matter(model, records):
    answers = pd.Series(model.predict_published(records), records.index)
    shuffled = records.sample(frac=1, random_state=0)[records.columns[::-1]]
    agree(model.predict_published(shuffled), answers[shuffled.index])


def test_the_drop_off_time_and_money_change_nothing(model, records):
    answers = model.predict_published(records)
    money = [name for name in records if name.endswith(("amount", "tax", "fee", "surcharge"))]
    assert len(money) > 5
    hidden = ["lpep_dropoff_datetime", "extra", "payment_type", "store_and_fwd_flag", *money]
    other = records.assign(
        **dict.fromkeys(["extra", "payment_type", *money], 99.0),
        lpep_dropoff_datetime="not yet",
    )
    agree(model.predict_published(other), answers)
    agree(model.predict_published(records.drop(columns=hidden)), answers)


def test_the_pickup_time_and_two_zones_suffice(model, records):
    answers = model.predict_published(records[NEEDED])
    assert np.isfinite(answers).all()
    nothing_known = dict.fromkeys(
        ("trip_distance", "VendorID", "RatecodeID", "passenger_count", "trip_type"), np.nan
    )
    agree(answers, model.predict_published(records.assign(**nothing_known)))


@pytest.mark.parametrize("missing", NEEDED)
def test_without_the_pickup_time_or_a_zone_there_is_no_answer(models, records, missing):
    with pytest.raises(KeyError, match=missing.lower()):
        models["trip"].predict_published(records.drop(columns=missing))


@pytest.mark.parametrize("zone", [264, 265, 9999, 0, -1, np.nan, None])
def test_a_zone_that_is_no_place_is_answered_too(model, records, zone):
    for name in ("PULocationID", "DOLocationID"):
        answers = model.predict_published(records[:20].assign(**{name: zone}))
        assert np.isfinite(answers).all()


def test_a_missing_zone_is_answered_as_the_unknown_zone(model, records):
    unknown, missing = (
        model.predict_published(records.assign(PULocationID=zone)) for zone in (264, np.nan)
    )
    agree(missing, unknown)


@pytest.mark.parametrize("name", [*NEEDED, "trip_distance", "VendorID", *COUNTS[:3]])
def test_a_single_value_that_is_missing_is_no_reason_not_to_answer(model, records, name):
    some = records[:20]
    gap = some.assign(**{name: some[name].astype(object).where(some.index % 3 != 0, None)})
    answers = model.predict_published(gap)
    assert np.isfinite(answers).all()
    whole = (some.index % 3 != 0).tolist()
    agree(answers[whole], model.predict_published(some)[whole])


@pytest.mark.parametrize("text", ["?", "1,5"])
def test_text_that_is_no_number_is_named_with_its_column(model, records, text):
    with pytest.raises(
        InvalidRecords, match=f"column trip_distance holds '{text}'".replace("?", "[?]")
    ):
        model.predict_published(records.assign(trip_distance=text))


@pytest.mark.parametrize(
    "converted",
    [
        lambda frame: frame.astype(dict.fromkeys(IDS, "int32") | dict.fromkeys(COUNTS, "Int64")),
        lambda frame: frame.astype(dict.fromkeys(IDS + COUNTS, "float64")),
        lambda frame: frame.astype({"PULocationID": "int16", "trip_distance": "float32"}),
        lambda frame: frame.astype({"lpep_pickup_datetime": "datetime64[ns]"}),
        lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
        lambda frame: frame.rename(columns=str.lower),
    ],
    ids=["new era", "all floats", "narrow", "nanoseconds", "arrow", "lower case"],
)
def test_types_and_case_of_the_columns_do_not_matter(model, records, converted):
    whole = records.assign(trip_distance=records["trip_distance"].round())
    agree(model.predict_published(converted(whole)), model.predict_published(whole))


def test_a_yellow_model_reads_the_yellow_names(models, records):
    green = models["trip"]
    yellow = dataclasses.replace(green, taxi="yellow")
    named = records.rename(columns=lambda name: name.replace("lpep_", "tpep_"))
    agree(yellow.predict_published(named), green.predict_published(records))
    with pytest.raises(KeyError, match="tpep_pickup_datetime"):
        yellow.predict_published(records)


def test_an_absurd_distance_is_answered_as_an_unknown_one(models, records):
    absurd, zero, unknown = (
        models["trip"].predict_published(records.assign(trip_distance=miles))
        for miles in (100.0, 0.0, np.nan)
    )
    agree(absurd, unknown)
    agree(zero, unknown)
    known = models["trip"].predict_published(records.assign(trip_distance=99.0))
    assert not np.allclose(known, unknown)


def test_a_kept_model_answers_as_it_did(model, records, tmp_path):
    model.save(tmp_path / "deep" / "model")
    kept = DurationModel.load(tmp_path / "deep" / "model")
    assert (kept.recipe, kept.taxi, kept.max_miles) == (model.recipe, "green", 100.0)
    assert (kept.predict_published(records) == model.predict_published(records)).all()


def test_nothing_in_the_folder_is_a_pickle(model, tmp_path):
    model.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".npz", ".skops", ".ubj"}
    for path in (*tmp_path.glob("*.npz"), *tmp_path.glob("*.skops")):
        archive = zipfile.ZipFile(path)
        members = archive.namelist()
        assert {name.rsplit(".")[-1] for name in members} <= {"json", "npy", "npz"}
        for name in members:
            if name.endswith(".npy"):
                np.load(io.BytesIO(archive.read(name)), allow_pickle=False)


@pytest.mark.parametrize(
    "change",
    [
        {"features_version": FEATURES_VERSION + 1},
        {"recipe_version": RECIPES["linear"].version + 1},
        {"recipe": "unknown", **OLD_FORMAT},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_model_of_other_code_is_refused_in_one_line(models, tmp_path, change):
    models["linear"].save(tmp_path)
    rewrite(tmp_path, change)
    with pytest.raises(InvalidTraining, match="train it again") as refusal:
        DurationModel.load(tmp_path)
    assert "\n" not in str(refusal.value)
    assert str(tmp_path) in str(refusal.value)


def test_a_model_loads_where_its_recipe_is_not_known(model, records, tmp_path):
    model.save(tmp_path)
    rewrite(tmp_path, {"recipe": "unknown", "recipe_version": 7})
    kept = DurationModel.load(tmp_path)
    assert (kept.recipe, kept.recipe_version) == ("unknown", 7)
    assert (kept.predict_published(records) == model.predict_published(records)).all()


def test_a_folder_may_be_text(model, records, tmp_path):
    model.save(str(tmp_path / "deep" / "model"))
    kept = DurationModel.load(str(tmp_path / "deep" / "model"))
    np.testing.assert_array_equal(kept.predict_published(records), model.predict_published(records))
    for part in (kept.encoder, kept.regressor):
        part.save(str(tmp_path))
        assert part.load(str(tmp_path)) is part


def test_a_loaded_model_is_saved_as_it_was(model, tmp_path):
    model.save(tmp_path / "first")
    rewrite(tmp_path / "first", {"recipe": "unknown", "recipe_version": 7})
    DurationModel.load(tmp_path / "first").save(tmp_path / "again")
    first, again = (
        json.loads((tmp_path / name / DESCRIPTION).read_text()) for name in ("first", "again")
    )
    assert again == first


def test_a_model_that_does_not_name_its_classes_loads_by_its_recipe(
    model, records, tmp_path, monkeypatch
):
    # Encoders of that time kept NaN.
    monkeypatch.setattr(model.encoder, "missing", None, raising=False)
    model.save(tmp_path)
    rewrite(tmp_path, OLD_FORMAT)
    kept = DurationModel.load(tmp_path)
    assert (kept.predict_published(records) == model.predict_published(records)).all()


def test_a_model_of_a_class_that_is_not_there_is_refused_with_the_module(models, tmp_path):
    models["linear"].save(tmp_path)
    rewrite(tmp_path, {"encoder": {"class": "my_tasks:Encoder", "settings": {}}})
    with pytest.raises(InvalidRecipe, match="No module named 'my_tasks'"):
        DurationModel.load(tmp_path)


def test_mlflow_loads_the_folder_and_calls_the_model(model, records, tmp_path):
    model.save(tmp_path)
    served = serving._load_pyfunc(str(tmp_path))
    agree(served.predict(records), model.predict_published(records))
    agree(served.predict(records, params={}), model.predict_published(records))


def test_the_example_is_the_first_records_in_the_columns_that_a_model_reads(model, folder, records):
    example = serving.example(folder / "published.parquet", "green", rows=4)
    assert sorted(example) == sorted(
        [*NEEDED, "VendorID", "RatecodeID", "passenger_count", "trip_distance", "trip_type"]
    )
    optional = example.drop(columns=[*NEEDED, "VendorID"])
    assert {str(kind) for kind in optional.dtypes} == {"float64"}
    assert example["VendorID"].dtype == "int64"
    raw = pd.read_parquet(folder / "published.parquet")[:4]
    agree(model.predict_published(example), model.predict_published(raw))


def test_what_is_not_read_may_hold_anything(model, records):
    rows = records[:3].assign(fare_amount=["a", 1.0, None])
    rows["Lpep_Dropoff_Datetime"] = "?"
    agree(model.predict_published(rows), model.predict_published(records[:3]))


def test_no_rows_have_no_answers(model, records):
    assert model.predict_published(records[:0]).shape == (0,)


def test_before_a_trip_the_rate_code_is_not_needed(models, records):
    asked = records[[*NEEDED, "VendorID", "passenger_count", "trip_type"]]
    answers = models["pretrip"].predict_published(records)
    agree(models["pretrip"].predict_published(asked), answers)


@pytest.mark.parametrize("parallel", [1, 3])
def test_many_rows_are_predicted_in_parts_as_they_are_at_once(
    model, records, january, monkeypatch, parallel
):
    at_once = model.predict_published(records), model.predict(january)
    monkeypatch.setattr(duration, "PART_ROWS", 97)
    parts = dataclasses.replace(model, parallel=parallel)
    np.testing.assert_array_equal(parts.predict_published(records), at_once[0])
    np.testing.assert_array_equal(parts.predict(january), at_once[1])


@pytest.mark.parametrize("parallel", [1, 3])
def test_a_value_that_cannot_be_read_is_named_in_whichever_part_it_is(
    model, records, monkeypatch, parallel
):
    monkeypatch.setattr(duration, "PART_ROWS", 100)
    zones = records["PULocationID"].astype(object)
    zones.iloc[250] = "Harlem"
    parts = dataclasses.replace(model, parallel=parallel)
    with pytest.raises(InvalidRecords, match="column PULocationID holds 'Harlem'"):
        parts.predict_published(records.assign(PULocationID=zones))


def test_what_mlflow_loads_predicts_many_rows_on_as_many_cores_as_it_may(
    model, tmp_path, monkeypatch
):
    model.save(tmp_path)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert serving._load_pyfunc(str(tmp_path)).model.parallel == cores()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert serving._load_pyfunc(str(tmp_path)).model.parallel == 3
