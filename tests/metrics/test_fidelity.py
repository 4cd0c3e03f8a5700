import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import distributions

from skdistill.metrics import agreement, brier_skill, fidelity, r2_skill, retention
from skdistill.targets import one_hot

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 10_000)
LABELS = np.array(["high", "low", "mid"])


def draw_outputs(kind, seed, n_rows=40):
    """Draw the outputs of a teacher, and those of a student that is near it."""
    rng = np.random.default_rng(seed)
    if kind == "probabilities":
        near = rng.gamma(1.0, size=(2, n_rows, 3)) + rng.gamma(2.0, size=(n_rows, 3))
        return near / near.sum(axis=2, keepdims=True)
    shape = (n_rows,) if kind == "values" else (n_rows, 3)
    teacher = rng.normal(size=shape)
    return np.stack([teacher, teacher + rng.normal(scale=0.5, size=shape)])


kinds = st.sampled_from(["values", "many values", "probabilities"])


def average(outputs):
    """Return the best constant student."""
    return np.broadcast_to(outputs.mean(axis=0), outputs.shape)


@few
@given(kind=kinds, seed=seeds)
def test_a_copy_has_fidelity_one_and_nothing_has_more(kind, seed):
    """A perfect copy scores 1, the best constant 0, and every student at most 1."""
    teacher, student = draw_outputs(kind, seed)
    assert fidelity(teacher, teacher) == 1
    assert fidelity(teacher, average(teacher)) == pytest.approx(0, abs=1e-12)
    assert fidelity(teacher, student) < 1


@few
@given(kind=kinds, seed=seeds, share=st.floats(0, 1))
def test_fidelity_falls_with_the_square_of_the_error(kind, seed, share):
    """A student that goes a share of the way from the mean to the teacher scores 1 - (1 - share)²."""
    teacher, _ = draw_outputs(kind, seed)
    student = share * teacher + (1 - share) * average(teacher)
    assert fidelity(teacher, student) == pytest.approx(1 - (1 - share) ** 2, abs=1e-9)


@few
@given(
    kind=st.sampled_from(["values", "many values"]),
    seed=seeds,
    shift=st.floats(-100, 100),
    scale=st.sampled_from([-3.0, 0.01, 100.0]),
)
def test_fidelity_ignores_the_unit_of_values(kind, seed, shift, scale):
    """Values in another unit, with another zero, have the same fidelity."""
    teacher, student = draw_outputs(kind, seed)
    assert fidelity(scale * teacher + shift, scale * student + shift) == pytest.approx(fidelity(teacher, student))


@few
@given(seed=seeds, scale=st.sampled_from([0.01, 100.0]))
def test_each_output_has_its_own_unit(seed, scale):
    """The unit of one of several outputs does not change the fidelity: outputs count alike."""
    teacher, student = draw_outputs("many values", seed)
    units = np.array([1.0, scale, 1.0])
    assert fidelity(teacher * units, student * units) == pytest.approx(fidelity(teacher, student))


@few
@given(kind=kinds, seed=seeds)
def test_weight_is_repetition(kind, seed):
    """A row of weight k counts like k equal rows, and a row of weight zero like none."""
    teacher, student = draw_outputs(kind, seed)
    weight = np.random.default_rng(seed).integers(0, 4, len(teacher))
    repeated = fidelity(np.repeat(teacher, weight, axis=0), np.repeat(student, weight, axis=0))
    assert fidelity(teacher, student, sample_weight=weight) == pytest.approx(repeated)


@few
@given(seed=seeds)
def test_auto_weights_probabilities_by_their_variance(seed):
    """Rows that sum to one are taken for probabilities, all others for values."""
    for kind, expected in {"probabilities": "variance_weighted", "many values": "uniform_average"}.items():
        teacher, student = draw_outputs(kind, seed)
        assert fidelity(teacher, student) == fidelity(teacher, student, multioutput=expected)


def test_a_class_hardly_ever_given_cannot_dominate():
    """An error on a class without variance costs little among probabilities and much among values."""
    teacher, student = draw_outputs("probabilities", seed=0)
    rare = np.full((len(teacher), 1), 1e-6)
    teacher = np.hstack([teacher * (1 - 1e-6), rare + 1e-9 * teacher[:, :1]])
    student = np.hstack([student * (1 - 1e-6), rare + 1e-7 * student[:, :1]])
    assert fidelity(teacher, student, multioutput="uniform_average") < -10
    assert fidelity(teacher, student) == pytest.approx(fidelity(teacher[:, :3], student[:, :3]), abs=1e-3)


@few
@given(kind=kinds, seed=seeds)
def test_fidelity_ignores_the_order_of_rows(kind, seed):
    """Rows are a set."""
    teacher, student = draw_outputs(kind, seed)
    order = np.random.default_rng(seed).permutation(len(teacher))
    assert fidelity(teacher[order], student[order]) == pytest.approx(fidelity(teacher, student))


