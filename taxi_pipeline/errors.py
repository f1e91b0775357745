"""Failures that a user can cause or mend.

The text of each is one line that names what is wrong, where, and what to do. The command line
prints that line alone (see :mod:`taxi_pipeline.observability.logs`);
any other exception is a defect of the pipeline and keeps its traceback.
"""

from concurrent.futures import BrokenExecutor


class TaxiPipelineError(Exception):
    """Base of every failure whose text is meant for a user."""


class InvalidParameter(TaxiPipelineError, ValueError):
    """A task parameter (``--year``, ``--taxi`` ...) has a value that means nothing."""


class InvalidConfig(TaxiPipelineError, ValueError):
    """A configuration value is not usable; the text names ``[section] option``."""


class SourceError(TaxiPipelineError):
    """A month of trip records could not be obtained from its source."""


class MonthNotPublished(SourceError):
    """The source does not offer the month (yet)."""


class InvalidTripFile(SourceError):
    """What the source offers for the month is not a whole, usable trip record file."""


class StorageError(TaxiPipelineError):
    """The storage root cannot be read or written."""


class DamagedOutput(StorageError):
    """A file under the storage root is missing, cut off, or not what was published."""


class TrackingError(TaxiPipelineError):
    """The MLflow tracking server cannot be reached or refuses what is asked of it."""


class SchedulerError(TaxiPipelineError):
    """The central scheduler cannot be started, or refuses a client."""


class ClusterError(TaxiPipelineError, BrokenExecutor):
    """The Dask cluster cannot be reached, does not suit this package, or was lost."""


class InvalidTraining(TaxiPipelineError):
    """The data of the training window do not allow a model to be fitted or judged."""


class InvalidRecords(TaxiPipelineError, ValueError):
    """A column of the rows that a model is to predict holds what is no number or no time."""


class InvalidRecipe(TaxiPipelineError):
    """There is no recipe of a name, or what a recipe declares is not usable."""
