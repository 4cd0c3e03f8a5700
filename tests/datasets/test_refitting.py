"""Fits on datasets refit the values of their students to more rows than they hold, within the budget."""

from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from helpers import CountingTeacher
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import r2_score

from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor, as_teacher, memory_info
from skdistill.datasets import as_dataset
from skdistill.datasets._remaining import BLOCK, RemainingRows
from skdistill.estimators import _datasets, _refitting, _summing
from skdistill.estimators._summing import LABELLED_CHUNKS, Summing
from skdistill.exceptions import DatasetError, TeacherOutputError, TeacherQueryError, TeacherWarning
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor, CompactTreeRegressor
from skdistill.students._refitting import shortened, sums_for
from skdistill.teachers import Workers

N_ROWS = 6000


def rows(n_rows=N_ROWS, seed=0):
    rng = np.random.RandomState(seed)
    return pd.DataFrame(rng.rand(n_rows, 3), columns=["a", "b", "c"]).assign(g=rng.choice(["u", "v"], n_rows))


def wavy(X):
    X = pd.DataFrame(X)
    return np.where(X["a"] > 0.8, np.sin(9 * X["b"]), X["b"] * X["c"]) + 0.1 * (X["g"] == "u").to_numpy()


Counting = partial(CountingTeacher, wavy)


def dataset(table, n_parts=3, **options):
    ends = np.linspace(0, len(table), n_parts + 1).astype(int)
    parts = [table[first:last] for first, last in pairwise(ends)]
    return as_dataset(parts, **{"sample_rows": 1000, "chunk_size": 1500, **options})


SMALL = {
    "linear": "linear",
    "tree": CompactTreeRegressor(24, n_regrowths=0),
    "boosting": CompactBoostingRegressor(8, 8, random_state=0),
}


def student(kind="linear", teacher=wavy, **options):
    return DistilledRegressor(teacher, SMALL[kind], **{"sampler": None, "random_state": 0, **options})


@pytest.mark.parametrize("kind", ["linear", "tree", "boosting"])
def test_a_larger_budget_makes_the_student_better(kind):
    """The teacher labels exactly as many rows as allowed; the sums are stated; unseen rows agree with the report."""
    counting = Counting()
    small = student(kind, max_queries=1000, random_state=1).fit(dataset(rows()))
    large = student(kind, counting, max_queries=5000, random_state=1).fit(dataset(rows()))
    report, other = large.refit_report_, rows(4000, seed=1)
    assert counting.n_asked == large.transfer_set_.n_queries == 5000
    assert report.is_kept
    assert report.fidelity_after > report.fidelity_before
    assert large.fidelity(other) > small.fidelity(other)
    assert large.transfer_set_.n_summed == report.n_summed
    assert report.n_summed + report.n_validated + 12 >= 5000  # and rows that check the teacher
    assert f"fitted again to {report.n_summed:,} rows" in large.transfer_set_.explain()
    assert f"refitted to {report.n_summed:,} rows was kept" in str(report)
    if kind == "tree":  # rows that are drawn stand for those that are not, too
        assert 0.93 * N_ROWS < large.student_._nodes.weight[0] <= N_ROWS
    assert not hasattr(small, "refit_report_")
    assert small.transfer_set_.n_summed == 0


def test_all_rows_are_in_the_sums_or_in_the_comparison():
    """Each once, and all are known as seen; with all rows, the student is nearly that of all rows in memory."""
    table = rows()
    model = student(max_queries=10**6).fit(dataset(table))
    report = model.refit_report_
    assert report.n_summed + report.n_validated == N_ROWS
    assert model.seen_rows_.find(table).all()
    assert 0.03 < report.n_validated / report.n_labelled < 0.07
    whole = student().fit(table)
    assert model.fidelity(table) == pytest.approx(whole.fidelity(table), abs=0.002)


