"""The central scheduler as a service: who may ask it, what it believes, keeps and shows.

The web application with Luigi's pages and those of what tasks made, the checks of what clients
tell, the state and the metrics. The client's side of the scheduler belongs in ``runtime``, and the
command that starts the service in ``cli``.
"""
