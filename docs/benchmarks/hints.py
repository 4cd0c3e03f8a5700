"""Do hints from inside the teacher make networks follow it better, with few rows and with many?

    python docs/benchmarks/hints.py --data FOLDER

Writes hints.jsonl (resumable) and hints.md beside this file.
"""

import warnings
from time import process_time

from lightgbm import LGBMClassifier, LGBMRegressor
from results import markdown_table, run
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor, VotingClassifier, VotingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tables import encoder, load, outputs, split

from skdistill.metrics import fidelity
from skdistill.students import CompactMLPClassifier, CompactMLPRegressor, inner_representation

TABLES = ("california", "wine_quality_white", "puma8nh", "heloc", "credit_default", "pendigits")
SEED, N_TEACHER, N_TEST = 0, 3000, 4000
N_ROWS = {"few": 300, "many": 3000}
SIZES = {"8": 8, "32 x 32": (32, 32)}
WAYS = {"0": 0.0, "0.1": 0.1, "0.3": 0.3, "auto": "auto"}
TEACHERS = ("network", "forest", "vote")


def teacher_of(kind, task):
    """Return an unfitted teacher."""
    is_class = task == "classification"
    if kind == "forest":
        forest = RandomForestClassifier if is_class else RandomForestRegressor
        return make_pipeline(encoder(False), forest(100, min_samples_leaf=2, random_state=SEED))
    if kind == "vote":
        boosting = (LGBMClassifier if is_class else LGBMRegressor)(
            n_estimators=100, learning_rate=0.1, verbosity=-1, n_jobs=1, random_state=SEED
        )
        members = [(name, teacher_of(name, task)) for name in ("network", "forest")]
        members.append(("boosting", make_pipeline(encoder(False), boosting)))
        return VotingClassifier(members, voting="soft") if is_class else VotingRegressor(members)
    layers = {"hidden_layer_sizes": (128, 64), "early_stopping": True, "random_state": SEED}
    if is_class:
        return make_pipeline(encoder(True), MLPClassifier(**layers))
    return TransformedTargetRegressor(
        make_pipeline(encoder(True), MLPRegressor(**layers)), transformer=StandardScaler()
    )  # fmt: skip


def measure(results, folder):
    warnings.simplefilter("ignore", ConvergenceWarning)
    for name in results.mine(TABLES):
        X, y, task = load(folder, name)
        n_rows = min(N_TEACHER, int(0.3 * len(X)))
        X_teacher, X_rest, X_test, y_teacher, _, _ = split(X, y, SEED, n_rows)
        X_rest, X_test = X_rest[: N_ROWS["many"]], X_test[:N_TEST]
        student = CompactMLPClassifier if task == "classification" else CompactMLPRegressor
        for kind in TEACHERS:
            if results.has(table=name, teacher=kind, rows="many", size="32 x 32", way="auto"):
                continue
            teacher = teacher_of(kind, task).fit(X_teacher, y_teacher)
            soft, reference = outputs(teacher, X_rest), outputs(teacher, X_test)
            started = process_time()
            hints = inner_representation(teacher, X_rest)
            reading = process_time() - started
            for rows, n_transfer in N_ROWS.items():
                X_few, soft_few, hints_few = X_rest[:n_transfer], soft[:n_transfer], hints[:n_transfer]
                for size, layers in SIZES.items():
                    for way, weight in WAYS.items():
                        if results.has(table=name, teacher=kind, rows=rows, size=size, way=way):
                            continue
                        started = process_time()
                        fitted = student(layers, hint_weight=weight, random_state=SEED).fit_soft(
                            X_few, soft_few, hints=hints_few
                        )
                        seconds = process_time() - started
                        results.add(
                            table=name, teacher=kind, rows=rows, size=size, way=way, seconds=seconds, reading=reading,
                            fidelity=fidelity(reference, outputs(fitted, X_test), multioutput="variance_weighted"),
                            used=float(fitted.hint_weight_ > 0),
                        )  # fmt: skip


def page(results):
    parts = [
        "Students are `CompactMLP*` with 8 or 32 x 32 hidden units and the default knots, fitted on 300 or at most "
        "3,000 rows that the teacher was not fitted on, without synthetic rows. The teachers are a network of 128 x 64 "
        "units, a forest of 100 trees, and a soft vote of both and 100 trees of LightGBM. Columns are "
        "values of `hint_weight`; fidelity on test rows, one seed. Rows and first weights are the same in each row of "
        'a table. The weights that `"auto"` compares were chosen on rows that are neither training nor test rows, with '
        "networks and forests on california, heloc and pendigits."
    ]
    for kind in TEACHERS:
        rows = []
        for few in N_ROWS:
            for size in SIZES:
                key = {"teacher": kind, "rows": few, "size": size}
                label = f"{N_ROWS[few]:,} rows, {size}"
                for table in TABLES:
                    values = (results.mean("fidelity", table=table, way=way, **key) for way in WAYS)
                    rows.append([f"{table}, {label}", *(f"{value:.4f}" for value in values)])
                means = (results.mean("fidelity", way=way, **key) for way in WAYS)
                rows.append([f"**mean, {label}**", *(f"{value:.4f}" for value in means)])
        parts.append(f"## Teacher: {kind}\n\n{markdown_table(['', *WAYS], rows)}")
    rows = [
        [
            kind,
            f"{results.mean('used', teacher=kind, way='auto'):.0%}",
            f"{results.mean('reading', teacher=kind):.2f}",
            *(f"{results.mean('seconds', teacher=kind, rows='many', way=way):.2f}" for way in ("0", "0.1", "auto")),
        ]
        for kind in TEACHERS
    ]
    header = ["teacher", '`"auto"` uses hints', "reading, s", "fit without, s", "fit with, s", 'fit with `"auto"`, s']
    parts.append(
        "## Costs\n\nCPU seconds of reading the hints of at most 3,000 rows, and of fits on as many (mean of both "
        f"sizes).\n\n{markdown_table(header, rows)}"
    )
    return "\n\n".join(parts)


if __name__ == "__main__":
    run(__file__, "Hints from inside the teacher", __doc__, measure, page)
