"""A registry in memory, which answers what the moves of aliases ask MLflow's client."""

from types import SimpleNamespace

from mlflow.exceptions import RestException


class MemoryRegistry:
    """One registered model with versions and aliases; `on_write` is called before each write."""

    def __init__(self):
        self.versions = {}
        self.aliases = {}
        self.on_write = lambda _name: None

    def add(self, version, month):
        self.versions[version] = SimpleNamespace(
            version=version,
            run_id=f"run {version}",
            creation_timestamp=0,
            tags={"candidate_key": f"key {version}", "training_month": month},
            source="models:/m-1",
        )

    def delete(self, version):
        """As an MLflow before 3.17, which leaves an alias pointing to nothing."""
        del self.versions[version]

    def get_registered_model(self, _name):
        return SimpleNamespace(aliases=dict(self.aliases))

    def search_model_versions(self, _filter):
        return list(self.versions.values())

    def get_model_version(self, _name, version):
        if version not in self.versions:
            raise RestException({"error_code": "RESOURCE_DOES_NOT_EXIST"})
        return self.versions[version]

    def get_model_version_by_alias(self, name, alias):
        return self.get_model_version(name, self.aliases[alias])

    def get_run(self, _run_id):
        return SimpleNamespace(data=SimpleNamespace(metrics={"rmse": 5.5}))

    def get_logged_model(self, _model_id):
        return SimpleNamespace()

    def set_registered_model_alias(self, name, alias, version):
        self.get_model_version(name, version)
        self.on_write("alias")
        self.aliases[alias] = version

    def set_model_version_tag(self, name, version, tag, text):
        self.on_write("tag")
        self.get_model_version(name, version).tags[tag] = text
