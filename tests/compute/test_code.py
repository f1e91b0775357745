"""Which code of the package a process runs."""

import shutil

from places import REPOSITORY
from processes import python

ASK = "from taxi_pipeline.compute import code; print(code.digest())"


def test_the_digest_is_that_of_the_modules_wherever_they_lie(tmp_path):
    package = tmp_path / "taxi_pipeline"
    shutil.copytree(REPOSITORY / "taxi_pipeline", package)
    (package / "notes.txt").write_text("no module")
    original = python(REPOSITORY, "-c", ASK, path=[REPOSITORY]).stdout
    copied = python(tmp_path, "-c", ASK, path=[tmp_path]).stdout
    assert len(original.strip()) == 12
    assert copied == original
    changed = package / "model" / "zones.py"
    changed.write_text(changed.read_text() + "\n")
    assert python(tmp_path, "-c", ASK, path=[tmp_path]).stdout != original


def test_a_process_answers_with_what_it_imported(tmp_path):
    shutil.copytree(REPOSITORY / "taxi_pipeline", tmp_path / "taxi_pipeline")
    change = (
        "from pathlib import Path; from taxi_pipeline.compute import code\n"
        "before = code.digest()\n"
        "Path('taxi_pipeline/later.py').touch()\n"
        "print(code.digest() == before)"
    )
    answer = python(tmp_path, "-c", change, path=[tmp_path])
    assert answer.stdout.strip() == "True", answer.stderr
