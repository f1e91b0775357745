"""How people learn what happens: console, logs, failures in words, alerts, links, summaries.

Nothing here decides what is computed, and no result depends on it.
"""
