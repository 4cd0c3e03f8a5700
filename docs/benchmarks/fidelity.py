"""How faithful is a small student on the rows of each sampler, and does the automatic choice pay off?

    python docs/benchmarks/fidelity.py --data FOLDER

Writes fidelity.jsonl (resumable, cell by cell) and fidelity.md beside this file. ``--part K/N`` measures every Nth
cell only, into its own file, so that several processes share the work; a last run without it writes the page.
"""

import argparse
import warnings
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
from peers import AutoGluonSpunge, teach
from results import Results, markdown_table, number, write_page
from scipy.stats import rankdata, wilcoxon
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tables import CLASSIFICATION, REGRESSION, TEACHERS, encoder, load, outputs, skill, split

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill._tables import stack_rows
from skdistill.metrics import fidelity, retention
from skdistill.samplers import MUNGE, SPUNGE, Interpolation, Jitter, LeafSwap, MarginalResampling, Mixture, UniformBox
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor
from skdistill.targets import one_hot

SEEDS = (0, 1, 2)
SIZED = ("adult", "california", "credit_default", "pol")
SAMPLERS = {
    "MUNGE": MUNGE(random_state=0),
    "leaf swap": LeafSwap(random_state=0),
    "jitter": Jitter(random_state=0),
    "interpolation": Interpolation(random_state=0),
    "marginal": MarginalResampling(),
    "SPUNGE, mended": SPUNGE(),
    "uniform": UniformBox(),
    "mixture": Mixture([LeafSwap(), Jitter(), MUNGE(), MarginalResampling()], random_state=0),
}
PEERS = ("true labels", "teacher's labels", "AutoGluon's", "MUNGE")
AUTO = ("auto", "auto, fresh judges")
COLUMNS = {
    "true labels": "the student alone, fitted to true labels",
    "teacher's labels": "the teacher's outputs on the training rows, without synthetic rows (the recipe of imodels)",
    "AutoGluon's": "true labels on the training rows, and the teacher's outputs on 5 rows of AutoGluon's sampler per "
    "training row",
    "MUNGE": "10 synthetic rows per real row, with the same total weight as the real rows, as for all samplers here",
    "auto": 'the default of this package, `sampler="auto"`, with only the teacher\'s training rows',
    "auto, fresh judges": "the same with `X_val`: up to 1,000 rows that the teacher has not seen, without labels",
}
SHOWN = {"auto, fresh judges": "auto, X_val", "SPUNGE, mended": "SPUNGE"}
"""What the page calls columns of the JSON lines."""

STUDENTS = ("tree of 32 leaves", "tree of 128 leaves", "boosting 60 x 24")


def students(task):
    is_classifier = task == "classification"
    tree = DecisionTreeClassifier if is_classifier else DecisionTreeRegressor
    boosting = CompactBoostingClassifier if is_classifier else CompactBoostingRegressor
    return dict(
        zip(
            STUDENTS,
            [
                make_pipeline(encoder(False), tree(max_leaf_nodes=32, random_state=0)),
                make_pipeline(encoder(False), tree(max_leaf_nodes=128, random_state=0)),
                boosting(60, 24, random_state=0),
            ],
            strict=True,
        )
    )


def blocks():
    """Yield teacher, rows and table of each block of cells, the most important first."""
    tables = (*CLASSIFICATION, *REGRESSION)
    for seed in SEEDS:
        yield from (("vote", 3000, name, seed) for name in tables)
    for seed in SEEDS:
        yield from (("RBF SVM", 3000, name, seed) for name in tables)
        for n_train in (1000, 10_000):
            yield from (("vote", n_train, name, seed) for name in SIZED)


def measure(results, folder, part, n_parts):
    for index, (teacher_name, n_train, name, seed) in enumerate(blocks()):
        key = {"teacher": teacher_name, "rows": n_train, "table": name, "seed": seed}
        if index % n_parts != part or results.has(**key, column="end"):
            continue
        X, y, task = load(folder, name)
        X_train, X_rest, X_test, y_train, _, y_test = split(X, y, seed, n_train)
        teacher = TEACHERS[teacher_name](task, seed).fit(X_train, y_train)
        add = partial(record, results, key, teacher, X_test, y_test, outputs(teacher, X_test))
        if not results.has(**key, column="mixture", student=STUDENTS[-1]):
            fixed_columns(add, task, teacher, X_train, y_train)
        for student_name, student in students(task).items():
            distilled = (DistilledClassifier if task == "classification" else DistilledRegressor)(
                teacher, student, random_state=0
            )
            for column, rows in zip(AUTO, (None, X_rest[:1000]), strict=True):
                if results.has(**key, column=column, student=student_name):
                    continue
                if rows is None or (len(rows) >= 200 and teacher_name == "vote" and n_train == 3000):
                    started = process_time()
                    distilled.fit(X_train, X_val=rows)
                    seconds = process_time() - started
                    summary = distilled.transfer_set_
                    add(
                        column,
                        student_name,
                        distilled.student_,
                        seconds,
                        chosen=summary.sampler or "none",
                        n_queries=summary.n_queries,
                    )
        add("end", "", teacher, 0.0)


