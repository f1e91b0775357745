"""The cron line and the systemd units of the documentation do what it says of them."""

import configparser
import contextlib
import getpass
import os
import re
import shlex
import signal
import subprocess
import sys

import pytest
import servers
from places import REPOSITORY
from processes import run
from servers import wait_for

from taxi_pipeline.month import Month
from taxi_pipeline.trips.synthetic.month import write_month

PLACE = "/srv/taxi_pipeline"
# Minute, hour, day, month, and day of the week, where Sunday is 0 and 7.
FIELDS = (range(60), range(24), range(1, 32), range(1, 13), range(8))
CONFIGURATION = """
[core]
lock_pid_dir = {folder}/locks
{core}
[storage]
root = {folder}/results
[source]
url = {url}
[tuning]
trials = 1
max_rounds = 20
[luigid]
port = 0
"""


class Site:
    """A folder as the documentation wants it, in which its commands are run."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "results"
        (folder / ".venv").symlink_to(sys.prefix)

    def configure(self, url, core="local_scheduler = true"):
        written = CONFIGURATION.format(core=core, folder=self.folder, url=url)
        (self.folder / "luigi.cfg").write_text(written)

    @property
    def environment(self):
        """As cron gives it to a command."""
        return {
            "HOME": str(self.folder),
            "LOGNAME": getpass.getuser(),
            "PATH": "/usr/bin:/bin",
            "SHELL": "/bin/sh",
        }

    def run(self, command):
        return run(command, self.folder, environment=self.environment, timeout=100)

    @contextlib.contextmanager
    def started(self, command, log):
        """A command that goes on by itself; it does not outlive the block."""
        with log.open("w") as file:
            process = subprocess.Popen(
                command,
                stdout=file,
                stderr=file,
                cwd=self.folder,
                env=self.environment,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            # The shell's children too.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)

    @property
    def cron_command(self):
        return ["/bin/sh", "-c", cron_line()[1].replace(PLACE, str(self.folder))]

    def cron(self):
        """The exit code of the cron line, and what cron would mail."""
        result = self.run(self.cron_command)
        return result.returncode, result.stdout + result.stderr

    def made(self):
        """When each output was made, by its manifest."""
        return {
            path.relative_to(self.root): path.stat().st_mtime_ns
            for path in self.root.glob("*/green/**/manifest.json")
        }


def places(made):
    """Stage and month of each output."""
    return sorted((path.parts[0], path.parts[2]) for path in made)


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


# --- cron -------------------------------------------------------------------------------------


def cron_line():
    """The five fields of the time, and the command, of the only line of the page's cron block."""
    page = (REPOSITORY / "docs" / "how-to" / "every_month.md").read_text()
    (line,) = re.findall(r"^```cron\n(.+)\n```$", page, re.MULTILINE)
    *fields, command = line.split(maxsplit=5)
    return fields, command


def test_the_time_of_the_cron_line_is_a_time_and_its_command_has_no_percent_sign():
    fields, command = cron_line()
    for field, known in zip(fields, FIELDS, strict=True):
        assert field in {"*", *map(str, known)}
    # cron would take it for the end of the line.
    assert "%" not in command


def test_each_run_by_cron_makes_what_is_new_and_says_nothing(site):
    stages = ("features", "ingest", "train", "transform", "tune")
    site.configure("synthetic://?rows=1500&last=2024-02")
    assert site.cron() == (20, "")
    first = site.made()
    assert places(first) == sorted(
        [(stage, month) for stage in stages for month in ("2024-01", "2024-02")]
        + [(stage, "2024-01") for stage in ("evaluate", "gate", "intervals", "register", "report")]
    )

    assert site.cron() == (20, "")
    assert site.made() == first

    site.configure("synthetic://?rows=1500&last=2024-03")
    assert site.cron() == (20, "")
    second = site.made()
    assert {path: second.pop(path) for path in first} == first
    assert places(second) == sorted(
        [(stage, "2024-03") for stage in stages]
        + [(stage, "2024-02") for stage in ("evaluate", "gate", "intervals", "register", "report")]
    )


def test_of_a_broken_month_cron_mails_the_reason_alone_and_the_others_are_made(site):
    for month in (Month(2024, 1), Month(2024, 2)):
        write_month(site.folder / f"green_{month}.parquet", "green", month, rows=1500, seed=0)
    (site.folder / "green_2024-03.parquet").write_bytes(b"PAR1 cut off")
    site.configure(f"file://{site.folder}/{{taxi}}_{{year}}-{{month:02d}}.parquet")
    code, mailed = site.cron()
    assert code == 30
    (line,) = mailed.splitlines()
    assert line.startswith("ERROR: IngestTrips: green 2024-03: ")
    assert "is truncated" in line
    assert ("register", "2024-01") in places(site.made())