@pytest.mark.parametrize("kind", ["linear", "tree", "boosting"])
@pytest.mark.parametrize(("n_parts", "options"), [(1, {"chunk_size": 977}), (5, {"chunk_size": 10_000})])
def test_the_refit_does_not_depend_on_chunks(kind, n_parts, options):
    """Nor on partitions and jobs, up to rounding: the same rows are drawn and held out."""
    table = rows()
    model = student(kind, max_queries=3000, n_jobs=2).fit(dataset(table, n_parts, **options))
    again = student(kind, max_queries=3000).fit(dataset(table))
    assert vars(model.refit_report_).keys() == vars(again.refit_report_).keys()
    assert model.refit_report_.n_summed == again.refit_report_.n_summed
    assert np.allclose(model.predict(table), again.predict(table), atol=1e-3)


def test_chunks_are_labelled_together(monkeypatch):
    """So that jobs wait for each other less often, within the rows that a fit holds; jobs change nothing at all."""
    table, kept, queries = rows(3000), Summing._labelled, []

    def labelled(summing, drawn):
        queries.append(len(drawn))
        return kept(summing, drawn)

    monkeypatch.setattr(Summing, "_labelled", labelled)
    monkeypatch.setattr(_summing, "SUMMED_ROWS", 1)  # otherwise, small chunks are taken for one
    models = [student(max_queries=3000, n_jobs=n_jobs).fit(dataset(table, chunk_size=100)) for n_jobs in (None, 2)]
    assert (models[0].predict(table) == models[1].predict(table)).all()
    assert models[0].refit_report_ == models[1].refit_report_
    assert max(queries) <= LABELLED_CHUNKS * 100 < np.median(queries) + 100
    monkeypatch.undo()
    monkeypatch.setattr(Summing, "_labelled", labelled)
    again = student(max_queries=3000).fit(dataset(table, chunk_size=400))
    assert max(queries) <= 1000
    assert np.allclose(models[0].predict(table), again.predict(table))


@pytest.mark.parametrize("n_spare", [0, 500])
def test_what_labels_the_rows_is_chosen_for_all_of_them(monkeypatch, n_spare):
    """And knows how many queries it may use to compare outputs."""
    expected = []
    monkeypatch.setattr(Workers, "expect", lambda workers, *numbers: expected.append(numbers))
    table = rows().drop(columns="g")
    teacher = LinearRegression().fit(table, table["a"])
    model = DistilledRegressor(teacher, "linear", sampler=None, max_queries=N_ROWS + n_spare)
    report = model.fit(dataset(table)).refit_report_
    assert expected == [(report.n_labelled, N_ROWS + n_spare - model.transfer_set_.n_queries)]
    assert model.transfer_set_.n_queries <= N_ROWS + n_spare


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_errors_of_the_sums_reach_the_caller(monkeypatch, n_jobs):
    """Whichever rows they are about, also the last, in whatever thread these are added."""

    def add(*part):
        added.append(1)
        if len(added) == n_parts:
            raise MemoryError("the sums are full")

    table, n_parts, added = rows(), 10**6, []
    monkeypatch.setattr(_refitting, "sums_for", lambda *_: SimpleNamespace(add=add, student=lambda: None))
    with pytest.raises(AttributeError):  # of no student
        student(max_queries=10**6, n_jobs=n_jobs).fit(dataset(table))
    for n_parts in (len(added), len(added) - 2):  # noqa: B007  # add reads it
        added.clear()
        with pytest.raises(MemoryError, match="the sums are full"):
            student(max_queries=10**6, n_jobs=n_jobs).fit(dataset(table))


def test_a_worse_student_is_not_kept(monkeypatch):
    """The student is then that of the sample, and says so."""

    def with_wrong_sums(given, targets):
        worse = DistilledRegressor(lambda X: 0.75 * wavy(X), "linear", sampler=None).fit(rows(500)).student_
        return SimpleNamespace(add=lambda *part: None, student=lambda: worse, is_step=False)

    monkeypatch.setattr(_refitting, "sums_for", lambda *_: None)
    before = student(max_queries=4000).fit(dataset(rows()))
    monkeypatch.setattr(_refitting, "sums_for", with_wrong_sums)
    model = student(max_queries=4000).fit(dataset(rows()))
    assert not model.refit_report_.is_kept
    assert 0 < model.refit_report_.fidelity_after < model.refit_report_.fidelity_before
    assert "not kept" in str(model.refit_report_)
    assert model.transfer_set_.n_summed == 0
    assert (model.predict(rows(50)) == before.predict(rows(50))).all()


