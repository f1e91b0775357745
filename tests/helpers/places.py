"""Where the tests find the checkout, and the published files that are no part of it."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TLC = Path(os.environ.get("TAXI_TLC_DIR") or REPOSITORY.parent / "shared" / "tlc")
