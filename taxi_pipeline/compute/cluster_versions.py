"""What a Dask cluster runs must be what runs here: another version would answer too."""

from __future__ import annotations

from typing import Any

from taxi_pipeline.compute import code
from taxi_pipeline.errors import ClusterError

COMPARED = (
    *("python", "dask", "distributed", "cloudpickle", "taxi_pipeline"),
    *("numpy", "pandas", "pyarrow", "scikit-learn", "xgboost"),
)
"""What must be of one version here and there, for the same outputs and for pickles to be read."""


def check_versions(client: Any, scheduler: str) -> None:
    """Compare Python, packages and this package's code on both sides.

    Args:
        client: Dask's client, connected.
        scheduler: the address of the scheduler.

    Raises:
        ClusterError: they differ; the text says in what.
    """
    found = client.get_versions(packages=[*COMPARED[1:], "xgboost-cpu"])
    here = _versions(found["client"])
    there = {"its scheduler": _versions(found["scheduler"])} | {
        f"worker {address}": _versions(versions) for address, versions in found["workers"].items()
    }
    for name, versions in there.items():
        if different := [package for package in here if versions.get(package) != here[package]]:
            listed = ", ".join(
                f"{package} {versions.get(package, 'not installed')} (here {here[package]})"
                for package in different
            )
            raise _another(scheduler, name, listed)
    try:
        digests = client.run(code.digest)
    except OSError:
        raise
    except Exception as error:  # Dask makes one of its own of what a worker cannot import
        cause = " ".join(str(error).split())
        raise ClusterError(
            f"a worker of the Dask cluster at {scheduler} cannot import this version of "
            f"taxi_pipeline ({cause}): install there what is installed here, and start it again"
        ) from error
    for address, digest in digests.items():
        if digest != code.DIGEST:
            listed = f"other code of taxi_pipeline ({digest}, here {code.DIGEST})"
            raise _another(scheduler, f"worker {address}", listed)


def _another(scheduler: str, name: str, listed: str) -> ClusterError:
    return ClusterError(
        f"{name} of the Dask cluster at {scheduler} has {listed}: install the same there, and "
        "start it again"
    )


def _versions(found: Any) -> dict[str, str]:
    """The versions that one side reports, of Python the first two numbers."""
    packages = found["packages"]
    packages = {**packages, "xgboost": packages.get("xgboost") or packages.get("xgboost-cpu")}
    packages["python"] = ".".join(packages["python"].split(".")[:2])
    return {name: packages[name] for name in COMPARED if packages.get(name)}
