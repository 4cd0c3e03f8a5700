import math
import pickle
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.cluster import AgglomerativeClustering
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from strategies import distributions

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor, as_teacher, report
from skdistill.exceptions import StudentError, TeacherError, TeacherOutputError
from skdistill.inspection import Report, _decision
from skdistill.inspection._answers import Answers, given_answers
from skdistill.inspection._cost_picture import cost_picture
from skdistill.inspection._costs import compare_costs, other_costs
from skdistill.inspection._decision import DECISIONS, decide, grade
from skdistill.inspection._findings import CLEAR, UNKNOWN, Estimate, Findings
from skdistill.inspection._measures import count_shared, fidelity_error
from skdistill.inspection._page import SIGNS
from skdistill.inspection._terms import HEADERS, TERMS
from skdistill.inspection._verdict import verdict as parts_of_verdict
from skdistill.metrics import Footprint, agreement, brier_skill, fidelity, r2_skill, retention

PARTS = ("models", "divergences", "by_output", "by_slice", "rules", "calibration", "worst_rows")
"""Of a report, each a frame."""

LABELS = np.array(["no", "yes"])
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _same_numbers():
    """What tests draw from ``RNG`` does not depend on which tests ran before."""
    RNG.bit_generator.state = np.random.default_rng(0).bit_generator.state


def says(outputs, classes=None):
    """Return a model that answers for row i, which holds i in its first cell, with the i-th of these outputs."""
    outputs = np.asarray(outputs, dtype=float)
    return as_teacher(lambda X: outputs[np.asarray(X)[:, 0].astype(int)], classes=classes)


def compare(teacher, student, y=None, *, classes=None, X=None, **options):
    """Report on outputs alone."""
    rows = np.arange(len(teacher), dtype=float)
    X = np.column_stack([rows, np.zeros(len(rows)) if X is None else X])
    options = {"timing": False, **options}
    return report(says(student, classes).model, X, y, teacher=says(teacher, classes), **options)


def two_columns(proba):
    return np.column_stack([1 - np.asarray(proba), proba])


def first(said):
    """Return the first two lines of a verdict: the decision and its reason."""
    return "\n".join(said.splitlines()[:2])


def rest(said):
    """Return what follows the decision and its reason."""
    return said.splitlines()[2]


def verdict(found):
    """Return the text of a verdict."""
    return parts_of_verdict(found).text


# ---------------------------------------------------------------------- decisions

CLOSE, POOR, NEAR = Estimate(0.98, 0.005), Estimate(0.5, 0.02), Estimate(0.91, 0.02)
COSTS = {"teacher_row": 730.0, "student_row": 10.0, "teacher_bytes": 77_000.0, "student_bytes": 100.0}
DEAR = {"teacher_row": 10.0, "student_row": 25.0, "teacher_bytes": 100.0, "student_bytes": 400.0}
SKILLED = {"has_truth": True, "teacher_skill": Estimate(0.8, 0.02), "student_skill": Estimate(0.76, 0.02)}
ALONE = {"alone_skill": Estimate(0.85, 0.02), "alone_kept": Estimate(1.06, 0.02), "alone_gain": Estimate(0.09, 0.01)}


def skilled(fidelity, kept, n_rows=500, **more):
    """Return what is found of a student that has this share of a good teacher's skill."""
    return Findings(fidelity, n_rows, kept=kept, **{**SKILLED, **more})


@pytest.mark.parametrize(
    ("found", "decision", "line"),
    [
        (
            skilled(CLOSE, Estimate(0.95, 0.03), is_unseen=True, **COSTS),
            "ship",
            "Ship it.\nA close copy of the teacher (fidelity 0.980, 95 % interval 0.970 to 0.990, on 500 unseen rows) "
            "that keeps 95.0% of its skill, one row 73 times faster and 770 times smaller.",
        ),
        (
            skilled(POOR, Estimate(1.0, 0.01), **COSTS),
            "ship",
            "Ship it.\nIt keeps 100.0% of the teacher's skill (95 % interval 98.0% to 102.0%, on 500 rows), with "
            "fidelity 0.500, one row 73 times faster and 770 times smaller.",
        ),
        (
            skilled(POOR, Estimate(1.2, 0.2), student_gain=Estimate(0.1, 0.02), n_shared=7),
            "ship",
            "Ship it.\nIt is better than its teacher (skill 0.760, 95 % interval 0.721 to 0.799, the teacher 0.800, on "
            "500 rows, 7 of them training rows), with costs that were not measured.",
        ),
        (
            Findings(CLOSE, 500, **{**COSTS, "student_bytes": 154_000.0}),
            "ship",
            "Ship it, as a copy.\nA close copy of the teacher (fidelity 0.980, 95 % interval 0.970 to 0.990, on 500 "
            "rows), one row 73 times faster, but 2 times larger; its skill cannot be measured without "
            "true labels.",
        ),
        (
            skilled(CLOSE, Estimate(0.95, 0.03), **ALONE),
            "train directly",
            "Ship the same student trained directly.\nWithout the teacher it has skill 0.850, with it 0.760 (95 % "
            "interval of the gain 0.070 to 0.110, on 500 rows).",
        ),
        (
            skilled(POOR, UNKNOWN, student_skill=Estimate(-0.1, 0.05)),
            "do not ship",
            "Do not ship.\nIt is no better than a constant (skill -0.100, 95 % interval -0.198 to -0.002, on 500 "
            "rows).",
        ),
        (
            Findings(POOR, 500),
            "do not ship",
            "Do not ship.\nA poor copy of the teacher (fidelity 0.500, 95 % interval 0.461 to 0.539, on 500 rows); "
            "fidelity 0.9 is required.",
        ),
        (
            skilled(POOR, Estimate(0.93, 0.01)),
            "do not ship",
            "Do not ship.\nA poor copy of the teacher (fidelity 0.500, 95 % interval 0.461 to 0.539, on 500 rows), and "
            "it keeps 93.0% of the teacher's skill (95 % interval 91.0% to 95.0%); fidelity 0.9 or 98% of the "
            "skill is required.",
        ),
        (
            skilled(CLOSE, Estimate(0.8, 0.01)),
            "do not ship",
            "Do not ship.\nIt keeps 80.0% of the teacher's skill (95 % interval 78.0% to 82.0%, on 500 rows), clearly "
            "less than 90%.",
        ),
        (
            Findings(CLOSE, 500, **DEAR),
            "do not ship",
            "Do not ship.\nThis student has no cost advantage: one row 2.5 times slower, 4 times larger.",
        ),
        (
            Findings(NEAR, 500),
            "cannot tell",
            "Cannot tell: at least 7,700 rows are needed.\nA good copy of the teacher (fidelity 0.910, 95 % interval "
            "0.871 to 0.949, on 500 rows); fidelity 0.9 is required.",
        ),
        (
            Findings(CLOSE, 500, n_shared=251),
            "cannot tell",
            "Cannot tell: at least 100 other rows are needed.\n251 of the 500 rows are training rows.",
        ),
        (
            Findings(UNKNOWN, 500),
            "cannot tell",
            "Cannot tell: at least 100 rows with different outputs are needed.\nThe teacher's output is the same for "
            "all of these 500 rows.",
        ),
        (
            skilled(CLOSE, UNKNOWN, teacher_skill=Estimate(0.01, 0.01)),
            "cannot tell",
            "Cannot tell: at least 2,000 rows are needed.\nThe teacher may be no better than a constant (skill 0.010, "
            "95 % interval -0.010 to 0.030, on 500 rows).",
        ),
        (
            Findings(UNKNOWN, 1),
            "cannot tell",
            "Cannot tell: at least 100 rows are needed.\nA single row is not enough.",
        ),
        (Findings(CLOSE, 49), "cannot tell", "Cannot tell: at least 100 rows are needed.\n49 rows are too few."),
    ],
)
def test_the_first_line_is_a_decision(found, decision, line):
    """One of four, with a short reason in figures; the rest is another line."""
    assert decide(found).name == decision
    assert first(verdict(found)) == line
    assert verdict(found).count("\n") == 2


@pytest.mark.parametrize(
    ("fidelity", "kept", "decision"),
    [
        (0.99, 0.99, "ship"),
        (0.99, 0.95, "ship"),
        (0.5, 0.99, "ship"),
        (0.99, 0.85, "do not ship"),
        (0.85, 0.95, "do not ship"),
    ],
)
def test_the_whole_interval_decides(fidelity, kept, decision):
    """The same figures decide where their intervals are narrow, and never where they are wide."""
    sure = skilled(Estimate(fidelity, 1e-4), Estimate(kept, 1e-4))
    assert decide(sure).name == decision
    assert decide(skilled(Estimate(fidelity, 0.5), Estimate(kept, 0.5))).name == "cannot tell"


def test_directly_trained_is_better_in_skill_and_not_worse_in_labels():
    """Clearly, and than a constant, too; it must not clearly be too poor itself where the student is."""
    student = skilled(CLOSE, Estimate(0.95, 0.03))
    assert decide(student).name == "ship"
    better = {**ALONE, "alone_labels": Estimate(0.0, 0.01)}
    poor = {"alone_kept": Estimate(0.7, 0.01), "kept": Estimate(0.5, 0.01)}
    for change, decision in (
        ({}, "train directly"),
        ({"alone_labels": Estimate(-0.1, 0.01)}, "ship"),
        ({"alone_gain": Estimate(0.015, 0.01)}, "ship"),
        ({"alone_gain": Estimate(-0.1, 0.01)}, "ship"),
        ({"alone_skill": Estimate(0.01, 0.02)}, "ship"),
        ({"n_shared": 300}, "cannot tell"),
        ({"n_rows": 40}, "cannot tell"),
        (DEAR, "do not ship"),
        (poor, "do not ship"),
        ({**poor, "alone_kept": Estimate(1.0, 0.05)}, "train directly"),
        ({"student_skill": Estimate(-0.1, 0.01), "teacher_skill": Estimate(-0.1, 0.01)}, "train directly"),
    ):
        found = Findings(**{**vars(student), **better, **change})
        assert decide(found).name == decision, change


