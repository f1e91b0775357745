"""Luigi's configuration as the pipeline's settings alone make it."""

from contextlib import contextmanager

import pytest
from luigi.configuration import LuigiConfigParser
from luigi.setup_logging import InterfaceLogging
from luigi.task_register import Register

from taxi_pipeline import config


@contextmanager
def fresh_configuration():
    """Gives a function that sets options; at first only the pipeline's settings are known.

    The files and variables that Luigi would read are left out, and luigi.build leaves logging to
    pytest.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LUIGI_CONFIG_PARSER", raising=False)
        fresh = LuigiConfigParser()
        patch.setattr(LuigiConfigParser, "_instance", fresh)
        patch.setattr(InterfaceLogging, "_configured", True)
        _forget()
        config.apply_luigi_settings()
        try:
            yield lambda section, option, value: fresh.set(
                section, option, str(value).replace("%", "%%")
            )
        finally:
            _forget()


def _forget():
    Register.clear_instance_cache()
    config.check.cache_clear()
