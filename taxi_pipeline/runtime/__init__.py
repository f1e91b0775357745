"""How Luigi runs the tasks: its worker and schedulers, and plans of what a run would do.

What a task is, and what it depends on, belongs in ``tasks``.
"""
