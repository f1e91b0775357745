"""A storage root with outputs as an attacker would make them, beside what must not be shown."""

import json

MONTH = "evaluate/green/2021-01"
OUTPUT = f"{MONTH}/0123456789abcdef"
ATTACK = "document.title='executed'; fetch('/api/pause'); window.executed = 1"

MANIFEST = {
    "label": "EvaluateModel green 2021-01",
    "summary": "RMSE 5.1",
    "key": "0123456789abcdef",
    "identity": {"inputs": {}, "config": {}},
    "code": {"commit": None},
    "log": f"{MONTH}/logs/1.log",
}
REPORT = (
    "<!doctype html><title>Report</title><style>h1 { color: rgb(1, 2, 3) }</style>"
    "<h1 style='font-size: 33px'>Report</h1>"
    "<svg width='9' height='9'><rect width='9' height='9'/></svg>"
    "<img src='data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 width=%227%22 "
    "height=%227%22/%3E'>"
)
FILES = {
    "manifest.json": json.dumps(MANIFEST),
    "report.html": REPORT,
    "evil.html": f'<title>harmless</title><script>{ATTACK}</script><img src=x onerror="{ATTACK}">'
    "<form action='/api/pause'><button>a</button></form><a href='/api/pause'>click</a>"
    "<meta http-equiv=refresh content='0;url=/api/pause'><iframe src='/api/pause'></iframe>",
    "evil.svg": "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>"
    f"<script>{ATTACK}</script><rect width='9' height='9' onload=\"{ATTACK}\"/></svg>",
    "state.db": "SECRET",
    "options.cfg": "SECRET",
    "script.js": ATTACK,
    ".env": "SECRET",
}
SECRETS = (
    *("luigi.cfg", "luigid.log", "luigid/state.pickle", "luigid/history.db", "luigid/lock", ".env"),
    *("mlflow/mlflow.db", "mlflow/artifacts/1/model.json", "data/mlflow/mlflow.db", "notes.json"),
    *(f"{OUTPUT}/state.db", f"{OUTPUT}/options.cfg", f"{OUTPUT}/script.js", f"{OUTPUT}/.env"),
    *(f"{OUTPUT}/outside.json", f"{OUTPUT}/outside/secret.json", f"{OUTPUT}/database.json"),
    *("tasks/green/secret.json", "champions/secret.json", "champions/model/secret.json"),
)
"""Files that hold SECRET, but for those of the scheduler itself."""


def make(folder):
    """Make a root of outputs in a folder that holds all else as well."""
    elsewhere = folder.parent / f"{folder.name}-elsewhere"
    elsewhere.mkdir()
    (elsewhere / "secret.json").write_text("SECRET")
    output = folder / OUTPUT
    for name, text in FILES.items():
        output.mkdir(parents=True, exist_ok=True)
        (output / name).write_text(text)
    for location in SECRETS:
        file = folder / location
        if not location.startswith(("luigi", OUTPUT)):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("SECRET")
    (folder / "luigi.cfg").write_text("[smtp]\npassword = SECRET\n")
    logs = folder / MONTH / "logs"
    logs.mkdir()
    (logs / "1.log").write_text("first line\n")
    (output / "outside.json").symlink_to(elsewhere / "secret.json")
    (output / "outside").symlink_to(elsewhere)
    (output / "database.json").symlink_to(folder / "mlflow" / "mlflow.db")
    (folder / MONTH / "latest").symlink_to("0123456789abcdef")
    return folder
