"""The built package works outside the checkout."""

from places import REPOSITORY
from processes import python


def run(wheel_site, folder, *command):
    return python(folder, *command, environment={"PYTHONPATH": str(wheel_site)}, timeout=120)


def test_it_writes_the_commented_configuration_into_the_current_folder(wheel_site, tmp_path):
    result = run(wheel_site, tmp_path, "-m", "taxi_pipeline", "write-config")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "luigi.cfg").read_text() == (REPOSITORY / "luigi.cfg").read_text()
    again = run(wheel_site, tmp_path, "-m", "taxi_pipeline", "write-config")
    assert again.returncode == 1
    assert "--force" in again.stderr


def test_it_runs_and_exits_as_documented_without_any_configuration(wheel_site, tmp_path):
    where = run(wheel_site, tmp_path, "-c", "import taxi_pipeline; print(taxi_pipeline.__file__)")
    assert where.stdout.startswith(str(wheel_site))
    luigi = ("-m", "luigi", "--module", "taxi_pipeline", "TransformTrips", "--local-scheduler")
    month = ("--year", "2021", "--month", "1", "--source-url", "synthetic://?rows=2000")
    assert run(wheel_site, tmp_path, *luigi, *month).returncode == 0
    assert list(tmp_path.glob("data/transform/green/2021-01/*/manifest.json"))
    failing = run(wheel_site, tmp_path, *luigi, *month, "--cleaning-min-miles", "300000")
    assert failing.returncode == 30
    assert "Traceback" not in failing.stderr


def test_it_holds_the_zones_of_the_city(wheel_site, tmp_path):
    ask = "from taxi_pipeline.trips.taxi_zones import taxi_zones; print(len(taxi_zones()))"
    result = run(wheel_site, tmp_path, "-c", ask)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "265\n"


def test_it_holds_what_the_schedulers_pages_show_besides(wheel_site, tmp_path):
    ask = (
        "from taxi_pipeline.luigid import visualiser\n"
        "print(sorted(file.name for file in visualiser.OWN.iterdir()))"
    )
    result = run(wheel_site, tmp_path, "-c", ask)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "['history.html', 'visualiser.js']\n"
