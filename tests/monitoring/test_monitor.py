"""A monitor counts exactly, needs numpy only, raises alarms for changes, and rarely without one."""

import json
import math
import pickle
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.special import betaln, gammaln
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor, Monitor, as_teacher, certify
from skdistill.monitoring import _evidence
from skdistill.monitoring._bins import Bins
from skdistill.monitoring._sampling import is_sampled, key_numbers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4000, 3))
REFERENCE, NEW = slice(0, 1000), slice(1000, 4000)
TREE = DecisionTreeClassifier(max_leaf_nodes=8, random_state=0).fit(X[REFERENCE], X[REFERENCE, 0] > 0)
LINEAR = LinearRegression().fit(X[REFERENCE], X[REFERENCE, 0])


def watch(student=TREE, reference=X[REFERENCE], **params):
    return Monitor(student, X_reference=reference, **params)


@pytest.fixture(scope="module")
def base():
    """The pickle of a monitor with a promise that has seen nothing."""
    return pickle.dumps(watch(promise=0.9, audit_share=0.5))


class TestEvidence:
    """Evidence is an e-process of counts."""

    @given(st.floats(1e-3, 1e9))
    def test_log_gamma(self, x):
        """The series is exact to eleven digits."""
        assert _evidence._log_gamma(np.array(x)) == pytest.approx(gammaln(x), rel=1e-12, abs=1e-11)

    @pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.5, 1.0])
    @pytest.mark.parametrize("n_ref", [1, 7])
    def test_change_is_at_most_one_in_expectation(self, share, n_ref):
        """For any share, and any number of rows: the sum over all outcomes."""
        for n in (1, 12):
            ref, now = np.arange(n_ref + 1), np.arange(n + 1)
            chance = binomial(ref, n_ref, share)[:, None] * binomial(now, n, share)
            logs = _evidence.log_evidence_of_change(now[None], np.full((1, n + 1), n), ref[:, None], n_ref)
            assert (chance * np.exp(logs)).sum() <= 1 + 1e-12

    @pytest.mark.parametrize("share", [0.9, 0.93, 0.999, 1.0])
    def test_broken_promise_is_a_supermartingale(self, share):
        """One more audit does not increase the evidence in expectation, from any counts, if the promise is kept."""
        n = np.arange(1, 40)
        for kept in (n, n // 2, 0 * n):
            now = np.exp(_evidence.log_evidence_below(kept, n, 0.9))
            after = [np.exp(_evidence.log_evidence_below(kept + hit, n + 1, 0.9)) for hit in (0, 1)]
            assert ((1 - share) * after[0] + share * after[1] <= now * (1 + 1e-12)).all()

    def test_starts_share_a_capital_of_one(self):
        """However many periods there are."""
        assert np.exp(_evidence.log_weights(list(range(10_000)))).sum() <= 1

    @pytest.mark.parametrize(("kept", "n"), [(0, 1), (5, 5), (90, 100), (0, 0)])
    def test_interval_holds_what_the_mixture_does_not_refute(self, kept, n):
        """The ends of the interval are where the likelihood ratio reaches the limit."""
        low, high = _evidence.share_interval(kept, n, 0.95)
        shares = np.linspace(0.0005, 0.9995, 1000)
        ratio = betaln(kept + 0.5, n - kept + 0.5) - betaln(0.5, 0.5)
        ratio = ratio - kept * np.log(shares) - (n - kept) * np.log(1 - shares)
        assert np.array_equal(ratio < math.log(20), (low < shares) & (shares < high))

    def test_false_alarms_are_rarer_than_stated(self):
        """In lifetimes of ten periods, all four tests together, and a promise that is kept exactly."""
        rng, n_alarms, n_lifetimes = np.random.default_rng(1), 0, 60
        for _ in range(n_lifetimes):
            rows = rng.normal(size=(1450, 2))
            monitor = watch(LinearRegression().fit(rows[:50], rows[:50, 0]), rows[50:250], promise=0.9, tolerance=1,
                            false_alarm_rate=0.2)  # fmt: skip
            for part in np.split(rows[250:], 10):
                values = monitor.model(part)
                monitor.update(part, values)
                monitor.record_audit(part, values + 2 * (rng.random(len(part)) > 0.9), values)
                monitor.start_period()
            n_alarms += bool(monitor.alarms_)
        assert n_alarms <= 0.2 * n_lifetimes


def binomial(hits, n, share):
    logs = gammaln(n + 1) - gammaln(hits + 1) - gammaln(n - hits + 1)
    return np.exp(logs) * share**hits * (1 - share) ** (n - hits)


class TestChanges:
    """Changes are found and named."""

    def test_moved_column_is_named(self):
        """With the range that changed, its shares, and the row."""
        moved = X[NEW].copy()
        moved[:, 1] += 1
        frame = ["age", "income", "rate"]
        student = TREE.__class__(max_leaf_nodes=8).fit(pd.DataFrame(X[REFERENCE], columns=frame), X[REFERENCE, 0] > 0)
        monitor = watch(student, pd.DataFrame(X[REFERENCE], columns=frame))
        monitor.update(pd.DataFrame(moved, columns=frame))
        alarms = {alarm.kind: alarm for alarm in monitor.alarms_}
        assert alarms["inputs"].columns == ("income",)
        assert "income is at most" in alarms["inputs"].text
        assert alarms["inputs"].row == 3000
        assert "outputs" not in alarms  # the student does not read this column

    def test_missing_and_new_categories_are_found(self):
        """Missing cells of a column of numbers, and categories that the student does not know."""
        frame = pd.DataFrame({"a": X[:, 0], "kind": pd.Categorical(np.where(X[:, 1] > 0, "x", "y"))})
        teacher = as_teacher(lambda rows: rows["a"].to_numpy() + (rows["kind"] == "x"))
        model = DistilledRegressor(teacher, "tree", sampler=None, random_state=0).fit(frame[:500])
        monitor = watch(model, frame[500:2500])
        new = frame[2500:].copy()
        new["kind"] = new["kind"].cat.rename_categories({"x": "z"})
        monitor.update(new)
        (inputs,) = (alarm for alarm in monitor.alarms_ if alarm.kind == "inputs")
        assert inputs.columns == ("kind",)
        (outside,) = (alarm for alarm in monitor.alarms_ if alarm.kind == "range")
        assert "are outside the reference" in outside.text

    def test_certainty_is_watched(self):
        """Outputs may change although no column does."""
        monitor = watch()
        proba = np.full((3000, 2), 0.5)
        monitor.update(X[NEW], proba)
        assert [alarm.kind for alarm in monitor.alarms_] == ["outputs"]

    @pytest.mark.parametrize("n_before", [0, 5000])
    def test_halved_agreement_is_found(self, base, n_before):
        """Within 300 audits, also after a long good time, if a period has started since."""
        rng, monitor = np.random.default_rng(2), pickle.loads(base)
        labels = TREE.predict(X)
        rows = rng.integers(0, 4000, n_before)
        kept = rng.random(n_before) < 0.95
        monitor.record_audit(X[rows], np.where(kept, labels[rows], ~labels[rows]))
        assert not monitor.alarms_
        monitor.start_period()
        rows = rng.integers(0, 4000, 100)
        kept = rng.random(100) < 0.475
        monitor.record_audit(X[rows], np.where(kept, labels[rows], ~labels[rows]))
        (alarm,) = monitor.alarms_
        assert (alarm.kind, alarm.row) == ("audit", n_before + 100)
        assert "period 1" in alarm.text or n_before == 0

    def test_alarms_stay(self, base):
        """Each test raises one alarm, which later rows neither repeat nor withdraw."""
        monitor = pickle.loads(base)
        monitor.update(X[NEW] + 1)
        first = list(monitor.alarms_)
        monitor.update(X[NEW] + 1)
        assert first
        assert monitor.alarms_ == first

    def test_ranges_follow_the_trees(self):
        """Thresholds of the student bound the ranges of the columns that it reads."""
        known = TREE.tree_.threshold[TREE.tree_.feature == 0]
        bins = watch()._inputs
        inner = bins.high[(bins.column == 0) & ~bins.is_outside]
        assert len(inner)
        assert np.isin(inner.astype(np.float32), known.astype(np.float32)).all()


class TestCounts:
    """What is counted does not depend on how rows arrive."""

    @given(st.integers(0, 2**32), st.integers(1, 300), st.booleans())
    def test_all_ways_of_counting_agree(self, seed, n_rows, is_sparse):
        """Few rows, many rows, chunks and sparse rows: as a plain comparison of each cell counts."""
        rng = np.random.default_rng(seed)
        table = rng.choice([0.0, 1.0, 2.5, np.nan, np.inf, -np.inf], (n_rows, 4))
        first = rng.choice([0.0, 1.0, 2.0, 3.0], (80, 4))
        bins = Bins(first, [None, np.array([0.5, 1.5]), None, None], [False, False, True, False])
        rows = sparse.csr_matrix(table) if is_sparse else table
        with np.errstate(invalid="ignore"):
            hits = (table[:, bins.column] >= bins.low) & (table[:, bins.column] <= bins.high)
        hits[:, bins.is_missing] = np.isnan(table[:, bins.column[bins.is_missing]])
        counts, n_outside = bins.count(rows)
        assert np.array_equal(counts, hits.sum(axis=0))
        assert n_outside == hits[:, bins.is_outside].any(axis=1).sum()
        assert bins.count(first)[1] == 0  # no row is outside itself

    @settings(max_examples=30)
    @given(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.booleans()), max_size=12),
        st.sampled_from([0, 1, 70]),
    )
    def test_merging_is_exact(self, base, batches, n_periods):
        """Monitors of three workers together are one monitor that has seen all rows, also after 64 periods."""
        workers, one = [pickle.loads(base) for _ in range(3)], pickle.loads(base)
        labels = TREE.predict(X)
        for number, (worker, size, starts) in enumerate(batches):
            rows = slice(1000 + 40 * number, 1000 + 40 * number + size)
            for monitor in (workers[worker], one):
                monitor.update(X[rows] + worker)
                monitor.record_audit(X[rows], labels[rows])
            for monitor in [*workers, one] if starts else []:
                monitor.start_period()
        for monitor in [*workers, one]:
            for _ in range(n_periods):
                monitor.start_period()
        merged = Monitor.merge(workers)
        assert np.array_equal(merged._sums, one._sums)
        ours, theirs = json.loads(merged.status().to_json()), json.loads(one.status().to_json())
        assert {**ours, "alarms": 0} == {**theirs, "alarms": 0}
        assert all(worker.n_rows_ <= merged.n_rows_ for worker in workers)  # unchanged

    def test_size_does_not_grow(self, base):
        """Neither with rows nor with periods."""
        monitor = pickle.loads(base)
        for _ in range(100):
            monitor.start_period()
        before = len(pickle.dumps(monitor))
        for _ in range(100):
            monitor.update(X[NEW])
            monitor.start_period()
        assert len(pickle.dumps(monitor)) <= before + 1000

    def test_outputs_that_are_passed_are_those_of_the_student(self, base):
        """Passing what predict_proba returned counts as predicting again does."""
        with_outputs, without = pickle.loads(base), pickle.loads(base)
        with_outputs.update(X[NEW], TREE.predict_proba(X[NEW]))
        without.update(X[NEW])
        assert np.array_equal(with_outputs._sums, without._sums)

    def test_no_rows_are_no_rows(self, base):
        """An empty batch changes nothing, of labels or values."""
        for monitor in (pickle.loads(base), watch(LINEAR, tolerance=0.1)):
            monitor.update(X[:0])
            monitor.record_audit(X[:0], [])
            assert (monitor.n_rows_, monitor.n_audits_, len(monitor.to_audit(X[:0]))) == (0, 0, 0)


