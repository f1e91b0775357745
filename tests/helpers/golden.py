"""What each stage makes of the small published files of tests/fixtures/golden.

Tables are described by a digest of each column, what a model decides by its figures.
"""

import hashlib
import json
import math
import re

import luigi
import pandas as pd
import pyarrow.parquet as pq
import pytest
from luigi_options import fresh_configuration
from places import REPOSITORY

from taxi_pipeline import (
    ApplyGate,
    BacktestRecipe,
    BuildFeatures,
    CalibrateIntervals,
    EvaluateModel,
    IngestTrips,
    MonitorChampion,
    Month,
    RegisterModel,
    ReportCandidate,
    ReportDrift,
    ScoreTrips,
    TrainModel,
    TransformTrips,
    TuneHyperparameters,
)
from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.tasks import tune

FOLDER = REPOSITORY / "tests" / "fixtures" / "golden"
EXPECTED = FOLDER / "golden.json"
RENEW = ".venv/bin/pytest tests/tasks/base/test_stage_golden.py --renew-golden"

TOLERANCE = 1e-3
"""By how much, of its value, a figure of what is fitted may differ between machines."""

EXACT = 1e-6
"""The same for figures that are only added up: they are written down with six digits."""

OF_MODEL = ("-w1", "-v1")
"""How the labels of the stages end that are about a model."""

SHOWN = 5
"""Differences that a failure names."""

JANUARY = {"year": 2021, "month": 1}
MONTHS = (JANUARY, {"year": 2021, "month": 2}, {"year": 2023, "month": 2, "taxi": "yellow"})
OPTIONS = {
    ("source", "url"): f"file://{FOLDER}/{{taxi}}_tripdata_{{year}}-{{month:02d}}.parquet",
    ("tuning", "trials"): 4,
    ("tuning", "max_rounds"): 25,
    ("training", "threads"): 1,
}


def columns(path):
    """The type of each column of a Parquet file, and the digest of its values."""
    table = pq.read_table(path)
    return {
        name: f"{table[name].type} {digest(repr(table[name].to_pylist()))}"
        for name in table.column_names
    }


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def of_ingest(task):
    return {"columns": columns(task.output().file(task.FILE))}


def of_transform(task):
    return {
        "columns": columns(task.output().file(task.FILE)),
        "quality": content(task, task.QUALITY),
    }


def of_tuning(task):
    choice = content(task, task.CHOICE)
    choice["trials"] = [{**trial, "seconds": None} for trial in choice["trials"]]
    return choice


def of_training(task):
    model = DurationModel.load(task.output().file(task.MODEL))
    later = pd.read_parquet(BuildFeatures(**MONTHS[1]).output().file(BuildFeatures.FILE))
    return {
        "predictions": [float(minutes) for minutes in model.predict(later.head(12))],
        "importance": content(task, task.IMPORTANCE),
    }


def of_evaluation(task):
    slices, predictions = (
        pd.read_parquet(task.output().file(name)) for name in (task.SLICES, task.PREDICTIONS)
    )
    return {
        "metrics": content(task, task.METRICS),
        "slices": slices.astype(object).where(slices.notna(), None).to_dict("split")["data"],
        "predictions": {
            name: float(minutes.astype(float).mean())
            for name, minutes in predictions.drop(columns="pickup_day").items()
        },
    }


def of_intervals(task):
    return content(task, task.COVERAGE)


def of_gate(task):
    record = content(task, task.RECORD)
    del record["candidate"]
    return record


def of_report(task):
    """What the page is about, line by line; how it looks, people judge."""
    text = task.output().file(task.PAGE).read_text()
    return {
        "headings": re.findall(r"<(?:h[123]|caption|figcaption|th)[^>]*>\s*([^<]*[^<\s])", text)
    }


def of_backtest(task):
    return content(task, task.RESULT)


def of_registration(task):
    receipt = content(task, task.RECEIPT)
    return {
        name: receipt[name] for name in receipt if name not in {"run_id", "tracking_uri", "report"}
    }


def of_scoring(task):
    path = task.output().file(task.FILE)
    table = pq.read_table(path)
    metadata = {name.decode(): text.decode() for name, text in table.schema.metadata.items()}
    del metadata["candidate_key"]  # that of another stage
    return {
        "columns": {**columns(path), "minutes": str(table["minutes"].type)},
        "metadata": metadata,
        "predictions": table["minutes"].to_pylist()[:12],
        "unscored": table["minutes"].null_count,
    }


def of_drift(task):
    record = content(task, task.RECORD)
    del record["distributions"], record["days"]  # what charts are drawn of
    return record


def of_monitoring(task):
    record = task.record()
    del record["champion_is"]  # it names the day of the registration
    for texts in ("reasons", "decisive"):  # they hold rounded figures
        del record["champion"][texts]
    slices = pd.read_parquet(task.output().file(task.SLICES))
    return {
        "record": record,
        "slices": slices.astype(object).where(slices.notna(), None).to_dict("split")["data"],
    }


def content(task, name):
    return json.loads(task.output().file(name).read_text())


