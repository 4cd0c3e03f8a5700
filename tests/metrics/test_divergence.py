import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss, top_k_accuracy_score

from skdistill.metrics import agreement, brier_distance, kl_divergence, top_k_agreement, total_variation

few = settings(max_examples=30, deadline=None)
DISTANCES = [kl_divergence, brier_distance, total_variation]
METRICS = [*DISTANCES, top_k_agreement]


@st.composite
def pairs(draw, zeros=True):
    """Draw the probabilities of a teacher and of a student, some of them exactly zero, and a generator."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    weights = rng.gamma(
        draw(st.sampled_from([0.1, 1.0, 10.0])), size=(2, draw(st.integers(1, 12)), draw(st.integers(2, 6)))
    )
    weights += 1e-6
    if zeros:
        weights *= rng.random(weights.shape) < 0.8
        weights[..., 0] += 1e-6
    return (*(weights / weights.sum(axis=2, keepdims=True)), rng)


@few
@given(pair=pairs())
@pytest.mark.parametrize("distance", DISTANCES)
def test_a_distance_is_zero_for_a_copy_and_for_nothing_else(distance, pair):
    """Equal probabilities have distance 0, others more."""
    teacher, student, _ = pair
    assert distance(teacher, teacher) == 0
    assert distance(teacher, student) > 0 or np.allclose(teacher, student)


@few
@given(pair=pairs())
def test_ranges(pair):
    """KL in [0, log(1 / epsilon)], Brier in [0, 2], total variation in [0, 1], top-k in [0, 1]."""
    teacher, student, _ = pair
    assert 0 <= kl_divergence(teacher, student) <= -np.log(1e-15)
    assert 0 <= brier_distance(teacher, student) <= 2
    assert 0 <= total_variation(teacher, student) <= 1 + 1e-12
    assert 0 <= top_k_agreement(teacher, student, k=2) <= 1


@few
@given(pair=pairs())
@pytest.mark.parametrize("distance", [brier_distance, total_variation])
def test_true_distances_are_symmetric(distance, pair):
    """Who teaches whom does not matter to Brier distance and total variation."""
    teacher, student, _ = pair
    assert distance(teacher, student) == pytest.approx(distance(student, teacher))


def test_kl_is_not_symmetric():
    """It is the teacher's probabilities that weight the logarithms."""
    assert kl_divergence([[0.9, 0.1]], [[0.5, 0.5]]) != pytest.approx(kl_divergence([[0.5, 0.5]], [[0.9, 0.1]]))


@few
@given(pair=pairs())
def test_pinsker(pair):
    """Total variation is at most the root of half the KL divergence, and half the Brier distance's root at most it."""
    teacher, student, _ = pair
    assert total_variation(teacher, student) <= np.sqrt(kl_divergence(teacher, student) / 2) + 1e-9
    assert brier_distance(teacher, student) <= 2 * total_variation(teacher, student) + 1e-12


@few
@given(pair=pairs())
@pytest.mark.parametrize("metric", METRICS)
def test_weight_is_repetition(metric, pair):
    """A row of weight k counts like k equal rows, and a row of weight zero like none."""
    teacher, student, rng = pair
    weight = rng.integers(0, 4, len(teacher))
    weight[0] += 1
    repeated = metric(np.repeat(teacher, weight, axis=0), np.repeat(student, weight, axis=0))
    assert metric(teacher, student, sample_weight=weight) == pytest.approx(repeated)
    assert metric(teacher, student, sample_weight=1e6 * weight) == pytest.approx(repeated)


@few
@given(pair=pairs(zeros=False))
@pytest.mark.parametrize("metric", METRICS)
def test_order_of_rows_and_classes_does_not_matter(metric, pair):
    """Rows are a set, and so are classes."""
    teacher, student, rng = pair
    rows, classes = rng.permutation(len(teacher)), rng.permutation(teacher.shape[1])
    reordered = metric(teacher[rows][:, classes], student[rows][:, classes])
    assert reordered == pytest.approx(metric(teacher, student))


