"""The service: `uvicorn service:app`. It needs numpy, FastAPI, and skdistill's files.

`MODEL=teacher uvicorn service:app` answers `/predict` by the teacher, as before.
"""

import json
import os
import pickle
from pathlib import Path

import numpy as np
from fastapi import FastAPI, HTTPException

SHIPPED = Path("shipped")
N_TOGETHER = 100  # rows that the monitor counts at once


class Watched:
    """The student and its monitor, which counts rows in blocks."""

    def __init__(self):
        # Only load pickles of your own.
        self.model = pickle.loads((SHIPPED / "student.pickle").read_bytes())
        self.monitor = pickle.loads((SHIPPED / "monitor.pickle").read_bytes())
        self.columns = list(self.model.feature_names_in_)
        self.classes = self.model.classes_.tolist()
        self.rows, self.outputs, self.to_audit = [], [], []

    def answer(self, measures):
        """Return the probabilities of a row, and remember it."""
        output = self.model(measures)
        self.rows.append([measures[name] for name in self.columns])
        self.outputs.append(output)
        if len(self.rows) >= N_TOGETHER:
            self.count()
        return output

    def count(self):
        """Pass the remembered rows to the monitor; some are to be audited."""
        if self.rows:
            X = np.array(self.rows, dtype=float)
            self.monitor.update(X, np.array(self.outputs))
            self.to_audit += X[self.monitor.to_audit(X)].tolist()
            self.rows, self.outputs = [], []


class Teacher:
    """The forest, for the comparison."""

    def __init__(self):
        import joblib
        import pandas as pd

        forest = joblib.load("teacher.joblib")
        self.columns = list(forest.feature_names_in_)
        self.classes = forest.classes_.tolist()
        self.predict_proba, self.frame_of = forest.predict_proba, pd.DataFrame

    def answer(self, measures):
        """Return the probabilities of a row."""
        return self.predict_proba(self.frame_of([measures], columns=self.columns))[0]


answering = Teacher() if os.environ.get("MODEL") == "teacher" else Watched()
app = FastAPI()


# The functions are asynchronous because an answer takes microseconds: handing it to a
# thread would take longer, and rows are counted one after the other.
@app.post("/predict")
async def predict(measures: dict[str, float | None]) -> dict[str, float]:
    """Return the probability of each diagnosis. `null` is a missing measure."""
    if measures.keys() != set(answering.columns):
        wrong = sorted(measures.keys() ^ set(answering.columns))
        raise HTTPException(422, f"missing or unknown measures: {', '.join(wrong)}")
    output = answering.answer(measures)
    return dict(zip(answering.classes, map(float, output), strict=True))


@app.get("/certificate")
async def certificate() -> dict:
    """Return what was promised when the student was shipped."""
    return json.loads((SHIPPED / "certificate.json").read_text())


@app.get("/status")
async def status() -> dict:
    """Return what the monitor has seen: rows, audits, alarms and evidence."""
    answering.count()
    return json.loads(answering.monitor.status().to_json())


@app.get("/audits")
async def rows_to_audit() -> dict:
    """Return the rows that the teacher is to answer, each once."""
    answering.count()
    rows, answering.to_audit = answering.to_audit, []
    return {"columns": answering.columns, "rows": rows}


@app.post("/audits")
async def record_audits(audits: dict[str, list]) -> dict:
    """Record the teacher's labels of rows that were to be audited."""
    rows = np.array(audits["rows"], dtype=float)
    answering.monitor.record_audit(rows, np.array(audits["labels"]))
    return {"audits": answering.monitor.n_audits_}
