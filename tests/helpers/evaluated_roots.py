"""A root with evaluations of several recipes, windows and configurations."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import luigi
import pytest
from luigi_options import fresh_configuration

from taxi_pipeline import EvaluateModel, config

SOURCE = "synthetic://?rows=2000"

MADE = {
    "linear": ({}, {}, (1, 2, 3)),
    "linear-w2": ({}, {"window": 2}, (2,)),
    "course": ({}, {"recipe": "course"}, (1, 2)),
    "seeded": ({("training", "seed"): "3"}, {}, (1, 2)),
    "cut": ({("cleaning", "max_minutes"): "40"}, {}, (1,)),
}
"""What is evaluated by which options and parameters, and the training months."""


def evaluation(month, **parameters):
    return EvaluateModel(year=2021, month=month, **{"recipe": "linear", **parameters})


@dataclass
class Evaluated:
    """A folder whose `data` is the root, and the keys in it by name and training month."""

    folder: Path
    keys: dict

    def output(self, name, month):
        variant = {"course": "course-w1", "linear-w2": "linear-w2"}.get(name, "linear-w1")
        made = self.folder / "data" / "evaluate" / "green" / f"2021-{month:02d}" / variant
        return made / self.keys[name][month]


@pytest.fixture(scope="session")
def evaluated_once(tmp_path_factory):
    folder, keys = tmp_path_factory.mktemp("evaluated"), {}
    for name, (options, parameters, months) in MADE.items():
        with fresh_configuration() as configure:
            configure("storage", "root", folder / "data")
            configure("source", "url", SOURCE)
            for option, value in options.items():
                configure(*option, value)
            tasks = {month: evaluation(month, **parameters) for month in months}
            assert luigi.build(tasks.values(), local_scheduler=True, log_level="ERROR")
            keys[name] = {month: task.key for month, task in tasks.items()}
    return Evaluated(folder, keys)


@pytest.fixture
def evaluated(evaluated_once, tmp_path, monkeypatch, luigi_config):
    """A copy of that root, which tests may change, in the working directory."""
    shutil.copytree(evaluated_once.folder / "data", tmp_path / "data", symlinks=True)
    monkeypatch.chdir(tmp_path)
    luigi_config("source", "url", SOURCE)
    config.check.cache_clear()
    return Evaluated(tmp_path, evaluated_once.keys)