def classifier(**options):
    """A distilled classifier that takes a Newton step, and all rows of its dataset."""
    teacher = as_teacher(lambda X: np.eye(2)[(X["a"] + X["b"] ** 2 > 1).astype(int)], classes=[0, 1])
    table, small = rows().drop(columns="g"), CompactBoostingClassifier(8, 8, random_state=0)
    options = {"sampler": None, "random_state": 0, "max_queries": 6000, **options}
    return DistilledClassifier(teacher, small, **options).fit(dataset(table)), table


def test_a_step_is_chosen_and_compared_on_different_rows(monkeypatch):
    """The report is about rows that have chosen nothing, of which there are as many."""
    asked, best_length = [], _refitting._best_length

    def noting(before, refitted, chosen_on, targets):
        asked.append(chosen_on)
        return best_length(before, refitted, chosen_on, targets)

    losses = _refitting._losses
    monkeypatch.setattr(_refitting, "_best_length", noting)
    monkeypatch.setattr(_refitting, "_losses", lambda *given: asked.append(given[1]) or losses(*given))
    model, _ = classifier()
    told, (chosen_on, compared) = model.refit_report_, (asked[0], asked[-1])
    assert told.is_kept
    assert len(chosen_on.targets) == told.n_chosen_on
    assert len(compared.targets) == told.n_validated
    assert told.n_validated - told.n_chosen_on in (0, 1)
    assert told.n_summed + told.n_validated + told.n_chosen_on + 12 == N_ROWS  # and rows that check the teacher
    both = pd.concat([chosen_on.X, compared.X])
    assert len(both.drop_duplicates()) == len(both) == told.n_validated + told.n_chosen_on
    assert told.fidelity_after == pytest.approx(model.fidelity(compared.X, sample_weight=compared.sample_weight))
    assert model.seen_rows_.find(both).all()
    assert "of a Newton step" in str(told)


@pytest.mark.parametrize(
    ("of_none", "gains", "n_rows", "length"),
    [
        (1.0, {}, 1000, 1.0),
        (1.0, {0.5: 0.01}, 1000, 1.0),  # less than two standard errors
        (1.0, {0.5: 0.1, 2.0: 0.01}, 1000, 0.5),
        (1.0, {2.0: 1.0}, 1000, 2.0),
        (1.0, {2.0: 1.0}, 100, 1.0),  # too few rows to go beyond the step
        (0.1, {0.5: 0.01}, 1000, 0.5),  # the whole step is worse than none
    ],
)
def test_another_length_must_be_clearly_better(monkeypatch, of_none, gains, n_rows, length):
    """Unless the whole step makes the student worse."""
    noise = np.random.default_rng(0).normal(0, 0.5, size=(2, n_rows))
    noise -= noise.mean(axis=1, keepdims=True)
    losses = {"none": np.full(n_rows, of_none), 1.0: 0.5 + noise[0]}
    of = lambda student, *_: losses.get(student, 0.5 - gains.get(student, -0.1) + noise[1])  # noqa: E731
    monkeypatch.setattr(_refitting, "shortened", lambda before, refitted, length: length)
    monkeypatch.setattr(_refitting, "_losses", of)
    assert _refitting._best_length("none", "refitted", SimpleNamespace(targets=noise[0]), None) == length


