"""Five recipes for the same student: does distillation pay off, and with which recipe?

    python docs/benchmarks/recipes.py --data FOLDER

Writes recipes.jsonl (resumable, cell by cell) and recipes.md beside this file.
"""

from time import perf_counter

import numpy as np
import pandas as pd
from peers import AutoGluonSpunge, teach
from results import markdown_table, number, run
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tables import encoder, load, outputs, skill, split, vote_teacher

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.metrics import agreement, fidelity, latency, pickled_bytes, retention
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor
from skdistill.targets import one_hot

TABLES = ("adult", "california", "heloc", "pendigits")
SEEDS = (0, 1, 2)
RECIPES = {
    "no teacher": "true labels",
    "teacher's labels": "the teacher's outputs on the training rows (the recipe of imodels)",
    "true + perturbed": "true labels on the training rows, and the teacher's outputs on 5 perturbed rows per "
    "training row (the recipe of AutoGluon)",
    "skdistill": "the default of this package",
    "skdistill, half true": "the same with soft_weight=0.5",
}


def students(task):
    if task == "classification":
        return {
            "boosting 60 x 24": CompactBoostingClassifier(60, 24, random_state=0),
            "boosting 20 x 16": CompactBoostingClassifier(20, 16, random_state=0),
            "tree of 64 leaves": make_pipeline(
                encoder(False), DecisionTreeClassifier(max_leaf_nodes=64, random_state=0)
            ),
        }
    return {
        "boosting 60 x 24": CompactBoostingRegressor(60, 24, random_state=0),
        "boosting 20 x 16": CompactBoostingRegressor(20, 16, random_state=0),
        "tree of 64 leaves": make_pipeline(encoder(False), DecisionTreeRegressor(max_leaf_nodes=64, random_state=0)),
    }


def fit(recipe, student, task, teacher, X, y):
    """Return the student that a recipe makes."""
    classes = getattr(teacher, "classes_", None)
    truth = one_hot(y, classes) if task == "classification" else y
    distilled = DistilledClassifier if task == "classification" else DistilledRegressor
    if recipe == "no teacher":
        return teach(student, task, X, truth, classes)
    if recipe == "teacher's labels":
        return teach(student, task, X, outputs(teacher, X), classes)
    if recipe == "true + perturbed":
        rows = AutoGluonSpunge().fit(X).sample(5 * len(X), random_state=0)
        stacked = pd.concat([X, rows.astype(X.dtypes)], ignore_index=True)
        return teach(student, task, stacked, np.concatenate([truth, outputs(teacher, rows)]), classes)
    soft_weight = 0.5 if recipe.endswith("half true") else 1.0
    return distilled(teacher, student, soft_weight=soft_weight, random_state=0).fit(X, y).student_


def cost(model, X):
    ask = getattr(model, "predict_proba", model.predict)
    return {
        "one_row": latency(ask, X.iloc[:1], n_repeats=5),
        "batch": latency(ask, X.iloc[:2000], n_repeats=3),
        "bytes": pickled_bytes(model),
    }


def judge(model, teacher, X, y):
    """Return how well a model follows the teacher and the truth on unseen rows, and what it costs."""
    given, reference = outputs(model, X), outputs(teacher, X)
    skills = skill(teacher, y, reference), skill(teacher, y, given)
    return {
        "fidelity": fidelity(reference, given),
        "agreement": agreement(teacher.predict(X), model.predict(X)) if hasattr(teacher, "classes_") else None,
        "retention": retention(*skills),
        "skill": skills[1],
        **cost(model, X),
    }


def measure(results, folder):
    for name in TABLES:
        X, y, task = load(folder, name)
        for seed in SEEDS:
            key = {"table": name, "seed": seed}
            if results.has(**key, student="tree of 64 leaves", recipe="skdistill, half true"):
                continue
            X_train, _, X_test, y_train, _, y_test = split(X, y, seed)
            teacher = vote_teacher(task, seed).fit(X_train, y_train)
            if not results.has(**key, student="teacher"):
                results.add(
                    **key, student="teacher", recipe="", seconds=None, **judge(teacher, teacher, X_test, y_test)
                )
            for student_name, student in students(task).items():
                for recipe in RECIPES:
                    if results.has(**key, student=student_name, recipe=recipe):
                        continue
                    started = perf_counter()
                    fitted = fit(recipe, student, task, teacher, X_train, y_train)
                    seconds = perf_counter() - started
                    judged = judge(fitted, teacher, X_test, y_test)
                    results.add(**key, student=student_name, recipe=recipe, seconds=seconds, **judged)


def page(results):
    parts = [
        "Teacher: a soft-voting ensemble of a forest with 300 trees, LightGBM and a network, fitted on 3,000 rows. "
        "Student: the same estimator of the same size in every row of a block. The tables show means of "
        f"{len(results.names('seed'))} seeds, on test rows that neither teacher nor student saw and on which "
        "no default was chosen. Retention is the student's skill (Brier skill, or R²) as a share of the teacher's; "
        "seconds include labelling and fitting the student, but not fitting the teacher; µs are for `predict_proba` "
        "or `predict` with all input checks on a DataFrame with one row and with 2,000 rows.",
        "\n".join(f"- **{name}**: {text}" for name, text in RECIPES.items()),
        "The recipes of the two other packages were implemented again with the student of this package, to compare "
        "recipes; neither imodels nor AutoGluon is run.",
    ]
    header = ["", "fidelity", "agreement", "retention", "seconds", "kB", "µs, one row", "µs per row, batch"]

    def line(label, **key):
        values = {name: results.mean(name, **key) for name in ("fidelity", "agreement", "retention", "seconds")}
        cells = [number(value, 1 if name == "seconds" else 3) for name, value in values.items()]
        cost = [results.mean("bytes", **key) / 1000, results.mean("one_row", **key), results.mean("batch", **key)]
        return [label, *cells, *(number(value, 1) for value in cost)]

    chosen = [name for name in results.names("student") if name != "teacher"]
    for student in chosen:
        parts.append(f"## {student}")
        for table in results.names("table"):
            rows = [line("teacher", table=table, student="teacher")]
            rows += [line(recipe, table=table, student=student, recipe=recipe) for recipe in RECIPES]
            parts.append(f"### {table}\n\n{markdown_table(header, rows)}")
    parts.append("## All four tables")
    rows = [
        [f"{student}, {recipe}"]
        + [
            number(results.mean(value, student=student, recipe=recipe))
            for value in ("fidelity", "agreement", "retention")
        ]
        for student in chosen
        for recipe in RECIPES
    ]
    parts.append(markdown_table(["mean of the tables", "fidelity", "agreement", "retention"], rows))
    return "\n\n".join(parts)


if __name__ == "__main__":
    run(__file__, "Five recipes for the same student", __doc__, measure, page)
