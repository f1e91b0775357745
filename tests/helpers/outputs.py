"""Outputs in a storage, without the tasks that make them."""

import hashlib
import threading

import fsspec

from taxi_pipeline.storage import MANIFEST, describe_files, to_json

HOME = "transform/green/2021-01"
KEY = "0123456789abcdef"
PLACE = f"{HOME}/{KEY}"
CONTENTS = {"trips.parquet": b"PAR1", "model/booster.json": b"{}", "zzz.txt": b""}


def fill(folder, contents=CONTENTS, **facts):
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    facts = {"key": KEY, **facts, "files": describe_files(folder)}
    (folder / MANIFEST).write_text(to_json(facts))


def publish(kept, contents=CONTENTS, place=PLACE, **facts):
    with kept.staging() as folder:
        fill(folder, contents, **facts)
        kept.publish(folder, place)
    return folder


def assert_whole(output):
    for name, known in output.manifest()["files"].items():
        content = output.file(name).read_bytes()
        assert known == {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }


def everything(kept):
    """All files under a root."""
    files, folder = fsspec.core.url_to_fs(kept.root)
    return files.find(folder)


def at_once(*actions):
    """Run actions in threads that start together, and raise what any of them raised."""
    barrier, failures = threading.Barrier(len(actions)), []

    def run(action):
        barrier.wait(10)
        try:
            action()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert failures == []


def content_digests(folder):
    """The sha256 of each file below a folder, by its relative path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