def test_students_that_are_better_than_the_teacher_are_shipped():
    """However they follow, even if they cost more; but not if they may be no better than a constant."""
    for teacher in (Estimate(-0.2, 0.05), Estimate(0.02, 0.05)):
        better = skilled(POOR, UNKNOWN, teacher_skill=teacher, student_gain=Estimate(0.5, 0.05), **DEAR)
        assert decide(better).name == "ship"
        clear_loss = Findings(**{**vars(better), "student_gain": UNKNOWN})
        assert decide(clear_loss).name == ("ship" if teacher.is_clear_loss else "cannot tell")
        unsure = Findings(**{**vars(better), "student_skill": Estimate(0.05, 0.05), "student_gain": UNKNOWN})
        assert decide(unsure).name == "cannot tell"
        assert "may" in first(verdict(unsure))

    costly = skilled(CLOSE, Estimate(1.1, 0.01), **DEAR)
    assert decide(costly).name == "do not ship"
    assert decide(Findings(**{**vars(costly), "student_gain": Estimate(0.1, 0.01)})).name == "ship"


def test_rows_that_tell_nothing_condemn_nobody():
    """Few rows, training rows, and rows of one answer do not show that a student is no better than a constant."""
    useless = skilled(POOR, UNKNOWN, student_skill=Estimate(-0.1, 0.01))
    assert decide(useless).name == "do not ship"
    for change in ({"n_rows": 49}, {"n_shared": 251}, {"fidelity": UNKNOWN}):
        assert decide(Findings(**{**vars(useless), **change})).name == "cannot tell"


@pytest.mark.parametrize(
    ("found", "n_rows"),
    [
        (skilled(NEAR, Estimate(0.982, 0.02)), 7_700),  # either would do: that of fidelity needs fewer
        (skilled(NEAR, Estimate(1.0, 0.02)), 2_000),  # the share of skill does
        (skilled(Estimate(0.5, 0.01), Estimate(0.97, 0.02)), 7_700),  # fidelity has told
        (skilled(Estimate(0.89, 0.02), Estimate(0.96, 0.02)), 7_700),  # both must be told: fidelity needs more
        (Findings(Estimate(0.9, 0.02), 500), 1_000_000),
        (Findings(Estimate(0.9, 0.02), 500_000), 5_000_000),
        (Findings(Estimate(0.91, 0.1), 40), 4_000),  # 100 times as many, not 15,000
        (Findings(Estimate(0.91, 0.02), 40), 620),
        (skilled(CLOSE, UNKNOWN, 40, teacher_skill=Estimate(0.2, 0.2)), 160),
        (skilled(CLOSE, UNKNOWN, teacher_skill=Estimate(-0.2, 0.05), student_skill=Estimate(0.05, 0.05)), 2_000),
    ],
)
def test_so_many_rows_are_asked_for(found, n_rows):
    """Of the figure that tells soonest, where one of two is enough."""
    assert decide(found).name == "cannot tell"
    assert needed(first(verdict(found)))[0] == n_rows


def test_what_is_gained_by_compiling_is_gained():
    """Nothing is gained only if nothing is smaller or faster, compiled or not."""
    assert decide(Findings(CLOSE, 500, **DEAR)).name == "do not ship"
    for name in ("compiled_row", "compiled_bytes"):
        found = Findings(CLOSE, 500, **DEAR, **{name: 1.0})
        assert decide(found).name == "ship"
        assert "no cost advantage" not in verdict(found)


def needed(line):
    """Return how many rows a decision asks for, and whether these are enough."""
    told = re.search(r"(at least|more than) ([\d,]+)", line)
    return int(told[2].replace(",", "")), told[1] != "more than"


estimates = st.builds(
    Estimate,
    st.floats(-1.5, 1.5) | st.sampled_from([0.0, 0.9, 0.98, float("nan")]),
    st.floats(0, 0.5) | st.just(float("nan")),
)
random_findings = st.builds(
    lambda n_rows, share, **found: Findings(n_rows=n_rows, n_shared=int(share * n_rows), **found),
    n_rows=st.integers(1, 10**7),
    share=st.sampled_from([0.0, 0.0, 0.3, 0.7]),
    is_unseen=st.booleans(),
    has_truth=st.booleans(),
    **{
        name: estimates for name, field in Findings.__dataclass_fields__.items() if field.type in (Estimate, "Estimate")
    },
    **{
        name: st.floats(1e-3, 1e9) | st.just(float("nan"))
        for name in Findings.__dataclass_fields__
        if name.endswith(("_row", "_many", "_bytes"))
    },
)


@settings(max_examples=150)
@given(found=random_findings)
def test_whatever_was_found_there_is_one_decision(found):
    """The first line starts with one of four; where rows are lacking, more are asked for than there are."""
    decision, said = decide(found), verdict(found)
    assert [name for name, start in DECISIONS.items() if re.match(f"{start}[:,.]", said)] == [decision.name]
    assert said.count("\n") == 2
    assert re.search(r"\bnan\b", first(said)) is None
    if decision.name == "cannot tell":
        n_rows, _ = needed(first(said))
        assert n_rows >= 100
        is_lack_of_rows = "training rows." not in first(said) and "output is the same" not in first(said)
        assert n_rows > found.n_rows or not is_lack_of_rows


@given(
    mean=st.floats(0.5, 0.999),
    error=st.floats(1e-4, 0.2),
    n_rows=st.integers(50, 10**5),
    kept=st.floats(0.85, 1.1),
    kept_error=st.floats(1e-4, 0.2),
)
def test_so_many_rows_as_are_asked_for_would_tell(mean, error, n_rows, kept, kept_error):
    """Of the same figures: the standard error goes down with the root of the rows."""
    for found in (
        Findings(Estimate(mean, error), n_rows),
        skilled(Estimate(mean, error), Estimate(kept, kept_error), n_rows),
        skilled(Estimate(mean, error), UNKNOWN, n_rows, teacher_skill=Estimate(mean - 0.49, error)),
    ):
        if decide(found).name != "cannot tell":
            continue
        n_needed, is_enough = needed(first(verdict(found)))
        if not is_enough:
            continue
        smaller = np.sqrt(n_rows / n_needed) * (1 - 1e-9)
        shrunk = {
            name: Estimate(value.mean, value.error * smaller)
            for name, value in vars(found).items()
            if isinstance(value, Estimate)
        }
        more = Findings(**{**vars(found), **shrunk, "n_rows": n_needed})
        told = decide(more)
        asked = "the teacher may be" if "the teacher may be" in decide(found).reason else "are needed"
        assert asked not in told.reason


def test_reports_have_the_decision_for_programs(make):
    """The same as that of the first line; measured on true answers, all four."""
    proba = two_columns(RNG.uniform(size=400))
    y = LABELS[(RNG.uniform(size=400) < proba[:, 1]).astype(int)]
    copy, noise = (
        compare(proba, proba, y, classes=LABELS),
        compare(proba, two_columns(RNG.uniform(size=400)), y, classes=LABELS),
    )
    case = make("two classes")
    shuffled = np.random.default_rng(0).permutation(case.y[:120])
    teacher = RandomForestClassifier(20, max_depth=3, random_state=0).fit(case.X[:120], shuffled)
    model = DistilledClassifier(teacher, "tree", sampler=None, random_state=0).fit(case.X[:120])
    harm = report(model, case.X[120:], case.y[120:], X_train=case.X[:120], y_train=case.y[:120], timing=False)
    few = compare(proba[:20], proba[:20], y[:20], classes=LABELS)
    for found, decision in ((copy, "ship"), (harm, "train directly"), (noise, "do not ship"), (few, "cannot tell")):
        assert found.decision == decision
        assert re.match(f"{DECISIONS[decision]}[:,.]", found.verdict)


def test_rows_are_called_unseen_only_where_this_was_looked_for(make):
    """With training rows that can be compared, and of which there is none among them."""
    case = make("two classes")
    train = {"X_train": case.X[:100], "y_train": case.y[:100], "timing": False}
    rows = np.concatenate([case.X[:100], case.X[100:] + 0.001])
    assert "on 100 unseen rows" in first(report(case.model, rows[100:], case.y[100:], **train).verdict)
    mixed = report(case.model, rows[90:], case.y[90:], **train)
    assert "on 110 rows, 10 of them training rows" in first(mixed.verdict)
    assert "unseen" not in report(case.model, rows[100:], case.y[100:], timing=False).verdict
    case = make("csr")
    train = {"X_train": case.X[:100], "y_train": case.y[:100], "timing": False}
    assert "unseen" not in report(case.model, case.X[100:], case.y[100:], **train).verdict


def test_what_is_not_known_without_training_rows_is_told(make):
    """Where there are true labels; in the rest, not in the decision."""
    case = make("two classes")
    said = report(case.model, case.X, case.y, timing=False).verdict
    assert "Pass X_train and y_train to compare with the same student trained directly" in rest(said)
    assert "trained directly" not in first(said)
    assert "X_train" not in report(case.model, case.X, timing=False).verdict


def draws(n_rows, rng):
    """Return teacher, student and truth of some rows: of a law whose fidelity is 0.9375, with skill kept of 0.95."""
    teacher = rng.normal(size=n_rows)
    student = teacher + 0.25 * rng.normal(size=n_rows)
    return teacher, student, teacher + 0.5 * rng.normal(size=n_rows)


@pytest.mark.parametrize("kind", ["values", "several values", "classes"])
def test_standard_errors_are_those_of_leaving_rows_out(kind):
    """Of fidelity, what the teacher's own variance adds to it included: the jackknife agrees."""
    rng = np.random.default_rng(0)
    n_rows = 150
    teacher, student = draws(n_rows, rng)[:2]
    if kind == "several values":
        teacher, student = np.column_stack([teacher, rng.normal(size=n_rows)]), np.column_stack([student, teacher])
    if kind == "classes":
        teacher, student = (np.column_stack([p := 1 / (1 + np.exp(-each)), 1 - p]) for each in (teacher, student))
    classes = LABELS if kind == "classes" else None
    answers = given_answers("test", teacher, student, classes=classes)
    left_out = [
        given_answers("test", np.delete(teacher, row, 0), np.delete(student, row, 0), classes=classes).fidelity
        for row in range(n_rows)
    ]
    jackknife = np.std(left_out) * np.sqrt(n_rows - 1)
    assert fidelity_error(answers) == pytest.approx(jackknife, rel=0.05)