class TestAudits:
    """Audited rows are a random share that can be chosen again."""

    def test_numbers_decide(self, base):
        """In any batches, and about as many as asked for."""
        whole, parts = pickle.loads(base), pickle.loads(base)
        rows = whole.to_audit(X)
        assert rows.tolist() == [*parts.to_audit(X[:7]), *(7 + parts.to_audit(X[7:]))]
        assert abs(len(rows) - 2000) < 4 * math.sqrt(1000)

    def test_keys_decide(self, base):
        """Whatever the order of the rows and the type of the keys, on any worker; the seed makes others."""
        keys = RNG.permutation(4000)
        chosen = set(keys[pickle.loads(base).to_audit(X, keys)])
        again = pickle.loads(base)
        again.to_audit(X)
        assert set(keys[::-1][again.to_audit(X, keys[::-1].astype("U9"))]) == chosen
        assert set(keys[watch(audit_share=0.5, random_state=1).to_audit(X, keys)]) != chosen

    def test_keys_are_mixed_well(self):
        """Keys that differ in one letter are chosen independently: shares of any hundred are as in coin flips."""
        numbers = key_numbers([f"request-{number}" for number in range(10_000)], 10_000, "test")
        assert len(np.unique(numbers)) == 10_000
        of_hundred = is_sampled(numbers, 0.5, 0).reshape(100, 100).sum(axis=1)
        assert 25 * 0.6 < of_hundred.var() < 25 * 1.6

    def test_labels_probabilities_and_values(self, base):
        """A row is kept if the label is the same, or all values are within the tolerance."""
        monitor, labels = pickle.loads(base), TREE.predict(X[:10])
        monitor.record_audit(X[:10], np.where(np.arange(10) < 4, ~labels, labels))
        monitor.record_audit(X[:10], np.column_stack([~labels, labels]).astype(float))
        assert (monitor.status().n_kept, monitor.n_audits_) == (16, 20)
        of_values = watch(LINEAR, tolerance=0.1)
        of_values.record_audit(X[:10], LINEAR.predict(X[:10]) + np.where(np.arange(10) < 4, 0.2, 0.05))
        assert of_values.status().n_kept == 6

    def test_certificate_gives_the_promise(self):
        """The promised share and the tolerance, and only of this student."""
        models = [
            DistilledRegressor(lambda rows, k=k: rows[:, 0] + k, "tree", sampler=None, random_state=0).fit(X[:500])
            for k in (0, 3)
        ]
        certificate = certify(models[0], X[500:1000], promise=0.8, tolerance=0.5)
        for student in (models[0], models[0].student_, skdistill.compile(models[0])):
            monitor = watch(student, certificate=certificate)
            assert (monitor.promise, monitor.tolerance) == (0.8, 0.5)
        assert watch(models[0], certificate=certify(models[0], X[500:1000], tolerance=0.5)).promise < 1
        with pytest.raises(ValueError, match="about another student"):
            watch(models[1], certificate=certificate)
        with pytest.raises(TypeError, match="expected a Certificate"):
            watch(certificate="signed")


