"""Train the teacher, distil, certify: `python train.py` writes the folder `shipped`.

Three parts of the table are kept apart: rows that the teacher is trained on, rows that
the student is certified with, and rows that only the load test sends.
"""

import pickle
import sqlite3
from pathlib import Path

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

import skdistill
from skdistill import DistilledClassifier, Monitor, certify

N_TRAIN, N_CERTIFY, PROMISE = 250, 200, 0.9
SHIPPED = Path("shipped")


def read_table():
    """Return measures and diagnoses, in a random order of the rows."""
    connection = sqlite3.connect("clinic.db")
    table = pd.read_sql("SELECT * FROM nuclei", connection, index_col="id")
    connection.close()
    table = table.sample(frac=1, random_state=0)
    return table.drop(columns="diagnosis"), table["diagnosis"]


def main():
    X, y = read_table()
    X_train, y_train = X[:N_TRAIN], y[:N_TRAIN]
    X_new, y_new = (part[N_TRAIN : N_TRAIN + N_CERTIFY] for part in (X, y))
    X_later = X[N_TRAIN + N_CERTIFY :]

    forest = RandomForestClassifier(300, random_state=0).fit(X_train, y_train)
    model = DistilledClassifier(forest, "boosting", random_state=0).fit(X_train)

    # The promise was written down before the rows were looked at.
    certificate = certify(model, X_new, y_new, promise=PROMISE)
    print(f"fidelity: {model.fidelity(X_new):.3f}")
    print(certificate.find("agreement"))
    print(f"the promise of {PROMISE} is {certificate.verdict}")
    if certificate.verdict != "met":
        raise SystemExit("The student is not shipped.")

    monitor = Monitor(model, certificate, X_reference=X_new, audit_share=0.05)
    SHIPPED.mkdir(exist_ok=True)
    student = pickle.dumps(skdistill.compile(model))
    (SHIPPED / "student.pickle").write_bytes(student)
    (SHIPPED / "monitor.pickle").write_bytes(pickle.dumps(monitor))
    certificate.to_json(SHIPPED / "certificate.json")
    joblib.dump(forest, "teacher.joblib")  # stays here, for audits
    X_later.to_json("later.json", orient="records")
    print(f"teacher: {Path('teacher.joblib').stat().st_size / 1000:,.0f} kB")
    print(f"student: {len(student) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
