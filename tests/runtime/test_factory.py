"""Luigi's command, and nothing else, is given this package's workers and schedulers."""

import luigi
import pytest
from processes import python

from taxi_pipeline.runtime import factory
from taxi_pipeline.runtime.schedulers import LocalScheduler
from taxi_pipeline.runtime.worker import Worker

pytestmark = pytest.mark.usefixtures("process")


class Made(luigi.Task):
    def complete(self):
        return True


def test_luigis_command_makes_its_workers_with_what_install_puts_there(monkeypatch):
    monkeypatch.setattr(
        luigi.interface, "_WorkerSchedulerFactory", luigi.interface._WorkerSchedulerFactory
    )
    factory.install()
    result = luigi.build([Made()], local_scheduler=True, detailed_summary=True)
    assert type(result.worker) is Worker
    assert type(result.worker.scheduler) is LocalScheduler


@pytest.mark.parametrize(
    ("program", "module"),
    [("bin/luigi", "taxi_pipeline.runtime.factory"), ("other", "luigi.interface")],
)
def test_only_luigis_own_command_is_given_our_workers(tmp_path, program, module):
    script = (
        f"import sys; sys.argv[0] = {program!r}; import luigi, taxi_pipeline; "
        "print(luigi.interface._WorkerSchedulerFactory.__module__)"
    )
    assert python(tmp_path, "-c", script).stdout.strip() == module
