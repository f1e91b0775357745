"""How a model is judged: metrics, baselines, slices, the gate and plots.

Pure functions over arrays and DataFrames. This room knows nothing of Luigi, of MLflow or of the
configuration.
"""