def test_intervals_hold_what_they_promise(monkeypatch):
    """Of 200 draws of 200 rows, nearly 95 % of the intervals have the truth in them: fidelity, skill, share of it."""
    seen = []
    monkeypatch.setattr(
        "skdistill.inspection._report.verdict", lambda found: seen.append(found) or parts_of_verdict(found)
    )
    rng = np.random.default_rng(0)
    for _ in range(200):
        compare(*draws(200, rng), max_rules=1, columns=[])
    skill = 1 - np.array([0.25, 0.25 + 0.0625]) / 1.25
    for name, truth in (
        ("fidelity", 0.9375),
        ("teacher_skill", skill[0]),
        ("student_skill", skill[1]),
        ("kept", skill[1] / skill[0]),
        ("student_gain", skill[1] - skill[0]),
    ):
        share = np.mean([getattr(found, name).low <= truth <= getattr(found, name).high for found in seen])
        assert 0.9 <= share <= 0.99, name


def test_the_guide_names_the_limits():
    """The figures of the rules in docs/report.md are those of the code."""
    guide = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    section = guide[guide.index("## The decision") : guide.index("## Displays")]
    for start in DECISIONS.values():
        assert f"**{start}**" in section
    for text in (
        f"at least {_decision.LEAST_FIDELITY}",
        f"at least {_decision.LEAST_KEPT:.0%}",
        f"below {_decision.TOO_LITTLE_KEPT:.0%}",
        f"fewer than {_decision.MIN_ROWS_FOR_INTERVAL} rows",
        f"at least {_decision.MANY_ROWS}",
        f"{_decision.MAX_STATED_ROWS:,}",
        f"{CLEAR} standard errors",
    ):
        assert text in section, text


# ---------------------------------------------------------------------- verdicts


def test_a_perfect_copy_is_called_one():
    """With all of the teacher's labels and all of its skill."""
    proba = two_columns(RNG.uniform(size=200))
    y = LABELS[(RNG.uniform(size=200) < proba[:, 1]).astype(int)]
    found = compare(proba, proba, y, classes=LABELS)
    assert first(found.verdict).startswith(
        "Ship it.\nA close copy of the teacher (fidelity 1.000, 95 % interval 1.000 to 1.000, on 200 rows) that keeps "
        "100.0% of its skill"
    )
    assert rest(found.verdict).startswith("It predicts the teacher's label for 100.0% of the rows. Pass X_train")
    assert found.divergences == pytest.approx(dict.fromkeys(found.divergences, 0.0))


def test_a_student_worse_than_a_constant_is_told_first():
    """However closely it follows."""
    proba = two_columns(RNG.uniform(size=200))
    y = LABELS[(proba[:, 1] < 0.5).astype(int)]
    found = compare(proba, proba, y, classes=LABELS)
    assert found.verdict.startswith("Do not ship.\nIt is no better than a constant (skill -")
    assert "The teacher itself is no better than a constant (skill -" in found.verdict
    assert np.isnan(found.models["kept"]).all()
    assert "% of its skill" not in found.verdict


def test_a_student_that_follows_worse_than_a_constant_is_told_first():
    """Without true labels; with them and skill of its own, it is a poor copy but may be used."""
    teacher, student = RNG.normal(size=(2, 300))
    found = compare(teacher, student)
    assert found.verdict.startswith("Do not ship.\nIt follows the teacher no better than a constant would (fidelity -")
    found = compare(teacher, student, student)
    assert found.verdict.startswith("Ship it.\nIt is better than its teacher (skill 1.000")
    assert rest(found.verdict).startswith("The teacher itself is no better than a constant")
    assert "A poor copy of the teacher" in found.verdict
    assert "Do not ship" not in found.verdict


def test_a_teacher_that_does_harm_is_told(make):
    """One that was fitted on shuffled labels: the same student is better without it."""
    case = make("two classes")
    shuffled = np.random.default_rng(0).permutation(case.y[:120])
    teacher = RandomForestClassifier(20, max_depth=3, random_state=0).fit(case.X[:120], shuffled)
    model = DistilledClassifier(teacher, "tree", sampler=None, random_state=0).fit(case.X[:120])
    found = report(model, case.X[120:], case.y[120:], X_train=case.X[:120], y_train=case.y[:120], timing=False)
    assert found.models["model"].tolist() == ["teacher", "student", "student without teacher"]
    assert found.verdict.startswith("Ship the same student trained directly.\nWithout the teacher it has skill 0.")
    assert re.search(
        r"The teacher makes the student worse: fitted without it, the same student has accuracy 0[.\d]* "
        r"\(with it 0[.\d]*\)\. ",
        found.verdict,
    )
    assert found.verdict.index("makes the student worse") < found.verdict.index("copy of the teacher")