class TestShipped:
    """A monitor runs where only numpy is, and says what it has seen."""

    def test_numpy_alone(self, base, tmp_path):
        """Loading, watching, auditing, merging and reporting import nothing else."""
        (tmp_path / "monitor.pickle").write_bytes(base)
        code = f"""
import sys, pickle, numpy as np
sys.modules.update(dict.fromkeys(["scipy", "sklearn", "lightgbm", "joblib", "narwhals", "pandas"]))
monitor = pickle.load(open({str(tmp_path / "monitor.pickle")!r}, "rb"))
other = pickle.loads(pickle.dumps(monitor))
rows = np.ones((50, 3))
monitor.update(rows)
monitor.record_audit(rows[monitor.to_audit(rows)], np.zeros(len(other.to_audit(rows)), dtype=bool))
monitor.start_period(); other.start_period()
status = type(monitor).merge([monitor, other]).status()
assert status.n_rows == 50 and str(status) and status.to_json() and status._repr_html_()
"""
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_status_is_readable(self, base, tmp_path):
        """As text, HTML and JSON: alarms in words, and columns with the most evidence first."""
        monitor = pickle.loads(base)
        assert "No alarm" in str(monitor.status())
        monitor.update(X[NEW] + [0, 0, 1])
        monitor.record_audit(X[NEW], ~TREE.predict(X[NEW]))
        status = monitor.status()
        for text in (str(status), status._repr_html_()):
            assert "column 2 is at most" in text
            assert "promised is 0.9" in text
        written = json.loads(status.to_json(tmp_path / "status.json"))
        assert written == json.loads((tmp_path / "status.json").read_text())
        assert {alarm["kind"] for alarm in written["alarms"]} == {"inputs", "audit", "range"}
        assert "alarms: " in repr(monitor)

    def test_evidence_of_any_size_is_printed(self, base):
        """Evidence beyond the largest float, and periods without rows."""
        monitor = pickle.loads(base)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _ in range(20):
                monitor.update(X[NEW] + 5)
            monitor.start_period()
            assert "1e" in str(monitor.status())