@few
@given(pair=pairs(zeros=False))
def test_kl_is_cross_entropy_beyond_entropy(pair):
    """Against certain teachers it is the log loss of their labels."""
    teacher, student, _ = pair
    labels = teacher.argmax(axis=1)
    certain = np.eye(teacher.shape[1])[labels]
    assert kl_divergence(certain, student) == pytest.approx(log_loss(labels, student, labels=range(teacher.shape[1])))


def test_what_the_teacher_rules_out_adds_nothing():
    """Whatever the student gives to it, but that it lacks elsewhere."""
    assert kl_divergence([[1.0, 0.0]], [[0.5, 0.5]]) == pytest.approx(np.log(2))


def test_what_the_student_rules_out_costs_what_epsilon_says():
    """By default a lot, by the definition everything, and nothing where the row does not count."""
    teacher, student = [[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [0.5, 0.5]]
    assert kl_divergence(teacher, student, epsilon=0) == np.inf
    assert kl_divergence(teacher, student, epsilon=0, sample_weight=[0, 1]) == 0
    costs = [kl_divergence(teacher, student, epsilon=epsilon) for epsilon in (1e-15, 1e-9, 1e-3)]
    assert np.all(np.diff(costs) < 0)
    assert costs[0] == pytest.approx((0.5 * np.log(0.5) + 0.5 * np.log(0.5e15)) / 2)


@few
@given(pair=pairs(), epsilon=st.sampled_from([0.0, 1e-15, 1e-3, 0.3]))
def test_clipping_only_makes_the_divergence_smaller(pair, epsilon):
    """And never negative."""
    teacher, student, _ = pair
    assert 0 <= kl_divergence(teacher, student, epsilon=epsilon) <= kl_divergence(teacher, student, epsilon=0) + 1e-12


@pytest.mark.parametrize("epsilon", [-0.1, 1.0, "small", True, float("nan")])
def test_epsilon_is_a_small_number(epsilon):
    """Anything else is refused."""
    with pytest.raises(ValueError, match=r"kl_divergence: epsilon=.*expected a number in \[0, 1\)"):
        kl_divergence([[0.5, 0.5]], [[0.5, 0.5]], epsilon=epsilon)


@few
@given(pair=pairs())
def test_top_one_is_agreement(pair):
    """Of the labels that predict gives, ties included; more classes never agree less, all of them always."""
    teacher, student, _ = pair
    shares = [top_k_agreement(teacher, student, k=k) for k in range(1, teacher.shape[1] + 2)]
    assert shares[0] == agreement(teacher.argmax(axis=1), student.argmax(axis=1))
    assert np.all(np.diff(shares) >= 0)
    assert shares[-1] == shares[-2] == 1


@few
@given(pair=pairs(zeros=False), k=st.integers(1, 3))
def test_top_k_is_scikit_learns(pair, k):
    """With the teacher's labels for the true ones."""
    teacher, student, _ = pair
    assume(k < teacher.shape[1] > 2)
    theirs = top_k_accuracy_score(teacher.argmax(axis=1), student, k=k, labels=range(teacher.shape[1]))
    assert top_k_agreement(teacher, student, k=k) == pytest.approx(theirs)


def test_ties_go_to_the_first_column():
    """For both sides, as argmax has it."""
    even = np.full((1, 3), 1 / 3)
    assert top_k_agreement(even, even, k=1) == 1
    assert [top_k_agreement([[0, 0, 1]], even, k=k) for k in (1, 2, 3)] == [0, 0, 1]


@pytest.mark.parametrize("k", [0, -1, 1.0, True, "two"])
def test_k_is_an_integer(k):
    """Of at least one."""
    with pytest.raises(ValueError, match=r"top_k_agreement: k=.*; expected an integer of at least 1"):
        top_k_agreement([[0.5, 0.5]], [[0.5, 0.5]], k=k)
