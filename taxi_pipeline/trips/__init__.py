"""How trips arrive and become clean.

This room holds the URL of a month's file, its download, the check of the downloaded file and the
contract of its month, the canonical form of a trip, the reading of rows of any types, cleaning, the
report on quality, and a synthetic city. These are plain functions over files and Arrow tables: they
know nothing of Luigi, of MLflow or of the configuration, and the texts of their errors name
arguments in backticks, which the caller turns into options. Where files are kept belongs to
`storage`, and what a model learns from trips to `model`.
"""

TAXIS = ("green", "yellow")
