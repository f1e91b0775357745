"""A registered model behind MLflow's own scoring server, asked in JSON."""

import contextlib
import http.client
import json

import numpy as np
import pandas as pd
import pytest
import servers

from taxi_pipeline.model.duration import DurationModel

pytestmark = pytest.mark.slow

NAME = "nyc-green-taxi-duration-trip"
NEEDED = ["lpep_pickup_datetime", "PULocationID", "DOLocationID"]
READ = [*NEEDED, "trip_distance", "VendorID", "RatecodeID", "passenger_count", "trip_type"]


@pytest.fixture(scope="module")
def ask(finished, tmp_path_factory):
    """Asks the server, and answers the status and the text."""
    command, _ = finished
    uri = f"sqlite:///{command.folder}/data/mlflow/mlflow.db"
    folder = tmp_path_factory.mktemp("scoring")
    with servers.scoring_server(folder, f"models:/{NAME}@challenger", uri) as port:

        def post(body):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            with contextlib.closing(connection):
                kind = {"Content-Type": "application/json"}
                connection.request("POST", "/invocations", json.dumps(body), kind)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()

        yield post


@pytest.fixture(scope="module")
def rows(finished):
    """Rows of a published month as JSON holds them, some values of which are missing."""
    command, _ = finished
    published = command.folder / "data/ingest/green/2021-02/latest/trips.parquet"
    frame = pd.read_parquet(published).head(30)[READ].astype(object)
    for place, name in enumerate(READ[1:]):
        frame.loc[place :: len(READ), name] = None
    frame["lpep_pickup_datetime"] = frame["lpep_pickup_datetime"].map(str)
    frame["trip_distance"] = [3, *frame["trip_distance"][1:]]
    return frame.where(frame.notna(), None)


@pytest.fixture(scope="module")
def expected(finished, rows):
    command, _ = finished
    made = command.folder / "data/train/green/2021-01/trip-w1/latest/model"
    return DurationModel.load(made).predict_published(rows)


FORMS = {
    "dataframe_split": lambda frame: frame.to_dict(orient="split", index=False),
    "dataframe_records": lambda frame: frame.to_dict(orient="records"),
    "inputs": lambda frame: frame.to_dict(orient="list"),
    "instances": lambda frame: frame.to_dict(orient="records"),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_server_predicts_what_the_trained_model_does(ask, rows, expected, form):
    status, text = ask({form: FORMS[form](rows)})
    assert status == 200, text
    np.testing.assert_allclose(json.loads(text)["predictions"], expected, rtol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_one_trip_of_whole_numbers_is_predicted(ask, form):
    trip = ["2021-02-01T07:24:35", 62, 74, 3]
    frame = pd.DataFrame([trip], columns=READ[:4], dtype=object)
    status, text = ask({form: FORMS[form](frame)})
    assert status == 200, text
    assert len(json.loads(text)["predictions"]) == 1


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("form", FORMS)
def test_a_missing_column_is_named(ask, rows, form, name):
    status, text = ask({form: FORMS[form](rows.drop(columns=name))})
    assert status == 400
    assert f"Model is missing inputs ['{name}']" in json.loads(text)["message"]


def test_a_value_that_cannot_be_read_is_named_with_its_column(ask, rows):
    status, text = ask(
        {"dataframe_records": FORMS["dataframe_records"](rows.assign(PULocationID="?"))}
    )
    assert status == 400
    assert "the column PULocationID holds '?', which is no number" in text


# --- intervals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_with_an_interval_the_server_answers_minutes_low_and_high(ask, rows, expected, form):
    status, text = ask({form: FORMS[form](rows), "params": {"interval": 0.9}})
    assert status == 200, text
    found = pd.DataFrame(json.loads(text)["predictions"])
    assert list(found.columns) == ["minutes", "low", "high"]
    np.testing.assert_allclose(found["minutes"], expected, rtol=1e-6)
    assert (found["low"] <= found["minutes"]).all()
    assert (found["minutes"] < found["high"]).all()


@pytest.mark.parametrize(
    ("interval", "told"),
    [
        (0.999, "interval is 0.999: give the share of trips that the intervals are to hold"),
        ("much", "Can not safely convert"),
    ],
    ids=["out of range", "no number"],
)
def test_an_interval_that_cannot_be_is_told(ask, rows, interval, told):
    status, text = ask(
        {
            "dataframe_split": FORMS["dataframe_split"](rows),
            "params": {"interval": interval},
        }
    )
    assert status == 400
    assert told in text