class TestRefusals:
    """Bad input is refused in plain words."""

    @pytest.mark.parametrize(
        ("params", "match"),
        [
            ({"promise": 1.0}, "promise=1.0; expected a number above 0 and below 1"),
            ({"false_alarm_rate": 0}, "false_alarm_rate=0"),
            ({"audit_share": 1.5}, "audit_share=1.5"),
            ({"audit_share": np.ones(2)}, "audit_share=array"),
            ({"random_state": None}, "random_state=None; expected an integer"),
            ({"tolerance": 0.1}, "got tolerance for a classifier"),
            ({"student": LINEAR, "tolerance": -1}, "tolerance=-1; expected a finite number above 0"),
            ({"student": LINEAR, "promise": 0.9}, "without a tolerance"),
            ({"reference": X[:59]}, "59 rows; expected at least 60"),
            ({"reference": X[:, :2]}, "expected \\(n_rows, 3\\)"),
        ],
    )
    def test_parameters(self, params, match):
        """Each says what is expected."""
        with pytest.raises(ValueError, match=match):
            watch(**params)

    def test_rows_and_outputs(self, base):
        """Other columns, other shapes, outputs that are missing, labels that are unknown; nothing is counted."""
        monitor, proba = pickle.loads(base), TREE.predict_proba(X[:5])
        calls = [
            (lambda: monitor.update(X[:5, :2]), "expected \\(n_rows, 3\\)"),
            (lambda: monitor.update(X[0]), "expected \\(n_rows, 3\\)"),
            (lambda: monitor.update(X[:5], proba[:4]), "outputs of shape \\(4, 2\\); expected \\(5, 2\\)"),
            (lambda: monitor.update(X[:5], proba[:, 1]), "probabilities of predict_proba"),
            (lambda: monitor.update(X[:5], np.full((5, 2), np.nan)), "expected finite numbers"),
            (lambda: monitor.update(X[:5], proba + 1j), "outputs of dtype complex128; expected numbers"),
            (lambda: monitor.update(X[:5], np.full((5, 2), "a")), "outputs of dtype <U1; expected numbers"),
            (lambda: monitor.update(X[:5], np.full((5, 2), object())), "outputs of dtype object; expected numbers"),
            (lambda: monitor.update(X[:5], [[0.5], [0.5, 0.5]]), "outputs is no array; expected rows of equal length"),
            (lambda: monitor.record_audit(X[:5], np.array([0, "a", 0, 1, 1], dtype=object)), "of several types"),
            (lambda: monitor.record_audit(X[:5], np.full((5, 2), "a")), "teacher_outputs of dtype <U1"),
            (lambda: monitor.record_audit(X[:5], [1] * 4), "teacher_outputs of shape \\(4,\\)"),
            (lambda: monitor.record_audit(X[:5], ["yes"] * 5), "unknown labels \\['yes'\\]"),
            (lambda: monitor.record_audit(X[:5], proba * np.nan), "expected finite numbers"),
            (lambda: monitor.to_audit(X[:5], [1, 2]), "one key for each row"),
            (lambda: watch(LINEAR).record_audit(X[:5], X[:5, 0]), "there is no tolerance"),
        ]
        for call, match in calls:
            with pytest.raises(ValueError, match=match):
                call()
        assert (monitor.n_rows_, monitor.n_audits_) == (0, 0)

    def test_other_names(self):
        """A frame with other column names is another table; another order is none."""
        frame = pd.DataFrame(X, columns=list("abc"))
        model = LogisticRegression().fit(frame, X[:, 0] > 0)
        monitor = watch(model, frame[:1000])
        with pytest.raises(ValueError, match="without the columns \\['c'\\] and with the unknown columns \\['d'\\]"):
            monitor.update(frame.rename(columns={"c": "d"}))
        other = pickle.loads(pickle.dumps(monitor))
        monitor.update(frame[1000:])
        other.update(frame[["c", "a", "b"]][1000:])
        assert np.array_equal(monitor._sums, other._sums)

    def test_merging(self, base):
        """Only different copies of one monitor in the same period are merged."""
        monitor, later = pickle.loads(base), pickle.loads(base)
        later.start_period()
        for others, match in (
            ([], "got no monitor"),
            ([monitor, monitor], "a monitor twice"),
            ([monitor, later], "1 and 2 periods"),
            ([monitor, watch(promise=0.8)], "different students, reference rows, promises"),
            ([monitor, watch(LINEAR)], "different students"),
        ):
            with pytest.raises(ValueError, match=match):
                Monitor.merge(others)
        with pytest.raises(TypeError, match="got a int; expected monitors"):
            Monitor.merge([monitor, 3])

    def test_distilled_estimators_are_watched_by_their_student(self):
        """The monitor of a distilled estimator has neither its teacher nor its rows."""
        model = DistilledClassifier(as_teacher(TREE), "tree", sampler=None, random_state=0).fit(X[:300])
        size = len(pickle.dumps(watch(model)))
        assert size < 30_000