def record(results, key, teacher, X, y, reference, column, student, model, seconds, **more):
    """Keep how well a model follows the teacher, and the truth, on the test rows."""
    given = outputs(model, X)
    results.add(
        **key,
        column=column,
        student=student,
        fidelity=fidelity(reference, given, multioutput="variance_weighted" if given.ndim == 2 else "uniform_average"),
        retention=retention(skill(teacher, y, reference), skill(teacher, y, given)),
        seconds=seconds,
        **more,
    )


def fixed_columns(add, task, teacher, X, y):
    """Measure everything but the automatic choice; each sampler's rows are drawn and labelled once."""
    classes = getattr(teacher, "classes_", None)
    truth = one_hot(y, classes) if task == "classification" else y
    soft = outputs(teacher, X)
    for student_name, student in students(task).items():
        for column, targets in (("true labels", truth), ("teacher's labels", soft)):
            started = process_time()
            fitted = teach(student, task, X, targets, classes)
            add(column, student_name, fitted, process_time() - started)
    for column, sampler in {"AutoGluon's": AutoGluonSpunge(), **SAMPLERS}.items():
        started = process_time()
        ratio, targets = (5, truth) if column == "AutoGluon's" else (10, soft)
        rows = sampler.fit(X, soft).sample(ratio * len(X), random_state=0)
        targets = np.concatenate([targets, outputs(teacher, rows)])
        if column == "AutoGluon's":
            stacked, weight = X.astype(rows.dtypes), np.ones(len(targets))
            stacked = stack_rows([stacked, rows])
        else:
            stacked = stack_rows([X, rows])
            weight = np.append(np.ones(len(X)), np.full(ratio * len(X), 1 / ratio))
        drawn = process_time() - started
        for student_name, student in students(task).items():
            started = process_time()
            fitted = teach(student, task, stacked, targets, classes, weight)
            add(column, student_name, fitted, drawn + process_time() - started)


def cells(results, teacher, n_train, student, column, value="fidelity"):
    """Return the value of each cell of a block, as a dict by table and seed."""
    wanted = {"teacher": teacher, "rows": n_train, "student": student, "column": column}
    return {
        (row["table"], row["seed"]): row[value]
        for row in results.rows
        if all(row[name] == key for name, key in wanted.items())
    }


def by_table(values):
    """Return the mean over the seeds of each table."""
    return {name: np.mean([v for (table, _), v in values.items() if table == name]) for name, _ in values}


def block_page(results, teacher, n_train):
    """Return the tables of one teacher and size; of blocks that are whole."""
    whole = cells(results, teacher, n_train, "", "end")
    expected = sum(block[:2] == (teacher, n_train) for block in blocks())
    parts = [f"{len(whole)} of {expected} cells (a table and a seed each) are measured."]
    columns = [*dict.fromkeys([*PEERS, *SAMPLERS, *AUTO])]
    columns = [name for name in columns if cells(results, teacher, n_train, STUDENTS[0], name)]
    for student in STUDENTS:
        of = {
            name: {cell: v for cell, v in cells(results, teacher, n_train, student, name).items() if cell in whole}
            for name in columns
        }
        common = [cell for cell in of["auto"] if all(cell in of[name] for name in columns if name != AUTO[1])]
        if not common:
            continue
        compared = [name for name in columns if name != AUTO[1]]
        values = np.array([[of[name][cell] for cell in common] for name in compared])
        ranks = rankdata(-values, axis=0).mean(axis=1)
        tables = list(dict.fromkeys(name for name, _ in common))
        auto_means = by_table(of["auto"])
        rows = []
        for name in columns:
            means = by_table(of[name])
            chosen = np.array(list(of[name].values()))
            shared = [table for table in tables if table in means]
            differences = np.array([auto_means[table] - means[table] for table in shared])
            p = "–" if name == "auto" or not differences.any() else number(wilcoxon(differences).pvalue)
            rank = number(ranks[compared.index(name)], 1) if name in compared else "–"
            kept = np.mean(list(by_table(cells(results, teacher, n_train, student, name, "retention")).values()))
            everywhere = len(shared) == len(tables)
            summary = [number(np.mean(list(means.values()))), number(chosen.min()), rank] if everywhere else ["–"] * 3
            rows.append(
                [SHOWN.get(name, name), *summary, f"{np.sum(differences > 0)} of {len(shared)}", p]
                + [number(kept) if everywhere else "–"]
                + [number(means[table]) if table in means else "–" for table in tables]
            )
        header = ["", "mean", "worst", "rank", "tables auto wins", "p", "retention", *tables]
        parts.append(f"### {student}\n\n{markdown_table(header, rows)}")
        none = np.array([of["auto"][cell] - of["teacher's labels"][cell] for cell in common])
        peer = np.array([of["auto"][cell] - max(of[name][cell] for name in PEERS) for cell in common])
        parts.append(
            f"`auto` is at least as good as the best of the first four columns on {np.mean(peer >= 0):.0%} of "
            f"{len(common)} cells (within 0.001 on {np.mean(peer >= -0.001):.0%}; the worst {peer.min():+.3f}), "
            f"and at least as good as no synthetic rows on {np.mean(none >= 0):.0%} (the worst {none.min():+.3f})."
        )
        fresh = of.get(AUTO[1])
        if fresh:
            both = [[values[cell] for cell in fresh] for values in (of["auto"], fresh)]
            names = {table for table, _ in fresh}
            parts.append(
                f"On the {len(names)} tables with enough rows for `X_val`: `auto` {np.mean(both[0]):.4f}, with "
                f"`X_val` {np.mean(both[1]):.4f}."
            )
    return "\n\n".join(parts)