def test_a_step_that_is_too_long_is_shortened(monkeypatch):
    """The student is that of the right length, or near it."""
    plain, _ = classifier()

    def with_long_step(given, targets):
        sums = sums_for(given, targets)
        far = lambda: shortened(given, sums.student(), 8.0)  # noqa: E731
        return SimpleNamespace(add=sums.add, student=far, is_step=True)

    monkeypatch.setattr(_refitting, "sums_for", with_long_step)
    model, table = classifier()
    assert model.refit_report_.is_kept
    assert model.refit_report_.length <= 0.5
    before, _ = classifier(max_queries=1000)
    assert before.fidelity(table) < model.fidelity(table) > plain.fidelity(table) - 0.02


def test_small_chunks_are_labelled_together():
    """Rows of chunks of any size are labelled and summed by the thousand."""
    n_calls = []

    def noting(X):
        n_calls.append(len(X))
        return wavy(X)

    student("linear", noting, max_queries=6000).fit(dataset(rows(), chunk_size=100))
    assert sum(n_calls) > 5000
    assert len(n_calls) < 25


@pytest.mark.parametrize(
    "options",
    [
        {"student": "mlp", "student_size": 50},
        {"student": "linear", "max_queries": None},
        {"student": "linear", "max_queries": 1000},
        {"student": "linear", "max_queries": 1500},
    ],
)
def test_no_more_rows_are_labelled_without_a_refit(options):
    """For a student that cannot be refitted, without a budget, or if the budget adds few rows."""
    counting = Counting()
    model = DistilledRegressor(counting, **{"sampler": None, "random_state": 0, "max_queries": 5000, **options})
    model.fit(dataset(rows()))
    assert counting.n_asked <= 1012
    assert not hasattr(model, "refit_report_")


def test_rows_of_synthetic_samplers_come_first():
    """The refit has what is left of the budget, and sums real rows only."""
    model = DistilledRegressor(Counting(), "linear", n_synthetic=800, max_queries=5000, random_state=0)
    model.fit(dataset(rows()))
    assert model.transfer_set_.n_synthetic > 0
    assert model.transfer_set_.n_queries == 5000
    assert model.refit_report_.n_labelled < 4000


def test_classes_labels_weights_and_temperatures(monkeypatch):
    """True labels are blended in, rows of weight zero are not labelled, and a temperature is undone."""
    monkeypatch.setattr(_datasets, "HELD_OUT_SHARE", 0.2)  # few rows tell little
    table = rows()
    truth = (table["a"] + 0.2 * table["b"] > 0.6).astype(int)
    teacher = RandomForestClassifier(5, min_samples_leaf=20, random_state=0).fit(table[["a", "b"]][:2000], truth[:2000])
    weight = np.where(table["c"] < 0.5, 0.0, 2.0)
    table = table.assign(label=truth, weight=weight)
    options = {"sampler": None, "random_state": 0, "max_queries": 5000, "soft_weight": 0.5}
    for more in ({}, {"temperature": 2.0}):
        model = DistilledClassifier(teacher, CompactBoostingClassifier(8, 8), **options, **more)
        model.fit(dataset(table, sample_rows=500), "label", sample_weight="weight")
        assert model.refit_report_.is_kept
        assert model.refit_report_.n_summed + model.refit_report_.n_validated < 0.6 * N_ROWS
        agrees = model.predict(table[["a", "b"]]) == teacher.predict(table[["a", "b"]])
        assert agrees[weight > 0].mean() > 0.95
    bad = table.assign(weight=np.where(np.arange(N_ROWS) > N_ROWS - 3, -1.0, 1.0))
    with pytest.raises(ValueError, match="negative weights"):
        DistilledClassifier(teacher, "linear", **options).fit(dataset(bad), "label", sample_weight="weight")


def test_taught_labels_are_summed_with_the_rows_that_were_selected_by_them():
    """Rows that were selected by the probabilities, before labels were taught instead, are further rows again."""

    class Unlike(RandomForestClassifier):
        def predict(self, X):
            return self.classes_[(X["c"] > 0.5).astype(int)]

    table = rows().drop(columns="g")
    teacher = Unlike(5, max_depth=4, random_state=0).fit(table, (table["a"] > 0.7) & (table["b"] > 0.5))
    model = DistilledClassifier(teacher, "linear", sampler=None, max_queries=10**5, decision="teacher", random_state=0)
    with pytest.warns(TeacherWarning, match="fitted to the labels"):
        report = model.fit(dataset(table)).refit_report_
    assert report.n_summed + report.n_validated + report.n_chosen_on == N_ROWS
    assert (model.predict(table) == teacher.predict(table)).mean() > 0.99


