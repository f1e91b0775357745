"""The key of an output: a digest of everything that the output is made from."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

KEY_LENGTH = 16
"""Hexadecimal digits of a key: 64 bits, so that a billion outputs do not collide."""


_DIGEST_AT_END = re.compile(rf" [0-9a-f]{{{KEY_LENGTH}}}$")


@dataclass(frozen=True)
class Identity:
    """What an output is made from.

    Attributes:
        task: the task's family, such as ``TransformTrips``.
        parameters: its significant parameters as text.
        version: the stage's version, raised by its author when its meaning changes. A stage of a
            recipe adds the recipe's version and, behind that, the digest of its content.
        config: the values that the stage reads, as ``section.option`` to text.
        inputs: the keys of what it requires, by the inputs' labels.
    """

    task: str
    parameters: dict[str, str]
    version: str
    config: dict[str, str]
    inputs: dict[str, str]

    @functools.cached_property
    def key(self) -> str:
        """The digest that names the output."""
        return digest({field.name: getattr(self, field.name) for field in fields(Identity)})

    def changes_since(
        self,
        older: Identity,
        explain_input: Callable[[str, str], list[str]] | None = None,
        show: Callable[[str, str], str] = lambda _name, value: value,
    ) -> list[str]:
        """One phrase for each way in which this identity differs from an older one.

        Args:
            older: the identity to compare with.
            explain_input: the phrases for an input that has changed, by its label and its older
                key. Without it the phrase says no more than that.
            show: the value of an option as a person is told it, by its name and its text.
        """
        changes = [
            f"{name} was {show(name, older.config.get(name, 'not set'))}, is {show(name, value)}"
            for name, value in self.config.items()
            if older.config.get(name) != value
        ]
        changes += [f"{name} is gone" for name in older.config if name not in self.config]
        if older.version != self.version:
            changes.append(_version_change(older.version, self.version))
        for name, key in self.inputs.items():
            older_key = older.inputs.get(name)
            if older_key == key:
                continue
            if older_key and explain_input:
                changes += explain_input(name, older_key)
            else:
                changes.append(_input_change(name))
        changes += [f"{name} is no longer read" for name in older.inputs if name not in self.inputs]
        # Several inputs may have changed for the same reason.
        return list(dict.fromkeys(changes))


def is_key(name: str) -> bool:
    """Whether a name is a key."""
    return len(name) == KEY_LENGTH and set(name) <= set("0123456789abcdef")


class ContentIdentity(Identity):
    """The identity of a file that came from outside: its key is its content's sha256."""

    @functools.cached_property
    def key(self) -> str:
        """The first digits of the content's sha256."""
        return self.inputs["content"][:KEY_LENGTH]


def _version_change(older: str, newer: str) -> str:
    was, now = (_DIGEST_AT_END.sub("", version) for version in (older, newer))
    return "its recipe has changed" if was == now else f"its version was {was}, is {now}"


def _input_change(input_label: str) -> str:
    published = input_label.removeprefix("IngestTrips ")
    if published != input_label:
        return f"source republished ({published})"
    return f"{input_label} changed"


def digest(content: Any) -> str:
    """The key of a JSON-serialisable content, whatever the order of its mappings."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]
