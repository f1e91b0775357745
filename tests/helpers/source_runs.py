"""Runs by this package's own worker, which ask the sources of months that were ingested."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import luigi
import pytest
from http_servers import serving
from luigi.task_register import Register
from month_server import MonthServer

from taxi_pipeline import BackfillMonths, BuildFeatures, Month
from taxi_pipeline.runtime.factory import Factory

JANUARY, FEBRUARY = Month(2021, 1), Month(2021, 2)


@dataclass
class Runs:
    """Runs on a source whose months are ingested; each as if in a process of its own."""

    root: Path
    source: MonthServer
    configure: object
    console: object

    def run(self, *tasks):
        """The result of a run; by default of the features of January and February."""
        Register.clear_instance_cache()
        self.source.asked.clear()
        self.console.clear()
        return luigi.build(
            tasks or [features()],
            worker_scheduler_factory=Factory(),
            local_scheduler=True,
            detailed_summary=True,
            log_level="INFO",
            workers=1,
        )

    def outputs(self):
        """Stage and month of each output, with its key."""
        made = self.root.rglob("manifest.json")
        return {tuple(path.parent.relative_to(self.root).parts) for path in made}

    def lines(self, level):
        return [record.getMessage() for record in self.console.records if record.levelname == level]

    def pointer_file(self, month=JANUARY):
        (path,) = self.root.glob(f"ingest/green/{month}/source-*.json")
        return path

    def pointer(self, month=JANUARY):
        """What the pointer says; written back without its checksum it counts as well."""
        pointer = json.loads(self.pointer_file(month).read_text())
        pointer.pop("checksum", None)
        return pointer

    def age(self, months=(JANUARY, FEBRUARY), **age):
        """Let the last answer of the source be older by as much."""
        for month in months:
            pointer = self.pointer(month)
            asked = datetime.fromisoformat(pointer["asked"]) - timedelta(**age)
            pointer["asked"] = asked.isoformat()
            self.pointer_file(month).write_text(json.dumps(pointer))


def features(start=JANUARY, stop=FEBRUARY + 1):
    return BackfillMonths(of=BuildFeatures, start=start, stop=stop)


@pytest.fixture
def nothing_run(tmp_path, luigi_config, caplog):
    """A source that has published January and February; nothing was run, and each run asks."""
    folder = tmp_path / "published"
    folder.mkdir()
    source = MonthServer(folder)
    caplog.set_level("INFO", logger="luigi-interface")
    luigi_config("storage", "root", tmp_path / "data")
    luigi_config("source", "url", source.template)
    luigi_config("source", "attempts", "1")
    luigi_config("source", "timeout", "5")
    luigi_config("source", "check", "always")
    for month in (JANUARY, FEBRUARY):
        source.publish(month)
    with serving(source):
        yield Runs(tmp_path / "data", source, luigi_config, caplog)


@pytest.fixture
def runs(nothing_run):
    """The features of January and February are made."""
    result = nothing_run.run()
    assert result.status == luigi.LuigiStatusCode.SUCCESS
    assert len(nothing_run.outputs()) == 6
    return nothing_run
