"""What is imported once before a worker forks, so that its processes do not import it each.

Importing starts no OpenMP: a process that is forked afterwards can fit models.
"""

from __future__ import annotations

import gc
import importlib

PRELOAD_MODULES = (
    "alembic.command",
    "hyperopt",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "mlflow.pyfunc.scoring_server",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "pandas.tseries.holiday",
    "pyarrow.dataset",
    "sqlalchemy.dialects.sqlite",
    "taxi_pipeline.evaluation.coverage",
    "taxi_pipeline.evaluation.judge",
    "taxi_pipeline.evaluation.monitoring",
    "taxi_pipeline.evaluation.plots",
    "taxi_pipeline.tuning.plots",
    "taxi_pipeline.model.serving",
    "taxi_pipeline.model.fitting",
    "taxi_pipeline.model.scoring",
    "taxi_pipeline.tuning.search",
    "taxi_pipeline.tracking.champion",
    "taxi_pipeline.tracking.packaged",
    "taxi_pipeline.tracking.registration",
    "taxi_pipeline.tracking.searches",
    "taxi_pipeline.trips.cleaning",
    "taxi_pipeline.trips.synthetic.filesystem",
    "xgboost",
)
"""What tasks import, which takes two seconds; none may be missing, as GitPython is without git."""


def preload() -> None:
    """Import what tasks need, for the processes that are forked from this one."""
    for name in PRELOAD_MODULES:
        importlib.import_module(name)
    # Forked processes then share the memory of everything imported.
    gc.freeze()
