"""Luigi tasks that turn NYC TLC trip records into a registered trip-duration model.

The names here are those that a user types: ``luigi --module taxi_pipeline RegisterModel``.
Importing them makes Luigi's console readable and sets the exit codes (see
:data:`taxi_pipeline.config.LUIGI_SETTINGS`) where the user has not set them.
"""

import os
import sys

from taxi_pipeline import config
from taxi_pipeline.config import typed
from taxi_pipeline.month import Month
from taxi_pipeline.observability import alerts, logs
from taxi_pipeline.runtime import command, luigi_arguments
from taxi_pipeline.tasks.backfill import BackfillMonths
from taxi_pipeline.tasks.backtest import BacktestRecipe
from taxi_pipeline.tasks.calibrate import CalibrateIntervals
from taxi_pipeline.tasks.drift import ReportDrift
from taxi_pipeline.tasks.evaluate import EvaluateModel
from taxi_pipeline.tasks.features import BuildFeatures
from taxi_pipeline.tasks.gate import ApplyGate
from taxi_pipeline.tasks.ingest import IngestTrips
from taxi_pipeline.tasks.monitor import MonitorChampion
from taxi_pipeline.tasks.promote import PromoteModel
from taxi_pipeline.tasks.publication import PublishedTrips
from taxi_pipeline.tasks.refresh import RefreshTrips
from taxi_pipeline.tasks.register import RegisterModel
from taxi_pipeline.tasks.report import ReportCandidate
from taxi_pipeline.tasks.retrain import RetrainOnDecay
from taxi_pipeline.tasks.score import ScoreTrips
from taxi_pipeline.tasks.train import TrainModel
from taxi_pipeline.tasks.transform import TransformTrips
from taxi_pipeline.tasks.tune import TuneHyperparameters

config.apply_luigi_settings()
logs.install()
alerts.install()

if logs.is_luigi_command():
    command.install()
    luigi_arguments.install()
    typed.note(sys.argv[1:], has_scheduler=True)
else:
    typed.note((), has_scheduler=False)

# How long an OpenMP thread that waits for another keeps its core busy. libgomp's default makes
# boosting twenty times slower as soon as anything else runs on the machine (60 rounds on
# two cores with two other processes: 28.6 s, and 1.2 s so), and no faster when alone.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

# MLflow reads these when it is imported. A pipeline does not report on its users, and a server
# that is down is to be told of in seconds rather than after MLflow's minutes of retries.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
# What a run does its own log says; a line for each trial of a search would be one too many.
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

__all__ = [
    "ApplyGate",
    "BackfillMonths",
    "BacktestRecipe",
    "BuildFeatures",
    "CalibrateIntervals",
    "EvaluateModel",
    "IngestTrips",
    "MonitorChampion",
    "Month",
    "PromoteModel",
    "PublishedTrips",
    "RefreshTrips",
    "RegisterModel",
    "ReportCandidate",
    "ReportDrift",
    "RetrainOnDecay",
    "ScoreTrips",
    "TrainModel",
    "TransformTrips",
    "TuneHyperparameters",
]
