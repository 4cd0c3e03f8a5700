"""Do students of quantile models keep the pinball loss, cross nowhere, and cover what conformal intervals promise?

    python docs/benchmarks/quantiles.py --data FOLDER

Needs quantile-forest. Writes quantiles.jsonl (resumable) and quantiles.md beside this file.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from quantile_forest import RandomForestQuantileRegressor
from results import markdown_table, number, run
from scipy.stats import binomtest
from sklearn.ensemble import HistGradientBoostingRegressor
from tables import encoder, load, split

import skdistill
from skdistill import DistilledRegressor
from skdistill.metrics import coverage, pinball_loss, pinball_skill
from skdistill.samplers import LeafSwap

TABLES = ("california", "ailerons", "puma8nh", "wine_quality_white", "pol")
TEACHERS = ("quantile forest", "one boosting per quantile")
STUDENTS = ("boosting", "hybrid")
MORE_STUDENTS = {"pol": ("auto",), "wine_quality_white": ("boosting, 50,000 parameters",)}
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
N_TRAIN, N_CALIBRATION, N_DRAWS = 2000, 500, 200
N_DRAWN, N_REPETITIONS, N_SIMULATED, N_NEW = 1_000_000, 2000, 99, 200
SEED = 0


class OnePerQuantile:
    """Boosting fitted to each quantile by itself."""

    def fit(self, X, y):
        params = {"loss": "quantile", "max_iter": 100, "learning_rate": 0.05, "max_leaf_nodes": 15}
        self.models = [
            HistGradientBoostingRegressor(quantile=level, random_state=SEED, **params).fit(X, y) for level in LEVELS
        ]
        return self

    def predict(self, X):
        return np.column_stack([model.predict(X) for model in self.models])


def teacher_of(kind):
    if kind == "quantile forest":
        return RandomForestQuantileRegressor(
            100, min_samples_leaf=5, default_quantiles=list(LEVELS), random_state=SEED, n_jobs=1
        )
    return OnePerQuantile()


def share_crossing(outputs):
    return float(np.mean(np.any(np.diff(outputs, axis=1) < 0, axis=1)))


def covered_after(outputs, y):
    """Return the coverage after conformalizing with some of the rows, measured on the others, for each draw."""
    rng = np.random.default_rng(SEED)
    found = []
    for _ in range(N_DRAWS):
        rows, others = np.split(rng.permutation(len(y)), [N_CALIBRATION])
        intervals = skdistill.conformalize(lambda rows: outputs[rows], rows, y[rows], quantiles=LEVELS)
        found.append(coverage(y[others], intervals.predict_interval(others)))
    return np.array(found)


def occurs_in(rows, others):
    """Return which rows are also among others."""
    known = {row.tobytes() for row in np.ascontiguousarray(others)}
    return np.array([row.tobytes() in known for row in np.ascontiguousarray(rows)])


def measure_cell(results, name, kind, folder):
    X, y, _ = load(folder, name)
    X_train, X_others, X_test, y_train, y_others, y_test = split(X, y, SEED, N_TRAIN)
    coder = encoder(scale=False).fit(X_train)
    X_train, X_others, X_test = (coder.transform(part[:N_TRAIN]) for part in (X_train, X_others, X_test))
    y_others, y_test = y_others[: len(X_others)], y_test[: len(X_test)]
    teacher = teacher_of(kind).fit(X_train, y_train)
    of_teacher, is_new = teacher.predict(X_test), ~occurs_in(X_test, X_train)
    for student in (*STUDENTS, *MORE_STUDENTS.get(name, ())):
        if results.has(table=name, teacher=kind, student=student):
            continue
        model = DistilledRegressor(
            teacher,
            student.split(",")[0],
            student_size=50_000 if "," in student else None,
            quantiles=LEVELS,
            sampler=LeafSwap(),
            n_synthetic=4.0,
            random_state=SEED,
        ).fit(X_train)
        compiled = skdistill.compile(model)
        rng = np.random.default_rng(SEED)
        drawn = np.column_stack([rng.choice(column, N_DRAWN) for column in X_train.T])
        of_student = compiled(X_test)
        after = covered_after(np.vstack([compiled(X_others), of_student]), np.append(y_others, y_test))
        losses = [pinball_loss(y_test, each, quantiles=LEVELS) for each in (of_teacher, of_student)]
        of_new = [pinball_loss(y_test[is_new], each[is_new], quantiles=LEVELS) for each in (of_teacher, of_student)]
        skills = [pinball_skill(y_test, each, quantiles=LEVELS) for each in (of_teacher, of_student)]
        results.add(
            table=name,
            teacher=kind,
            student=student,
            kB=compiled.n_bytes / 1000,
            fidelity=model.fidelity(X_test),
            loss_kept=losses[0] / losses[1],
            kept_new=of_new[0] / of_new[1],
            new=float(is_new.mean()),
            skill_teacher=skills[0],
            skill_student=skills[1],
            crossing_teacher=share_crossing(of_teacher),
            crossing_without=share_crossing(compiled.in_order(None)(drawn)),
            crossing=share_crossing(compiled(drawn)),
            covered_teacher=coverage(y_test, np.sort(of_teacher[:, [0, -1]], axis=1)),
            covered_before=coverage(y_test, of_student[:, [0, -1]]),
            covered_after=after.mean(),
            covered_after_sd=after.std(),
        )


def simulate(results, kind):
    """Coverage of intervals over drawn calibration rows and new rows, against the exact number."""
    if results.has(simulated=kind):
        return
    rng = np.random.default_rng(SEED)
    n_inside = 0
    for _ in range(N_REPETITIONS):
        X = rng.uniform(size=(N_SIMULATED + N_NEW, 1))
        y = X[:, 0] + (0.2 + X[:, 0]) * rng.standard_t(3, size=len(X))
        outputs, options = {
            "value": (lambda X: X[:, 0], {}),
            "quantiles": (lambda X: X * [0.5, 1.0] + [-0.4, 0.8], {"quantiles": [0.05, 0.95]}),
        }[kind]
        intervals = skdistill.conformalize(outputs, X[:N_SIMULATED], y[:N_SIMULATED], coverage=0.9, **options)
        low, high = intervals.predict_interval(X[N_SIMULATED : N_SIMULATED + 1])[0]
        n_inside += bool(low <= y[N_SIMULATED] <= high)
    bounds = binomtest(n_inside, N_REPETITIONS).proportion_ci(0.95)
    results.add(simulated=kind, covered=n_inside / N_REPETITIONS, low=bounds.low, high=bounds.high)


def measure(results, folder):
    for kind in ("value", "quantiles"):
        simulate(results, kind)
    for name, kind in results.mine([(name, kind) for kind in TEACHERS[::-1] for name in TABLES]):
        measure_cell(results, name, kind, folder)


def page(results):
    def percent(value, digits=1):
        return f"{100 * value:.{digits}f}"

    cells = [row for row in results.rows if "table" in row]
    simulated = [row for row in results.rows if "simulated" in row]
    losses = [
        [
            f"{row['table']}, {row['teacher']}, {row['student']}",
            f"{row['kB']:.0f}",
            number(row["fidelity"]),
            number(row["skill_teacher"]),
            number(row["skill_student"]),
            number(row["loss_kept"]),
            number(row["kept_new"]),
        ]
        for row in cells
    ]
    crossing = [
        [
            f"{row['table']}, {row['teacher']}, {row['student']}",
            percent(row["crossing_teacher"]),
            percent(row["crossing_without"], 2),
            f"{row['crossing'] * N_DRAWN:.0f}",
            percent(row["covered_teacher"]),
            percent(row["covered_before"]),
            f"{percent(row['covered_after'])} ± {percent(row['covered_after_sd'])}",
        ]
        for row in cells
    ]
    exact = np.ceil((N_SIMULATED + 1) * 0.9) / (N_SIMULATED + 1)
    lines = [
        f"{row['simulated']}: {percent(row['covered'])} % ({percent(row['low'])} to {percent(row['high'])} %)"
        for row in simulated
    ]
    return f"""
