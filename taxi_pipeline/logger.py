"""The logger of the whole package: a child of Luigi's, whose configuration applies to it."""

import logging

LUIGI_LOGGER = logging.getLogger("luigi-interface")
logger = LUIGI_LOGGER.getChild("taxi_pipeline")
