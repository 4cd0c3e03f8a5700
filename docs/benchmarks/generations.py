"""Is a student better if another student teaches it: of the same size (born again), or of ten times its size?

    python docs/benchmarks/generations.py --data FOLDER

Writes generations.jsonl (resumable) and generations.md beside this file.
"""

from time import process_time

import numpy as np
from results import markdown_table, run
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from tables import encoder, load, outputs, skill, split, vote_teacher

from skdistill.metrics import fidelity
from skdistill.samplers import LeafSwap
from skdistill.students import (
    CompactBoostingClassifier,
    CompactBoostingRegressor,
    CompactMLPClassifier,
    CompactMLPRegressor,
    CompactTreeClassifier,
    CompactTreeRegressor,
)
from skdistill.students._student import count_inputs

TABLES = ("california", "wine_quality_white", "puma8nh", "heloc", "credit_default", "pendigits")
SEED, N_VALIDATION, N_TEST, SIZE, ASSISTANT = 0, 500, 3000, 2500, 25_000
STUDENTS = {
    "boosting": (CompactBoostingClassifier, CompactBoostingRegressor),
    "mlp": (CompactMLPClassifier, CompactMLPRegressor),
    "tree": (CompactTreeClassifier, CompactTreeRegressor),
}
CASES = {
    "forest": (2000, 0.0, 2),
    "network": (2000, 0.0, 2),
    "vote": (2000, 0.0, 2),
    "forest, 200 rows": (200, 0.0, 0),
    "forest, noisy labels": (2000, 0.3, 2),
}
"""Training rows, share of noise in their labels, and synthetic rows per training row."""
CHAIN = ("generation 1", "generation 2", "generation 3", "assistant", "after the assistant")
KEPT = {"kept, by fidelity": "held_fidelity", "kept, by skill": "held_skill"}
"""The best of all but the assistant, by 500 rows that are neither training nor test rows."""


def teacher_of(case, task):
    if case.startswith("forest"):
        kind = RandomForestClassifier if task == "classification" else RandomForestRegressor
        return make_pipeline(encoder(False), kind(100, min_samples_leaf=2, random_state=SEED))
    vote = vote_teacher(task, SEED)
    return vote if case == "vote" else dict(vote.estimators)["network"]


def with_noise(y, share, task):
    """Return labels of which a share is drawn anew, or values with noise of that share of the variance."""
    rng = np.random.default_rng(SEED)
    if task == "classification":
        return np.where(rng.random(len(y)) < share, rng.permutation(y), y)
    return y + np.sqrt(share / (1 - share)) * y.std() * rng.normal(size=len(y))


def measure(results, folder):
    for name in TABLES:
        X, y, task = load(folder, name)
        for case, (n_rows, noise, n_synthetic) in CASES.items():
            if results.has(table=name, case=case, student="tree"):
                continue
            X_train, X_rest, X_test, y_train, y_rest, y_test = split(X, y, SEED, min(n_rows, int(0.3 * len(X))))
            teacher = teacher_of(case, task).fit(X_train, with_noise(y_train, noise, task))
            rows, held, test = X_train, X_rest[:N_VALIDATION], X_test[:N_TEST]
            if n_synthetic:
                drawn = LeafSwap().fit(rows, outputs(teacher, rows)).sample(n_synthetic * len(rows), random_state=SEED)
                rows = type(rows)(np.vstack([rows, drawn]), columns=rows.columns).astype(rows.dtypes)
            soft, soft_held, soft_test = (outputs(teacher, each) for each in (rows, held, test))
            n_outputs = 1 if task == "regression" or soft.shape[1] == 2 else soft.shape[1]
            for student, kinds in STUDENTS.items():
                measured, started = {}, process_time()

                def fit(size, targets, kind=kinds[task == "regression"], table=rows, n=n_outputs, of=teacher):
                    sized = kind().sized(size, n_inputs=count_inputs(table), n_outputs=n)
                    fixed = {"random_state": SEED, "optimize": False}
                    sized.set_params(**{key: value for key, value in fixed.items() if key in sized.get_params()})
                    classes = {"classes": of.classes_} if hasattr(of, "classes_") else {}
                    return sized.fit_soft(table, targets, **classes)

                first = fit(SIZE, soft)
                second = fit(SIZE, outputs(first, rows))
                chain = [first, second, fit(SIZE, outputs(second, rows)), fit(ASSISTANT, soft)]
                chain.append(fit(SIZE, outputs(chain[-1], rows)))
                for step, model in zip(CHAIN, chain, strict=True):
                    given, given_held = outputs(model, test), outputs(model, held)
                    measured[step] = {
                        "fidelity": fidelity(soft_test, given), "skill": skill(teacher, y_test[:N_TEST], given),
                        "held_fidelity": fidelity(soft_held, given_held),
                        "held_skill": skill(teacher, y_rest[:N_VALIDATION], given_held),
                    }  # fmt: skip
                results.add(
                    table=name, case=case, student=student, seconds=process_time() - started,
                    of_teacher=skill(teacher, y_test[:N_TEST], soft_test), measured=measured,
                )  # fmt: skip


def page(results):
    parts = [
        f"Students of at most {SIZE:,} parameters (about 10 kB) and assistants of {ASSISTANT:,}; at most 2,000 "
        f"training rows and two synthetic ones for each, one seed, {N_TEST:,} test rows. Each student is fitted to the "
        "outputs of the one before it on the same rows. *Kept* is the best of the others without the assistant, by "
        f"fidelity or by skill on {N_VALIDATION} rows that are neither training nor test rows. Trees are grown with "
        "`optimize=False`, which takes a small part of the time. *200 rows*: the teacher and the students have 200 "
        "rows and no synthetic ones. *Noisy labels*: 30 % of the labels that the teacher is fitted to are drawn anew, "
        "or noise has 30 % of the variance of the values. Skill is measured on true labels."
    ]
    columns = [*CHAIN, *KEPT]
    for value in ("fidelity", "skill"):
        rows = []
        for case in CASES:
            for student in STUDENTS:
                chosen = [row for row in results.rows if (row["case"], row["student"]) == (case, student)]
                found = np.array([_numbers(row["measured"], value) for row in chosen])
                if len(found):
                    means = [
                        f"{found[:, 0].mean():.4f}",
                        *(f"{gain:+.4f}" for gain in (found[:, 1:] - found[:, :1]).mean(0)),
                    ]
                    rows.append([f"{case}, {student}", *means])
        found = np.array([_numbers(row["measured"], value) for row in results.rows])
        gains = found[:, 1:] - found[:, :1]
        rows.append(["**mean**", f"{found[:, 0].mean():.4f}", *(f"{gain:+.4f}" for gain in gains.mean(0))])
        rows.append(["better in", "–", *(f"{count} of {len(found)}" for count in (gains > 0).sum(0))])
        parts.append(
            f"## {value.capitalize()}\n\nOf generation 1, and the difference of the others from it; means of "
            f"{len(results.names('table'))} tables.\n\n{markdown_table(['', *columns], rows)}"
        )
    return "\n\n".join(parts)


def _numbers(measured, value):
    """Return the fidelity or skill of each student of a chain, and of those that are kept."""
    candidates = [step for step in CHAIN if step != "assistant"]
    kept = [max(candidates, key=lambda step: measured[step][by]) for by in KEPT.values()]
    return [measured[step][value] for step in (*CHAIN, *kept)]


if __name__ == "__main__":
    run(__file__, "Students that teach students", __doc__, measure, page)
