"""Is it worth drawing more rows where the student errs?

    python docs/benchmarks/rounds.py --data FOLDER

Writes rounds.jsonl (resumable) and rounds.md beside this file.
"""

import numpy as np
from fidelity import STUDENTS, students
from peers import teach
from results import markdown_table, number, run
from sklearn.tree import DecisionTreeRegressor
from tables import load, outputs, split, vote_teacher

from skdistill._encoding import TableEncoder
from skdistill._tables import stack_rows, take_rows
from skdistill.metrics import fidelity
from skdistill.samplers import MUNGE, Jitter, LeafSwap, MarginalResampling, Mixture

TABLES = ("adult", "california", "heloc", "pendigits", "pol", "puma8nh")
SEEDS = (0, 1, 2)
COLUMNS = {
    "10 at once": "ten synthetic rows per real row, in one round",
    "5 + 5 by error": "five; then five more, selected from 25 where a tree predicts that the student's error is large",
    "5 + 5, reweighted": "the same, with the new rows reweighted to the distribution they were selected from",
}


def hard_rows(student, rows, soft, candidates, n_rows, rng):
    """Choose candidates in proportion to the error expected of the student, half of it uniform; with their odds."""
    encoder = TableEncoder().fit(rows)
    points, others = (
        np.nan_to_num(encoder.transform(table).astype(np.float32), nan=-1e6) for table in (rows, candidates)
    )
    error = np.abs(outputs(student, rows) - soft).reshape(len(soft), -1).sum(axis=1)
    tree = DecisionTreeRegressor(max_leaf_nodes=64, min_samples_leaf=20, random_state=0).fit(points, error)
    expected = tree.predict(others)
    odds = 0.5 + 0.5 * expected / expected.mean()
    chosen = np.argpartition(np.log(odds) + rng.gumbel(size=len(odds)), -n_rows)[-n_rows:]
    return chosen, odds[chosen]


def measure(results, folder):
    for name in TABLES:
        X, y, task = load(folder, name)
        multioutput = "variance_weighted" if task == "classification" else "uniform_average"
        for seed in SEEDS:
            X_train, _, X_test, y_train, _, _ = split(X, y, seed)
            key = {"table": name, "seed": seed}
            if results.has(**key, student=STUDENTS[-1]):
                continue
            teacher = vote_teacher(task, seed).fit(X_train, y_train)
            classes = getattr(teacher, "classes_", None)
            soft, reference, n = outputs(teacher, X_train), outputs(teacher, X_test), len(X_train)
            sampler = Mixture([LeafSwap(), Jitter(), MUNGE(), MarginalResampling()], random_state=seed)
            rows = sampler.fit(X_train, soft).sample(30 * n, random_state=seed)
            first, second, candidates = (take_rows(rows, slice(a * n, b * n)) for a, b in ((0, 5), (5, 10), (5, 30)))
            labels = outputs(teacher, stack_rows([first, second]))

            def fit(student, more, targets, weight, n=n, soft=soft, X=X_train, classes=classes, task=task):
                weights = np.append(np.ones(n), 2 * n * weight / weight.sum())
                stacked = stack_rows([X, *more])
                return teach(student, task, stacked, np.concatenate([soft, *targets]), classes, weights)

            for student_name, student in students(task).items():
                half = fit(student, [first], [labels[: 5 * n]], np.ones(5 * n))
                rng = np.random.default_rng(seed)
                chosen, odds = hard_rows(half, first, labels[: 5 * n], candidates, 5 * n, rng)
                hard = take_rows(candidates, chosen)
                more, targets = [first, hard], [labels[: 5 * n], outputs(teacher, hard)]
                fitted = {
                    "10 at once": fit(student, [first, second], [labels], np.ones(10 * n)),
                    "5 + 5 by error": fit(student, more, targets, np.ones(10 * n)),
                    "5 + 5, reweighted": fit(student, more, targets, np.append(np.ones(5 * n), 1 / odds)),
                }
                scores = {
                    column: fidelity(reference, outputs(model, X_test), multioutput=multioutput)
                    for column, model in fitted.items()
                }
                results.add(**key, student=student_name, **scores)


def page(results):
    parts = ["\n".join(f"- **{name}**: {text}" for name, text in COLUMNS.items())]
    parts.append(
        "Teacher: the voting ensemble, 3,000 training rows. The synthetic rows come from a mixture of leaf swap, "
        "jitter, MUNGE and marginal resampling, with twice the total weight of the real rows. The table shows the "
        f"fidelity on test rows, {len(SEEDS)} seeds."
    )
    rows = []
    for student in STUDENTS:
        for table in (*results.names("table"), None):
            key = {"student": student} if table is None else {"student": student, "table": table}
            rows.append(
                [f"{student}, {table or '**mean**'}", *(number(results.mean(name, **key), 4) for name in COLUMNS)]
            )
    parts.append(markdown_table(["", *COLUMNS], rows))
    for name in list(COLUMNS)[1:]:
        gains = np.array([row[name] - row["10 at once"] for row in results.rows])
        parts.append(
            f"{name}: mean gain {gains.mean():+.4f}, standard error {gains.std() / np.sqrt(len(gains)):.4f}, better in "
            f"{np.mean(gains > 0):.0%} of {len(gains)} cells."
        )
    return "\n\n".join(parts)


if __name__ == "__main__":
    run(__file__, "More rows where the student errs", __doc__, measure, page)
