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
SEEDS, N_TRAIN, N_VALIDATION, N_TEST = (0, 1, 2), 2000, 800, 3000
WEIGHTS = {"loss": "loss", "region": "region", "equal": None}
LESS = "equal, less where they differ"
"""Equal weights; training rows weigh less where the teachers differ."""


def forest(task, seed):
    kind = RandomForestClassifier if task == "classification" else RandomForestRegressor
    return make_pipeline(encoder(False), kind(100, min_samples_leaf=2, random_state=seed))


def teachers_of_kinds(task, X, y, seed):
    """Return a forest, a support vector machine and a network, fitted on the same rows."""
    network = dict(vote_teacher(task, seed).estimators)["network"]
    return {
        "forest": forest(task, seed).fit(X, y),
        "SVM": svm_teacher(task, seed).fit(X, y),
        "network": network.fit(X, y),
    }


def teachers_of_parts(task, X, y, seed):
    """Return three forests, each fitted on the rows of one third of a column of numbers."""
    columns = [name for name in X.select_dtypes("number") if len(np.unique(X[name].quantile([1 / 3, 2 / 3]))) == 2]
    column = X[columns].var().div(X[columns].mean().abs() + 1).idxmax()
    third = np.searchsorted(X[column].quantile([1 / 3, 2 / 3]), X[column].fillna(X[column].median()))
    return {f"part {part + 1}": forest(task, seed).fit(X[third == part], y[third == part]) for part in range(3)}


def ways(teachers, given, asked_for_weights):
    """Yield the name of each way, its teacher and weights, and the arguments of ``fit``."""
    for name, teacher in teachers.items():
        yield name, teacher, None, {}
    for name, weights in WEIGHTS.items():
        yield name, list(teachers.items()), weights, asked_for_weights if weights else {}
    differ = given["teacher_disagreement"]  # of the fit before
    yield LESS, list(teachers.items()), None, {"sample_weight": 1 / (1 + differ / differ.mean())}


def measure(results, folder):
    for name in TABLES:
        X, y, task = load(folder, name)
        distilled = DistilledClassifier if task == "classification" else DistilledRegressor
        student = CompactBoostingClassifier if task == "classification" else CompactBoostingRegressor
        for seed in SEEDS:
            X_train, X_rest, X_test, y_train, y_rest, y_test = split(X, y, seed, min(N_TRAIN, int(0.3 * len(X))))
            X_test, y_test = X_test[:N_TEST], y_test[:N_TEST]
            unseen = {"X_val": X_rest[:N_VALIDATION], "y_val": y_rest[:N_VALIDATION]}
            for case, make in CASES.items():
                if results.has(table=name, seed=seed, case=case, way=LESS):
                    continue
                teachers, known = make(task, X_train, y_train, seed), {}
                for way, teacher, weights, arguments in ways(teachers, known, unseen):
                    started = process_time()
                    model = distilled(
                        teacher, student(40, max_leaf_nodes=16, random_state=seed), teacher_weights=weights,
                        sampler=LeafSwap(), n_synthetic=3.0, random_state=seed,
                    ).fit(X_train, **arguments)  # fmt: skip
                    seconds = process_time() - started
                    known["teacher_disagreement"] = getattr(model, "teacher_disagreement_", None)
                    first = next(iter(teachers.values()))
                    asked, given = model.soft_targets(X_test), outputs(model, X_test)
                    results.add(
                        table=name, seed=seed, case=case, way=way, of_teacher=skill(first, y_test, asked),
                        skill=skill(first, y_test, given), fidelity=fidelity(asked, given), seconds=seconds,
                        weights=getattr(model, "teacher_weights_", np.zeros(0)).tolist(),
                    )  # fmt: skip


CASES = {"three kinds": teachers_of_kinds, "three parts": teachers_of_parts}
TEXTS = {
    "three kinds": "A forest, an RBF SVM and a network, fitted on the same rows.",
    "three parts": (
        "Three forests, each fitted only on the rows of one third of a column of numbers, as models of three branches "
        "or countries are."
    ),
}


def page(results):
    parts = [
        f"At most {N_TRAIN:,} training rows, {N_VALIDATION} others with true labels for the weights, {N_TEST:,} test "
        f"rows, means of {len(results.names('seed'))} seeds. The student is boosting with 40 x 16, with three rows of "
        "leaf swap per training row. Skill is the Brier skill or R² on true labels of test rows. Equal weights are "
        "exactly scikit-learn's soft `VotingClassifier` or `VotingRegressor` of the same models. *Less where they "
        "differ*: equal weights, and each training row is divided by 1 plus its `teacher_disagreement_` over the mean."
    ]
    for case, text in TEXTS.items():
        names = list(dict.fromkeys(row["way"] for row in results.rows if row["case"] == case))
        parts.append(f"## {case.capitalize()}\n\n{text}")
        for value, title in (("of_teacher", "Skill of the teacher"), ("skill", "Skill of the student")):
            shown = [way for way in names if value == "skill" or way != LESS]
            measured = [("**mean**", value, 4)]
            measured += [("fidelity, mean", "fidelity", 4), ("fit, CPU s, mean", "seconds", 1)] * (value == "skill")
            rows = [
                [table, *(f"{results.mean(value, table=table, case=case, way=way):.4f}" for way in shown)]
                for table in results.names("table")
            ]
            rows += [
                [label, *(f"{results.mean(of, case=case, way=way):.{digits}f}" for way in shown)]
                for label, of, digits in measured
            ]
            parts.append(f"{title}:\n\n{markdown_table(['', *shown], rows)}")
        rows = [
            [table, *(_weights(results, table, case, way) for way in ("loss", "region"))]
            for table in results.names("table")
        ]
        parts.append(
            f"Mean weights of {', '.join(names[:3])} (with *region*, of the training rows):\n\n"
            f"{markdown_table(['', 'loss', 'region'], rows)}"
        )
    return "\n\n".join(parts)


def _weights(results, table, case, way):
    key = (table, case, way)
    found = [row["weights"] for row in results.rows if (row["table"], row["case"], row["way"]) == key]
    return " / ".join(f"{weight:.2f}" for weight in np.mean(found, axis=0))


if __name__ == "__main__":
    run(__file__, "Several teachers", __doc__, measure, page)
