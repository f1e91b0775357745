"""Files of this machine."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st
from outputs import CONTENTS

from taxi_pipeline import storage
from taxi_pipeline.errors import DamagedOutput
from taxi_pipeline.storage import describe_files, sha256
from taxi_pipeline.storage.files import parse_json


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


def test_json_is_written_for_people_in_the_order_given_with_a_checksum():
    written = storage.to_json({"b": 1, "a": [2]})
    assert written.startswith('{\n  "b": 1,\n  "a": [\n    2\n  ],\n  "checksum": "')
    assert parse_json(written.encode(), "file.json") == {"b": 1, "a": [2]}


@given(st.data(), st.dictionaries(st.text(), st.integers() | st.text(), min_size=1))
def test_json_of_which_a_character_changed_is_not_read_as_something_else(data, content):
    written = storage.to_json(content)
    place = data.draw(st.integers(0, len(written) - 1))
    changed = written[:place] + data.draw(st.characters(codec="ascii")) + written[place + 1 :]
    try:
        read = parse_json(changed.encode(), "file.json")
    except DamagedOutput:
        return
    # Where the name of the checksum changed, there is an entry that nobody asks for.
    assert {name: read.get(name) for name in content} == content
