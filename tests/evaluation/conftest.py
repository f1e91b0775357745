"""An evaluation of a small model."""

import pytest

from taxi_pipeline.evaluation.report import evaluate


@pytest.fixture(scope="module")
def predicted(january, models):
    return models["trip"].predict(january)


@pytest.fixture(scope="module")
def result(january, predicted):
    return evaluate(january, january, predicted)
