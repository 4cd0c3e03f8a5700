"""What a certificate says is what it was given, holds with its confidence, and shows any change."""

import dataclasses
import json
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor, as_teacher, certify
from skdistill.certificates import Certificate
from skdistill.certificates._digests import student_digest
from skdistill.checking import check_certificate
from skdistill.metrics import clopper_pearson, quantile_bound

RNG = np.random.default_rng(0)
X = RNG.normal(size=(360, 3))
Y = (X[:, 0] + X[:, 1] ** 2 + RNG.normal(size=360) > 1).astype(int)
TRAIN, NEW = slice(0, 120), slice(120, 360)
SLICE = np.where(X[:, 2] > 0, "high", "low")


def proba(rows):
    share = 1 / (1 + np.exp(-2 * (rows[:, 0] + rows[:, 1] ** 2 - 1)))
    return np.column_stack([1 - share, share])


def values(rows):
    return 10 * rows[:, 0] + 3 * rows[:, 1] ** 2


@pytest.fixture(scope="module")
def classifier():
    teacher = as_teacher(proba, classes=[0, 1])
    return DistilledClassifier(teacher, "tree", sampler=None, random_state=0).fit(X[TRAIN])


@pytest.fixture(scope="module")
def regressor():
    return DistilledRegressor(values, "tree", sampler=None, random_state=0).fit(X[TRAIN])


@pytest.fixture(scope="module")
def certificate(classifier):
    """One with all statements about labels."""
    return certify(classifier, X[NEW], Y[NEW], promise=0.8, share=0.95, by={"third": SLICE[NEW]})


class TestStatements:
    """What is said."""

    def test_agreement_is_bounded_exactly(self, classifier, certificate):
        """The bound and the interval are Clopper and Pearson's for the rows with the same label."""
        same = int((proba(X[NEW])[:, 1] > 0.5).astype(int).__eq__(classifier.predict(X[NEW])).sum())
        said = certificate.find("agreement")
        assert said.bound == pytest.approx(float(clopper_pearson(same, 240, side="lower")[0]))
        assert (said.low, said.high) == pytest.approx([float(end) for end in clopper_pearson(same, 240)])
        assert said.direction == "at least"
        assert said.n == 240

    def test_several_classes_and_slices_share_the_error_probability(self, certificate):
        """Statements of a family have a confidence by which all of them together hold."""
        for family, confidence in (("by class", 0.95), ("by slice", 0.95)):
            members = [each for each in certificate.statements if each.family == family and each.method != "derived"]
            assert len(members) > 1
            for each in members:
                assert 1 - each.confidence == pytest.approx((1 - confidence) / len(members))

    def test_fairness_follows_from_simultaneous_changes(self, certificate):
        """The gap between slices grows at most by the difference of the ends of the bounds of both changes."""
        changes = [certificate.find("change of the selection rate", f"third = {name}") for name in ("high", "low")]
        gap = certificate.find("growth of the gap in selection rates", "any two slices")
        assert gap.bound == pytest.approx(max(each.high for each in changes) - min(each.low for each in changes))
        rates = {
            (who, name): certificate.find(f"selection rate of the {who}", f"third = {name}").estimate
            for who in ("teacher", "student")
            for name in ("high", "low")
        }
        growth = abs(rates["student", "high"] - rates["student", "low"]) - abs(
            rates["teacher", "high"] - rates["teacher", "low"]
        )
        assert growth <= gap.bound

    def test_values_have_clipped_errors_and_a_quantile(self, regressor):
        """Of values the share within the tolerance, the clipped error over a fixed variance and a quantile are said."""
        said = certify(regressor, X[NEW], values(X[NEW]), tolerance=5.0, max_error=15.0, share=0.9, promise=0.3)
        difference = np.abs(values(X[NEW]) - regressor.predict(X[NEW]))
        assert said.find("share within 5").estimate == pytest.approx((difference <= 5).mean())
        kept = said.find("fidelity over a fixed variance")
        expected = 1 - (np.minimum(difference, 15) ** 2).mean() / values(X[TRAIN]).var()
        assert kept.estimate == pytest.approx(expected)
        assert kept.bound < kept.estimate < kept.high
        assert said.find("deviation of 0.9 of rows").bound == pytest.approx(quantile_bound(difference, share=0.9))
        assert said.find("clipped squared error lost").estimate > 0
        assert said.verdict == "met"
        stated = certify(regressor, X[NEW], max_error=15.0, share=0.9, variance=2 * values(X[TRAIN]).var())
        assert 1 - stated.statements[0].estimate == pytest.approx((1 - expected) / 2)

    def test_promises_are_met_refuted_or_open(self, classifier):
        """A promise below the bound is met, one above the other bound is refuted, and one between them is open."""
        said = certify(classifier, X[NEW], promise=0.5).statements[0]
        between = said.estimate
        above = (said.details["other_bound"] + 1) / 2
        assert certify(classifier, X[NEW], promise=between).verdict == "open"
        assert certify(classifier, X[NEW], promise=above).verdict == "refuted"
        assert "is refuted" in str(certify(classifier, X[NEW], promise=above))

    def test_any_model_with_its_training_rows(self):
        """A model that keeps no keys needs the rows that it was fitted on."""
        model = LogisticRegression().fit(X[TRAIN], Y[TRAIN])
        teacher = as_teacher(proba, classes=[0, 1])
        with pytest.raises(ValueError, match=r"LogisticRegression keeps no keys .* expected X_train="):
            certify(model, X[NEW], teacher=teacher)
        assert certify(model, X[NEW], teacher=teacher, X_train=X[TRAIN]).n_rows == 240
        with pytest.raises(ValueError, match=r"40 of the 280 rows are among those"):
            certify(model, X[80:], teacher=teacher, X_train=X[TRAIN])


