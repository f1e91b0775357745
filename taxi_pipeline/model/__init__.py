"""How features are encoded, tuned, trained, measured, served. Knows no Luigi and no MLflow."""

FEATURES_VERSION = 2
"""Raised when a feature changes its meaning.

It stands here because it is read where nothing that takes long may be imported.
"""
