"""A storage of each kind."""

import uuid

import fsspec
import pytest

from taxi_pipeline.storage import open_storage


@pytest.fixture
def local(tmp_path):
    return open_storage(str(tmp_path / "root"))


@pytest.fixture
def remote():
    root = f"memory://{uuid.uuid4().hex}/root"
    yield open_storage(root)
    files, folder = fsspec.core.url_to_fs(root)
    if files.exists(folder):
        files.rm(folder, recursive=True)


@pytest.fixture(params=["local", "remote"])
def kept(request):
    """A storage of either kind."""
    return request.getfixturevalue(request.param)
