"""A task whose output is found by its identity: by all that the output is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from luigi.task import flatten

from taxi_pipeline import config
from taxi_pipeline.errors import DamagedOutput
from taxi_pipeline.identity import Identity, is_key
from taxi_pipeline.storage import Output, Storage, layout, open_storage
from taxi_pipeline.tasks.base.identity_cache import cached, identity_cache
from taxi_pipeline.tasks.base.monthly import MonthlyTask


class IdentifiedTask(MonthlyTask):
    """A monthly task whose output is found by its identity.

    Attributes:
        stage: the stage's name, which is the first folder of its outputs. No path depends on the
            module that a class stands in.
        version: raised by the stage's author when what it makes changes its meaning.
        sections: the configuration that it reads; its values are part of the output's identity.
    """

    stage: ClassVar[str]
    version: ClassVar[int] = 1
    sections: ClassVar[tuple[type[config.Section], ...]] = ()

    @property
    def task_dir(self) -> str:
        """The location of all outputs of this task, whatever they were made from."""
        return layout.task_dir(self.stage, self.taxi, str(self.calendar_month), self.variant)

    @property
    def storage(self) -> Storage:
        """Where outputs are kept."""
        return cached(open_storage, lambda: open_storage(config.storage().root))

    def identity(self) -> Identity | None:
        """What the output is made from; None while a published file is not ingested."""
        return cached(self, self.compute_identity)

    def compute_identity(self) -> Identity | None:
        """The identity, by what is configured and ingested now."""
        inputs = {}
        for task in self.identifying():
            required = task.identity()
            if required is None:
                return None
            inputs[task.label] = required.key
        return self.identity_of(inputs)

    def identifying(self) -> list[Any]:
        """The required tasks whose keys are part of the identity: all of them, unless said."""
        return list(flatten(self.requires()))

    def identity_of(self, inputs: Mapping[str, str]) -> Identity:
        """The identity of an output that is made as configured now, but of given inputs.

        Args:
            inputs: the keys of what it requires, by the inputs' labels.
        """
        return Identity(
            task=self.task_family,
            parameters=self.to_str_params(only_significant=True),
            version=self._version(),
            config=self._config_values(),
            inputs=dict(inputs),
        )

    @property
    def key(self) -> str | None:
        """The key of the output; None while a published file is not ingested."""
        identity = self.identity()
        return None if identity is None else identity.key

    def _version(self) -> str:
        return str(self.version)

    def _config_values(self) -> dict[str, str]:
        values: dict[str, str] = {}
        for section in self.sections:
            values |= cached(section, section.significant_values)
        return values

    def location(self, identity: Identity) -> str:
        """Where the output of an identity is kept."""
        return layout.output_dir(self.task_dir, identity.key)

    def output(self) -> Output:
        """The output of the identity as it is now."""
        identity = self.identity()
        if identity is None:
            return Output(self.storage, layout.not_ingested_dir(self.task_dir))
        for made_as in (identity, *self.earlier_identities(identity)):
            location = self.location(made_as)
            if self.storage.exists(layout.manifest_file(location)):
                return Output(self.storage, location)
        return Output(self.storage, self.location(identity))

    def earlier_identities(self, identity: Identity) -> Sequence[Identity]:  # noqa: ARG002
        """The identities that earlier versions of the pipeline gave to the same output."""
        return ()

    def complete(self) -> bool:
        """Whether the output of the identity as it is now is there."""
        with identity_cache(), self.storage.snapshot():
            return bool(super().complete())

    def change_reasons(self, identity: Identity | None) -> list[str]:
        """Why the task runs although it ran before; empty if it never did.

        A change of what is required is traced to what caused it.
        """
        keys = filter(is_key, self.storage.list_dirs(self.task_dir))
        manifests = [manifest for key in keys if (manifest := self.manifest_of(key))]
        newest = max(manifests, key=lambda manifest: str(manifest["finished"]), default=None)
        if newest is None or identity is None:
            return []
        return self._changes(Identity(**newest["identity"]), identity)

    def _changes(self, older: Identity, identity: Identity) -> list[str]:
        required = {task.label: task for task in flatten(self.requires())}
        return identity.changes_since(
            older,
            lambda label, older_key: required[label].changes_since(older_key),
            self._in_words,
        )

    def _in_words(self, name: str, value: str) -> str:  # noqa: ARG002
        """What an option of the identity means, for a person who is told that it changed."""
        return value

    def changes_since(self, older_key: str) -> list[str]:
        """Why the output is not that of an older key any more, for a task that requires it."""
        return cached((self, older_key), lambda: self._traced_changes(older_key))

    def _traced_changes(self, older_key: str) -> list[str]:
        unexplained = [f"{self.label} changed"]
        older, identity = self.manifest_of(older_key), self.identity()
        if older is None or identity is None:
            return unexplained
        # The version is this task's, for a reader of another task's log; a recipe is common to all.
        phrases = [
            f"{self.label}: {phrase}" if phrase.startswith("its version") else phrase
            for phrase in self._changes(Identity(**older["identity"]), identity)
        ]
        return phrases or unexplained

    def manifest_of(self, key: str) -> dict[str, Any] | None:
        """The manifest of the output of a key; None if it is gone or damaged."""
        try:
            return Output(self.storage, layout.output_dir(self.task_dir, key)).manifest()
        except DamagedOutput:
            return None
