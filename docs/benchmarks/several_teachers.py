"""Are several teachers better than the best of them, and which weights should they have?

    python docs/benchmarks/several_teachers.py --data FOLDER

Teachers of different kind, fitted on the same rows, and teachers of one kind that know different parts of a table.
Weights are found on rows that neither the teachers nor the students are fitted on and that are no test rows. Writes
several_teachers.jsonl (resumable) and several_teachers.md beside this file.
"""

from time import process_time

import numpy as np
from results import markdown_table, run
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from tables import encoder, load, outputs, skill, split, svm_teacher, vote_teacher

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.metrics import fidelity
from skdistill.samplers import LeafSwap
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor

TABLES = ("california", "wine_quality_white", "puma8nh", "ailerons", "heloc", "credit_default")
SEED, N_TRAIN, N_VALIDATION, N_TEST = 0, 2000, 800, 3000
WEIGHTS = {"equal": None, "loss": "loss", "region": "region"}
OF_KINDS, OF_PARTS = "three kinds", "three parts"


def forest(task, trees=100):
    kind = RandomForestClassifier if task == "classification" else RandomForestRegressor
    return make_pipeline(encoder(False), kind(trees, min_samples_leaf=2, random_state=SEED))


def teachers_of_kinds(task, X, y):
    """Return a forest, a support vector machine and a network, fitted on the same rows."""
    network = dict(vote_teacher(task, SEED).estimators)["network"]
    return {
        "forest": forest(task).fit(X, y),
        "SVM": svm_teacher(task, SEED).fit(X, y),
        "network": network.fit(X, y),
    }


def teachers_of_parts(task, X, y):
    """Return three forests, each fitted on the rows of one third of a column of numbers."""
    columns = [name for name in X.select_dtypes("number") if len(np.unique(X[name].quantile([1 / 3, 2 / 3]))) == 2]
    column = X[columns].var().div(X[columns].mean().abs() + 1).idxmax() if columns else X.columns[0]
    third = np.searchsorted(X[column].quantile([1 / 3, 2 / 3]), X[column].fillna(X[column].median()))
    return {f"part {part + 1}": forest(task).fit(X[third == part], y[third == part]) for part in range(3)}


def students(task):
    kind = CompactBoostingClassifier if task == "classification" else CompactBoostingRegressor
    return kind(40, max_leaf_nodes=16, random_state=SEED)


def measure(results, folder):
    for name in TABLES:
        X, y, task = load(folder, name)
        X_train, X_rest, X_test, y_train, y_rest, y_test = split(X, y, SEED, min(N_TRAIN, int(0.3 * len(X))))
        X_test, y_test = X_test[:N_TEST], y_test[:N_TEST]
        distilled = DistilledClassifier if task == "classification" else DistilledRegressor
        for case, make in ((OF_KINDS, teachers_of_kinds), (OF_PARTS, teachers_of_parts)):
            if results.has(table=name, case=case, way="region"):
                continue
            teachers = make(task, X_train, y_train)
            first = next(iter(teachers.values()))

            def add(way, model, started, *, of_weights=None, table=name, case=case, first=first):
                asked, given = model.soft_targets(X_test), outputs(model, X_test)
                results.add(
                    table=table, case=case, way=way, of_teacher=skill(first, y_test, asked),
                    skill=skill(first, y_test, given), fidelity=fidelity(asked, given),
                    seconds=process_time() - started, weights=of_weights,
                )  # fmt: skip

            for alone, teacher in teachers.items():
                started = process_time()
                model = distilled(teacher, students(task), sampler=LeafSwap(), n_synthetic=3.0, random_state=SEED)
                add(alone, model.fit(X_train), started)
            for way, weights in WEIGHTS.items():
                started = process_time()
                model = distilled(
                    list(teachers.items()), students(task), teacher_weights=weights,
                    sampler=LeafSwap(), n_synthetic=3.0, random_state=SEED,
                ).fit(X_train, X_val=X_rest[:N_VALIDATION], y_val=y_rest[:N_VALIDATION])  # fmt: skip
                add(way, model, started, of_weights=model.teacher_weights_.tolist())
                if way == "equal" and case == OF_KINDS:
                    started, differ = process_time(), model.teacher_disagreement_
                    less = model.fit(X_train, sample_weight=1 / (1 + differ / differ.mean()))
                    add("equal, less where they differ", less, started)


def page(results):
    parts = [
        f"At most {N_TRAIN:,} training rows, {N_VALIDATION} others with true labels for the weights, {N_TEST:,} test rows, "
        "one seed. The student is boosting with 40 x 16, with three rows of leaf swap per training row. Skill is the "
        "Brier skill or R² on true labels of test rows. Equal weights are exactly scikit-learn's soft "
        "`VotingClassifier` or `VotingRegressor` of the same models."
    ]
    for case, text in (
        (OF_KINDS, "A forest, an RBF SVM and a network, fitted on the same rows."),
        (
            OF_PARTS,
            "Three forests, each fitted only on the rows of one third of a column of numbers, as models of three "
            "branches or countries are.",
        ),
    ):
        ways = list(dict.fromkeys(row["way"] for row in results.rows if row["case"] == case))
        parts.append(f"## {case.capitalize()}\n\n{text}")
        for value, title in (("of_teacher", "Skill of the teacher"), ("skill", "Skill of the student")):
            shown = [way for way in ways if value == "skill" or "," not in way]
            rows = [
                [table, *(f"{results.mean(value, table=table, case=case, way=way):.4f}" for way in shown)]
                for table in results.names("table")
            ]
            rows.append(["**mean**", *(f"{results.mean(value, case=case, way=way):.4f}" for way in shown)])
            if value == "skill":
                rows.append(
                    ["fidelity, mean", *(f"{results.mean('fidelity', case=case, way=way):.4f}" for way in shown)]
                )
                rows.append(
                    ["fit, CPU s, mean", *(f"{results.mean('seconds', case=case, way=way):.1f}" for way in shown)]
                )
            parts.append(f"{title}:\n\n{markdown_table(['', *shown], rows)}")
        rows = [
            [table, *(_weights(results, table, case, way) for way in ("loss", "region"))]
            for table in results.names("table")
        ]
        parts.append(f"Weights ({'; '.join(ways[:3])}):\n\n{markdown_table(['', 'loss', 'region, mean'], rows)}")
    return "\n\n".join(parts)


def _weights(results, table, case, way):
    found = [row["weights"] for row in results.rows if (row["table"], row["case"], row["way"]) == (table, case, way)]
    return " / ".join(f"{weight:.2f}" for weight in found[0]) if found else "–"


if __name__ == "__main__":
    run(__file__, "Several teachers", __doc__, measure, page)
