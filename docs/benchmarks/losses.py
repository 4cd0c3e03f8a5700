"""Do true labels help more if they count only where the student is worse than the teacher, or as row weights?

    python docs/benchmarks/losses.py --data FOLDER

Writes losses.jsonl (resumable) and losses.md beside this file.
"""

from time import perf_counter

import numpy as np
from results import markdown_table, run
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from tables import encoder, load, outputs, skill, split

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.metrics import fidelity
from skdistill.students import (
    CompactBoostingClassifier,
    CompactBoostingRegressor,
    CompactMLPClassifier,
    CompactMLPRegressor,
)
from skdistill.targets import loss_weights, one_hot, teacher_bounded_loss

TABLES = ("california", "wine_quality_white", "puma8nh", "heloc", "credit_default", "pendigits")
SEED, N_ROWS, N_TEST = 0, 3000, 4000
STUDENTS = {
    "boosting 20 x 16": (
        CompactBoostingClassifier(20, max_leaf_nodes=16),
        CompactBoostingRegressor(20, max_leaf_nodes=16),
    ),
    "network 16 x 16": (CompactMLPClassifier((16, 16), random_state=0), CompactMLPRegressor((16, 16), random_state=0)),
}
WAYS = {
    "teacher": "the teacher's outputs alone",
    "blend": "`soft_weight=0.5`: the labels count in all rows",
    "blend, 0.75": "`soft_weight=0.75`, in all rows",
    "bounded": "`soft_weight=0.5, truth_margin=0`",
    "margin": "the same with a margin of half the teacher's mean loss",
    "weights": "the teacher's outputs alone, fitted once more with the sample weights of `loss_weights`",
}  # fmt: skip


def measure(results, folder):
    for name in TABLES:
        X, y, task = load(folder, name)
        classifies = task == "classification"
        n_rows = min(N_ROWS, int(0.3 * len(X)))
        X_teacher, X_train, X_test, y_teacher, y_train, y_test = split(X, y, SEED, n_rows)
        X_train, y_train, X_test, y_test = X_train[:n_rows], y_train[:n_rows], X_test[:N_TEST], y_test[:N_TEST]
        forest = RandomForestClassifier if classifies else RandomForestRegressor
        teacher = make_pipeline(encoder(False), forest(100, min_samples_leaf=2, random_state=SEED))
        teacher.fit(X_teacher, y_teacher)
        truth = one_hot(y_train, teacher.classes_) if classifies else y_train.astype(float)
        unseen = one_hot(y_test, teacher.classes_) if classifies else y_test.astype(float)
        loss, soft = "log_loss" if classifies else "squared_error", outputs(teacher, X_train)
        reference = outputs(teacher, X_test)
        # beside a teacher without errors, the bounded loss is the loss
        margin = float(np.mean(teacher_bounded_loss(soft, truth, truth, loss=loss)[0])) / 2
        of_reference = float(np.mean(teacher_bounded_loss(reference, unseen, unseen, loss=loss)[0]))
        distilled = DistilledClassifier if classifies else DistilledRegressor
        for student, kinds in STUDENTS.items():
            if results.has(table=name, student=student, way=list(WAYS)[-1]):
                continue
            alone = None
            for way in WAYS:
                params = {
                    "teacher": {},
                    "blend": {"soft_weight": 0.5},
                    "blend, 0.75": {"soft_weight": 0.75},
                    "weights": {},
                }.get(way)
                if params is None:
                    params = {"soft_weight": 0.5, "truth_margin": margin if way == "margin" else 0.0}
                weight, started = None, perf_counter()
                if way == "weights":
                    weight = loss_weights(outputs(alone, X_train), soft, truth, loss=loss)
                model = distilled(teacher, kinds[not classifies], sampler=None, random_state=SEED, **params)
                model.fit(X_train, y_train, sample_weight=weight)
                seconds = perf_counter() - started
                if way == "teacher":
                    alone = model
                given = outputs(model, X_test)
                worse = float(np.mean(teacher_bounded_loss(given, reference, unseen, loss=loss)[0])) / of_reference
                results.add(
                    table=name, student=student, way=way, fidelity=fidelity(reference, given), seconds=seconds,
                    skill=skill(teacher, y_test, given), of_teacher=skill(teacher, y_test, reference),
                    worse=worse,
                )  # fmt: skip


def page(results):
    ways = "\n".join(f"- **{way}**: {text}" for way, text in WAYS.items())
    parts = [
        "The teacher is a random forest of 100 trees. Students are fitted on at most 3,000 other rows, with their "
        "true labels and without synthetic rows, so that the losses of the teacher are those on new rows. Skill is "
        "the Brier skill or R² on true labels of test rows, one seed. *Worse* is the mean of the teacher-bounded "
        f"loss on test rows, where the student is worse than the teacher, as a share of the teacher's.\n\n{ways}"
    ]
    for student in STUDENTS:
        rows = [
            [
                table,
                f"{results.mean('of_teacher', table=table, student=student):.4f}",
                *(f"{results.mean('skill', table=table, student=student, way=way):.4f}" for way in WAYS),
            ]
            for table in TABLES
        ]
        for value, digits in (("skill", 4), ("fidelity", 4), ("worse", 4), ("seconds", 2)):
            of_teacher = f"{results.mean('of_teacher', student=student):.4f}" if value == "skill" else "–"
            means = (f"{results.mean(value, student=student, way=way):.{digits}f}" for way in WAYS)
            label = {"seconds": "**fit, s, mean**"}.get(value, f"**{value}, mean**")
            rows.append([label, of_teacher, *means])
        parts.append(f"## Skill of {student}\n\n{markdown_table(['', 'of the teacher', *WAYS], rows)}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    run(__file__, "True labels where the student is worse than the teacher", __doc__, measure, page)