def test_what_the_teacher_brought_is_told(make):
    """With training rows the verdict always says it, for values, too."""
    for name in ("values", "several values", "three classes", "recipe in a pipeline"):
        case = make(name)
        half = np.random.default_rng(0).permutation(len(case.X))[: len(case.X) // 2]
        found = report(case.model, case.X[half], case.y[half], X_train=case.X, y_train=case.y, timing=False)
        assert "fitted without it, the same student" in found.verdict
        skills = dict(zip(found.models["model"], found.models["skill"], strict=True))
        assert 0 < skills["student without teacher"] < 1


KEPT = {
    "fidelity": Estimate(0.98, 0.005),
    "n_rows": 500,
    "teacher_skill": Estimate(0.8, 0.01),
    "student_skill": Estimate(0.6, 0.01),
    "alone_skill": Estimate(0.5, 0.01),
}
BETTER, WORSE, EVEN = Estimate(0.1, 0.01), Estimate(-0.1, 0.01), Estimate(0.01, 0.01)


@pytest.mark.parametrize(
    ("gain", "labels", "text"),
    [
        (BETTER, WORSE, "The teacher improves the labels and worsens the probabilities: fitted without it"),
        (
            BETTER,
            EVEN,
            "The teacher worsens the probabilities and makes no significant difference to the labels: fitted without",
        ),
        (BETTER, UNKNOWN, "The teacher makes the student worse: fitted without it"),
        (BETTER, BETTER, "The teacher makes the student worse: fitted without it"),
        (WORSE, BETTER, "The teacher improves the probabilities and worsens the labels: fitted without it"),
        (WORSE, EVEN, "The teacher helped: fitted without it"),
        (EVEN, WORSE, "No significant gain over training directly: fitted without it"),
        (
            Estimate(0.0, 0.0),
            Estimate(0.0, 0.0),
            "No significant gain over training directly: fitted without it",
        ),
    ],
)
def test_labels_and_probabilities_are_told_apart(gain, labels, text):
    """Only what is clear beyond chance is called help or harm; bad news stands before how close the copy is."""
    found = Findings(**KEPT, alone_accuracy=0.8, student_accuracy=0.9, alone_gain=gain, alone_labels=labels)
    said = rest(verdict(found))
    assert text in said
    assert said.count("fitted without it") == 1
    assert said.startswith(text) == ("wors" in text)
    assert bool(parts_of_verdict(found).warnings) == ("wors" in text)
    is_harm_alone = gain is BETTER and labels is not WORSE
    assert decide(found).name == ("train directly" if is_harm_alone else "ship")


SURE = Estimate(0.99, 0.001)


def test_nothing_gained_is_told_before_the_copy():
    """A student that is slower and larger says so first; one that is smaller but slower says slower first."""
    costs = {"teacher_row": 10.0, "teacher_many": 1.0, "teacher_bytes": 1000.0}
    dear = verdict(Findings(SURE, 100, **costs, student_row=25.0, student_many=3.0, student_bytes=4000.0))
    nothing = "his student has no cost advantage: one row 2.5 times slower, batches 3 times slower, 4 times larger."
    assert first(dear) == f"Do not ship.\nT{nothing}"
    assert nothing not in rest(dear)
    for more in ({"student_skill": Estimate(-0.1, 0.01)}, {"teacher_skill": Estimate(-0.1, 0.01), "has_truth": True}):
        found = Findings(SURE, 100, **costs, student_row=25.0, student_many=3.0, student_bytes=4000.0, **more)
        assert f"T{nothing} A close copy" in rest(verdict(found))
    few = verdict(Findings(SURE, 20, **costs, student_row=1.0, student_many=3.0, student_bytes=4000.0))
    assert few.endswith("Batches 3 times slower, 4 times larger, one row 10 times faster.")
    few = verdict(Findings(SURE, 20, **costs, student_row=10.0, student_many=1.01, student_bytes=100.0))
    assert few.endswith("Batches as fast, one row as fast, 10 times smaller.")
    better = {"teacher_skill": Estimate(0.5, 0.01), "student_skill": Estimate(0.7, 0.01), "has_truth": True}
    better |= {"student_gain": Estimate(0.2, 0.01)}
    dear = verdict(Findings(SURE, 100, **costs, student_row=25.0, student_many=3.0, student_bytes=4000.0, **better))
    assert "one row 2.5 times slower and 4 times larger." in first(dear)
    assert rest(dear).startswith("This student has no cost advantage: batches 3 times slower.")


@settings(max_examples=60)
@given(found=random_findings)
def test_what_the_reason_has_said_is_not_said_again(found):
    """Neither fidelity nor grade, share of the skill or a cost, and what it has not said is in the third line."""
    reason, others = first(verdict(found)).split("\n")[1], rest(verdict(found))
    costs = compare_costs(found)
    parts = [cost.short for cost in costs]
    if not math.isnan(found.fidelity.mean):
        parts += [f"fidelity {found.fidelity.mean:.3f}", f"{grade(found.fidelity.mean)} of the teacher"]
    if found.teacher_skill.is_clear and found.student_skill.mean > 0:
        parts.append(f"{found.student_skill.mean / found.teacher_skill.mean:.1%} of")
    patterns = [re.compile(rf"(?<![\d.,]){re.escape(part)}", re.IGNORECASE) for part in parts]
    said = [[pattern.search(line) is not None for line in (reason, others)] for pattern in patterns]
    assert all(sum(where) == 1 for where in said), dict(zip(parts, said, strict=True))
    for cost in costs:
        assert not cost.compiled or (reason + others).count(cost.compiled) >= 1
    assert others


def test_compiled_students_have_their_costs():
    """Beside those of the student as it is pickled, never in their place."""
    said = verdict(
        Findings(
            SURE,
            100,
            teacher_row=1234.0,
            student_row=10.0,
            compiled_row=1.0,
            teacher_bytes=9900.0,
            student_bytes=99.0,
            compiled_bytes=99.0,
        )
    )
    assert first(said).split("; ")[0].endswith("one row 120 times faster and 100 times smaller")
    assert said.endswith("\nCompiled, one row 1,200 times faster.")


@given(factor=st.floats(1e-8, 1e8))
def test_factors_are_said_in_two_digits(factor):
    """As faster or slower, never as less than one."""
    said = verdict(Findings(SURE, 100, teacher_row=factor, student_row=1.0))
    if "as fast" in said:
        assert 0.9 < factor < 1.1
        return
    number, word = re.search(r"ne row ([\d.,]+) times (faster|slower)", said).groups()
    told = float(number.replace(",", ""))
    assert word == ("faster" if factor > 1 else "slower")
    assert told == pytest.approx(max(factor, 1 / factor), rel=0.051)


@pytest.mark.parametrize(
    ("kept", "name"), [(0.97, "A close"), (0.9699, "A good"), (0.9, "A good"), (0.7, "A rough"), (0.1, "A poor")]
)
def test_copies_have_grades(kept, name):
    """By fidelity."""
    said = verdict(Findings(Estimate(kept, 0.01), 1234))
    assert f"{name} copy of the teacher (fidelity {kept:.3f}, " in first(said)
    few = verdict(Findings(Estimate(kept, 0.01), 40))
    assert rest(few).startswith(f"{name} copy of the teacher on 40 rows: fidelity {kept:.3f}")


def test_larger_students_say_so(make):
    """A forest that imitates a line."""
    case = make("values")
    line = LinearRegression().fit(case.X, case.y)
    forest = RandomForestRegressor(10, random_state=0).fit(case.X, line.predict(case.X))
    found = report(forest, case.X, case.y, teacher=line)
    assert re.search(r"[\d,]+ times larger", found.verdict)


# ---------------------------------------------------------------------- what is shown


def test_any_model_has_a_report(case):
    """The verdict is printed first, in three lines; every part is a frame; the table is not changed."""
    before = pickle.dumps(case.X)
    found = report(case.model, case.X, case.y, timing=False, **case.options)
    assert isinstance(found, Report)
    assert pickle.dumps(case.X) == before
    assert str(found).splitlines()[:3] == found.verdict.splitlines()
    assert re.match(f"{DECISIONS[found.decision]}[:,.]", found.verdict)
    for part in PARTS:
        frame = found.to_frame(part)
        assert list(frame.columns) == list(getattr(found, part))
    n_rows = len(case.X) if isinstance(case.X, list) else case.X.shape[0]
    assert sum(found.rules["n_rows"]) == n_rows
    assert len(found.worst_rows["row"]) == 10


def test_quality_is_what_the_metrics_say(make):
    """Of teacher and student, on all rows."""
    case = make("three classes")
    found = report(case.model, case.X, case.y, timing=False).to_frame().set_index("model")
    answers = {"teacher": case.model.soft_targets(case.X), "student": case.model.predict_proba(case.X)}
    classes = case.model.classes_
    for name, proba in answers.items():
        skill = brier_skill(case.y, proba, classes=classes)
        assert found["accuracy"][name] == agreement(case.y, classes[proba.argmax(axis=1)])
        assert found["skill"][name] == pytest.approx(skill)
        assert found["kept"][name] == pytest.approx(retention(found["skill"]["teacher"], skill))
        assert found["fidelity"][name] == pytest.approx(fidelity(answers["teacher"], proba))
    case = make("several values")
    found = report(case.model, case.X, case.y, timing=False).to_frame().set_index("model")
    assert found["skill"]["student"] == pytest.approx(r2_skill(case.y, case.model.predict(case.X)))
    errors = np.sqrt(np.mean((case.model.predict(case.X) - case.y) ** 2, axis=0))
    assert found["error"]["student"] == pytest.approx(errors.mean())


def test_costs_are_measured(make):
    """Of teacher, student and compiled student; of functions no bytes are known, as a pickle has their name only."""
    case = make("two classes")
    found = report(case.model, case.X, case.y).to_frame().set_index("model")
    assert found.index.tolist() == ["teacher", "student", "student, compiled"]
    assert (found[["n_bytes", "n_parameters", "n_operations", "one_row", "many_rows"]] > 0).all().all()
    assert found["n_bytes"]["student"] < found["n_bytes"]["teacher"]
    case = make("function")
    found = report(case.model, case.X).to_frame().set_index("model")
    assert np.isnan(found["n_bytes"]["teacher"])
    found = compare([0.1, 0.9, 0.5], [0.2, 0.8, 0.5], timing=True).to_frame().set_index("model")
    assert found["n_bytes"].isna().all()
    case = make("clusters")
    found = report(case.model, case.X).to_frame().set_index("model")
    assert np.isnan(found["one_row"]["teacher"])
    assert np.isnan(found["many_rows"]["teacher"])


@pytest.mark.parametrize("name", ["three classes", "several values"])
def test_compiled_students_have_a_quality_of_their_own(make, name):
    """That of their own outputs and labels, with no cell left empty that the student has."""
    case = make(name)
    found = report(case.model, case.X, case.y).to_frame().set_index("model")
    compiled = skdistill.compile(case.model)
    outputs = np.asarray(compiled(case.X))
    row = found.loc["student, compiled"]
    assert row.notna().all() or set(row.index[row.isna()]) <= set(found.columns[found.loc["student"].isna()])
    if name == "several values":
        assert row["skill"] == pytest.approx(r2_skill(case.y, outputs))
        return
    assert row["accuracy"] == agreement(case.y, compiled.predict(case.X))
    assert row["skill"] == pytest.approx(brier_skill(case.y, outputs, classes=case.model.classes_))
    assert row["fidelity"] == pytest.approx(fidelity(case.model.soft_targets(case.X), outputs))


def test_a_compiled_student_that_answers_otherwise_is_seen(monkeypatch, make):
    """Its row is not a copy of the student's."""
    case = make("two classes")
    compiled = skdistill.compile(case.model)
    compiled.scorer = compiled.scorer.scaled(-1.0)
    monkeypatch.setattr("skdistill.inspection._measures.compiled_form", lambda model: compiled)
    found = report(case.model, case.X, case.y).to_frame().set_index("model")
    assert found["accuracy"]["student, compiled"] < 0.5 < found["accuracy"]["student"]


def test_compiled_models_answer_with_probabilities(make):
    """Beside a teacher they are as faithful as the student they were made of."""
    compiled, case = make("compiled"), make("two classes")
    found = [report(each.model, each.X, each.y, timing=False, **each.options) for each in (compiled, case)]
    np.testing.assert_allclose(found[0].models["fidelity"], found[1].models["fidelity"], atol=1e-5)
    teacher = report(case.model, case.X, teacher=skdistill.compile(case.model), timing=False)
    assert teacher.models["fidelity"][1] == pytest.approx(1, abs=1e-5)


def test_margins_become_probabilities_and_this_is_said(make):
    """Fitted to the true labels where there are any."""
    case = make("margins")
    with_truth = report(case.model, case.X, case.y, timing=False, **case.options)
    without = report(case.model, case.X, timing=False, **case.options)
    assert "The teacher returns margins, which are scaled to probabilities by one factor" in str(with_truth)
    assert "fitted to these true labels." in str(with_truth)
    assert "by convention." in str(without)


def test_pipelines_speak_of_the_columns_given(make):
    """Rules and slices have the user's names and units, also where a step transforms them."""
    case = make("two classes")
    frame = pd.DataFrame(case.X * 100 + 1000, columns=["age", *"bcdef"])
    inside = DistilledClassifier(RandomForestClassifier(5, random_state=0), "tree", sampler=None, random_state=0)
    found = report(make_pipeline(StandardScaler(), inside).fit(frame, case.y), frame, case.y, timing=False)
    assert set(found.by_slice["column"]) == set(frame.columns)
    limits = [float(value) for rule in found.rules["rule"] for value in re.findall(r"[<>]=? (\S+)", rule)]
    assert limits
    assert all(500 < limit < 2000 for limit in limits)


def test_worst_rows_are_the_farthest_apart():
    """By position in the table given, with what both say and the truth; rows without weight are not among them."""
    teacher, student = RNG.normal(size=(2, 40))
    weight = np.ones(40)
    weight[np.argmax(np.abs(teacher - student))] = 0
    found = compare(teacher, student, teacher, sample_weight=weight)
    expected = np.argsort(-np.abs(teacher - student) * weight)[:10]
    np.testing.assert_array_equal(found.worst_rows["row"], expected)
    assert found.worst_rows["teacher"][0] == f"{teacher[expected[0]]:.4g}"
    proba = two_columns([0.25, 0.75])
    found = compare(proba, proba[::-1], ["no", "yes"], classes=LABELS)
    assert sorted(found.worst_rows["teacher"]) == ["no (0.75)", "yes (0.75)"]
    assert sorted(found.worst_rows["truth"]) == ["no", "yes"]


def test_reports_are_pickled_without_the_models(make):
    """A report holds answers, no teacher; two reports are two objects."""
    case = make("two classes")
    found = report(case.model, case.X, case.y)
    again = pickle.loads(pickle.dumps(found))
    assert again.verdict == found.verdict
    assert again._repr_html_() == found._repr_html_()
    assert len(pickle.dumps(found)) < 100_000
    assert np.ascontiguousarray(case.X[0]).tobytes() not in pickle.dumps(found)
    assert found != again
    assert found in {found}


def test_parts_are_named(make):
    """Another one is an error that lists them."""
    found = report(make("two classes").model, make("two classes").X, timing=False)
    with pytest.raises(ValueError, match=r"Report.to_frame: part='slices'; expected one of \['models'"):
        found.to_frame("slices")


def test_frames_need_pandas(make, monkeypatch):
    """The error says what to install, and what to use without it."""
    found = report(make("two classes").model, make("two classes").X, timing=False)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install pandas. Without it, report.rules is a dict of columns"):
        found.to_frame("rules")


# ---------------------------------------------------------------------- slices

DAY = np.datetime64("2020-01-01")


def test_slices_are_named_as_a_reader_would():
    """Categories, few numbers, ranges, dates and durations; what is rare together; what is missing."""
    n_rows = 80
    place = np.arange(n_rows)
    frame = pd.DataFrame(
        {
            "town": [f"town {number % 20}" if number < 40 else "Bath" for number in place],
            "rooms": place % 3 + 1,
            "number": 100_000 + place,
            "seen": DAY + place,
            "paid": np.where(place % 2, DAY, DAY + 1),
            "lasts": pd.to_timedelta(place, unit="h"),
            "rare": np.where(place < 2, np.nan, place),
        }
    )
    teacher = as_teacher(lambda X: np.asarray(X["rooms"], dtype=float) + np.asarray(X["number"]) / 1e5)
    found = report(lambda X: np.asarray(X["rooms"], dtype=float), frame, teacher=teacher, timing=False)
    slices = found.to_frame("by_slice")
    of = slices.groupby("column")["slice"].agg(set)
    assert {"Bath", "13 others"} < of["town"]
    assert of["rooms"] == {"1", "2", "3"}
    assert of["number"] == {"<= 100019", "100019 to 100039", "100039 to 100059", "> 100059"}
    assert "<= 2020-01-20" in of["seen"]
    assert of["paid"] == {"2020-01-01", "2020-01-02"}
    assert "<= 19:00:00" in of["lasts"]
    assert "missing" in of["rare"]
    assert (slices.groupby("column")["n_rows"].sum() == n_rows).all()
    assert (slices["n_rows"] > 0).all()


@settings(max_examples=25)
@given(values=st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), min_size=2, max_size=30))
def test_slices_part_the_rows(values):
    """Each row is in one slice of a column, and slices of a column have different names."""
    found = compare(np.arange(len(values)), np.zeros(len(values)), X=values, columns=[1])
    assert found.by_slice["n_rows"].sum() == len(values)
    assert len(set(found.by_slice["slice"])) == len(found.by_slice["slice"])


