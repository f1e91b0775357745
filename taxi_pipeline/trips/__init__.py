"""How trips arrive and become clean. Knows nothing of Luigi or MLflow."""

TAXIS = ("green", "yellow")
