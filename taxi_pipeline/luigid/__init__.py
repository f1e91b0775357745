"""The central scheduler as a service: its application, and pages of what tasks made.

The client's side of the scheduler belongs in ``runtime``.
"""