def test_slices_that_differ_surely_come_first():
    """By distance less two standard errors; those of a few rows last."""
    group = np.repeat([0, 1, 2], [50, 50, 3])
    distance = np.where(group == 1, 0.2, 0.1)
    distance[group == 2] = 5.0
    teacher = RNG.normal(size=103)
    found = compare(teacher, teacher + distance, X=group, columns=[1])
    assert found.by_slice["slice"].tolist() == ["1", "0", "2"]


def test_columns_are_chosen(make):
    """By name or position, one or several; of wide tables none are taken unasked, and this is said."""
    case = make("two classes")
    frame = pd.DataFrame(case.X, columns=[*"abcdef"])
    model = LogisticRegression().fit(frame, case.y)
    options = {"teacher": model, "timing": False}
    for columns, expected in ((["a", 2], {"a", "c"}), ("b", {"b"}), (3, {"d"}), ([], set())):
        assert set(report(model, frame, columns=columns, **options).by_slice["column"]) == expected
    for columns in (["nobody"], 6, [-7], [1.5], "abc"):
        with pytest.raises(
            ValueError, match=r"report: columns \[.*\] are not in the table; expected names or positions"
        ):
            report(model, frame, columns=columns, **options)
    wide = np.column_stack([np.arange(30.0), RNG.normal(size=(30, 120))])
    found = report(lambda X: X[:, 0], wide, teacher=lambda X: X[:, 0], timing=False)
    assert len(found.by_slice["slice"]) == 0
    assert "No slices for 121 columns; pass columns=[...] to select some." in found.notes
    assert "By slice" not in found._repr_html_()


# ---------------------------------------------------------------------- weights


@settings(max_examples=20)
@given(proba=distributions(max_rows=12, max_classes=3), seed=st.integers(0, 999))
def test_weights_count_as_rows(proba, seed):
    """In what is measured of models, classes and slices."""
    rng = np.random.default_rng(seed)
    n_rows, n_classes = proba.shape
    classes = np.arange(n_classes)
    student = rng.dirichlet(np.ones(n_classes), n_rows)
    y, group = rng.integers(0, n_classes, n_rows), rng.integers(0, 3, n_rows)
    weight = rng.integers(0, 4, n_rows)
    weight[0] = 2
    rows = np.repeat(np.arange(n_rows), weight)
    weighted = compare(proba, student, y, classes=classes, X=group, sample_weight=weight, columns=[1])
    repeated = compare(proba[rows], student[rows], y[rows], classes=classes, X=group[rows], columns=[1])
    for part, keys in (("models", ["model"]), ("by_output", ["class"]), ("by_slice", ["column", "slice"])):
        frames = [each.to_frame(part).set_index(keys) for each in (weighted, repeated)]
        means = frames[0].columns.difference(["n_rows", "distance_error"])
        both = frames[0].index.intersection(frames[1].index)
        assert len(both) == len(frames[1])
        np.testing.assert_allclose(*(frame.loc[both, means].to_numpy(float) for frame in frames), atol=1e-9)
    assert weighted.divergences == pytest.approx(repeated.divergences)
    assert "% of its labels" in weighted.verdict


@settings(max_examples=20)
@given(seed=st.integers(0, 999), n_outputs=st.integers(1, 3))
def test_weights_count_as_rows_for_values(seed, n_outputs):
    """Of one output or of several."""
    rng = np.random.default_rng(seed)
    teacher, student, y = rng.normal(size=(3, 9, n_outputs))
    if n_outputs == 1:
        teacher, student, y = teacher[:, 0], student[:, 0], y[:, 0]
    weight = np.append(rng.integers(0, 3, 7), [1, 2])
    rows = np.repeat(np.arange(9), weight)
    weighted = compare(teacher, student, y, sample_weight=weight)
    repeated = compare(teacher[rows], student[rows], y[rows])
    for part in ("models", "by_output"):
        frames = [each.to_frame(part).iloc[:, 1:] for each in (weighted, repeated)]
        np.testing.assert_allclose(*(frame.to_numpy(float) for frame in frames), atol=1e-9)


# ---------------------------------------------------------------------- edges


def test_a_single_row_has_a_report(make):
    """It says that it tells nothing, and warns of nothing."""
    case = make("two classes")
    found = report(case.model, case.X[:1] + 0.001, case.y[:1], X_train=case.X[1:], y_train=case.y[1:])
    assert first(found.verdict) == "Cannot tell: at least 100 rows are needed.\nA single row is not enough."
    assert found.decision == "cannot tell"
    assert rest(found.verdict).startswith("Fidelity to the teacher is not defined, because a single row is not")
    assert "Only 1 row: every number here is uncertain." in found.notes
    assert found.rules["rule"].tolist() == ["every row"]
    assert "student without teacher" in found.models["model"]
    case = make("several values")
    assert "a single row" in report(case.model, case.X[:1], case.y[:1], timing=False).verdict


@pytest.mark.parametrize("value", [0.1, 1 / 3, 0.0])
def test_a_constant_teacher_has_no_fidelity(value):
    """Neither of values nor of probabilities; distances stay finite; the truth is still told."""
    y = RNG.normal(size=150)
    found = compare(np.full(150, value), y / 2, y)
    assert "is not defined, because the teacher's output is the same for all of these 150 rows" in found.verdict
    assert first(found.verdict).startswith(
        "Cannot tell: at least 100 rows with different outputs are needed.\nThe teacher's output is the same for all of"
    )
    assert np.isnan(found.models["fidelity"]).all()
    assert np.isnan(found.by_output["fidelity"]).all()
    assert found.rules["distance"].max() < 10
    assert not any("standard error" in note for note in found.notes)
    proba = two_columns(np.full(150, value))
    found = compare(proba, two_columns(RNG.uniform(size=150)), LABELS[(y > 0).astype(int)], classes=LABELS)
    assert "the teacher's output is the same" in found.verdict
    assert np.isnan(found.models["fidelity"]).all()


def test_a_constant_student_is_no_copy():
    """It has no skill, and no fidelity."""
    y = RNG.normal(size=150)
    found = compare(y, np.full(150, 0.1), y)
    assert found.verdict.startswith("Do not ship")
    assert found.models["fidelity"][1] <= 0


def test_a_class_nobody_is_given_has_no_fidelity():
    """A column of zeros cannot be followed, nor not."""
    proba = np.column_stack([two_columns(RNG.uniform(size=50)), np.zeros(50)])
    found = compare(proba, proba, classes=["a", "b", "c"]).to_frame("by_output").set_index("class")
    assert np.isnan(found["fidelity"]["c"])
    assert np.isnan(found["agreement"]["c"])
    assert found["n_rows"]["c"] == 0
    assert found["fidelity"]["a"] == pytest.approx(1)


def test_one_class_in_the_truth(make):
    """Skill is not defined, this is said, and no student is called better or worse for it."""
    case = make("two classes")
    rows = case.y == 1
    found = report(case.model, case.X[rows], case.y[rows], X_train=case.X, y_train=case.y, timing=False)
    assert "All true labels are the same, so skill is not defined." in found.notes
    assert np.isnan(found.models["skill"]).all()
    assert "nan" not in found.verdict
    assert "fitted without it" not in found.verdict
    found = compare(RNG.normal(size=50), RNG.normal(size=50), np.full(50, 0.1))
    assert "All true values are the same, so skill is not defined." in found.notes
    assert "nan" not in found.verdict


