"""Luigi parameters that say in one line what is wrong with a value and where it came from.

Luigi hands a value over as text (command line, configuration, scheduler) or as an object
(Python); both ways meet in ``normalize``, so that is the one place where a value is checked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import luigi
from luigi.freezing import FrozenOrderedDict, recursively_freeze, recursively_unfreeze

from taxi_pipeline.errors import InvalidConfig, InvalidParameter
from taxi_pipeline.month import Month

T = TypeVar("T")


class CheckedParameter(luigi.Parameter[T], Generic[T]):
    """A parameter whose value is converted and checked by :meth:`convert`.

    Raises:
        InvalidConfig: the value is one of a ``luigi.Config`` section and not usable.
        InvalidParameter: the value is one of a task and not usable.
    """

    expects = "a usable value"

    def convert(self, value: Any) -> T:
        """The value in its own type; a ValueError or TypeError if it has none."""
        raise NotImplementedError

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember where the value is set, for the error line."""
        super().__set_name__(owner, name)
        if issubclass(owner, luigi.Config):
            self._error: type[InvalidConfig | InvalidParameter] = InvalidConfig
            self._where = f"[{owner.__name__}] {name}"
        else:
            self._error = InvalidParameter
            self._where = f"--{name.replace('_', '-')}"

    def normalize(self, x: Any) -> T:
        """The checked value, from text or from an object."""
        try:
            return self.convert(x)
        except InvalidConfig:
            raise
        except (AttributeError, TypeError, ValueError, OverflowError):
            raise self._error(f"{self._where} is {x!r}: it must be {self.expects}") from None


class BoundedIntParameter(CheckedParameter[int]):
    """A whole number within bounds, both included."""

    def __init__(self, minimum: int, maximum: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.minimum = minimum
        self.maximum = maximum
        self.expects = (
            f"a whole number, {minimum} or more"
            if maximum is None
            else f"a whole number from {minimum} to {maximum}"
        )

    def convert(self, value: Any) -> int:
        """The number; fractions and truth values are none."""
        if isinstance(value, bool) or (not isinstance(value, str) and value != int(value)):
            raise ValueError(value)
        number = int(value)
        if number < self.minimum or (self.maximum is not None and number > self.maximum):
            raise ValueError(value)
        return number


class DictParameter(CheckedParameter[FrozenOrderedDict]):
    """Names and values, written as a JSON object."""

    expects = 'a JSON object such as {"name": "value"}'

    def convert(self, value: Any) -> FrozenOrderedDict:
        """The object, from itself or its text."""
        content = json.loads(value) if isinstance(value, str) else value
        if not isinstance(content, Mapping):
            raise TypeError(value)
        frozen: FrozenOrderedDict = recursively_freeze(content)
        return frozen

    def serialize(self, x: FrozenOrderedDict) -> str:
        """The text that :meth:`convert` reads."""
        return json.dumps(recursively_unfreeze(x))


class MonthParameter(CheckedParameter[Month]):
    """A calendar month."""

    expects = "a month, written YYYY-MM"

    def convert(self, value: Any) -> Month:
        """The month, from itself, a date or its text."""
        if isinstance(value, str):
            return Month.parse(value)
        return Month(value.year, value.month)


class BoundedFloatParameter(CheckedParameter[float]):
    """A real number within bounds, both included; ``inf`` is allowed where no bound forbids it."""

    def __init__(self, minimum: float, maximum: float = math.inf, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.minimum = minimum
        self.maximum = maximum
        self.expects = (
            f"a number, {minimum:g} or more"
            if maximum == math.inf
            else f"a number from {minimum:g} to {maximum:g}"
        )

    def convert(self, value: Any) -> float:
        """The number; NaN and truth values are none."""
        if isinstance(value, bool):
            raise TypeError(value)
        number = float(value) + 0.0  # -0.0 is 0.0, in text as well
        if not self.minimum <= number <= self.maximum:
            raise ValueError(value)
        return number


class BoolParameter(CheckedParameter[bool]):
    """A yes or no."""

    expects = "true or false"

    def convert(self, value: Any) -> bool:
        """The truth value, from itself or from its name in any case."""
        names = {"true": True, "false": False}
        if str(value).lower() not in names:
            raise ValueError(value)
        return names[str(value).lower()]

    def serialize(self, x: bool) -> str:
        """The name that :meth:`convert` reads."""
        return str(x).lower()

    @classmethod
    def _parser_kwargs(cls, *names: Any, **named: Any) -> dict[str, Any]:
        """Luigi's settings of the flag; the flag without a value means yes."""
        return {**super()._parser_kwargs(*names, **named), "nargs": "?", "const": "true"}


class ChoiceParameter(CheckedParameter[str]):
    """One of a few names."""

    def __init__(self, choices: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices
        self.expects = f"one of {', '.join(choices)}"

    def convert(self, value: Any) -> str:
        """The name, if it is one of the choices."""
        if value not in self.choices:
            raise ValueError(value)
        return str(value)


class StrParameter(CheckedParameter[str]):
    """Text.

    Args:
        check: raises InvalidConfig with a whole error line for text that is not usable.
        secrets: keeps what is secret in the text out of the logs, see `taxi_pipeline.redaction`.
    """

    expects = "text"

    def __init__(
        self,
        check: Callable[[str], None] | None = None,
        secrets: Callable[[str], None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.check = check
        self.secrets = secrets

    def convert(self, value: Any) -> str:
        """The text, if the check lets it pass."""
        if not isinstance(value, str):
            raise TypeError(value)
        if self.secrets is not None:
            self.secrets(value)
        if self.check is not None:
            self.check(value)
        return value
