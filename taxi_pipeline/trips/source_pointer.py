"""The pointer to what a source offered for a month when it was last asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from taxi_pipeline.trips.publication import Answer


@dataclass(frozen=True)
class SourcePointer:
    """What a source offered for a month when it was last asked.

    Attributes:
        url: where, without secrets.
        sha256: of the file's content.
        validators: those of this content, as far as the source gave any.
        asked: when the source was last asked, in UTC; None in what version 0.1 wrote.
    """

    url: str
    sha256: str
    validators: Mapping[str, str | int] = field(default_factory=dict)
    asked: datetime | None = None

    @classmethod
    def parse(cls, content: Any) -> SourcePointer:
        """The pointer that was written as JSON.

        Raises:
            ValueError: the content is none.
        """
        try:
            asked = content.get("asked")
            return cls(
                url=str(content["url"]),
                sha256=str(content["sha256"]),
                validators=dict(content.get("validators", {})),
                asked=None if asked is None else datetime.fromisoformat(asked).astimezone(UTC),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(content) from error

    def as_dict(self) -> dict[str, Any]:
        """The pointer for a JSON file."""
        asked = (
            {} if self.asked is None else {"asked": self.asked.isoformat(timespec="microseconds")}
        )
        return {
            "url": self.url,
            "sha256": self.sha256,
            "validators": dict(self.validators),
            **asked,
        }

    def asked_at(self, time: datetime) -> SourcePointer:
        """The pointer once the source was asked in vain: it is asked again when that is due."""
        return replace(self, asked=time)

    def confirmed(self, answer: Answer) -> SourcePointer:
        """The pointer once the source has answered that the content is what it was."""
        known = {**self.validators, **answer.validators}
        return replace(self, validators=known, asked=answer.asked)
