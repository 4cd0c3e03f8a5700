"""A report judges teachers by the loss of what they predict: quantiles and risks."""

import numpy as np
import pytest
from lightgbm import LGBMRegressor
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, QuantileRegressor
from sklearn.metrics import d2_pinball_score, mean_pinball_loss
from sklearn.pipeline import make_pipeline

from skdistill import DistilledRegressor, report
from skdistill.metrics import concordance, coverage, pinball_loss, pinball_skill
from skdistill.teachers import quantile_of

X, Y = load_diabetes(return_X_y=True)
TRAIN, TEST = slice(0, 300), slice(300, None)


class LikeCatBoost(LinearRegression):
    """States its loss and the quantile in one text."""

    def get_params(self, deep=True):
        return {"loss_function": "Quantile:alpha=0.25"}


@pytest.mark.parametrize(
    ("model", "quantile"),
    [
        (HistGradientBoostingRegressor(loss="quantile", quantile=0.9), 0.9),
        (GradientBoostingRegressor(loss="quantile", alpha=0.3), 0.3),
        (make_pipeline(FrozenEstimator(QuantileRegressor(quantile=0.7))), 0.7),
        (LGBMRegressor(objective="quantile", alpha=0.2), 0.2),
        (LGBMRegressor(objective="quantile"), 0.9),
        (LikeCatBoost(), 0.25),
        (GradientBoostingRegressor(alpha=0.3), None),
        (LinearRegression(), None),
        (len, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_quantile_of_a_model(model, quantile):
    """It is stated by the parameters of the loss, under the name of each package, and inside wrappers."""
    assert quantile_of(model) == quantile


def test_a_quantile_is_judged_by_the_pinball_loss():
    """Loss and skill are those of scikit-learn's metrics, also with weights, and a good teacher is not condemned."""
    teacher = HistGradientBoostingRegressor(loss="quantile", quantile=0.9, max_iter=30).fit(X[TRAIN], Y[TRAIN])
    model = DistilledRegressor(teacher, "boosting", sampler=None, random_state=0).fit(X[TRAIN])
    weight = np.random.default_rng(0).integers(1, 4, len(Y[TEST])).astype(float)
    found = report(model, X[TEST], Y[TEST], sample_weight=weight, timing=False)
    for place, predicted in enumerate((teacher.predict(X[TEST]), model.predict(X[TEST]))):
        options = {"alpha": 0.9, "sample_weight": weight}
        assert found.models["pinball_loss"][place] == pytest.approx(mean_pinball_loss(Y[TEST], predicted, **options))
        expected = d2_pinball_score(Y[TEST], predicted, **options)
        assert found.models["skill"][place] == pytest.approx(expected, abs=0.02)  # another weighted quantile
        assert expected > 0.1
    assert "error" not in found.models
    assert "harm" not in found.verdict


def test_several_quantiles_are_judged_by_the_pinball_loss_and_coverage():
    """True values are those of each of them, for teacher, student, and the student fitted without the teacher."""
    levels = [0.1, 0.5, 0.9]
    models = [LinearRegression().fit(X[TRAIN], Y[TRAIN] + shift) for shift in (-60, 0, 60)]

    def teacher(rows):
        return np.column_stack([model.predict(rows) for model in models])

    model = DistilledRegressor(teacher, "linear", quantiles=levels, sampler=None).fit(X[TRAIN])
    found = report(model, X[TEST], Y[TEST], X_train=X[TRAIN], y_train=Y[TRAIN], timing=False)
    for place, outputs in enumerate((teacher(X[TEST]), model.predict(X[TEST]))):
        assert found.models["pinball_loss"][place] == pytest.approx(pinball_loss(Y[TEST], outputs, quantiles=levels))
        assert found.models["skill"][place] == pytest.approx(pinball_skill(Y[TEST], outputs, quantiles=levels))
        assert found.models["coverage"][place] == coverage(Y[TEST], outputs[:, [0, 2]])
    assert found.by_output["output"].tolist() == ["quantile 0.1", "quantile 0.5", "quantile 0.9"]
    below = np.mean(Y[TEST, None] <= teacher(X[TEST]), axis=0)
    np.testing.assert_allclose(found.by_output["teacher_share_below"], below)


def test_survival_labels_are_judged_by_concordance():
    """Structured labels are accepted, and the order of risks is compared with that of the events."""
    labels = np.array(list(zip(Y > 100, 400 - Y, strict=True)), dtype=[("event", bool), ("time", float)])
    model = DistilledRegressor(LinearRegression().fit(X[TRAIN], Y[TRAIN]), "linear", random_state=0).fit(X[TRAIN])
    found = report(model, X[TEST], labels[TEST], timing=False)
    of_student = concordance(labels[TEST], model.predict(X[TEST]))
    assert found.models["concordance"][1] == pytest.approx(of_student)
    assert of_student > 0.6
    assert "skill" not in found.models
    with pytest.raises(ValueError, match="cannot be fitted to censored times"):
        report(model, X[TEST], labels[TEST], X_train=X[TRAIN], y_train=labels[TRAIN])
