"""Everything that talks to MLflow, which holds a copy of what stands under the storage root.

A file for each thing that MLflow knows: the server (``server``), runs of candidates, their logged
models, versions of registered models, aliases, and searches; beside them what is copied
(``records``) and what a registered model consists of (``packaging``). ``registration`` copies a
candidate as a whole, and ``verification`` tries it before an alias moves. Each candidate is one
run, one logged model and one model version. All are looked for by the candidate's key before
anything is made: copying again completes an interrupted copy, and never makes a second. What
people deleted is made again.

Everything goes through a client: the functions of MLflow that act on the process (active run,
experiment, tracking URI) belong to the user's own code, and are not called.

Whether a model deserves an alias is decided in :mod:`taxi_pipeline.evaluation.gate`, not here, and
what a candidate consists of in :mod:`taxi_pipeline.tasks.register`.
"""
