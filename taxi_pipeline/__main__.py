"""``python -m taxi_pipeline``: the commands beside Luigi's own, see :mod:`taxi_pipeline.cli`."""

import sys

from taxi_pipeline.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
