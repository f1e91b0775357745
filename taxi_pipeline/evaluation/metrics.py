"""The errors of predictions."""

from __future__ import annotations

import numpy as np

from taxi_pipeline.model.regressors import Minutes


def metrics(actual: Minutes, predicted: Minutes) -> dict[str, float]:
    """The errors of predictions, in minutes but for ``r2``.

    ``rmse`` root mean square error, ``mae`` mean absolute error, ``r2`` coefficient of
    determination (0 where the actual values do not vary), ``p90_abs_error`` the absolute error
    that nine of ten predictions keep below, ``bias`` mean of predicted less actual.
    """
    error = predicted - actual
    variance = float(np.var(actual))
    mean_square = float(np.mean(np.square(error)))
    return {
        "rmse": mean_square**0.5,
        "mae": float(np.mean(np.abs(error))),
        "r2": 1 - mean_square / variance if variance else 0.0,
        "p90_abs_error": float(np.quantile(np.abs(error), 0.9)),
        "bias": float(np.mean(error)),
    }
