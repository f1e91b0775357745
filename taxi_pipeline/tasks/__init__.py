"""What depends on what: one Luigi task a file, named as its file, without data logic.

Packages that take long to import, and those that must not be loaded where Luigi forks its
workers, are imported by ``make``, which only a running task reaches.
"""