FIGURES = {
    IngestTrips: of_ingest,
    TransformTrips: of_transform,
    BuildFeatures: of_ingest,
    TuneHyperparameters: of_tuning,
    TrainModel: of_training,
    EvaluateModel: of_evaluation,
    CalibrateIntervals: of_intervals,
    ApplyGate: of_gate,
    ReportCandidate: of_report,
    BacktestRecipe: of_backtest,
    RegisterModel: of_registration,
    ReportDrift: of_drift,
    ScoreTrips: of_scoring,
    MonitorChampion: of_monitoring,
}


def tasks():
    """The tasks whose outputs are described, in the pipeline's order."""
    data = (IngestTrips, TransformTrips, BuildFeatures)
    model = (TuneHyperparameters, TrainModel, EvaluateModel)
    return [
        *(stage(**month) for stage in data for month in MONTHS),
        *(stage(**JANUARY, recipe=recipe) for recipe in RECIPES for stage in model),
        *(CalibrateIntervals(**JANUARY, recipe=recipe) for recipe in ("trip", "linear")),
        ApplyGate(**JANUARY, recipe="linear"),
        ReportCandidate(**JANUARY, recipe="linear"),
        ReportDrift(**MONTHS[1], recipe="linear", reference_month="2021-01", candidate=True),
        BacktestRecipe(start=Month(2021, 1), stop=Month(2021, 3), recipe="linear"),
        RegisterModel(**JANUARY, recipe="linear"),
        ScoreTrips(**MONTHS[1], recipe="linear", model_version=1),
        MonitorChampion(**MONTHS[1], recipe="linear", model_version=1, frozen_version=1),
    ]


def reads(task):
    """The tasks that decide what a task makes; a version is what was trained."""
    of_version = isinstance(task, (ScoreTrips, MonitorChampion))
    trained = [TrainModel(**JANUARY, recipe="linear")] if of_version else []
    return [*trained, *luigi.task.flatten(task.requires())]


def measure(root):
    """What each stage makes under an empty root, by its task's label, in the pipeline's order."""
    with fresh_configuration() as configure, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tune._LiveCopy, "offer", lambda *_, **__: None)
        configure("storage", "root", root)
        for (section, option), value in OPTIONS.items():
            configure(section, option, value)
        every = tasks()
        *made, scored, monitored = every  # of a version that is registered first
        for part in (made, [scored, monitored]):
            assert luigi.build(part, local_scheduler=True, workers=1, log_level="ERROR")
        return {
            task.label: {
                "version": task._version(),
                "config": {
                    name: value
                    for name, value in task._config_values().items()
                    if name != "tracking.uri"
                },
                "reads": [required.label for required in reads(task)],
                "made": json.loads(json.dumps(FIGURES[type(task)](task)), parse_float=rounded),
            }
            for task in every
        }


def verdict(label, expected, measured):
    """What is wrong with what a stage makes, and what to do; empty if nothing is.

    Args:
        label: that of a task.
        expected: what :func:`measure` gave when golden.json was written.
        measured: what it gives now.
    """
    before, now = expected.get(label), measured[label]
    if before is None:
        return f"{label} is not in golden.json: write it anew with {RENEW}"
    if before["version"] != now["version"]:
        return (
            f"{label} had version {before['version']!r} when golden.json was written, and has "
            f"{now['version']!r}: write it anew with {RENEW}"
        )
    found = differences(
        before["made"], now["made"], TOLERANCE if label.endswith(OF_MODEL) else EXACT
    )
    if not found:
        return ""
    told = "; ".join(found[:SHOWN]) + (f"; and {len(found) - SHOWN} more" * (len(found) > SHOWN))
    config = differences(before["config"], now["config"], 0)
    if config:
        return f"{label}: {'; '.join(config)}: write golden.json anew with {RENEW}"
    changed = [one for one in now["reads"] if one in measured and verdict(one, expected, measured)]
    if changed:
        return f"{label} reads what has changed, see {changed[0]}: {told}"
    stage, *_, last = label.split()
    of_recipe = f" or of the recipe {last[: -len(OF_MODEL[0])]}" if last.endswith(OF_MODEL) else ""
    return (
        f"{label} makes something else under the same version: {told}. If that is meant, raise "
        f"`version` of {stage}{of_recipe}, so that it is made again everywhere, and write "
        f"golden.json anew with {RENEW}"
    )


def rounded(figure):
    return float(f"{float(figure):.6g}")


def as_text(measured):
    """What was measured as it is written down: a line for each output."""
    lines = (f"{json.dumps(label)}: {json.dumps(found)}" for label, found in measured.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def differences(expected, made, tolerance, place=""):
    """Where two contents differ, each with what is expected and what is."""
    if isinstance(expected, dict) and isinstance(made, dict):
        pairs = [(name, expected.get(name), made.get(name)) for name in {**expected, **made}]
    elif isinstance(expected, list) and isinstance(made, list) and len(expected) == len(made):
        pairs = [(n, *pair) for n, pair in enumerate(zip(expected, made, strict=True))]
    elif isinstance(expected, float) and isinstance(made, (int, float)):
        close = math.isclose(expected, made, rel_tol=tolerance, abs_tol=1e-9)
        close = close or (math.isnan(expected) and math.isnan(made))
        return [] if close else [f"{place} was {expected}, is {made}"]
    else:
        return [] if expected == made else [f"{place} was {expected}, is {made}"]
    return [
        found
        for name, *pair in pairs
        for found in differences(*pair, tolerance, f"{place}.{name}" if place else str(name))
    ]
