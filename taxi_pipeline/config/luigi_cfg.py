"""The text of a commented ``luigi.cfg``."""

from __future__ import annotations

import textwrap
from typing import Any

from taxi_pipeline.config.luigi_settings import LUIGI_SETTINGS
from taxi_pipeline.config.parameters import CheckedParameter
from taxi_pipeline.config.sections import SECTIONS


def as_cfg() -> str:
    """The text of a ``luigi.cfg`` in which every value is the default, with its meaning."""
    lines = [
        "# Configuration of taxi_pipeline: every option with its default. Each is also a flag of",
        "# the luigi command: [source] url is --source-url. `taxi-pipeline write-config`",
        "# writes this file.",
    ]
    for section in SECTIONS:
        lines += ["", f"# {section.__doc__}", f"[{section.__name__}]"]
        for name, parameter in section.get_params():
            lines += _comment(parameter.description)
            lines.append(f"{name} = {_default(parameter)}".rstrip().replace("%", "%%"))
    lines += ["", "# Luigi's own options.", "# `local_scheduler = true` makes luigid unnecessary."]
    for name in dict.fromkeys(setting.section for setting in LUIGI_SETTINGS):
        lines.append(f"[{name}]")
        for setting in LUIGI_SETTINGS:
            if setting.section == name:
                lines += _comment(setting.reason)
                lines.append(f"{setting.option} = {setting.value}")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 98, initial_indent="# ", subsequent_indent="# ")


def _default(parameter: CheckedParameter[Any]) -> str:
    return str(parameter.serialize(parameter._default))  # noqa: SLF001  (luigi has no public name)
