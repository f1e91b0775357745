"""Say in a few lines what the demo made, and how to look at it."""

import json
import sys
from pathlib import Path

receipts = sorted(Path(sys.argv[1]).glob("*/receipt.json"), key=lambda path: path.stat().st_mtime)
if not receipts:
    sys.exit(f"no receipt under {sys.argv[1]}: the run above says what failed")
receipt = json.loads(receipts[-1].read_text())
root = Path(sys.argv[1]).parents[3]  # of register/<taxi>/<month>/<variant>
model, baselines = receipt["metrics"], receipt["baselines"]
known = {
    "zone_pair": "mean by pair of zones",
    "linear": "least squares on zones",
    "mean": "mean of all trips",
}
rows = [("the model", model)]
rows += [(text, baselines[name]) for name, text in known.items() if name in baselines]
lines = "\n".join(f"  {text:24}{row['rmse']:8.3f}{row['mae']:8.3f}" for text, row in rows)
name = f"{receipt['model']}@{receipt['aliases'][-1]}"
print(f"""
{receipt["model"]} version {receipt["version"]} is {" and ".join(receipt["aliases"])}.

On {receipt["evaluation_month"]}, which took no part in making it (minutes):
                              RMSE     MAE
{lines}

Look at it:
  its report           {root / receipt["report"]} (a page for a browser)
  what there is        .venv/bin/taxi-pipeline status --storage-root {root} \\
                         --source-url 'synthetic://?rows=20000' --tuning-trials 4
  its MLflow page      .venv/bin/mlflow ui --backend-store-uri {receipt["tracking_uri"]}
  predict with it      mlflow.set_tracking_uri("{receipt["tracking_uri"]}")
                       mlflow.pyfunc.load_model("models:/{name}").predict(rows)
  real records         .venv/bin/taxi-pipeline run RegisterModel \\
                         --year 2021 --month 1 --local-scheduler""")
