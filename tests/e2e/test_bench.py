"""All benchmarks by one command: what each measured is in one file and one picture."""

import json
import subprocess
import sys

from places import REPOSITORY


def bench(folder, *arguments):
    command = [sys.executable, str(REPOSITORY / "scripts" / "bench"), "--out", str(folder)]
    command += arguments
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)


def test_the_figures_of_a_benchmark_are_in_one_file_with_its_ratios_and_a_picture(tmp_path):
    ran = bench(tmp_path, "--only", "scheduler", "main_job")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "main_job: left out, it needs published files (--tlc FOLDER)" in ran.stdout
    found = json.loads((tmp_path / "bench.json").read_text())
    assert found["about"]["thorough"] is False
    assert list(found) == ["about", "scheduler"]
    (ratio,) = found["scheduler"]["ratios"].values()
    assert ratio > 0
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")


def test_a_benchmark_that_fails_is_named_and_the_exit_code_says_so(tmp_path):
    ran = bench(tmp_path, "--only", "main_job", "--tlc", str(tmp_path / "nowhere"))
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[-1] == "failed: main_job"