Teachers of the quantiles {", ".join(map(str, LEVELS))}, fitted on {N_TRAIN:,} rows; students of the default size of
their family on the same rows and 4 synthetic rows per real row (`LeafSwap`); up to {
        N_TRAIN:,} test rows. Nothing was chosen
on these tables for this page.

## Pinball loss

The skill is 1 minus the pinball loss as a share of that of the best constants. The loss kept is the teacher's loss
divided by the student's, both on true values of unseen rows; in the last column, only on those of these rows whose
cells do not also occur among the training rows.

{
        markdown_table(
            [
                "table, teacher, student",
                "kB",
                "fidelity",
                "skill, teacher",
                "skill, student",
                "loss kept",
                "on new cells",
            ],
            losses,
        )
    }

Mean of the loss kept: {number(float(np.mean([row["loss_kept"] for row in cells])))}, smallest
{number(min(row["loss_kept"] for row in cells))}.

On wine, the quantile forest recalls rows: a sixth of the test rows also occur among its training rows, with their true
value, and others nearly do. No small student keeps that, and one of 62 kB hardly keeps more. The table is published
with this loss, and so is pol with the quantile forest, whose loss is a tenth of that of constants: the student adds a
hundredth of that of constants to it. The fidelity to one boosting per quantile is low on pol because 62 % of the true
values are 0: its three lower quantiles are 0 for all rows, and outputs that do not vary count as a fidelity of 0.

## Crossing quantiles, and coverage

Rows whose quantiles cross, in % of the test rows for the teacher and of {N_DRAWN:,} rows for the student, whose cells
are drawn from each column by itself: before they are sorted in %, and after that as a number. Coverage, in %, of the
interval between the outer quantiles, which is meant to be 90: of the teacher, of the student, and after `conformalize`
with {N_CALIBRATION} of the rows that nobody has seen, on the others (mean and standard deviation of {
        N_DRAWS
    } divisions of up
to {2 * N_TRAIN:,} rows). Which rows are drawn is averaged out so: between one fixed calibration set and one fixed test
set of wine, coverage was 91.9 %, by chance and not by ties: hardly any true value is at the end of its interval.

{
        markdown_table(
            [
                "table, teacher, student",
                "teacher crosses",
                "unsorted",
                "rows out of order",
                "covered, teacher",
                "student",
                "conformalized",
            ],
            crossing,
        )
    }

## Simulation

{N_REPETITIONS:,} repetitions: {N_SIMULATED} calibration rows, one new row, errors of a t distribution whose scale
depends on the row, coverage 0.9. The exact number is {percent(exact)} %. Intervals are Clopper and Pearson's at 95 %.

{chr(10).join(f"- {line}" for line in lines)}
"""


if __name__ == "__main__":
    run(__file__, "Quantiles and intervals", __doc__, measure, page)
