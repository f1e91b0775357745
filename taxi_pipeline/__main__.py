"""``python -m taxi_pipeline`` is ``taxi-pipeline``, see :mod:`taxi_pipeline.cli`."""

import sys

from taxi_pipeline.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
