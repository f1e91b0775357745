"""The stages in the pipeline's order, the task of each, and what runs beside them."""

FAMILIES = {
    "ingest": "IngestTrips",
    "transform": "TransformTrips",
    "features": "BuildFeatures",
    "tune": "TuneHyperparameters",
    "train": "TrainModel",
    "evaluate": "EvaluateModel",
    "intervals": "CalibrateIntervals",
    "gate": "ApplyGate",
    "report": "ReportCandidate",
    "register": "RegisterModel",
}
STAGES = tuple(FAMILIES)

BESIDE = {
    "monitor": ("MonitorChampion", "--year", "2021", "--month", "3"),
    "score": ("ScoreTrips", "--year", "2021", "--month", "3"),
    "backtest": ("BacktestRecipe", "--start", "2021-01", "--stop", "2021-03"),
}
"""The tasks that are asked for by themselves, by their stages: each with its month, or months."""