@pytest.mark.parametrize(
    ("teacher", "student"),
    [(np.ones(3), np.ones((3, 1))), (np.ones((3, 2)), np.ones((3, 3))), (np.ones(3), np.ones(2))],
)
def test_outputs_of_unequal_shapes_are_refused(teacher, student):
    """Outputs that cannot be compared are an error with both shapes, never broadcast."""
    with pytest.raises(ValueError, match=r"fidelity: outputs of shapes \(.*\) and \(.*\); expected equal shapes"):
        fidelity(teacher, student)


@few
@given(seed=seeds)
def test_agreement_is_a_share(seed):
    """Agreement is 1 with oneself, 0 where no label is the same, symmetric, and never outside [0, 1]."""
    rng = np.random.default_rng(seed)
    teacher, student = rng.choice(LABELS, (2, 20))
    other = LABELS[(np.searchsorted(LABELS, teacher) + 1) % 3]
    assert agreement(teacher, teacher) == 1
    assert agreement(teacher, other) == 0
    assert 0 <= agreement(teacher, student) <= 1
    assert agreement(teacher, student) == agreement(student, teacher)


@few
@given(seed=seeds)
def test_agreement_weight_is_repetition(seed):
    """Rows of weight k count like k rows, also in the agreement."""
    rng = np.random.default_rng(seed)
    teacher, student = rng.choice(LABELS, (2, 20))
    weight = rng.integers(1, 4, 20)
    repeated = agreement(np.repeat(teacher, weight), np.repeat(student, weight))
    assert agreement(teacher, student, sample_weight=weight) == pytest.approx(repeated)
    assert agreement(teacher, student, sample_weight=np.ones(20)) == pytest.approx(agreement(teacher, student))


@few
@given(seed=seeds)
def test_brier_skill_is_one_for_the_truth_and_zero_for_shares(seed):
    """Certainty about every true label is 1, the shares of the classes are 0."""
    labels = np.append(np.random.default_rng(seed).choice(LABELS, 30), LABELS)
    truth = one_hot(labels, LABELS)
    assert brier_skill(labels, truth, classes=LABELS) == 1
    assert brier_skill(labels, average(truth), classes=LABELS) == pytest.approx(0, abs=1e-12)


@few
@given(seed=seeds, proba=distributions(max_rows=1, max_classes=3))
def test_no_constant_is_better_than_the_shares(seed, proba):
    """Every constant distribution has a skill of zero at most."""
    labels = np.append(np.random.default_rng(seed).choice(LABELS, 30), LABELS)
    constant = np.zeros((len(labels), 3))
    constant[:, : proba.shape[1]] = proba
    assert brier_skill(labels, constant, classes=LABELS) <= 1e-12


@few
@given(seed=seeds)
def test_brier_skill_rewards_probability_on_the_truth(seed):
    """Moving every row towards its true label raises the skill."""
    labels = np.append(np.random.default_rng(seed).choice(LABELS, 37), LABELS)
    proba, _ = draw_outputs("probabilities", seed)
    better = 0.7 * proba + 0.3 * one_hot(labels, LABELS)
    assert brier_skill(labels, better, classes=LABELS) > brier_skill(labels, proba, classes=LABELS)


def test_brier_skill_names_unknown_labels():
    """A true label that is no class is an error that says so."""
    with pytest.raises(ValueError, match=r"unknown labels \['huge'\]; known are \['high', 'low', 'mid'\]"):
        brier_skill(["huge", "low"], np.full((2, 3), 1 / 3), classes=LABELS)


@few
@given(kind=st.sampled_from(["values", "many values"]), seed=seeds)
def test_r2_skill_is_one_for_the_truth_and_zero_for_the_mean(kind, seed):
    """The skill of a regressor has the same ends as every other skill, and counts outputs alike."""
    truth, values = draw_outputs(kind, seed)
    assert r2_skill(truth, truth) == 1
    assert r2_skill(truth, average(truth)) == pytest.approx(0, abs=1e-12)
    assert r2_skill(truth, values) == pytest.approx(fidelity(truth, values))


@few
@given(teacher=st.floats(0.01, 1), student=st.floats(-1, 1))
def test_retention_is_a_share_of_the_teachers_skill(teacher, student):
    """The teacher retains all of itself, and retention times its skill is the student's."""
    assert retention(teacher, teacher) == 1
    assert retention(teacher, student) * teacher == pytest.approx(student)


@few
@given(teacher=st.floats(-5, 0), student=st.floats(-5, 1))
def test_no_skill_leaves_nothing_to_retain(teacher, student):
    """A teacher that is no better than a constant has no skill to keep: NaN, and no division by zero."""
    assert np.isnan(retention(teacher, student))


def test_shapes_are_not_broadcast():
    """Arrays of other shapes are refused instead of compared crosswise."""
    with pytest.raises(ValueError, match="agreement: labels of shapes"):
        agreement(np.zeros(3), np.zeros((3, 1)))
    with pytest.raises(ValueError, match="brier_skill: probabilities of shape"):
        brier_skill(["a", "b"], [[0.9], [0.1]], classes=["a", "b"])


def test_one_true_class_leaves_no_skill_to_measure():
    """Where all labels are the same the best constant is perfect: the skill is not defined."""
    assert np.isnan(brier_skill(["a", "a"], [[0.9, 0.1], [1.0, 0.0]], classes=["a", "b"]))
