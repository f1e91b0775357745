"""An evaluation of a small model."""

import numpy as np
import pytest
from small_models import JANUARY

from taxi_pipeline.evaluation.bootstrap import day_numbers
from taxi_pipeline.evaluation.report import evaluate


@pytest.fixture(scope="module")
def predicted(january, models):
    return models["trip"].predict(january)


@pytest.fixture(scope="module")
def days(january):
    return day_numbers(january["pickup_at"].to_numpy(), JANUARY)


@pytest.fixture(scope="module")
def result(january, predicted):
    return evaluate(january, january, predicted, JANUARY)


@pytest.fixture
def simulate():
    """A month in which each day has an error of its own beside those of its trips."""

    def month(generator, days=28, trips=60, of_day=2.0, of_trip=4.0):
        day = np.repeat(np.arange(days), trips)
        actual = generator.uniform(5, 50, len(day))
        shared = generator.normal(0, of_day, days)[day]
        return actual, actual + shared + generator.normal(0, of_trip, len(day)), day

    return month
