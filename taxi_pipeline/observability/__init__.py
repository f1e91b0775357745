"""How people learn what happens: the console, logs of tasks, alerts, links, failures in words.

Nothing here decides what is computed, and nothing that is computed depends on it.
"""