class TestSeenRows:
    """Rows that teaching or selection has seen."""

    def test_they_are_refused_and_counted(self, classifier):
        """In a table of any type, and behind the earlier steps of a pipeline."""
        for rows in (X[80:], X[80:].astype(np.float32), X[80:].tolist()):
            with pytest.raises(ValueError, match="40 of the 280 rows are among those that the student was taught on"):
                certify(classifier, rows)
        inside = DistilledClassifier(LogisticRegression(), "linear", sampler=None, random_state=0)
        pipeline = make_pipeline(StandardScaler(), inside).fit(X[TRAIN], Y[TRAIN])
        with pytest.raises(ValueError, match="40 of the 280 rows"):
            certify(pipeline, X[80:])
        assert certify(pipeline, X[NEW]).n_rows == 240

    def test_validation_and_further_rows_count_as_seen(self):
        """Rows that were only used for selection, or without labels, are refused as well."""
        model = DistilledRegressor(values, "tree", sampler=None, random_state=0)
        model.fit(X[:60], X_unlabeled=X[60:90], X_val=X[90:120])
        for part in (slice(60, 90), slice(90, 120)):
            with pytest.raises(ValueError, match="30 of the 30 rows"):
                certify(model, X[part], share=0.5)

    def test_they_are_dropped_if_asked(self, classifier):
        """With a warning, and a note on the certificate; all other rows remain."""
        with pytest.warns(UserWarning, match="40 of the 280 rows were left out"):
            said = certify(classifier, X[80:], on_seen="drop", groups=np.arange(280) // 2)
        assert said.n_rows == 240
        assert "40 of the 280 rows were left out" in str(said)
        with pytest.raises(ValueError, match="all 120 rows are among those"):
            certify(classifier, X[TRAIN], on_seen="drop")

    def test_rows_equal_by_chance_are_kept(self):
        """In a table with few different rows, new rows that equal rows of the fit are no reason to refuse."""
        table = RNG.integers(0, 3, size=(400, 2)).astype(float)
        model = DistilledRegressor(lambda X: X[:, 0] * X[:, 1], "tree", sampler=None, random_state=0).fit(table[:200])
        said = certify(model, table[200:], tolerance=0.1, share=0.9)
        assert said.n_rows == 200
        assert "200 rows equal rows of the fit, no more than by chance" in str(said)


class TestUnits:
    """Weights and groups are used or refused, and never ignored."""

    def test_groups_count_once(self, classifier):
        """Each group counts by its mean: a group of many rows is one unit, and copies of rows narrow nothing."""
        groups = np.arange(240) // 2
        said = certify(classifier, X[NEW], groups=groups)
        copied = certify(classifier, np.repeat(X[NEW], 3, axis=0), groups=np.repeat(groups, 3))
        assert (said.n_units, copied.n_units) == (120, 120)
        assert said.find("agreement") == copied.find("agreement")
        plain = certify(classifier, X[NEW], groups=np.arange(240))
        assert plain.find("agreement") == certify(classifier, X[NEW]).find("agreement")

    def test_weights_count(self, classifier):
        """Rows of weight zero are left out, others count by their weight, and unequal ones need a bound."""
        same = classifier.predict(X[NEW]) == (proba(X[NEW])[:, 1] > 0.5)
        weight = np.where(same, 1.0, 2.0)
        said = certify(classifier, X[NEW], sample_weight=weight, max_weight=2.0).find("agreement")
        assert said.estimate == pytest.approx(np.average(same, weights=weight))
        assert said.bound < said.estimate
        assert certify(classifier, X[NEW], sample_weight=(np.arange(240) < 200) * 1.0).n_rows == 200
        with pytest.raises(ValueError, match="max_weight=None; expected the largest weight"):
            certify(classifier, X[NEW], sample_weight=weight)
        with pytest.raises(ValueError, match="got groups and sample_weight"):
            certify(classifier, X[NEW], sample_weight=weight, max_weight=2.0, groups=np.arange(240) // 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"promise": 1.0}, "promise=1.0 cannot be proved by any number of rows"),
        ({"promise": 0.99}, r"240 rows cannot prove promise=0.99 .* at least 299"),
        ({"groups": np.zeros(240)}, "groups has 1 group; expected at least 2"),
        ({"groups": np.zeros(3)}, r"groups of shape \(3,\)"),
        ({"confidence": 95}, "confidence=95; expected a number above 0 and below 1"),
        ({"tolerance": 1.0}, "got tolerance or max_error for a classifier"),
        ({"max_error": np.inf}, "max_error=inf; expected a finite number"),
        ({"pos_label": 3}, r"pos_label=3; expected one of \[0, 1\]"),
        ({"by": {"third": SLICE[:3]}}, r"by\['third'\] of shape \(3,\)"),
        ({"variance": -1.0}, "variance=-1.0; expected a finite number above 0"),
        ({"variance": "large"}, "variance cannot be converted to an array of numbers"),
        ({"promise": np.ones(2)}, "promise=array.* expected a number above 0"),
        ({"share": object()}, "share=<object.* expected a number above 0"),
    ],
)
def test_impossible_promises_and_bad_input_are_refused(classifier, options, message):
    """The error says what was got, what was expected, and what to do."""
    with pytest.raises(ValueError, match=message):
        certify(classifier, X[NEW], **options)