def test_without_weight_no_further_row_is_labelled():
    """Where all further rows have the weight zero, the student is that of the fit."""
    table, weight = rows(), np.zeros(N_ROWS)
    weight[np.random.RandomState(0).permutation(N_ROWS)[:600]] = 1
    teachers = Counting(), Counting()
    models = [
        student("linear", teacher, max_queries=most).fit(dataset(table.assign(weight=weight)), sample_weight="weight")
        for teacher, most in zip(teachers, (1000, N_ROWS), strict=True)
    ]
    assert not hasattr(models[1], "refit_report_")
    assert teachers[0].n_asked == teachers[1].n_asked
    np.testing.assert_array_equal(*(model.predict(table) for model in models))


def test_the_chosen_student_is_refitted_within_its_budget(monkeypatch):
    """With ``student="auto"``, and with thresholds of the teacher; one that becomes too large is not kept."""
    table = rows()
    truth = (table["a"] + 0.2 * table["b"] > 0.6).astype(int)
    teacher = LogisticRegression().fit(table[["a", "b"]], truth)
    options = AutoStudent(["linear", "tree"], max_bytes=1500)
    model = DistilledClassifier(teacher, options, sampler=None, random_state=0, max_queries=4500, n_repeats=1)
    model.fit(dataset(table[["a", "b"]], sample_rows=2000))
    assert model.refit_report_.n_summed > 3000
    assert model.candidates_.chosen.n_bytes <= 1500
    n_bytes = model.student_.__skdistill_compile__().n_bytes
    assert n_bytes <= 1500
    assert model.transfer_set_.n_queries <= 4500
    for most in (n_bytes, n_bytes - 1):
        model.set_params(student=AutoStudent(["linear", "tree"], max_bytes=most))
        assert _refitting._is_within_budget(model, model.student_) == (most == n_bytes)
    monkeypatch.setattr(_refitting, "_is_within_budget", lambda *_: False)
    report = classifier()[0].refit_report_
    assert report.fidelity_after > report.fidelity_before
    assert not report.is_kept


def test_a_kill_loses_one_block(tmp_path):
    """With memory=, a fit that is started again asks only for what is missing, and gives the same student."""
    table = rows()
    options = {"max_queries": 4000, "chunk_size": 100, "n_repeats": 1, "teacher_id": "wavy"}
    stopping, going_on = Counting(stops_after=2500), Counting()
    with pytest.raises(TeacherQueryError, match="killed"):
        student("linear", stopping, memory=str(tmp_path), **options).fit(dataset(table))
    model = student("linear", going_on, memory=str(tmp_path), **options).fit(dataset(table))
    assert memory_info(str(tmp_path)).n_rows >= 3988
    assert stopping.n_asked + going_on.n_asked <= 4000 + 5 * 16 + 100
    here = student("linear", Counting(), **options).fit(dataset(table))
    assert np.allclose(model.predict(table), here.predict(table))


def test_another_number_of_outputs_is_an_error():
    """It would be summed as if each output were that of all."""
    counting = Counting()
    counting.function = lambda X: wavy(X) if counting.n_asked > 1300 else np.column_stack([wavy(X), X["a"]])
    with pytest.raises(TeacherOutputError, match=r"for rows of the dataset, but shape \(250, 2\) for real rows"):
        student(teacher=counting, max_queries=5000).fit(dataset(rows()))


