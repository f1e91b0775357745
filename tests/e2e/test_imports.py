"""What a run that has nothing to do must not pay for, and a fork must not inherit."""

import subprocess
import sys

import pytest

HEAVY = ("pandas", "numpy", "pyarrow", "sklearn", "xgboost", "mlflow", "hyperopt", "fsspec")


@pytest.mark.parametrize("package", HEAVY)
def test_importing_the_package_imports_nothing_heavy(package):
    code = f"import taxi_pipeline, sys; sys.exit({package!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_asking_whether_a_model_is_registered_imports_nothing_heavy(finished):
    command, _ = finished
    code = (
        "import sys, luigi, taxi_pipeline\n"
        "from luigi.configuration import get_config\n"
        "get_config().set('source', 'url', 'synthetic://?rows=3000')\n"
        "get_config().set('tuning', 'trials', '2')\n"
        "assert taxi_pipeline.RegisterModel(year=2021, month=1).complete()\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=command.folder,
        timeout=60,
    )
    assert answer.stdout.strip() == "[]"