def test_without_truth_only_closeness_is_told(make):
    """And this is said."""
    case = make("two classes")
    found = report(case.model, case.X, timing=False)
    assert set(found.models) == {"model", "fidelity", "agreement"}
    assert "Without true labels, the skill of teacher and student is not known." in found.notes
    assert "skill" not in found.verdict


@pytest.mark.slow
def test_millions_of_rows_are_sampled():
    """The teacher is asked about max_rows of them, and four times about one; the report says so."""
    asked = []

    def slow(X):
        asked.append(len(X))
        return X[:, 0] + X[:, 1]

    small = RNG.normal(size=(200, 2)).astype(np.float32)
    model = DistilledRegressor(slow, "linear", sampler=None, random_state=0).fit(small)
    n_rows = 10_000_000
    X = np.broadcast_to(np.float32(1), (n_rows, 2)).copy()
    X[:, 0] = np.arange(n_rows) % 1000
    y = np.zeros(n_rows, dtype=np.int8)
    asked.clear()
    found = report(model, X, y, max_rows=500, random_state=0)
    assert sum(asked) <= 500 + 4
    assert "Measured on 500 of the 10,000,000 rows, drawn at random." in found.notes
    assert "on 500 rows" in found.verdict
    assert found.worst_rows["row"].max() > 500
    asked.clear()
    report(model, X, max_rows=500, timing=False, random_state=0)
    assert sum(asked) == 500


def test_rows_without_weight_are_not_drawn(make):
    """Where some count and most do not, those that count are measured."""
    case = make("two classes")
    weight = np.zeros(200)
    weight[:30] = 1
    found = report(case.model, case.X, sample_weight=weight, max_rows=20, random_state=0, timing=False)
    assert found.worst_rows["row"].max() < 30
    assert "Measured on 20 of the 30 rows, drawn at random." in found.notes
    found = report(case.model, case.X, sample_weight=weight, max_rows=50, timing=False)
    assert "on 30 rows" in found.verdict
    assert not any("drawn at random" in note for note in found.notes)


def test_rows_without_weight_are_as_if_they_were_not_there(make):
    """In every part, and in what is counted; worst rows are named by their position in the table given."""
    case = make("two classes")
    weight = np.tile([1.0, 0.0], 100)
    options = {"timing": False, "random_state": 0}
    weighted = report(case.model, case.X, case.y, sample_weight=weight, **options)
    alone = report(case.model, case.X[::2], case.y[::2], **options)
    assert str(weighted) == str(alone)
    for part in ("by_output", "by_slice", "rules", "calibration"):
        assert weighted.to_frame(part).equals(alone.to_frame(part)), part
    np.testing.assert_array_equal(weighted.worst_rows["row"], 2 * alone.worst_rows["row"])


def test_pictures_show_the_fidelity_of_the_tables():
    """With weights, too."""
    pytest.importorskip("matplotlib")
    teacher = np.linspace(0, 1, 50)
    weight = np.where(teacher > 0.5, 1.0, 1e-3)
    found = compare(teacher, np.maximum(teacher, 0.5), sample_weight=weight)
    assert f"{found.models['fidelity'][1]:.3f}, 50 rows shown" in found._repr_html_()


def test_distances_of_many_classes_are_taken_once(monkeypatch):
    """Not for each class anew: of a thousand classes that would be minutes."""
    taken = []
    distance = Answers.distance
    monkeypatch.setattr(Answers, "distance", property(lambda self: taken.append(1) or distance.fget(self)))
    proba = RNG.dirichlet(np.ones(40), 60)
    compare(proba, proba[::-1], classes=np.arange(40))
    assert len(taken) < 10


def test_rows_are_drawn_by_the_seed(make):
    """The same for the same seed."""
    case = make("two classes")
    first, second = (report(case.model, case.X, case.y, max_rows=100, random_state=3, timing=False) for _ in range(2))
    assert str(first) == str(second)
    np.testing.assert_array_equal(first.worst_rows["row"], second.worst_rows["row"])


def test_clusters_are_asked_for_all_rows():
    """A teacher that only has labels of its own rows answers for all of them; of these some are measured."""
    X = RNG.normal(size=(90, 2))
    model = DistilledClassifier(AgglomerativeClustering(2).fit(X), "tree", sampler=None, random_state=0).fit(X)
    found = report(model, X, max_rows=40, random_state=0)
    assert "Measured on 40 of the 90 rows, drawn at random." in found.notes
    with pytest.raises(TeacherError, match="only has labels_ for the 90 rows it was fitted on"):
        report(model, X[:40])


def test_sparse_rows_of_any_format_are_alike(make):
    """The same numbers for each, and for the dense table."""
    case = make("csr")
    dense = case.X.toarray()
    options = {"teacher": lambda X: np.asarray(X[:, [0]].sum(axis=1)).ravel(), "timing": False}
    student = LinearRegression().fit(dense, dense[:, 1])
    expected = report(student, dense, **options)
    for kind in (sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix, sparse.lil_matrix):
        assert str(report(student, kind(dense), **options)) == str(expected)


# ---------------------------------------------------------------------- bad input


def test_wrong_truth_is_refused(make):
    """With its shape or its labels, by name."""
    case = make("two classes")
    X, y = case.X, case.y
    wrong = {
        r"report got y of shape \(3,\) for 200 rows; expected the true value of each row": y[:3],
        r"report got y of shape \(200, 2\); expected one label for each": np.column_stack([y, y]),
        r"report got y with unknown labels \[2\]; known are \[0, 1\]. Pass the labels": y + 1,
        r"report got y with unknown labels \[nan\]": np.where(y, np.nan, 0),
        r"report got y with labels of several types; expected some of": np.where(y, None, "0"),
        r"report got y of shape \(\) for 200 rows": 1,
    }
    for message, truth in wrong.items():
        with pytest.raises(ValueError, match=message):
            report(case.model, X, truth, timing=False)
    values = make("values")
    for truth in (np.full(150, np.nan), np.full(150, "a"), np.zeros((150, 2))):
        with pytest.raises(ValueError, match=r"report got y of shape .*; expected finite numbers of the shape"):
            report(values.model, values.X, truth, timing=False)


def test_wrong_weights_are_refused(make):
    """Too few, none above zero, negative, NaN: the message names the report."""
    case = make("two classes")
    for weight, message in (
        (np.ones(3), r"sample_weight has shape \(3,\)"),
        (np.zeros(200), "all values of sample_weight are zero"),
        (-np.ones(200), "sample_weight has 200 negative weights"),
        (np.full(200, np.nan), "sample_weight has NaN"),
    ):
        with pytest.raises(ValueError, match=rf"report: {message}"):
            report(case.model, case.X, sample_weight=weight)


def test_training_rows_come_with_labels(make):
    """X_train, y_train and y, or none of the first two; equally long; with known labels."""
    case = make("two classes")
    X, y = case.X, case.y
    for given_ in ({"X_train": X}, {"y_train": y}, {"X_train": X, "y_train": y, "y": None}):
        with pytest.raises(ValueError, match=r"report: got .*; a student is fitted without the teacher on X_train and"):
            report(case.model, X, **{"y": y, **given_})
    with pytest.raises(ValueError, match=r"X_train of 200 rows and y_train of shape \(100,\)"):
        report(case.model, X, y, X_train=X, y_train=y[:100], timing=False)
    with pytest.raises(ValueError, match=r"report got y_train with unknown labels \[2\]"):
        report(case.model, X, y, X_train=X, y_train=y + 1, timing=False)
    with pytest.raises(StudentError, match="CompiledModel cannot be fitted without the teacher"):
        report(make("compiled").model, X, y, X_train=X, y_train=y, teacher=case.model.teacher, timing=False)


def test_nonsense_from_a_model_is_refused(make):
    """NaN, other classes, other shapes: the message says who."""
    case = make("two classes")
    with pytest.raises(TeacherOutputError, match=r"returned row 0 as nan; expected finite numbers"):
        compare([1.0, 2.0], [np.nan, 1.0])

    class Broken(DistilledClassifier):
        def predict_proba(self, X):
            return np.full((len(X), 2), np.nan)

    broken = Broken(case.model.teacher, "tree", sampler=None, random_state=0).fit(case.X)
    with pytest.raises(ValueError, match="report: the output of the student has NaN or infinity in 200 of 200 rows"):
        report(broken, case.X)
    other = LogisticRegression().fit(case.X, LABELS[case.y])
    with pytest.raises(ValueError, match=r"report: the model LogisticRegression returns shape .*'no', 'yes'"):
        report(other, case.X, teacher=case.model.teacher)
    values = make("several values")
    with pytest.raises(ValueError, match=r"shape \(150,\) .* teacher RandomForestRegressor returns \(150, 2\)"):
        report(make("values").model, values.X, teacher=values.model.teacher)


def test_wrong_counts_and_tables_are_refused(make):
    """No rows, no whole numbers, no teacher."""
    case = make("two classes")
    with pytest.raises(ValueError, match="report got a table without rows; expected at least 1"):
        report(case.model, case.X[:0])
    for name, others in (("max_rows", ()), ("max_rules", (None,))):  # max_rows=None is all rows
        for value in (0, 1.5, True, *others):
            with pytest.raises(ValueError, match=rf"report: {name}={value}; expected an integer of at least 1"):
                report(case.model, case.X, **{name: value})
    with pytest.raises(TypeError, match=r"report: got a RandomForestClassifier.*needs the argument teacher="):
        report(case.model.teacher, case.X)


# ---------------------------------------------------------------------- the page


class Nesting(HTMLParser):
    """Notes tags that are opened and not closed, and all headings."""

    VOID = ("meta", "br", "img", "link", "input", "hr")

    def __init__(self):
        super().__init__()
        self.open, self.headings, self.names = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(page):
    """Return what a parser makes of a page."""
    nesting = Nesting()
    nesting.feed(page)
    return nesting


@pytest.fixture
def page(make, tmp_path):
    """Return the function that writes a report and reads it."""

    def write(found, name="page.html"):
        found.to_html(tmp_path / name)
        return (tmp_path / name).read_text(encoding="utf-8")

    return write


