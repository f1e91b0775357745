"""How parameters are found: the search, its trials and their journal, proposals and plots.

Pure functions over arrays and DataFrames. This room knows nothing of Luigi, of MLflow or of the
configuration.
"""
