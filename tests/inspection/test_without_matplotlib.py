"""Pictures need matplotlib; the report and everything else do not."""

import sys

import numpy as np
import pytest

from skdistill import report
from skdistill.inspection import DisagreementDisplay, FidelityDisplay, SamplerDisplay, SizeFidelityDisplay
from skdistill.samplers import Jitter


@pytest.fixture(autouse=True)
def _absent(monkeypatch):
    """Make it as if it were not installed."""
    for name in ("matplotlib", "matplotlib.pyplot", "matplotlib.style", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)


def test_without_matplotlib_errors_are_clear(make, monkeypatch):
    """They name the display and what to install, before anybody is asked or fitted."""
    case = make("two classes")

    def never(*args, **kwargs):
        raise AssertionError("asked")

    monkeypatch.setattr(type(case.model), "soft_targets", never)
    monkeypatch.setattr(type(case.model), "fit", never)
    proba = np.full((len(case.X), 2), 0.5)
    calls = {
        "FidelityDisplay.from_estimator": lambda: FidelityDisplay.from_estimator(case.model, case.X),
        "FidelityDisplay.from_predictions": lambda: FidelityDisplay.from_predictions([1.0, 2.0], [1.0, 2.0]),
        "DisagreementDisplay.from_estimator": lambda: DisagreementDisplay.from_estimator(case.model, case.X),
        "DisagreementDisplay.from_predictions": lambda: DisagreementDisplay.from_predictions(case.X, proba, proba),
        "SizeFidelityDisplay.from_estimator": lambda: SizeFidelityDisplay.from_estimator(case.model, case.X, sizes=[9]),
        "SamplerDisplay.from_estimator": lambda: SamplerDisplay.from_estimator(Jitter(), case.X),
        "SamplerDisplay.from_samples": lambda: SamplerDisplay.from_samples(case.X, case.X),
    }
    for who, call in calls.items():
        with pytest.raises(ImportError, match=rf"{who} needs matplotlib, which is not installed: pip install"):
            call()


def test_there_is_a_page_without_pictures(make, tmp_path):
    """Numbers, rules and the bars of times and sizes need nothing but the core."""
    case = make("two classes")
    found = report(case.model, case.X, case.y, X_train=case.X, y_train=case.y)
    found.to_html(tmp_path / "page.html")
    written = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert written.count("<svg") == written.count('<svg class="costs"') == 1
    assert "By slice" in written
    assert found._repr_html_()
