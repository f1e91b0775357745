"""Where work runs: the cores of this machine and how tasks share them, or a Dask cluster.

What is fitted belongs in ``model`` and ``tuning``; which tasks run at a time, in ``runtime``.
"""
