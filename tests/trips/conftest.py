"""What tests of several files share: a source of trips, and fetches from it without long waits."""

import fsspec
import pytest
from trip_source import Broken, another_server

from taxi_pipeline.trips import download


@pytest.fixture
def server():
    with another_server() as running:
        yield running


@pytest.fixture
def destination(tmp_path):
    return tmp_path / "trips.parquet"


@pytest.fixture(scope="module")
def short_waits():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(download, "FIRST_WAIT", 0.01)
        patch.setattr(download, "MAX_WAIT", 0.02)
        yield


@pytest.fixture(scope="module")
def broken():
    fsspec.register_implementation("broken", Broken, clobber=True)
