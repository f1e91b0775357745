"""Typed configuration: sections with their options, Luigi's own settings, and the ``luigi.cfg``.

Every option is also a flag of the ``luigi`` command (``[source] url`` is ``--source-url``). A
section is read by instantiating its class without arguments: ``config.cleaning().max_minutes``.
:func:`as_cfg` writes the defaults out as a commented ``luigi.cfg``. What is known only while tasks
run, such as the cores that a fit may take, does not belong here.
"""

from taxi_pipeline.config.arrival import contract
from taxi_pipeline.config.computing import compute
from taxi_pipeline.config.drifting import drift
from taxi_pipeline.config.fitting import training, tuning
from taxi_pipeline.config.judging import gate
from taxi_pipeline.config.luigi_cfg import as_cfg
from taxi_pipeline.config.luigi_settings import (
    LUIGI_SETTINGS,
    LuigiSetting,
    apply_luigi_settings,
)
from taxi_pipeline.config.scheduling import luigid
from taxi_pipeline.config.section import Section
from taxi_pipeline.config.sections import (
    SECTIONS,
    alerts,
    check,
    cleaning,
    features,
    significant_options,
    source,
    storage,
    tracking,
)
from taxi_pipeline.config.serving import serving
from taxi_pipeline.config.watching import monitoring

__all__ = [
    "LUIGI_SETTINGS",
    "SECTIONS",
    "LuigiSetting",
    "Section",
    "alerts",
    "apply_luigi_settings",
    "as_cfg",
    "check",
    "cleaning",
    "compute",
    "contract",
    "drift",
    "features",
    "gate",
    "luigid",
    "monitoring",
    "serving",
    "significant_options",
    "source",
    "storage",
    "tracking",
    "training",
    "tuning",
]