def test_the_report_is_of_all_rows(monkeypatch):
    """Rows were selected where the outputs vary, so that few of these are left to compare the students on."""
    monkeypatch.setattr(_datasets, "HELD_OUT_SHARE", 0.5)  # few rows tell little
    table, compared, better = rows(24_000), [], _refitting._better

    def noting(model, before, refitted, summing, targets):
        compared.extend([before, summing.held_out()[0].X])
        return better(model, before, refitted, summing, targets)

    monkeypatch.setattr(_refitting, "_better", noting)
    model = student(max_queries=len(table)).fit(dataset(table, sample_rows=16_000))
    before, held = compared
    fidelity_before = r2_score(wavy(table), before.predict(table))
    assert model.refit_report_.fidelity_before == pytest.approx(fidelity_before, abs=0.02)
    assert (held["a"] > 0.8).mean() == pytest.approx((table["a"] > 0.8).mean(), abs=3 * 0.4 / np.sqrt(len(held)))


def test_held_out_rows_have_their_weights(monkeypatch):
    """The fidelity that is reported is the weighted one."""
    monkeypatch.setattr(_datasets, "HELD_OUT_SHARE", 0.5)  # few rows tell little
    table = rows()
    weight = np.where(table["a"] > 0.8, 20.0, 1.0)
    parts = dataset(table.assign(weight=weight))
    report = student(max_queries=N_ROWS).fit(parts, sample_weight="weight").refit_report_
    before = student().fit(parts, sample_weight="weight")
    weighted, plain = (before.fidelity(table, sample_weight=each) for each in (weight, None))
    assert abs(report.fidelity_before - weighted) < 0.2 * abs(report.fidelity_before - plain)


def test_what_is_wrong_in_a_later_partition_is_named():
    """Infinite numbers among the rows that are labelled, too."""
    table = rows()
    table.loc[table.index > 4500, "c"] = np.where(np.arange(1499) % 50 == 0, np.inf, 0.5)
    teacher = as_teacher(lambda X: np.asarray(X["a"], dtype=float), task="regression")
    with pytest.raises((DatasetError, ValueError), match="column 'c'"):
        student("linear", teacher, max_queries=10**6).fit(dataset(table))
    table = rows()
    table.loc[5000, "c"] = np.inf  # no row of the fit
    with pytest.raises(DatasetError, match=r"partition chunk 2.*column 'c'"):
        student("linear", teacher, max_queries=10**6).fit(dataset(table, chunk_size=100))


@pytest.mark.parametrize("n_rows", [1, 700, 5000, 9000, 20_000])
def test_remaining_rows_are_drawn_once_and_evenly(n_rows):
    """Exactly as many as wanted, none that was drawn before, whatever the chunks; each part has its share."""
    n_total, skipped = 3 * BLOCK + 500, np.sort(np.random.RandomState(0).permutation(3 * BLOCK + 500)[:1500])
    remaining = RemainingRows(n_total, skipped, n_rows, seed=3)
    found = {}
    for step in (n_total, 999):
        parts = [start + remaining.of(start, min(step, n_total - start)) for start in range(0, n_total, step)]
        found[step] = np.concatenate(parts)
    drawn = found[n_total]
    assert (drawn == found[999]).all()
    assert len(drawn) == remaining.n_drawn == min(n_rows, n_total - 1500)
    assert len(np.intersect1d(drawn, skipped)) == 0
    half = np.searchsorted(drawn, 2 * BLOCK) / len(drawn)
    left = 1 - (n_total - 2 * BLOCK - (skipped >= 2 * BLOCK).sum()) / remaining.n_left
    assert abs(half - left) <= 1 / len(drawn)


def test_billions_of_rows_are_drawn_evenly():
    """The numbers of rows of the blocks are exact, however many rows there are."""
    n_total = 10**11
    remaining = RemainingRows(n_total, np.zeros(0, dtype=int), n_total // 4, seed=0)
    for start in (0, n_total // 2 // BLOCK * BLOCK, n_total // BLOCK * BLOCK - 2 * BLOCK):
        assert abs(len(remaining.of(start, 2 * BLOCK)) - BLOCK // 2) <= 1
