"""Where fits run: the cores of this machine and how tasks share them.

What is fitted belongs in ``model`` and ``tuning``; which tasks run at a time, in ``runtime``.
"""
