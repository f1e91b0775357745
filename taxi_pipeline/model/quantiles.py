"""XGBoost's quantile matrices, made of batches: bins are kept, not features."""

from __future__ import annotations

import ctypes
import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model.encoders import Batch, Batches


def quantile_matrix(
    batches: Batches, bins: int | None, threads: int, folder: Path | None = None
) -> Any:
    """The binned trips of several batches; features are binned as they pass.

    Args:
        batches: encoded trips, which are gone through more than once if they are several.
        bins: of each feature; None for XGBoost's own number.
        threads: threads to bin with.
        folder: where the bins of several batches are kept, which has to be there for as long as the
            matrix is; None for memory. One batch is always in memory.

    Raises:
        OSError: the disk of the folder is full.
    """
    import xgboost

    options = {"max_bin": bins, "nthread": threads}
    if len(batches) == 1:
        ((matrix, minutes),) = batches
        return xgboost.QuantileDMatrix(matrix, minutes, **options)

    class Passing(xgboost.DataIter):
        """The batches as XGBoost asks for them."""

        def reset(self) -> None:
            self.left = iter(batches)

        def next(self, input_data: Callable[..., Any]) -> bool:
            batch: Batch | None = next(self.left, None)
            if batch is None:
                return False
            matrix, minutes = batch
            if folder is not None:
                _check_room(folder, matrix)
            input_data(data=matrix, label=minutes)
            return True

    if folder is None:
        return xgboost.QuantileDMatrix(Passing(), **options)
    return xgboost.ExtMemQuantileDMatrix(Passing(str(folder / "bins")), **options)


def _check_room(folder: Path, matrix: Any) -> None:
    """XGBoost may abort the process where a file of bins cannot be written.

    Bins take a byte or two for a value, which has four.

    Raises:
        OSError: there is less room than the values of a batch would take.
    """
    if shutil.disk_usage(folder).free < np.size(matrix) * 4:
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))


def plain(matrix: Any) -> Any:
    """A table of float32 as an array of the same memory, which XGBoost predicts from at once.

    Anything else is returned as it is.
    """
    if isinstance(matrix, pd.DataFrame) and all(kind == np.float32 for kind in matrix.dtypes):
        return matrix.to_numpy()
    return matrix


def check_device(device: str) -> None:
    """Refuse a device that XGBoost would silently replace by the processor.

    Args:
        device: ``cpu`` or ``cuda``.

    Raises:
        InvalidTraining: this XGBoost, or this machine, has no CUDA.
    """
    import xgboost

    if device == "cpu":
        return
    if not xgboost.build_info().get("USE_CUDA"):
        raise InvalidTraining(
            "`device` is cuda, but this XGBoost is built without CUDA: install the package "
            "xgboost in place of xgboost-cpu, or set `device` to cpu"
        )
    if not _gpus():
        raise InvalidTraining(
            "`device` is cuda, but no GPU of NVIDIA's is visible here: check nvidia-smi and "
            "CUDA_VISIBLE_DEVICES, or set `device` to cpu"
        )


def _gpus() -> int:
    """The number of GPUs that CUDA's driver tells of."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    found = ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(found)):
        return 0
    return found.value