def test_values_need_bounds(regressor):
    """A promise about values needs a tolerance, and an error against true values a bound."""
    with pytest.raises(ValueError, match=r"promise=0.9 without tolerance"):
        certify(regressor, X[NEW], promise=0.9)
    with pytest.raises(ValueError, match="got y without max_error"):
        certify(regressor, X[NEW], values(X[NEW]))
    with pytest.raises(ValueError, match="NaN or infinity"):
        certify(LinearRegression().fit(X, Y), X[NEW], teacher=lambda X: np.full(len(X), np.nan), X_train=X[TRAIN])


def test_constant_teachers_are_refused(regressor):
    """Following a teacher that always answers the same says nothing."""
    with pytest.raises(ValueError, match="the teacher's output is the same for all rows"):
        certify(regressor, X[NEW], teacher=lambda X: np.ones(len(X)), max_error=1.0)


class TestCertificate:
    """The object."""

    def test_any_change_shows(self, certificate):
        """Every field and every statement is under the hash, and JSON brings all of them back."""
        text = certificate.to_json()
        assert Certificate.from_json(text) == certificate
        content = json.loads(text)
        for name in content:
            changed = {**content, name: "other"}
            with pytest.raises(ValueError, match=r"was changed|no certificate"):
                Certificate.from_json(json.dumps(changed))
        content["statements"][3]["bound"] += 1e-9
        with pytest.raises(ValueError, match="It was changed"):
            Certificate.from_json(json.dumps(content))

    def test_it_knows_its_student(self, certificate, classifier):
        """The student, its pickle and its compiled form are recognised, and another student is not."""
        student = classifier.student_
        compiled = skdistill.compile(student)
        for model in (classifier, student, pickle.loads(pickle.dumps(student)), pickle.loads(pickle.dumps(compiled))):
            assert certificate.is_about(model)
        assert not certificate.is_about(DistilledClassifier(classifier.teacher, "linear", sampler=None).fit(X).student_)

    @pytest.mark.parametrize("family", ["boosting", "tree", "mlp", "linear"])
    def test_the_digest_of_a_student_outlives_its_pickle(self, family):
        """Also of trees that split categories, whose subsets a pickle numbers anew."""
        town = RNG.choice(["Aix", "Bonn", "Cork", "Delft", "Ely"], 360)
        frame = pd.DataFrame({"town": pd.Categorical(town), "a": X[:, 0]})
        model = DistilledRegressor(lambda rows: rows["a"] * rows["town"].isin(["Bonn", "Ely"]), family, sampler=None)
        student = model.set_params(random_state=0).fit(frame).student_
        again = pickle.loads(pickle.dumps(student))
        assert student_digest(student) == student_digest(again) == student_digest(pickle.loads(pickle.dumps(again)))

    def test_it_is_written_and_shown(self, certificate, tmp_path):
        """As text, as HTML and in a file."""
        certificate.to_json(tmp_path / "certificate.json")
        assert Certificate.from_json((tmp_path / "certificate.json").read_text()) == certificate
        assert certificate.hash in str(certificate)
        assert "<table>" in certificate._repr_html_()
        with pytest.raises(KeyError, match="no statement about 'speed'"):
            certificate.find("speed")

    def test_the_same_rows_have_the_same_certificate(self, certificate, classifier):
        """Nothing is drawn: the order of bets is fixed."""
        again = certify(classifier, X[NEW], Y[NEW], promise=0.8, share=0.95, by={"third": SLICE[NEW]})
        assert again == certificate
        assert again.hash == certificate.hash


