"""Everything that talks to MLflow, which holds a copy of what stands under the storage root.

A file for each thing that MLflow knows: the server (``server``), runs of candidates, versions of
registered models, aliases, and searches; beside them what is copied (``records``) and what a
registered model consists of (``packaging``). ``registration`` copies a candidate as a whole. Each
candidate is one run, one logged model and one model version. All are looked for by the candidate's
key before anything is made: copying again completes an interrupted copy, and never makes a second.

Whether a model deserves an alias is decided in :mod:`taxi_pipeline.evaluation.gate`, not here, and
what a candidate consists of in :mod:`taxi_pipeline.tasks.register`.
"""
