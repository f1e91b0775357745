"""A small pipeline under a temporary root, run by a real Luigi worker."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import luigi
import pytest
from luigi.execution_summary import LuigiRunResult

from taxi_pipeline import RegisterModel, config
from taxi_pipeline.tasks.base import MonthlyTask
from taxi_pipeline.tasks.base.ledgers import serving_version


@dataclass
class Pipeline:
    root: Path
    configure: Callable[[str, str, str], None]

    def run(self, *tasks: MonthlyTask) -> LuigiRunResult:
        return luigi.build(
            tasks, local_scheduler=True, detailed_summary=True, log_level="INFO", workers=1
        )

    def done(self, task: MonthlyTask) -> MonthlyTask:
        """The task, once it has been run without a failure."""
        assert self.run(task).status.name.startswith("SUCCESS")
        return task

    def made(self, stage: str) -> set[Path]:
        return {path.parent for path in (self.root / stage).rglob("manifest.json")}


@pytest.fixture
def pipeline(tmp_path, luigi_config):
    config.check.cache_clear()
    luigi_config("storage", "root", str(tmp_path / "data"))
    luigi_config("source", "url", "synthetic://?rows=3000")
    luigi_config("tuning", "trials", "1")
    luigi_config("tuning", "max_rounds", "20")
    luigi_config("training", "threads", "1")
    yield Pipeline(tmp_path / "data", luigi_config)
    config.check.cache_clear()


@pytest.fixture
def easy(monkeypatch):
    """A linear model is no better than the baseline of that name: let it pass nevertheless."""
    monkeypatch.setattr("taxi_pipeline.evaluation.gate.relative_gain", lambda *_: 0.5)


@pytest.fixture
def champion(pipeline, monkeypatch, copy_root):
    """The linear model of January, which is champion."""
    with monkeypatch.context() as easy:
        easy.setattr("taxi_pipeline.evaluation.gate.relative_gain", lambda *_: 0.5)
        task = RegisterModel(year=2021, month=1, recipe="linear")
        copy_root("linear champion", pipeline.root, lambda: pipeline.done(task))
    return serving_version(task.model_name)


@pytest.fixture
def console(caplog):
    """What the console shows: the messages of Luigi's logger."""
    caplog.set_level("INFO", logger="luigi-interface")
    return caplog
