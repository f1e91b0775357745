"""What a run that has nothing to do must not pay for, and a fork must not inherit."""

import pytest
from processes import python

HEAVY = ("pandas", "numpy", "pyarrow", "sklearn", "xgboost", "mlflow", "hyperopt", "fsspec")


@pytest.mark.parametrize("package", HEAVY)
def test_importing_the_package_imports_nothing_heavy(package, tmp_path):
    code = f"import taxi_pipeline, sys; sys.exit({package!r} in sys.modules)"
    answer = python(tmp_path, "-c", code)
    assert answer.returncode == 0, answer.stderr


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
    answer = python(command.folder, "-c", code)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "[]"


def test_a_run_without_a_cluster_imports_nothing_of_dask(tmp_path):
    code = (
        "import sys, luigi, taxi_pipeline\n"
        "from luigi.configuration import get_config\n"
        "get_config().set('source', 'url', 'synthetic://?rows=3000')\n"
        "get_config().set('tuning', 'trials', '1')\n"
        "task = taxi_pipeline.TrainModel(year=2021, month=1)\n"
        "assert luigi.build([task], local_scheduler=True)\n"
        "print([name for name in sys.modules if name.partition('.')[0] in ('dask', 'distributed')])"
    )
    answer = python(tmp_path, "-c", code, timeout=120)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "[]"
