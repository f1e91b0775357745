"""The oldest versions that setup.cfg allows of what the package requires, as pip's constraints.

The versions of everything else are those of requirements.txt.
"""

import configparser
import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
BOUND = re.compile(r"(?P<name>[\w-]+)\s*>=(?P<version>[\d.]+)[^;]*(?P<marker>;.*)?")
FREE = {"mlflow-skinny", "mlflow-tracing", "multidict"}
"""Packages of which the oldest versions require others than the newest do."""


def main() -> None:
    """Print a line `name==version` for each package; raises ValueError where a bound is missing."""
    parser = configparser.ConfigParser()
    parser.read(CHECKOUT / "setup.cfg")
    oldest = {}
    for line in parser["options"]["install_requires"].splitlines():
        if not line or line.startswith("#"):
            continue
        bound = BOUND.fullmatch(line)
        if bound is None:
            raise ValueError(f"setup.cfg: {line!r} has no lower bound")
        name = bound["name"].replace("_", "-")
        oldest[name] = f"{name}=={bound['version']} {bound['marker'] or ''}".rstrip()
    for line in (CHECKOUT / "requirements.txt").read_text().splitlines():
        name = line.partition("==")[0]
        if re.match(r"\w", line) and name not in FREE:
            oldest.setdefault(name, line.removesuffix(" \\"))
    print(*oldest.values(), sep="\n")


if __name__ == "__main__":
    main()
