"""The stages in the pipeline's order, and the task of each."""

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
