import pytest
from processes import LIBRARIES


@pytest.fixture
def process(luigi_config, monkeypatch):
    """A process in which no worker was yet, on a machine of eight cores."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: set(range(8)))
    luigi_config("resources", "cpu", 8)
    # A worker sets these for its process.
    for name in LIBRARIES:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