class TestThreads:
    def test_threads_share_a_monitor(self, base):
        """No row, audit or period is lost, and copies that are pickled meanwhile are whole."""
        monitor, rows, copies = pickle.loads(base), X[NEW][:10], []

        def work():
            for step in range(40):
                monitor.update(rows)
                monitor.record_audit(rows, TREE.predict(rows))
                if step % 10 == 0:
                    monitor.start_period()
                    copies.append(pickle.loads(pickle.dumps(monitor)))

        with ThreadPoolExecutor(4) as pool:
            for each in [pool.submit(work) for _ in range(4)]:
                each.result()
        assert (monitor.n_rows_, monitor.n_audits_, monitor.status().n_periods) == (1600, 1600, 17)
        for each in copies:
            each.update(rows)
            assert len(each._sums) == each.status().n_periods

    @pytest.mark.parametrize("busy", [0, 1])
    def test_merging_waits_for_what_a_thread_is_counting(self, base, busy):
        """A thread that starts a period, with the lock, is not seen when it has done half of it."""
        monitors = [pickle.loads(base) for _ in range(2)]
        for each in monitors:
            each.start_period()
        writing = monitors[busy]
        whole, writing._sums = writing._sums, writing._sums[:1]

        class Lock:
            def __enter__(self):
                writing._sums = whole

            def __exit__(self, *_):
                pass

        writing._lock = Lock()
        assert Monitor.merge(monitors)._sums.shape == whole.shape

    def test_a_monitor_of_an_earlier_version_is_read(self, base):
        """Its pickle has no lock."""
        earlier = pickle.loads(base)
        del earlier._lock
        again = object.__new__(Monitor)
        again.__setstate__(dict(vars(earlier)))
        again.update(X[NEW])
        assert again.n_rows_ == 3000


class TestRowsToAudit:
    @pytest.mark.parametrize("rows", [X[0], X[0].tolist(), X[:1], X[:1].tolist(), pd.DataFrame(X[:1])])
    def test_one_row_is_one_row(self, rows):
        """A row of three cells is not three rows, as in ``update``."""
        assert watch(audit_share=1).to_audit(rows).tolist() == [0]

    @pytest.mark.parametrize("rows", [None, X[:, 0], 3.0, X[0, :2]])
    def test_no_table_is_refused(self, rows):
        """Before rows are numbered."""
        monitor = watch(audit_share=1)
        with pytest.raises(ValueError, match=r"to_audit: X of shape \(.*\); expected \(n_samples, 3\), or \(3,\)"):
            monitor.to_audit(rows)
        assert monitor.to_audit(X[:2]).tolist() == [0, 1]

    def test_a_truth_value_is_no_share(self):
        """Although True equals 1."""
        with pytest.raises(ValueError, match="audit_share=True; expected a number above 0"):
            watch(audit_share=True)
