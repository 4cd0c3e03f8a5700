"""What ``target_compressor=`` saves and costs, for many classes and for many outputs.

    python docs/benchmarks/compressor.py

Needs no data beyond scikit-learn's generators: 26 classes on 16 small integers, like the letters of UCI's letter
recognition, and 100 regression outputs that are curves of five hidden factors. Writes compressor.md beside this file.
"""

from pathlib import Path
from time import perf_counter

import numpy as np
from results import markdown_table, number, write_page
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor, RandomForestClassifier
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.metrics import agreement, latency, pickled_bytes
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor


def letters():
    X, y = make_classification(
        10_000, 16, n_informative=14, n_redundant=2, n_classes=26, n_clusters_per_class=2, class_sep=2.5, random_state=0
    )
    low, high = np.quantile(X, [0.001, 0.999], axis=0)
    return np.clip(np.round(15 * (X - low) / (high - low)), 0, 15).astype(np.int64), np.array(
        list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    )[y]


def curves():
    rng = np.random.RandomState(0)
    X = rng.uniform(-1, 1, size=(5000, 8))
    factors = np.column_stack(
        [X[:, 0] * X[:, 1], np.sin(3 * X[:, 2]), X[:, 3] ** 2, X[:, 4], np.abs(X[:, 5] + X[:, 6])]
    )
    waves = np.array([np.sin(np.linspace(0, 3 * (k + 1), 100) + k) for k in range(5)])
    return X, factors @ waves + 0.05 * rng.normal(size=(5000, 100))


def compare(distilled, teacher, student_of, X, y, sizes):
    X_train, X_test, y_train, _ = train_test_split(X, y, test_size=0.4, random_state=0)
    teacher.fit(X_train, y_train)
    rows = []
    for n_components in sizes:
        compressor = None if n_components is None else PCA(n_components, random_state=0)
        model = distilled(
            teacher, student_of(compressor), target_compressor=compressor, n_synthetic=3.0, random_state=0
        )
        started = perf_counter()
        model.fit(X_train)
        seconds = perf_counter() - started
        student, ask = model.student_, getattr(model.student_, "predict_proba", model.student_.predict)
        same = agreement(teacher.predict(X_test), student.predict(X_test)) if y.ndim == 1 else float("nan")
        rows.append(
            [
                "none" if n_components is None else f"PCA({n_components})",
                number(model.fidelity(X_test)),
                number(same),
                number(seconds, 1),
                number(pickled_bytes(student) / 1000, 0),
                number(latency(ask, X_test[:1]), 0),
                number(latency(ask, X_test[:2000]), 1),
            ]
        )
        print(rows[-1])
    header = ["compressor", "fidelity", "agreement", "seconds", "kB", "µs, one row", "µs per row, batch"]
    return markdown_table(header, rows)


if __name__ == "__main__":
    of_letters = compare(
        DistilledClassifier,
        RandomForestClassifier(200, random_state=0, n_jobs=1),
        lambda code: CompactBoostingClassifier(40, 24) if code is None else CompactBoostingRegressor(40, 24),
        *letters(),
        [None, 20, 15, 10, 5],
    )
    of_curves = compare(
        DistilledRegressor,
        ExtraTreesRegressor(100, random_state=0),
        lambda code: CompactBoostingRegressor(40, 24),
        *curves(),
        [None, 10, 5, 3],
    )
    text = (
        "Student: compact boosting with 40 trees of 24 leaves for each class, output or component, and 3 synthetic "
        f"rows per real row. All scores are measured on unseen rows.\n\n"
        f"## 26 classes, a 200-tree forest\n\n{of_letters}\n\n"
        f"## 100 outputs, 100 extra trees\n\n{of_curves}"
    )
    write_page(
        Path(__file__).parent / "compressor.md", "Compressed targets", text, "python docs/benchmarks/compressor.py"
    )