def cost_page(results):
    """Return what the automatic choice costs, in fits with MUNGE."""
    rows = []
    for teacher, n_train in (("vote", 3000), ("RBF SVM", 3000), ("vote", 1000), ("vote", 10_000)):
        for student in STUDENTS:
            auto = cells(results, teacher, n_train, student, "auto", "seconds")
            munge = cells(results, teacher, n_train, student, "MUNGE", "seconds")
            ratios = np.array([auto[cell] / munge[cell] for cell in auto if cell in munge])
            if len(ratios):
                figures = np.median(ratios), ratios.mean(), ratios.max()
                rows.append([f"{teacher}, {n_train:,} rows, {student}", *(number(figure, 1) for figure in figures)])
    return markdown_table(["CPU seconds of auto / of one fit with MUNGE", "median", "mean", "largest"], rows)


def page(results):
    chosen = [row["chosen"] for row in results.rows if row["column"] == "auto"]
    counts = {name: chosen.count(name) for name in sorted(set(chosen), key=lambda name: -chosen.count(name))}
    parts = [
        "Fidelity is the R² of the student's outputs with respect to the teacher's, on test rows that neither of "
        f"them has seen and on which no default was chosen. There are {len(SEEDS)} seeds; each seed draws other "
        "training rows, and the test rows are the same. The students have a fixed size. p: two-sided Wilcoxon "
        "signed-rank test of `auto` against the column, on the means of the tables. Rank: mean over cells, 1 is "
        "best.",
        "\n".join(f"- **{SHOWN.get(name, name)}**: {text}" for name, text in COLUMNS.items()),
        "The other columns are the samplers of this package with default parameters and 10 rows per real row. The "
        "recipes of the other packages were implemented again (`peers.py`); neither package is run.",
    ]
    for teacher, n_train, title in (
        ("vote", 3000, "A soft-voting ensemble of a 300-tree forest, LightGBM and a network, 3,000 training rows"),
        ("RBF SVM", 3000, "An RBF SVM, 3,000 training rows"),
        ("vote", 1000, "The voting ensemble, 1,000 training rows"),
        ("vote", 10_000, "The voting ensemble, 10,000 training rows, or 60 % of the table"),
    ):
        parts.append(f"## {title}\n\n{block_page(results, teacher, n_train)}")
    parts.append(
        "## Cost of the choice\n\nCPU seconds in the same process for sampling, labelling and training. The rows of "
        "a column are sampled and labelled once for its students, and counted for each of them.\n\n"
        f"{cost_page(results)}"
    )
    parts.append("What `auto` chose: " + ", ".join(f"{name} {count} times" for name, count in counts.items()) + ".")
    return "\n\n".join(parts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the tables, see tables.py")
    parser.add_argument("--part", default="0/1", help="K/N: measure every Nth block, from the Kth")
    parser.add_argument("--page-only", action="store_true", help="write the page of what is measured")
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    warnings.filterwarnings("ignore", message="Found unknown categories")
    options = parser.parse_args()
    here = Path(__file__).parent
    part, n_parts = (int(number) for number in options.part.split("/"))
    if n_parts > 1:
        measure(Results(here / f"fidelity-{part}.jsonl"), options.data, part, n_parts)
    else:
        results = Results(here / "fidelity.jsonl")
        for other in sorted(here.glob("fidelity-*.jsonl")):
            results.rows += Results(other).rows
        if not options.page_only:
            measure(results, options.data, 0, 1)
        write_page(
            here / "fidelity.md",
            "Fidelity by sampler",
            page(results),
            "python docs/benchmarks/fidelity.py --data FOLDER",
        )
