"""Which rows of an unlabelled pool are worth a query, and what is a real row worth in synthetic ones?

    python docs/benchmarks/pools.py --data FOLDER

Writes pools.jsonl (resumable) and pools.md beside this file.
"""

import numpy as np
from fidelity import STUDENTS, students
from peers import teach
from results import markdown_table, number, run
from sklearn.cluster import MiniBatchKMeans
from tables import encoder, load, outputs, split, vote_teacher

from skdistill._tables import stack_rows
from skdistill.metrics import fidelity
from skdistill.samplers import LeafSwap, choose_from_pool

TABLES = ("adult", "california", "credit_default", "pol")
SEEDS = (0, 1, 2)
LABELLED, BUDGET, POOL = 500, 500, 5000
COLUMNS = {
    "none": f"{LABELLED} labelled rows, no other",
    "synthetic": f"{BUDGET} rows of leaf swap instead of the pool",
    "random": f"{BUDGET} random rows of the pool",
    "spread": f"{BUDGET} rows selected near the centres of {BUDGET} clusters",
    "variance": f"{BUDGET} rows selected where the teacher's outputs vary, as `max_queries` does",
    "whole pool": f"all {POOL:,} rows",
}


def choices(X, soft, pool, seed):
    """Return the rows of the pool by column."""
    rng = np.random.RandomState(seed)
    points = encoder(True).fit(pool).transform(pool)
    distances = MiniBatchKMeans(BUDGET, n_init=1, random_state=seed).fit(points).transform(points)
    return {
        "random": rng.permutation(len(pool))[:BUDGET],
        "spread": np.unique(distances.argmin(axis=0)),
        "variance": choose_from_pool(X, soft, pool, BUDGET, rng),
        "whole pool": np.arange(len(pool)),
    }


def measure(results, folder):
    for name in TABLES:
        X, y, task = load(folder, name)
        multioutput = "variance_weighted" if task == "classification" else "uniform_average"
        for seed in SEEDS:
            key = {"table": name, "seed": seed}
            if results.has(**key, student=STUDENTS[-1]):
                continue
            X_train, X_rest, X_test, y_train, _, _ = split(X, y, seed)
            teacher = vote_teacher(task, seed).fit(X_train, y_train)
            classes, reference = getattr(teacher, "classes_", None), outputs(teacher, X_test)
            rows, pool = X_rest[:LABELLED], X_rest[LABELLED : LABELLED + POOL].reset_index(drop=True)
            soft, answers = outputs(teacher, rows), outputs(teacher, pool)
            chosen = choices(rows, soft, pool, seed)
            drawn = LeafSwap(random_state=seed).fit(rows, soft).sample(BUDGET, random_state=seed)
            sets = {"none": ([rows], [soft]), "synthetic": ([rows, drawn], [soft, outputs(teacher, drawn)])}
            sets |= {column: ([rows, pool.iloc[index]], [soft, answers[index]]) for column, index in chosen.items()}
            for student_name, student in students(task).items():
                scores = {
                    column: fidelity(
                        reference,
                        outputs(teach(student, task, stack_rows(tables), np.concatenate(given), classes), X_test),
                        multioutput=multioutput,
                    )
                    for column, (tables, given) in sets.items()
                }
                results.add(**key, student=student_name, **scores)


def page(results):
    rows = [
        [f"{student}, {table}", *(number(results.mean(name, student=student, table=table), 4) for name in COLUMNS)]
        for student in STUDENTS
        for table in results.names("table")
    ]
    gains = np.array([row["variance"] - row["random"] for row in results.rows])
    return "\n\n".join(
        [
            "\n".join(f"- **{name}**: {text}" for name, text in COLUMNS.items()),
            "Teacher: the voting ensemble, fitted on 3,000 other rows. The table shows the fidelity on test rows, "
            f"with synthetic rows only in their own column, {len(SEEDS)} seeds.",
            markdown_table(["", *COLUMNS], rows),
            f"Selection by variance compared with random rows: mean gain {gains.mean():+.4f}, standard error "
            f"{gains.std() / np.sqrt(len(gains)):.4f}, better in {np.mean(gains > 0):.0%} of {len(gains)} cells.",
        ]
    )


if __name__ == "__main__":
    run(__file__, "Rows of a pool", __doc__, measure, page)