def test_a_run_by_cron_while_another_is_at_work_says_that_and_no_more(site):
    site.configure("synthetic://?rows=1500&last=2024-02")
    log = site.folder / "first.log"
    with site.started(site.cron_command, log) as first:
        wait_for(site.made, first)
        code, mailed = site.cron()
        assert code == 10
        (line,) = mailed.splitlines()
        assert line.endswith(" already running")
        assert first.wait(60) == 20
    assert log.read_text() == ""


def test_of_a_wrong_value_cron_mails_one_line(site):
    site.configure("synthetic://?rows=1500", core="local_scheduler = true\n[gate]\nmin_gain = 2")
    code, mailed = site.cron()
    assert code == 40
    (line,) = mailed.splitlines()
    assert line.startswith("ERROR: [gate] min_gain is '2': ")


# --- systemd ----------------------------------------------------------------------------------


def unit(name):
    """The sections of a unit."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string((REPOSITORY / "docs" / "systemd" / name).read_text())
    return parser


def command(site, name):
    """What a service starts."""
    service = unit(name)["Service"]
    assert service["WorkingDirectory"] == PLACE
    return shlex.split(service["ExecStart"].replace(PLACE, str(site.folder)))


SUCCESS = {0, *map(int, unit("taxi-pipeline.service")["Service"]["SuccessExitStatus"].split())}


def test_a_service_that_could_not_make_a_month_has_failed(site):
    (site.folder / "green_2024-01.parquet").write_bytes(b"PAR1 cut off")
    site.configure(f"file://{site.folder}/{{taxi}}_{{year}}-{{month:02d}}.parquet")
    result = site.run(command(site, "taxi-pipeline.service"))
    assert result.returncode == 30, result.stderr
    assert result.returncode not in SUCCESS


def test_the_services_work_together_and_to_wait_for_a_month_is_success(site):
    site.configure("synthetic://?rows=1500&last=2024-02")
    log = site.folder / "luigid.log"
    with site.started(command(site, "luigid.service"), log) as process:
        found = wait_for(
            lambda: re.search(r"scheduler at http://127\.0\.0\.1:(\d+)", log.read_text()), process
        )
        port = f"default_scheduler_port = {found[1]}"
        site.configure("synthetic://?rows=1500&last=2024-02", core=port)
        result = site.run(command(site, "taxi-pipeline.service"))
    assert result.returncode == 20, result.stderr
    assert result.returncode in SUCCESS
    assert ("register", "2024-01") in places(site.made())
    # Names of servers stand in logs and in what the scheduler keeps.
    private = [site.folder / "luigid", *site.root.glob("**/logs/*.log")]
    assert len(private) > 1
    assert [path for path in private if path.stat().st_mode & 0o007] == []


def test_a_service_may_write_the_folders_that_it_writes_and_no_others():
    for name, folder in (("luigid.service", "luigid"), ("taxi-pipeline.service", "data")):
        service = unit(name)["Service"]
        assert service["ProtectSystem"] == "strict"
        assert service["ReadWritePaths"] == f"{PLACE}/{folder}"
        assert service["UMask"] == "0027"


@pytest.mark.parametrize("name", ["luigid.service", "taxi-pipeline.service"])
def test_systemd_finds_that_a_service_is_hardened(analyze, name):
    file = REPOSITORY / "docs" / "systemd" / name
    # Of 100; 92 without anything, and what must be allowed, such as the network, takes 17.
    result = analyze("security", "--offline=true", "--threshold=20", str(file))
    assert result.returncode == 0, result.stdout


def test_a_run_that_is_stopped_has_not_failed():
    assert 143 in SUCCESS


@pytest.fixture
def analyze():
    """What checks units, and tells when a timer is due."""
    program = servers.installed("systemd-analyze")
    return lambda *arguments: run([program, *arguments])


def test_systemd_finds_nothing_wrong_with_the_units(site, analyze):
    units = site.folder / "units"
    units.mkdir()
    for source in (REPOSITORY / "docs" / "systemd").iterdir():
        text = source.read_text().replace(PLACE, str(site.folder))
        # The user of the documentation need not be there.
        (units / source.name).write_text(text.replace("User=taxi\n", f"User={getpass.getuser()}\n"))
    result = analyze("verify", *map(str, sorted(units.iterdir())))
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_the_timer_is_due_each_day(analyze):
    result = analyze(
        "calendar", "--iterations=2", unit("taxi-pipeline.timer")["Timer"]["OnCalendar"]
    )
    assert result.returncode == 0, result.stderr
    days = re.findall(r"(\d{4}-\d\d-\d\d) 06:17:00", result.stdout.partition("Next elapse")[2])
    assert len(set(days)) == 2
