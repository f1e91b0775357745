"""Every option of the pipeline, and every setting of Luigi's own, as cases of a test."""

import pytest

from taxi_pipeline import config

OPTIONS = [
    (section, name, parameter)
    for section in config.SECTIONS
    for name, parameter in section.get_params()
]
each_option = pytest.mark.parametrize(
    ("section", "name", "parameter"),
    OPTIONS,
    ids=[f"{section.__name__}.{name}" for section, name, _ in OPTIONS],
)
each_setting = pytest.mark.parametrize(
    "setting", config.LUIGI_SETTINGS, ids=lambda setting: f"{setting.section}.{setting.option}"
)