@pytest.mark.parametrize("name", ["two classes", "three classes", "several values", "clusters", "pandas", "texts"])
def test_pages_are_whole(make, name, page):
    """The verdict leads, every tag is closed, headings go down one by one, and nothing is fetched or run."""
    case = make(name)
    made = report(case.model, case.X, case.y, timing=False, **case.options)
    written = page(made)
    (shown,) = re.findall(r"</h1>\s*<div class=\"verdict \w+\">(.*?)</div>", written)
    bold = re.findall(r'<p class="decision"><span aria-hidden="true">.</span> <strong>(.*?)</strong></p>', shown)
    others = re.findall(r'<p class="(?:reason|evidence)">(.*?)</p>', shown)
    warnings = re.findall(r'<p class="warning"><strong>Note:</strong> (.*?)</p>', shown)
    assert [unescape(text) for text in warnings] == list(made.warnings)
    lines = [*bold, others[0], " ".join([*warnings, others[1]])]
    assert [unescape(text) for text in lines] == made.verdict.splitlines()
    found = read(written)
    assert found.open == []
    assert found.headings[0] == 1
    assert found.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(found.headings))
    assert not found.names & {"script", "link", "img", "iframe", "object", "embed"}
    without_names = re.sub(r'xmlns(:\w+)?="[^"]*"', "", written)
    assert "http" not in without_names
    assert "url(" not in re.sub(r"url\(#\w+\)", "", without_names)
    assert "@import" not in written


def test_pages_are_the_same_each_time(make, page):
    """Byte by byte where nothing is timed, whatever the style of pictures outside."""
    case = make("three classes")
    first, second = (page(report(case.model, case.X, case.y, timing=False, random_state=0)) for _ in range(2))
    assert first == second


@pytest.mark.slow
def test_pages_are_the_same_from_several_threads(make):
    """Which share the style of matplotlib."""
    case = make("two classes")
    found = report(case.model, case.X, case.y, timing=False, random_state=0)
    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(lambda _: found._repr_html_(), range(8)))) == 1


def test_pages_follow_their_surroundings_not_the_style(make, page):
    """On a dark notebook with a dark style the picture has no black ground of its own."""
    plt = pytest.importorskip("matplotlib.pyplot")
    case = make("two classes")
    found, opened = report(case.model, case.X, case.y, timing=False), plt.get_fignums()
    light = page(found)
    with plt.style.context("dark_background"):
        assert page(found) == light
    assert "<svg" in light
    assert "currentColor" in light
    assert not re.search(r"<svg.*<style.*</svg>", light, flags=re.DOTALL)  # it would style the notebook around, too
    assert plt.get_fignums() == opened


def test_all_forms_say_what_the_report_is_about(make, page):
    """Teacher, family, rows, date and versions: printed, in frames, on pages, and in pickles."""
    case = make("pandas")
    found = report(case.model, case.X, case.y, timing=False)
    about = found.subject
    assert list(about) == ["teacher", "student", "data", "date", "versions"]
    assert about["teacher"] == "risk"
    assert re.fullmatch(r"tree \(CompactTreeClassifier\), [\d,]+ parameters", about["student"])
    assert about["data"].startswith(f"150 rows with {case.X.shape[1]} columns ({case.X.columns[0]}, ")
    assert about["data"].endswith("with true labels")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", about["date"])
    assert f"skdistill {skdistill.__version__}, scikit-learn " in about["versions"]
    written = unescape(page(found))
    for name, text in about.items():
        assert f"{name}: {text}" in str(found)
        assert f"<dt>{name}</dt><dd>{text}</dd>" in written
    assert found.to_frame("rules").attrs["subject"] == pickle.loads(pickle.dumps(found)).subject == about
    few = report(case.model, case.X, timing=False, max_rows=20, random_state=0).subject["data"]
    assert few.startswith("20 of 150 rows")
    assert few.endswith("without true labels")


PLAIN = {"class", "output", "rule", "column", "slice", "n_rows", "row", "teacher", "student", "truth", "weight"}
"""Columns that say what they are."""


def test_every_measure_is_explained_and_shown(make, page):
    """On hover, in a list, below the printed table and in frames; folded or not, no column is lost."""
    for name in ("three classes", "several values"):
        case = make(name)
        found = report(case.model, case.X, case.y)
        written = page(found)
        legend = re.search(r"What the terms mean</summary><dl>(.*?)</dl>", written)[1]
        for part in PARTS:
            terms = found.to_frame(part).attrs["terms"]
            for column in getattr(found, part).keys() - {"model"}:
                shown = HEADERS.get(column, column)
                assert f">{shown}<" in unescape(written), column
                if column in PLAIN or column.endswith(("_accuracy", "_error")):
                    continue
                assert terms[column] == TERMS[column]
                assert f'<abbr title="{TERMS[column]}">{shown}</abbr>' in unescape(written)
                assert part != "models" or f"{column}: {TERMS[column]}" in str(found)
                assert f"<dt>{shown}</dt><dd>{TERMS[column]}</dd>" in unescape(legend)


def test_good_and_bad_news_differ_on_the_page():
    """By a class and a sign for each decision, and a paragraph for each piece of bad news."""
    assert set(SIGNS) == set(DECISIONS)
    assert len({kind for kind, _ in SIGNS.values()}) == len({sign for _, sign in SIGNS.values()}) == len(SIGNS)
    proba = two_columns(RNG.uniform(size=200))
    found = compare(proba, proba, LABELS[(proba[:, 1] < 0.5).astype(int)], classes=LABELS)
    assert found.warnings[0].startswith("The teacher itself is no better than a constant")
    written = found._repr_html_()
    assert 'class="verdict bad"' in written
    assert written.count('<p class="warning">') == len(found.warnings)


