"""Files of this machine."""

import hashlib

from outputs import CONTENTS

from taxi_pipeline import storage
from taxi_pipeline.storage import describe_files, sha256


def test_a_files_sha256_is_that_of_its_content(tmp_path):
    file = tmp_path / "abc"
    file.write_bytes(b"abc")
    assert sha256(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_files_of_a_folder_are_described_by_their_relative_names(tmp_path):
    for name, content in CONTENTS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "empty").mkdir()
    assert describe_files(tmp_path) == {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in CONTENTS.items()
    }


def test_json_is_written_for_people_in_the_order_given():
    assert storage.to_json({"b": 1, "a": [2]}) == '{\n  "b": 1,\n  "a": [\n    2\n  ]\n}\n'
