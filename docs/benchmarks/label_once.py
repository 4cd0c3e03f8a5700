"""What ``memory=`` saves: a grid of 8 student sizes under a 500-tree forest, with and without, in one run.

    python docs/benchmarks/label_once.py

Needs no data beyond scikit-learn's. Writes label_once.md beside this file.
"""

import tempfile
from pathlib import Path
from time import perf_counter

from results import markdown_table, write_page
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier

SIZES = {"student__max_leaf_nodes": [8, 16, 24, 32, 48, 64, 96, 128]}
CV = 3


class CountingForest(RandomForestClassifier):
    """A forest that counts the rows it labels and the seconds this takes."""

    rows = 0
    seconds = 0.0

    def predict_proba(self, X):
        started = perf_counter()
        answer = super().predict_proba(X)
        CountingForest.rows += len(X)
        CountingForest.seconds += perf_counter() - started
        return answer


def search(teacher, X, y, memory):
    CountingForest.rows, CountingForest.seconds = 0, 0.0
    model = DistilledClassifier(teacher, DecisionTreeRegressor(random_state=0), memory=memory, random_state=0)
    started = perf_counter()
    best = GridSearchCV(model, SIZES, cv=CV, scoring=lambda fitted, X, y: fitted.score(X, y)).fit(X, y)
    return perf_counter() - started, CountingForest.rows, CountingForest.seconds, best.best_score_


if __name__ == "__main__":
    X, y = load_digits(return_X_y=True)
    teacher = CountingForest(500, random_state=0).fit(X[:900], y[:900])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for label, memory in (("without memory", None), ("with memory, empty", folder), ("with memory, again", folder)):
            seconds, asked, asking, score = search(teacher, X[900:], y[900:], memory)
            rows.append([label, f"{seconds:.1f}", f"{asked:,}", f"{asking:.1f}", f"{score:.4f}"])
            print(rows[-1])
        megabytes = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
    header = [
        "8 sizes, 3 folds, refit: 25 fits",
        "seconds",
        "rows the forest labelled",
        "labelling, seconds",
        "best score",
    ]
    text = (
        f"{markdown_table(header, rows)}\n\nWith a full memory, the forest only labels the 16 rows by which each "
        "fit recognises the teacher, for real and for synthetic rows. The memory stores the drawn rows and the "
        f"outputs, which take {megabytes:.0f} MB here. The scores are equal: the memory only changes the time."
    )
    write_page(Path(__file__).parent / "label_once.md", "Label once", text, "python docs/benchmarks/label_once.py")
