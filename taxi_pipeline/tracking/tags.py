"""The tags by which what the pipeline made is found in MLflow."""

from __future__ import annotations

KEY_TAG = "candidate_key"
"""The tag that finds a candidate's run and version again."""

MONTH_TAG = "training_month"
"""The tag that holds the last month of a candidate's training window."""

DECISION_TAG = "decision"
"""The tag of a version that says why it is champion or not, as of when that was last decided."""
