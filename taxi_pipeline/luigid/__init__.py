"""The central scheduler as a service: scheduler, application, files and pages of what tasks made.

The client's side of the scheduler belongs in ``runtime``, and the command that starts the service
in ``cli``.
"""
