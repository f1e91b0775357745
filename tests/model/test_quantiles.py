"""Binned trips, and the device that they are boosted on."""

import numpy as np
import pandas as pd
import pytest
import xgboost
from full_disks import small_disk

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model import quantiles
from taxi_pipeline.model.quantiles import check_device, plain, quantile_matrix

MATRIX = np.random.default_rng(2).normal(size=(500, 3)).astype(np.float32)
MINUTES = MATRIX[:, 0] * 5 + 20


class Batches:
    """Batches that count how often they are gone through."""

    def __init__(self, parts):
        self.parts, self.passes = parts, 0

    def __len__(self):
        return len(self.parts)

    def __iter__(self):
        self.passes += 1
        return iter(self.parts)


def test_batches_make_one_matrix_with_all_rows_and_names():
    frame = pd.DataFrame(MATRIX, columns=["one", "two", "three"])
    parts = Batches([(frame[:100], MINUTES[:100]), (frame[100:], MINUTES[100:])])
    data = quantile_matrix(parts, 32, 1)
    assert (data.num_row(), data.num_col()) == (500, 3)
    assert data.feature_names == ["one", "two", "three"]
    np.testing.assert_array_equal(data.get_label(), MINUTES)
    assert parts.passes > 1


def test_bins_in_files_make_the_same_trees_as_bins_in_memory(tmp_path):
    parts = [(MATRIX[:200], MINUTES[:200]), (MATRIX[200:], MINUTES[200:])]
    made = []
    for folder in (None, tmp_path):
        data = quantile_matrix(parts, 32, 1, folder)
        made.append(xgboost.train({"max_bin": 32, "nthread": 1}, data, 20).save_raw("ubj"))
        files = [file.name for file in tmp_path.iterdir()]
        assert bool(files) == (folder is not None)
    assert made[0] == made[1]


def test_one_batch_stays_in_memory(tmp_path):
    assert quantile_matrix([(MATRIX, MINUTES)], 32, 1, tmp_path).num_row() == 500
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_for_bins_is_told_with_its_folder(tmp_path):
    parts = [(np.repeat(MATRIX, 100, axis=0), np.repeat(MINUTES, 100))] * 2
    with (
        small_disk(tmp_path / "disk", "100k") as folder,
        pytest.raises(OSError, match="No space left") as found,
    ):
        quantile_matrix(parts, 32, 1, folder)
    assert found.value.filename == str(folder)


def test_what_goes_wrong_in_a_batch_is_told_as_it_is():
    class Broken(Batches):
        def __iter__(self):
            yield self.parts[0]
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        quantile_matrix(Broken([(MATRIX, MINUTES)] * 2), 32, 1)


def test_a_table_of_float32_is_an_array_of_the_same_memory():
    assert np.shares_memory(plain(pd.DataFrame(MATRIX, copy=False)), MATRIX)
    mixed = pd.DataFrame({"one": MATRIX[:, 0], "two": np.arange(500)})
    assert plain(mixed) is mixed


def test_the_processor_is_always_there():
    check_device("cpu")


@pytest.mark.parametrize(
    ("built", "gpus", "advice"),
    [(False, 1, "install the package xgboost in place of"), (True, 0, "check nvidia-smi")],
    ids=["an XGBoost without CUDA", "no GPU"],
)
def test_a_device_that_is_not_there_is_told(monkeypatch, built, gpus, advice):
    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": built})
    monkeypatch.setattr(quantiles, "_gpus", lambda: gpus)
    with pytest.raises(InvalidTraining, match=advice):
        check_device("cuda")


def test_a_gpu_makes_the_same_model_within_rounding():
    try:
        check_device("cuda")
    except InvalidTraining as error:
        pytest.skip(str(error))
    data = quantile_matrix([(MATRIX, MINUTES)], 32, 1)
    there, here = (
        xgboost.train({"device": device, "max_bin": 32}, data, 20).inplace_predict(MATRIX)
        for device in ("cuda", "cpu")
    )
    np.testing.assert_allclose(there, here, atol=0.05)