class TestCheck:
    """The independent check."""

    def test_a_true_certificate_passes(self, certificate, classifier):
        """All bounds are computed again from the outputs of both models."""
        slices = {f"third = {name}": SLICE[NEW] == name for name in ("high", "low")}
        student, outputs = skdistill.compile(classifier), proba(X[NEW])
        exact = [each for each in certificate.statements if each.method == "Clopper-Pearson"]
        others = {each.quantity: each for each in certificate.statements if each.method == "betting"}
        some = dataclasses.replace(certificate, statements=(*exact, *others.values()))  # the first is the promised one
        assert {each.family for each in some.statements} == {"overall", "by class", "by slice"}
        assert check_certificate(some, student, X[NEW], outputs, y=Y[NEW], slices=slices, classes=[0, 1]) == []

    def test_values_groups_and_weights_pass(self, regressor, classifier):
        """Those of values, of groups, and of weighted rows too."""
        rows, outputs = pd.DataFrame(X[NEW], columns=list("abc")), values(X[NEW])
        said = certify(regressor, X[NEW], outputs + 1, tolerance=5.0, max_error=15.0, share=0.9)
        assert check_certificate(said, regressor.predict(X[NEW]), rows, outputs, y=outputs + 1) == []
        groups, weight = np.arange(240) // 2, np.where(np.arange(240) % 2, 1.0, 0.5)
        for options in ({"groups": groups}, {"sample_weight": weight, "max_weight": 1.0}):
            said = certify(classifier, X[NEW], **options)
            said = dataclasses.replace(said, statements=said.statements[:1])
            assert check_certificate(said, classifier, X[NEW], proba(X[NEW]), **options) == []

    def test_every_change_of_a_bound_is_found(self, certificate, classifier):
        """A bound that is better than the rows say is found even if the hash was made again."""
        student, outputs = classifier.predict_proba(X[NEW]), proba(X[NEW])
        for method in ("Clopper-Pearson", "betting", "order statistic"):
            said = next(each for each in certificate.statements if each.method == method)
            better = said.bound + (0.05 if said.direction == "at least" else -0.05)
            forged = dataclasses.replace(
                certificate, statements=(dataclasses.replace(said, bound=better),), promise=None
            )
            (problem,) = check_certificate(forged, student, X[NEW], outputs, y=Y[NEW], classes=[0, 1])
            assert problem.startswith(f"{said.quantity} ({said.rows}): bound is {better:.8g}, computed again")

    def test_gaps_are_derived_again(self, certificate, classifier):
        """A growth of the gap that is less than the changes of the slices allow is found."""
        gap = certificate.find("growth of the gap in error rates", "any two slices")
        changes = [each for each in certificate.statements if each.quantity == "change of the error rate"]
        forged = dataclasses.replace(
            certificate, statements=(dataclasses.replace(gap, bound=gap.bound / 2), *changes), promise=None
        )
        problems = check_certificate(forged, classifier, X[NEW], proba(X[NEW]), y=Y[NEW])
        assert problems[0].startswith("growth of the gap in error rates (any two slices): bound is")

    def test_other_rows_and_what_is_missing_are_told(self, certificate, classifier):
        """Other rows, other true labels, a text that was changed, and slices that were not passed."""
        outputs = proba(X[NEW])
        problems = " ".join(
            check_certificate(
                certificate.to_json().replace("2026", "2025", 1), classifier, X[NEW][::-1], outputs, y=1 - Y[NEW]
            )
        )
        for part in ("The hash is not", "The rows are not", "The true labels or values are not", "was not checked"):
            assert part in problems


@pytest.mark.slow
def test_the_check_imports_numpy_alone():
    """Neither scipy nor scikit-learn nor the rest of the package is imported."""
    code = (
        "import sys, skdistill.checking; "
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'scipy', 'sklearn', 'lightgbm', 'pandas'}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_what_is_not_fitted_is_not_certified():
    """It has seen no rows, but there is no student either."""
    with pytest.raises(NotFittedError, match="DistilledRegressor instance is not fitted yet"):
        certify(DistilledRegressor(lambda rows: rows[:, 0]), np.eye(3))
