"""What pip-audit's answer says: exit code 0 without findings, 1 with some, 3 for no answer."""

import json
import sys
from pathlib import Path


def main(database: str, file: Path) -> int:
    """Print the findings of an answer, or how much was asked about."""
    try:
        packages = json.loads(file.read_text())["dependencies"]
    except (OSError, ValueError):
        return 3
    asked = [package for package in packages if "skip_reason" not in package]
    if not asked:
        return 3
    found = [(package, entry) for package in asked for entry in package["vulns"]]
    for package, entry in found:
        mended = ", ".join(entry["fix_versions"]) or "no version yet"
        print(f"audit: {package['name']} {package['version']}: {entry['id']}, mended in {mended}")
    print(f"audit: {len(found)} known in {len(asked)} of {len(packages)} packages ({database})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