@given(costs=st.lists(st.floats(1e-3, 1e9), min_size=3, max_size=3))
def test_bars_are_as_long_as_the_costs(costs):
    """In proportion to the longest, but never invisible; each has its number, and its share of the teacher's."""
    names = ["teacher", "student", "student, compiled"]
    models = {"model": np.array([*names, "earlier steps"]), "one_row": np.array([*costs, 1e12])}
    drawn = cost_picture(models)
    widths = [float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', drawn)]
    longest = max(widths)
    assert widths == pytest.approx([max(longest * cost / max(costs), 2) for cost in costs], abs=0.06)
    assert drawn.count("<text") == 7
    assert re.findall(r">([^<>]*)</text>", drawn)[1::2] == names
    assert cost_picture({**models, "one_row": np.array([np.nan, 1.0, 1.0, 1.0])}) == ""


EVIL = "<script>alert(1)</script>&\"'"


@pytest.mark.parametrize("part", ["columns", "categories", "classes"])
def test_nothing_reaches_the_page_unescaped(part, page):
    """Whoever names columns, categories and classes writes no HTML."""
    n_rows = 120
    rng = np.random.default_rng(0)
    evil = [f"{EVIL}{number}" for number in range(2)]
    frame = pd.DataFrame(
        {
            evil[0] if part == "columns" else "group": rng.choice(evil if part == "categories" else ["a", "b"], n_rows),
            evil[1] if part == "columns" else "size": rng.normal(size=n_rows),
        }
    )
    group, size = (frame.iloc[:, place].to_numpy() for place in (0, 1))
    classes = np.array(evil if part == "classes" else ["a", "b"])
    noise = rng.normal(size=n_rows)

    def teacher(X):
        return 1 / (1 + np.exp(-np.asarray(X.iloc[:, 1], dtype=float)))

    def student(X):
        far = np.where(np.asarray(X.iloc[:, 0]) == group[0], 2, 1)
        return two_columns(1 / (1 + np.exp(-far * np.asarray(X.iloc[:, 1], dtype=float))))

    y = classes[(size + noise > 0).astype(int)]
    found = report(student, frame, y, teacher=as_teacher(teacher, classes=classes), timing=False)
    for written in (page(found), found._repr_html_()):
        assert "<script" not in written
        assert "alert(1)</" not in written
        assert read(written).open == []
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in written


def test_pages_of_many_classes_and_rows_are_small(page):
    """Below half a megabyte for ten classes and ten thousand rows."""
    proba, student = RNG.dirichlet(np.ones(10), size=(2, 10_000))
    classes = np.arange(10)
    found = compare(proba, (proba + student) / 2, proba.argmax(axis=1), classes=classes)
    assert len(page(found).encode()) < 500_000


# ---------------------------------------------------------------------- what a stranger ran into


def test_training_rows_are_known_again(make):
    """Rows of the report that are among those passed, or those that the model knows, are counted, and said first."""
    case = make("two classes")
    found = report(case.model, case.X, case.y, X_train=case.X, y_train=case.y, timing=False)
    n_rows = len(case.y)
    assert found.verdict.startswith(
        f"Cannot tell: at least 100 other rows are needed.\n{n_rows} of the {n_rows} rows are training rows."
    )
    assert f"{len(case.y)} of the {len(case.y)} rows are among the training rows" in found.notes[0]
    known = report(case.model, case.X, case.y, timing=False)
    assert f"{n_rows} of the {n_rows} rows are training rows" in known.verdict
    new = case.X[:50] + 0.01
    apart = report(case.model, new, case.y[:50], X_train=case.X[50:], y_train=case.y[50:], timing=False)
    assert "training rows" not in str(apart)


def test_shared_rows_are_counted_in_any_frame():
    """Of strings, missing cells and numbers alike; tables of other columns share none."""
    frame = pd.DataFrame({"a": ["x", None, "y", "x"], "b": [1.0, 2.0, np.nan, 0.0]})
    other = pd.DataFrame({"a": ["x", "y", "z"], "b": [-0.0, np.nan, 1.0]})
    assert count_shared(frame, other) == (2, 2)
    assert count_shared(frame, frame[["a"]]) == (0, 0)
    assert count_shared(np.eye(3), np.eye(3)[:2]) == (2, 2)


def test_rows_that_equal_training_rows_by_chance_are_no_training_rows():
    """In a table with few different rows, new ones are like old ones; training rows among them are still counted."""
    rng = np.random.default_rng(0)
    train, honest = (np.round(rng.normal(size=(n_rows, 3))) for n_rows in (400, 300))
    n_equal, n_shared = count_shared(honest, train)
    assert n_equal > 200
    assert n_shared == 0
    assert 280 <= count_shared(train[:300], train)[1] <= 300
    half = np.concatenate([honest[:150], train[:150]])
    assert 100 <= count_shared(half, train)[1] <= 200


def test_a_report_on_honest_rows_of_a_narrow_table_does_not_say_that_they_are_training_rows():
    """Neither in the verdict nor in the notes, where two columns of few values leave no row that is not known."""
    rng = np.random.default_rng(0)
    train, honest = (rng.integers(0, 4, size=(n_rows, 2)).astype(float) for n_rows in (300, 200))
    model = DistilledRegressor(lambda X: X[:, 0] + X[:, 1] ** 2, "linear", sampler=None, random_state=0).fit(train)
    found = report(model, honest, honest[:, 0], X_train=train, y_train=train[:, 0], timing=False)
    assert "training rows" not in found.verdict + "".join(found.notes)
    assert "unseen" not in found.verdict


def test_steps_of_a_pipeline_are_timed_too(monkeypatch):
    """The verdict compares what the owner waits for: earlier steps and teacher, earlier steps and student."""
    X = RNG.normal(size=(200, 3))
    forest = RandomForestRegressor(10, random_state=0).fit(X, X[:, 0])
    model = make_pipeline(StandardScaler(), DistilledRegressor(forest, "linear", sampler=None, random_state=0)).fit(X)
    measured = Footprint(n_bytes=1000, n_parameters=3, n_operations=3, one_row=100.0, many_rows=1.0)
    monkeypatch.setattr("skdistill.inspection._measures.footprint", lambda *_: measured)
    monkeypatch.setattr("skdistill.inspection._measures.latency", lambda *_, **__: 900.0)  # of teacher and steps alike
    found = report(model, X, X[:, 0])
    steps = found.models["model"].tolist().index("earlier steps")
    assert found.models["one_row"][steps] == 900
    assert any("earlier steps" in note for note in found.notes)
    assert "ne row 1.8 times faster," in found.verdict  # (900 + 900) / (900 + 100); a pipeline is not compiled


def test_a_teacher_of_hardly_any_skill_is_not_divided_by():
    """Where its skill is within chance, no share of it is told."""
    X, y = RNG.normal(size=(120, 3)), RNG.normal(size=120)
    y[:] += 0.1 * X[:, 0]
    teacher = LinearRegression().fit(X, X[:, 0])
    teacher.coef_ = teacher.coef_ * 0.1
    model = DistilledRegressor(teacher, "linear", sampler=None, random_state=0).fit(X)
    found = report(model, X + 0.001, y, timing=False)
    skill = found.models["skill"][0]
    assert "of its skill" not in found.verdict
    assert found.decision == "cannot tell"
    assert ("The teacher may be no better" if skill > 0 else "no better") in first(found.verdict)


def test_a_function_is_asked_for_the_classes_of_the_model(make):
    """It knows none of its own."""
    case = make("two classes")
    teacher = case.model.teacher_
    found = report(case.model.student_, case.X, case.y, teacher=teacher.predict_proba, timing=False)
    expected = report(case.model, case.X, case.y, timing=False)
    np.testing.assert_allclose(found.models["fidelity"], expected.models["fidelity"])


def test_a_teacher_that_fails_while_it_is_timed_loses_its_latency_only():
    """All rows were answered, so there is a report."""
    X = RNG.normal(size=(100, 2))

    def service(rows):
        if len(rows) == 1:
            raise ConnectionError
        return rows[:, 0]

    found = report(LinearRegression().fit(X, X[:, 0]), X, teacher=service)
    assert np.isnan(found.models["one_row"][0])
    assert found.models["fidelity"][1] > 0.99


class Noted(DistilledClassifier):
    """A classifier that has found something out while it was fitted."""

    def fit(self, X, y=None, **options):
        super().fit(X, y, **options)
        for name, value in self.noted.items():
            setattr(self, name, value)
        return self


def notes_of(case, noted, **options):
    """Return the notes on a model with these attributes, at the end of a pipeline."""
    model = Noted(case.model.teacher, "tree", sampler=None, random_state=0)
    model.noted = noted
    found = report(make_pipeline(StandardScaler(), model).fit(case.X), case.X, case.y, timing=False, **options)
    return " ".join(found.notes), found.models["fidelity"][1]


def test_a_teacher_that_has_memorised_is_told(make):
    """Where the model has found it, beyond a limit; not of another teacher that is passed."""
    case = make("two classes")
    text = "The teacher has memorised its training rows (0.34 of the variance of its outputs there does not appear on"
    assert text in notes_of(case, {"teacher_memorization_": 0.34})[0]
    for share in (0.05, 0.0, float("nan")):
        assert "memorised" not in notes_of(case, {"teacher_memorization_": share})[0]
    assert "memorised" not in notes_of(case, {})[0]
    assert "memorised" not in notes_of(case, {"teacher_memorization_": 0.34}, teacher=case.model.teacher)[0]


@pytest.mark.parametrize(
    ("shift", "text"),
    [
        (0.0, "."),
        (0.02, ", outside that interval, but the difference is not significant on these rows."),
        (0.5, ", outside that interval: these rows differ from the validation rows, or the estimate was wrong."),
    ],
)
def test_what_was_promised_while_fitting_is_compared(make, shift, text):
    """With what is measured here; only what is beyond the chance of both is called wrong."""
    case = make("two classes")
    chosen = SimpleNamespace(fidelity=0.9, validated_on="X_val")
    said, measured = notes_of(case, {"candidates_": SimpleNamespace(chosen=chosen)})
    assert f"estimated as 0.900 (from X_val); here it is {measured:.3f}." in said
    middle = measured - shift
    chosen.fidelity, chosen.fidelity_low, chosen.fidelity_high = middle, middle - 0.01, middle + 0.01
    said, _ = notes_of(case, {"candidates_": SimpleNamespace(chosen=chosen)})
    interval = f"95 % interval {middle - 0.01:.3f} to {middle + 0.01:.3f}"
    promise = f"its fidelity on unseen rows was estimated as {middle:.3f} ({interval}, from X_val)"
    assert f"{promise}; here it is {measured:.3f}{text}" in said


def test_nothing_promised_is_compared_with_nothing(make):
    """No choice, none that was judged, and no fidelity here."""
    case = make("two classes")
    unjudged = SimpleNamespace(fidelity=float("nan"), validated_on="nothing: there are too few rows")
    for chosen in (None, unjudged):
        assert "During fit" not in notes_of(case, {"candidates_": SimpleNamespace(chosen=chosen)})[0]
    assert "During fit" not in notes_of(case, {"candidates_": None})[0]


def test_divergences_are_a_frame_too(make):
    """One row of it."""
    case = make("three classes")
    assert report(case.model, case.X, timing=False).to_frame("divergences").shape == (1, 5)


def test_errors_of_slices_are_errors_of_the_table(make):
    """In the units of y: of a slice that is the whole table, the same number."""
    case = make("values")
    X = np.column_stack([np.zeros(len(case.y)), case.X])
    student = LinearRegression().fit(X, case.y)
    found = report(student, X, case.y, teacher=lambda X: X[:, 1], timing=False, columns=[0])
    for place, name in enumerate(("teacher_error", "student_error")):
        np.testing.assert_allclose(found.by_slice[name], found.models["error"][place])


def test_wide_sparse_tables_have_no_rules():
    """It would take long and say little; the report says so."""
    X = sparse.random(200, 6000, density=0.01, format="csr", random_state=0)
    student = LinearRegression().fit(X[:, :5].toarray(), X[:, 0].toarray()[:, 0])

    def answer(rows):
        return student.predict(rows[:, :5].toarray())

    found = report(answer, X, teacher=lambda rows: answer(rows) + rows[:, 7].toarray()[:, 0], timing=False)
    assert found.rules["rule"].tolist() == ["every row"]
    assert "No rules for 6,000 sparse columns." in found.notes


def test_texts_with_halves_of_characters_are_shown(tmp_path):
    """In names of columns, categories and labels; the page and the text can be written, with U+FFFD in their place."""
    half, rng = "x\ud800", np.random.default_rng(0)
    number = rng.normal(size=120)
    kind = pd.Series(rng.choice(np.array([half, "a"], dtype=object), 120), dtype=object)
    X = pd.DataFrame({0: number, 1: kind}).set_axis(pd.Index([f"column {half}", "kind"], dtype=object), axis=1)
    classes = np.array([f"no {half}", f"yes {half}"], dtype=object)
    teacher = LogisticRegression().fit(number[:, None], number > 0)
    proba = as_teacher(lambda X: teacher.predict_proba(np.asarray(X.iloc[:, :1], dtype=float)), classes=classes)
    student = as_teacher(lambda X: np.full((len(X), 2), 0.5), classes=classes)
    found = report(student.model, X, classes[(number > 0).astype(int)], teacher=proba, timing=False)
    found.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    for shown in ("column x\ufffd", "no x\ufffd", "yes x\ufffd"):
        assert shown in page
    assert str(found).encode()
    assert found._repr_html_().encode()


def test_each_cost_is_told_once():
    """By the reason or by the evidence, that of the compiled student, too."""
    row, many = {"teacher_row": 90, "student_row": 30, "compiled_row": 2}, {"teacher_many": 12, "student_many": 3}
    found = SimpleNamespace(**row, **many, teacher_bytes=700, student_bytes=100, compiled_bytes=50)
    costs = compare_costs(found)
    assert [cost.compiled != "" for cost in costs] == [True, False, True]
    for reason in ("", costs[0].short, costs[0].text, ", ".join(cost.short for cost in costs)):
        told = f"{reason}. {other_costs(found, reason)}"
        for cost in costs:
            assert told.count(cost.times) == 1
            assert not cost.compiled or told.count(cost.compiled) == 1
