"""A section of the configuration: what Luigi's own lacks."""

from __future__ import annotations

import configparser
import functools
from typing import Any, ClassVar

import luigi

from taxi_pipeline.errors import InvalidConfig
from taxi_pipeline.formatting import did_you_mean


class Section(luigi.Config):
    """A section of the configuration that refuses options it does not know.

    Attributes:
        later: options that came when outputs had been made without them. At their defaults they are
            no part of what decides what a stage makes: so these outputs are found.
    """

    later: ClassVar[tuple[str, ...]] = ()

    @classmethod
    @functools.cache
    def get_params(cls) -> Any:
        """The options by name; Luigi looks through all that the class has, each time."""
        return super().get_params()

    @classmethod
    def get_param_values(cls, params: Any, args: Any, kwargs: Any) -> list[tuple[str, Any]]:
        """The options' values; a misspelt option is an error rather than a silent default."""
        known = [name for name, _ in params]
        configured: Any = luigi.configuration.get_config()
        written = configured[cls.__name__] if configured.has_section(cls.__name__) else ()
        for option in set(written) - set(configured.defaults()):
            if option.replace("-", "_") not in known:
                hint = did_you_mean(option, known) or f": it has {', '.join(known)}."
                raise InvalidConfig(f"[{cls.__name__}] has no option {option}{hint}")
        try:
            values: list[tuple[str, Any]] = super().get_param_values(params, args, kwargs)
        except InvalidConfig:
            raise
        except (ValueError, configparser.Error) as error:
            cause = " ".join(str(error.__cause__ or error).split())
            raise InvalidConfig(
                f"[{cls.__name__}] cannot be read: {cause}; a % is written %%, and ${{NAME}} needs "
                "a variable of that name in the environment"
            ) from None
        return values

    @classmethod
    def significant_values(cls) -> dict[str, str]:
        """The values that decide what a stage makes, as ``section.option`` to text."""
        later = {f"{cls.__name__}.{name}" for name in cls.later}
        changed = cls.changed_values() if later else {}
        return {
            name: value
            for name, value in cls._texts().items()
            if name not in later or name in changed
        }

    @classmethod
    def changed_values(cls) -> dict[str, str]:
        """Those of the significant values that are not the defaults."""
        defaults = {
            f"{cls.__name__}.{name}": parameter.serialize(parameter._default)  # noqa: SLF001  (luigi has no public name)
            for name, parameter in cls.get_params()
        }
        return {name: text for name, text in cls._texts().items() if text != defaults[name]}

    @classmethod
    def _texts(cls) -> dict[str, str]:
        """Every value that may decide what a stage makes, whether or not it is the default."""
        section = cls()
        return {
            f"{cls.__name__}.{name}": parameter.serialize(getattr(section, name))
            for name, parameter in cls.get_params()
            if parameter.significant
        }
