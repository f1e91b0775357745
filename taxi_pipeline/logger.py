"""The logger of the whole package: a child of Luigi's, whose configuration applies to it."""

import functools
import logging

LUIGI_LOGGER = logging.getLogger("luigi-interface")
logger = LUIGI_LOGGER.getChild("taxi_pipeline")


@functools.cache
def warn_once(line: str) -> None:
    """Log a warning once in a process, of what is asked for again and again."""
    logger.warning("%s", line)
