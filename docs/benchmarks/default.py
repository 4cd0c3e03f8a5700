"""Is the default as good as choosing only the student, for teachers where that was good?

    python docs/benchmarks/default.py --data FOLDER

Measures the default, which chooses sampler, weight of the real rows and student, on the tables, teachers and seeds of
students.md, and compares it with the *auto* columns there: the same choice of a student on rows of leaf swap. Writes
default.jsonl (resumable) and default.md beside this file. ``--part K/N`` measures every Nth cell only, into its own
file, so that several processes share the work; a last run without it writes the page.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import re
from pathlib import Path
from time import process_time

import numpy as np
from results import markdown_table, number, run
from students import BUDGETS, SEEDS, TABLES, fidelity_of, teacher_and_rows
from tables import TEACHERS, outputs, skill

from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill.metrics import retention


def measure(results, folder):
    cells = [(teacher, name, seed) for seed in SEEDS for teacher in TEACHERS for name in TABLES]
    for teacher, name, seed in results.mine(cells):
        key = {"teacher": teacher, "table": name, "seed": seed}
        missing = [budget for budget in BUDGETS if not results.has(**key, budget=budget)]
        if missing:
            task, fitted, X_train, X_test, y_test, reference = teacher_and_rows(folder, teacher, name, seed)
            kind = DistilledClassifier if task == "classification" else DistilledRegressor
            teacher_skill = skill(fitted, y_test, reference)
            for budget in missing:
                started = process_time()
                model = kind(fitted, AutoStudent(max_bytes=budget), random_state=seed).fit(X_train)
                seconds, answers = process_time() - started, outputs(model, X_test)
                chosen = model.candidates_.chosen
                results.add(
                    **key,
                    budget=budget,
                    fidelity=fidelity_of(task, reference, answers),
                    retention=retention(teacher_skill, skill(fitted, y_test, answers)),
                    seconds=seconds,
                    said=chosen.fidelity,
                    low=chosen.fidelity_low,
                    high=chosen.fidelity_high,
                    memorization=model.teacher_memorization_,
                    student=chosen.family,
                    sampler=model.transfer_set_.sampler or "none",
                    real_weight=model.transfer_set_.real_weight,
                )


def former(teacher, budget):
    """Return the *auto* column of a block of students.md, by table."""
    text = (Path(__file__).parent / "students.md").read_text()
    block = re.search(rf"## {re.escape(teacher)}, {budget // 1000} kB\n\n(.*?)\n\n\*auto\*", text, re.DOTALL).group(1)
    header, _, *lines = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in block.splitlines()]
    return {line[0]: float(line[header.index("auto")]) for line in lines}


def page(results):
    parts = [
        "The teachers (the *vote*, a soft-voting ensemble of a forest, boosting and a network; and an RBF SVM) are "
        "fitted on 3,000 rows. *default* is `DistilledClassifier(teacher, AutoStudent(max_bytes=...))` (or a "
        "regressor), which chooses the sampler, the weight of the real rows and the student. *auto* is the column "
        "of [students](students.md): the choice of a student on the real rows and 20 rows of leaf swap per real "
        "row, as a mean of three seeds. All scores are measured on test rows."
    ]
    parts += [block(results, teacher, budget) for teacher in TEACHERS for budget in BUDGETS]
    parts = [part for part in parts if part is not None]
    bias = np.array([row["said"] - row["fidelity"] for row in results.rows])
    inside = np.mean([row["low"] <= row["fidelity"] <= row["high"] for row in results.rows])
    parts.append(
        f"## Estimated fidelity\n\nIn {len(bias)} fits without `X_val`, the estimated fidelity has a mean error of "
        f"{bias.mean():+.4f}, and its 95 % interval contains the fidelity on test rows in {inside:.0%} of the fits."
    )
    return "\n\n".join(parts)


def block(results, teacher, budget):
    before, lines, means = former(teacher, budget), [], []
    for name in TABLES:
        of = [r for r in results.rows if (r["teacher"], r["table"], r["budget"]) == (teacher, name, budget)]
        if not of:
            continue
        fidelity, kept = (float(np.mean([row[value] for row in of])) for value in ("fidelity", "retention"))
        names = ", ".join(dict.fromkeys(row["student"] for row in of))
        samplers = ", ".join(dict.fromkeys(row["sampler"].removesuffix("()") for row in of))
        means.append((before[name], fidelity, kept))
        numbers = [number(before[name], 4), number(fidelity, 4), f"{fidelity - before[name]:+.4f}", number(kept)]
        weights = ", ".join(f"{weight:g}" for weight in dict.fromkeys(row["real_weight"] for row in of))
        lines.append([name, *numbers, names, samplers, weights])
    if not means:
        return None
    seeds = sorted({row["seed"] for row in results.rows if row["teacher"] == teacher and row["budget"] == budget})
    auto, default, kept = np.mean(means, axis=0)
    lines.append(["**mean**", number(auto, 4), number(default, 4), f"{default - auto:+.4f}", number(kept), "", "", ""])
    header = ["fidelity", "auto", "default", "difference", "retention", "students", "samplers", "weight of real rows"]
    measured = f"{'Seeds' if len(seeds) > 1 else 'Seed'} {', '.join(map(str, seeds))}, {len(means)} tables."
    return f"## {teacher}, {budget // 1000} kB\n\n{measured}\n\n{markdown_table(header, lines)}"


if __name__ == "__main__":
    run(__file__, "The default, compared with choosing only the student", __doc__, measure, page)
