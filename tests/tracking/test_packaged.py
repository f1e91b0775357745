"""A registered model predicts in a process of its own, with the code that it was packaged with."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.tracking.artifacts import LISTING
from taxi_pipeline.tracking.packaged import packaged_model, predict_packaged


@pytest.fixture
def registered(copy):
    return copy()


@pytest.fixture
def published(folder):
    return pq.read_table(folder / "published.parquet").slice(0, 50)


@pytest.fixture
def files(tmp_path):
    def of_model():
        (described,) = (tmp_path / "artifacts").rglob("MLmodel")
        return Path(described).parent

    return of_model


def test_a_version_predicts_what_the_trained_model_does(server, registered, candidate, published):
    minutes = predict_packaged(server, registered.model_name, registered.version, published)
    expected = DurationModel.load(candidate.model).predict_published(published.to_pandas())
    np.testing.assert_allclose(minutes, expected)


def test_rows_without_a_provider_are_predicted_too(server, registered, candidate, published):
    gone = pa.array([row % 3 == 0 for row in range(published.num_rows)])
    number = published.column_names.index("VendorID")
    vendors = pc.if_else(gone, None, published["VendorID"])
    some, none = (
        published.set_column(number, "VendorID", column)
        for column in (vendors, pa.nulls(published.num_rows, pa.int64()))
    )
    model = DurationModel.load(candidate.model)
    with packaged_model(server, registered.model_name, registered.version) as predict:
        for table in (some, none, published):
            expected = model.predict_published(table.to_pandas())
            np.testing.assert_allclose(predict(table), expected)


def test_many_batches_are_predicted_by_one_process(server, registered, candidate, published):
    with packaged_model(server, registered.model_name, registered.version) as predict:
        parts = [predict(published.slice(first, 7)) for first in range(0, 56, 7)]
    expected = DurationModel.load(candidate.model).predict_published(published.to_pandas())
    np.testing.assert_allclose(np.concatenate(parts), expected)
    assert len(parts[-1]) == 1


def test_its_own_code_is_what_predicts(server, registered, published, files):
    module = files() / "code" / "taxi_pipeline" / "model" / "serving.py"
    module.write_text(
        module.read_text().replace(
            "return self.model.predict_published(model_input)",
            "return self.model.predict_published(model_input) * 0 + 7",
        )
    )
    (files() / LISTING).unlink()
    minutes = predict_packaged(server, registered.model_name, registered.version, published)
    assert set(minutes) == {7.0}


def test_code_that_does_not_load_is_one_line(server, registered, published, files):
    (files() / "code" / "taxi_pipeline" / "model" / "serving.py").write_text(
        "import nowhere_at_all"
    )
    (files() / LISTING).unlink()
    with pytest.raises(InvalidTraining) as raised:
        predict_packaged(server, registered.model_name, registered.version, published)
    assert str(raised.value).startswith(f"version 1 of {registered.model_name} ")
    assert "\n" not in str(raised.value)


def test_damaged_files_are_told(server, registered, published, files):
    (files() / "MLmodel").unlink()
    with pytest.raises(InvalidTraining, match="cannot be loaded"):
        predict_packaged(server, registered.model_name, registered.version, published)


def test_a_version_that_is_not_there_any_more_is_told(server, registered, published):
    with pytest.raises(InvalidTraining, match=r"version 9 of .* is not in the registry any more"):
        predict_packaged(server, registered.model_name, "9", published)
