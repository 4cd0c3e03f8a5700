"""Which share of true labels to blend into the targets of real rows: the evidence for the default of ``soft_weight``.

    python docs/benchmarks/soft_weight.py --data FOLDER

Uses no test row: students are evaluated on rows that are neither training nor test rows (see tables.py). Writes
soft_weight.jsonl (resumable) and soft_weight.md beside this file.
"""

import numpy as np
from recipes import students
from results import markdown_table, run
from tables import CLASSIFICATION, REGRESSION, load, outputs, skill, split, vote_teacher

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.metrics import fidelity, retention

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
SEEDS = (100, 101)
STUDENTS = ("boosting 60 x 24", "boosting 20 x 16", "tree of 64 leaves")


def measure(results, folder):
    for name in CLASSIFICATION + REGRESSION:
        X, y, task = load(folder, name)
        distilled = DistilledClassifier if task == "classification" else DistilledRegressor
        for seed in SEEDS:
            if results.has(table=name, seed=seed, student=STUDENTS[-1], soft_weight=WEIGHTS[-1]):
                continue
            n_train = min(3000, int(0.36 * len(X)))
            X_train, X_rest, _, y_train, y_rest, _ = split(X, y, seed, n_train)
            X_rest, y_rest = X_rest[:3000], y_rest[:3000]
            teacher = vote_teacher(task, seed).fit(X_train, y_train)
            reference = outputs(teacher, X_rest)

            for student in STUDENTS:
                for weight in WEIGHTS:
                    model = distilled(teacher, students(task)[student], soft_weight=weight, random_state=seed)
                    given = outputs(model.fit(X_train, y_train), X_rest)
                    kept = retention(skill(teacher, y_rest, reference), skill(teacher, y_rest, given))
                    results.add(
                        table=name, seed=seed, student=student, soft_weight=weight,
                        fidelity=fidelity(reference, given), retention=kept,
                    )  # fmt: skip


def page(results):
    parts = [
        "The default sampler, twelve tables, and a voting ensemble as the teacher, fitted on the same rows; means "
        f"of {len(results.names('seed'))} seeds, measured on rows that are neither training nor test rows. A weight "
        "of 1 uses the teacher alone, 0 the true labels alone (synthetic rows always have the teacher's labels)."
    ]
    for value in ("fidelity", "retention"):
        rows = [
            [
                f"{weight:g}",
                *(f"{results.mean(value, student=student, soft_weight=weight):.3f}" for student in STUDENTS),
            ]
            for weight in WEIGHTS
        ]
        parts.append(f"## Mean {value}\n\n{markdown_table(['soft_weight', *STUDENTS], rows)}")
    rows = []
    for table in results.names("table"):
        gains = [
            results.mean("retention", table=table, student=student, soft_weight=0.5)
            - results.mean("retention", table=table, student=student, soft_weight=1.0)
            for student in STUDENTS
        ]
        losses = [
            results.mean("fidelity", table=table, student=student, soft_weight=0.5)
            - results.mean("fidelity", table=table, student=student, soft_weight=1.0)
            for student in STUDENTS
        ]
        rows.append([table, *(f"{gain:+.3f} / {loss:+.3f}" for gain, loss in zip(gains, losses, strict=True))])
    gains = np.array([[float(cell.split(" / ")[0]) for cell in row[1:]] for row in rows])
    counts = ", ".join(
        f"{student}: {int((column > 0).sum())}" for student, column in zip(STUDENTS, gains.T, strict=True)
    )
    parts.append(
        "## Effect of a weight of 0.5, by table\n\nDifferences of retention / fidelity between a weight of 0.5 and "
        "a weight of 1.\n\n"
        f"{markdown_table(['table', *STUDENTS], rows)}\n\n"
        f"Tables where a weight of 0.5 increases retention: {counts} of {len(rows)}."
    )
    return "\n\n".join(parts)


if __name__ == "__main__":
    run(__file__, "Which share of true labels to blend in", __doc__, measure, page)
