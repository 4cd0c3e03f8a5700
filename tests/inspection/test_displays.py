from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.cluster import AgglomerativeClustering
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from strategies import example_table

from skdistill import AutoStudent, Candidates, DistilledClassifier, DistilledRegressor, fidelity_scorer
from skdistill.exceptions import SamplerError, StudentError
from skdistill.inspection import (
    DisagreementDisplay,
    FidelityDisplay,
    SamplerDisplay,
    SizeFidelityDisplay,
    _size_fidelity_display,
)
from skdistill.inspection._size_fidelity_display import front
from skdistill.inspection._style import COLORS, MARKERS
from skdistill.metrics import fidelity, neg_bytes_scorer, neg_latency_scorer
from skdistill.samplers import MUNGE, Jitter, LeafSwap
from skdistill.selection._candidates import Candidate
from skdistill.students import CompactTreeRegressor
from skdistill.students._families import FAMILIES

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

STYLES = ("default", "dark_background")
RNG = np.random.default_rng(0)
OURS = set(FAMILIES)  # before any test registers another one


@pytest.fixture(autouse=True)
def _alone():
    """Leave no figure open to the next test, and draw the same from ``RNG`` whichever tests ran before."""
    RNG.bit_generator.state = np.random.default_rng(0).bit_generator.state
    yield
    plt.close("all")


def new_axes():
    """Return axes that pyplot knows nothing of."""
    return Figure().subplots()


def assert_drawn(display, ax=None):
    """Fail unless it is drawn where it says, on the axes given if there were any, and can be rendered."""
    assert display.figure_ is display.ax_.figure
    assert ax is None or display.ax_ is ax
    assert len(plt.get_fignums()) == (1 if ax is None else 0)
    display.figure_.canvas.draw()


def drawn_texts(display):
    """Return all texts of the picture."""
    return [text.get_text() for text in display.figure_.findobj(matplotlib.text.Text)]


def titled(frame, names):
    """Return a frame with other names of columns."""
    return frame.rename(columns=dict(zip(frame.columns, names, strict=False)))


# ---------------------------------------------------------------------- what all share


def all_displays(model, X, **options):
    """Return what makes each display that asks a model and its teacher."""
    return [
        lambda **kwargs: FidelityDisplay.from_estimator(model, X, **options, **kwargs),
        lambda **kwargs: DisagreementDisplay.from_estimator(model, X, **options, **kwargs),
    ]


def test_any_model_is_drawn(case):
    """Classifiers, regressors, pipelines, searches, models beside a teacher; arrays, frames, sparse rows, texts."""
    for make in all_displays(case.model, case.X, **case.options):
        assert_drawn(make())
        plt.close("all")


def test_axes_given_are_used(make):
    """No figure is made, neither by the class methods nor by plot."""
    case = make("two classes")
    for make_display in all_displays(case.model, case.X):
        ax, other = new_axes(), new_axes()
        display = make_display(ax=ax)
        assert_drawn(display, ax)
        assert display.plot(ax=other) is display
        assert_drawn(display, other)
    ax = new_axes()
    assert_drawn(SamplerDisplay.from_estimator(Jitter(), case.X, ax=ax), ax)
    search = make("search").model
    ax = new_axes()
    assert_drawn(SizeFidelityDisplay.from_estimator(search, ax=ax), ax)


@pytest.mark.parametrize("style", STYLES)
def test_style_is_followed(make, style):
    """Texts and reference lines have the text colour of the style, dark or light."""
    case = make("two classes")
    with plt.style.context(style):
        expected = matplotlib.colors.to_rgb(plt.rcParams["text.color"])
        shown = FidelityDisplay.from_estimator(case.model, case.X)
        where = DisagreementDisplay.from_estimator(case.model, case.X)
        sizes = SizeFidelityDisplay.from_search(make("search").model)
        rows = SamplerDisplay.from_estimator(Jitter(), case.X, random_state=0)
    lines = [shown.line_.get_color(), sizes.front_.get_color(), where.bars_.errorbar.lines[2][0].get_color()[0]]
    texts = [text.get_color() for text in (shown.ax_.title, where.ax_.texts[0], sizes.ax_.xaxis.label, rows.ax_.title)]
    for color in (*lines, *texts, rows.real_.get_edgecolor()[0]):
        assert matplotlib.colors.to_rgb(color) == expected


@pytest.mark.parametrize("color", ["BLUE", "VERMILLION", "GREEN", "PURPLE", "OCHRE", "SKY", "GREY"])
def test_colors_are_seen_on_white_and_on_black(color):
    """Contrast of at least 2.5 to both: a mark that is nearly as light as its ground is none."""
    from skdistill.inspection import _style

    channels = np.array(matplotlib.colors.to_rgb(getattr(_style, color)))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert (1.05 / (luminance + 0.05)) >= 2.5
    assert ((luminance + 0.05) / 0.05) >= 2.5


def test_models_without_a_teacher_are_refused(make):
    """The error names the display, what it got, and the cure; so does one for an unfitted search."""
    case = make("two classes")
    unfitted = GridSearchCV(case.model, {"student_size": [20]})
    for display in (FidelityDisplay, DisagreementDisplay):
        with pytest.raises(TypeError, match=rf"{display.__name__}.*got a Ridge.*needs the argument teacher="):
            display.from_estimator(Ridge().fit(case.X, case.y), case.X)
        with pytest.raises(TypeError, match=r"got a GridSearchCV.*Fit the search"):
            display.from_estimator(unfitted, case.X)
        with pytest.raises(NotFittedError, match="not fitted yet"):
            display.from_estimator(DistilledClassifier(case.model.teacher), case.X)


# ---------------------------------------------------------------------- fidelity


def test_fidelity_is_that_of_the_answers(make):
    """The title tells the R² of the points that are drawn, one for each row."""
    for name in ("two classes", "values"):
        case = make(name)
        display = FidelityDisplay.from_estimator(case.model, case.X)
        assert display.fidelity == pytest.approx(case.model.fidelity(case.X))
        assert f"{display.fidelity:.3f}, {len(case.X)} rows" in display.ax_.get_title()
        assert sum(len(points.get_offsets()) for points in display.scatter_) == len(case.X)
        again = FidelityDisplay.from_predictions(
            display.teacher_outputs, display.student_outputs, classes=display.classes
        )
        assert again.fidelity == display.fidelity


def test_weights_count_in_the_fidelity(make):
    """And rows of none are neither measured nor drawn, whether models are asked or outputs given."""
    case = make("values")
    weight = np.arange(len(case.X)) % 3.0
    display = FidelityDisplay.from_estimator(case.model, case.X, sample_weight=weight)
    assert display.fidelity == pytest.approx(case.model.fidelity(case.X, sample_weight=weight))
    assert len(display.teacher_outputs) == np.count_nonzero(weight)
    outputs = case.model.soft_targets(case.X), case.model.predict(case.X)
    again = FidelityDisplay.from_predictions(*outputs, sample_weight=weight)
    assert again.fidelity == pytest.approx(display.fidelity)
    np.testing.assert_array_equal(again.student_outputs, display.student_outputs)
    with pytest.raises(ValueError, match=r"from_predictions: sample_weight has shape \(2,\); expected"):
        FidelityDisplay.from_predictions(*outputs, sample_weight=[1, 1])


def test_rows_of_another_label_are_marked(make):
    """Probabilities are drawn in two groups, which are named with their share."""
    case = make("two classes")
    display = FidelityDisplay.from_estimator(case.model, case.X)
    same, other = display.scatter_
    is_other = case.model.predict(case.X) != case.model.teacher_.predict(case.X)
    assert len(other.get_offsets()) == is_other.sum() > 0
    assert same.get_label() == f"same label ({1 - is_other.mean():.1%} of the rows)"
    assert np.all((np.asarray(other.get_offsets()) - 0.5).prod(axis=1) <= 0)


def test_each_output_has_its_points(make):
    """Several values are drawn as several series, more than there are colours as one; classes all together."""
    assert len(FidelityDisplay.from_estimator(make("several values").model, make("several values").X).scatter_) == 2
    outputs = RNG.normal(size=(30, 9))
    assert len(FidelityDisplay.from_predictions(outputs, outputs).scatter_) == 1
    case = make("three classes")
    points = FidelityDisplay.from_estimator(case.model, case.X).scatter_
    assert sum(len(each.get_offsets()) for each in points) == 3 * len(case.X)


def test_differences_lie_around_zero():
    """The other kind draws student minus teacher, and a level line."""
    teacher, student = RNG.normal(size=(2, 40))
    display = FidelityDisplay.from_predictions(teacher, student, kind="difference_vs_teacher")
    np.testing.assert_allclose(display.scatter_[0].get_offsets(), np.column_stack([teacher, student - teacher]))
    assert np.all(display.line_.get_ydata() == 0)
    assert display.ax_.get_ylabel() == "student - teacher"


def test_many_rows_are_sampled(make):
    """So many rows are asked and drawn, the same for the same seed; outputs given are all measured."""
    case = make("two classes")
    first, second = (FidelityDisplay.from_estimator(case.model, case.X, subsample=50, random_state=0) for _ in range(2))
    assert len(first.teacher_outputs) == 50
    np.testing.assert_array_equal(first.teacher_outputs, second.teacher_outputs)
    teacher, student = RNG.normal(size=(2, 300))
    display = FidelityDisplay.from_predictions(teacher, student, subsample=20, random_state=0)
    assert display.fidelity == pytest.approx(fidelity(teacher, student))
    assert "20 rows shown" in display.ax_.get_title()


def test_clusters_of_many_rows_are_sampled():
    """A teacher that only has labels of its own rows is asked for all of them, and some are drawn."""
    X = RNG.normal(size=(120, 2))
    model = DistilledClassifier(AgglomerativeClustering(2).fit(X), "tree", sampler=None, random_state=0).fit(X)
    display = FidelityDisplay.from_estimator(model, X, subsample=30, random_state=0)
    assert display.teacher_outputs.shape == (30, 2)
    where = DisagreementDisplay.from_estimator(model, X, max_rows=50, random_state=0)
    assert sum(where.n_rows) == 50


def test_scatter_and_line_take_options(make):
    """They win over the defaults."""
    display = FidelityDisplay.from_predictions(
        [0.0, 1.0], [0.0, 1.0], scatter_kwargs={"color": "red"}, line_kwargs={"linewidth": 5}
    )
    assert matplotlib.colors.to_rgb(display.scatter_[0].get_facecolor()[0]) == (1, 0, 0)
    assert display.line_.get_linewidth() == 5


@pytest.mark.parametrize("outputs", [[0.5], [0.5, 0.5, 0.5]])
def test_what_has_no_fidelity_is_drawn(outputs):
    """A single row, and a constant teacher, have points and no R²."""
    display = FidelityDisplay.from_predictions(outputs, np.add(outputs, 0.1))
    assert np.isnan(display.fidelity)
    assert_drawn(display)


def test_wrong_arguments_of_fidelity_are_named(make):
    """By whom, what and what was expected."""
    case = make("two classes")
    with pytest.raises(ValueError, match="FidelityDisplay: kind='residuals'; expected 'student_vs_teacher'"):
        FidelityDisplay.from_estimator(case.model, case.X, kind="residuals")
    with pytest.raises(ValueError, match=r"FidelityDisplay.from_estimator: subsample=0; expected an integer"):
        FidelityDisplay.from_estimator(case.model, case.X, subsample=0)
    with pytest.raises(ValueError, match=r"FidelityDisplay.from_predictions: outputs of shapes \(2,\) and \(3,\)"):
        FidelityDisplay.from_predictions([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"FidelityDisplay.from_predictions: .*NaN"):
        FidelityDisplay.from_predictions([1.0, 2.0], [1.0, np.nan])
    with pytest.raises(ValueError, match=r"classes of shape \(3,\) and probabilities of shape \(1, 2\)"):
        FidelityDisplay.from_predictions([[0.5, 0.5]], [[0.5, 0.5]], classes=["a", "b", "c"])


# ---------------------------------------------------------------------- size and fidelity


@given(
    size=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    seed=st.integers(0, 99),
    failed=st.booleans(),
)
def test_nothing_on_the_front_is_beaten(size, seed, failed):
    """Whoever stands there keeps more than all that are smaller or as large; everybody else does not."""
    rng = np.random.default_rng(seed)
    size, kept = np.array(size, dtype=float), rng.integers(0, 6, len(size)) / 5
    if failed:
        kept[rng.integers(len(kept))] = np.nan
    best = front(size, kept)
    known = np.flatnonzero(~np.isnan(kept))
    assert np.all(np.diff(size[best]) > 0)
    assert np.all(np.diff(kept[best]) > 0)
    for place in known:
        is_beaten = np.any((size[known] <= size[place]) & (kept[known] >= kept[place]) & (known != place))
        assert is_beaten or place in best
        assert any(size[each] <= size[place] and kept[each] >= kept[place] for each in best)


@pytest.mark.parametrize("name", ["two classes", "values"])
def test_sizes_are_distilled(make, name):
    """A student for each size and family; those too small are left out; the model is not changed."""
    case = make(name)
    model = type(case.model)(case.model.teacher, "tree", sampler=None, random_state=0)
    before = repr(model.get_params())
    display = SizeFidelityDisplay.from_estimator(
        model, case.X[:100], sizes=(1, 20, 60), families=["tree", "linear"], X_test=case.X[100:]
    )
    assert repr(model.get_params()) == before
    assert not hasattr(model, "student_")
    assert len(display.size) == len(display.fidelity) == len(display.latency) == len(display.family)
    assert display.family.tolist()[:2] == ["tree", "tree"]
    assert len(display.lines_) == len(set(display.family))
    assert np.all(display.size > 0)
    assert_drawn(display)
    plt.close("all")
    assert_drawn(display.plot(x="latency"))
    assert "microseconds" in display.ax_.get_xlabel()


def test_sizes_hold_rows_out_with_their_labels_and_weights(make):
    """Without rows to judge, a quarter of all is kept from the students."""
    case = make("two classes")
    recipe = RandomForestClassifier(5, random_state=0)
    seen = []

    class Recording(DistilledClassifier):
        def fit(self, X, y=None, sample_weight=None, **more):
            seen.append((len(X), len(y), len(sample_weight)))
            return super().fit(X, y, sample_weight=sample_weight, **more)

    model = Recording(recipe, "tree", sampler=None, random_state=0)
    display = SizeFidelityDisplay.from_estimator(
        model, case.X, case.y, sizes=[20], sample_weight=np.arange(len(case.X)) + 1.0
    )
    assert seen == [(150, 150, 150)]
    assert len(display.size) == 1


def test_sizes_in_a_pipeline(make):
    """The distilled estimator at its end is cloned in the sizes; raw frames are seen by all."""
    case = make("two classes")
    frame = pd.DataFrame(case.X)
    inside = DistilledClassifier(RandomForestClassifier(5, random_state=0), "tree", sampler=None, random_state=0)
    display = SizeFidelityDisplay.from_estimator(
        make_pipeline(StandardScaler(), make_pipeline(inside)), frame, case.y, sizes=[5, 60]
    )
    small, large = display.fidelity[np.argsort(display.size)]
    assert large > small > 0.2


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_sizes_of_raw_frames(make, kind):
    """Rows are held out of frames, too."""
    case = make(kind)
    display = SizeFidelityDisplay.from_estimator(
        DistilledClassifier(case.model.teacher, "tree", sampler=None, random_state=0), case.X, sizes=[8, 60]
    )
    small, large = display.fidelity[np.argsort(display.size)]
    assert large > small > 0.2


def test_wrong_sizes_are_refused(make):
    """None, all of them too small, no rows, a model that knows no sizes, a wrong abscissa before anything is fitted."""
    case = make("two classes")
    model = DistilledClassifier(case.model.teacher, "tree", sampler=None, random_state=0)
    make_display = SizeFidelityDisplay.from_estimator
    with pytest.raises(StudentError, match=r"each of sizes=\[1, 2\] is too small .* Pass larger ones"):
        make_display(model, case.X, sizes=[1, 2])
    with pytest.raises(ValueError, match="got no sizes; expected some"):
        make_display(model, case.X, sizes=[])
    with pytest.raises(ValueError, match="got sizes but no X"):
        make_display(model, sizes=[20])
    with pytest.raises(TypeError, match="got sizes and a GridSearchCV"):
        make_display(GridSearchCV(model, {}), case.X, sizes=[20])
    with pytest.raises(ValueError, match=r"this DistilledClassifier tried no sizes. Pass sizes and X"):
        make_display(case.model)
    with pytest.raises(TypeError, match=r"SizeFidelityDisplay.from_estimator: got a GridSearchCV.*Fit the search"):
        make_display(GridSearchCV(model, {"student_size": [20]}))
    with pytest.raises(ValueError, match="SizeFidelityDisplay: x='bytes'; expected one of"):
        make_display(Ridge(), None, sizes=[20], x="bytes")


def test_searches_are_drawn(make):
    """Of one score, the parameter is the size; its best is marked; standard errors are those of the folds."""
    search = make("search").model
    display = SizeFidelityDisplay.from_search(search)
    np.testing.assert_array_equal(display.size, [20, 40, 80])
    np.testing.assert_allclose(display.fidelity, search.cv_results_["mean_test_score"])
    folds = [search.cv_results_[f"split{fold}_test_score"] for fold in range(3)]
    np.testing.assert_allclose(display.fidelity_error, np.std(folds, axis=0, ddof=1) / np.sqrt(3))
    assert display.chosen == search.best_index_
    assert display.ax_.get_xlabel() == "student size"
    assert "chosen" in drawn_texts(display)
    with pytest.raises(ValueError, match=r"no latency was measured. Pass x=\"size\""):
        display.plot(x="latency")


@pytest.mark.slow
def test_searches_of_several_scores_are_drawn(make):
    """Bytes and latency are those measured, families have a line each, and a failed fit has no point."""
    case = make("two classes")
    model = DistilledClassifier(case.model.teacher, "tree", sampler=None, random_state=0)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), model),
        {"distilledclassifier__student": ["tree", "linear"], "distilledclassifier__student_size": [1, 20, 60]},
        scoring={"fidelity": fidelity_scorer, "bytes": neg_bytes_scorer, "latency": neg_latency_scorer},
        refit="fidelity",
        cv=2,
    )
    with pytest.warns(Warning, match="too small|non-finite"):
        search.fit(case.X)
    for x in ("size", "latency"):
        display = SizeFidelityDisplay.from_search(search, x=x)
        assert len(display.lines_) == 2
        assert_drawn(display)
        plt.close("all")
    assert display.size_name == "bytes"
    np.testing.assert_array_equal(display.size, -search.cv_results_["mean_test_bytes"])
    assert np.isnan(display.fidelity).any()
    assert len(display.front_.get_xdata()) >= 1


@settings(max_examples=25)
@given(
    low=st.floats(-5, 0.9999),
    width=st.floats(0, 1),
    error=st.none() | st.floats(0, 0.2),
)
def test_fidelity_can_be_read_off(low, width, error):
    """There are two numbers beside the picture or more, and points and the lower ends of their errors are in it."""
    kept = np.array([low, low + (1 - low) * width * 0.99])
    errors = None if error is None else np.full(2, error)
    display = SizeFidelityDisplay(size=[10, 100], fidelity=kept, fidelity_error=errors).plot(new_axes())
    bottom, top = display.ax_.get_ylim()
    ticks = display.ax_.get_yticks()
    assert 2 <= np.sum((ticks >= bottom) & (ticks <= top)) <= 9
    assert bottom <= (kept - (error or 0)).min()
    assert kept.max() <= top <= 1


def test_wrong_searches_are_refused(make):
    """Unfitted ones, those without fidelity, and those over nothing that is a size."""
    case = make("two classes")
    model = DistilledClassifier(case.model.teacher, "tree", sampler=None, random_state=0)
    make_display = SizeFidelityDisplay.from_search
    with pytest.raises(ValueError, match="from_search got GridSearchCV, which has no cv_results_"):
        make_display(GridSearchCV(model, {"student_size": [20]}))
    scores = {"a": fidelity_scorer, "b": neg_bytes_scorer}
    search = GridSearchCV(model, {"student_size": [20, 40]}, scoring=scores, refit=False, cv=2).fit(case.X)
    with pytest.raises(ValueError, match=r"scores \['a', 'b'\] of scoring=.*; expected fidelity"):
        make_display(search)
    search = GridSearchCV(model, {"soft_weight": [1.0]}, scoring=fidelity_scorer, cv=2).fit(case.X)
    with pytest.raises(ValueError, match="found no parameters with several numbers; expected exactly one, the size"):
        make_display(search)


def test_candidates_are_drawn(make):
    """Each family and size that was judged, the chosen one marked; operations stand for latency."""
    case = make("values")
    student = AutoStudent(["linear", "tree"])
    model = DistilledRegressor(case.model.teacher, student, sampler=None, random_state=0).fit(case.X)
    display = SizeFidelityDisplay.from_candidates(model.candidates_)
    assert set(display.family) == {"linear", "tree"}
    assert display.family[display.chosen] == model.candidates_.chosen.family
    np.testing.assert_array_equal(SizeFidelityDisplay.from_estimator(model).size, display.size)
    assert SizeFidelityDisplay.from_candidates(model.candidates_, x="latency").size_name == "operations per row"
    with pytest.raises(ValueError, match="x='bytes'; expected one of"):
        SizeFidelityDisplay.from_candidates(model.candidates_, x="bytes")


def test_the_chosen_candidate_is_marked():
    """Also where a larger or smaller one of its family was tried after it: it has its own fidelity."""
    small, large = (
        Candidate("tree", 0, 90, size, 10.0 * size, 7, *measured, 0.1, True, "rows", 1.0, CompactTreeRegressor(size))
        for size, measured in ((20, (0.8, 0.8, 0.7, 0.9)), (40, (0.9, 0.9, 0.8, 1.0)))
    )
    taught = replace(small, rung=2, n_rows=120, n_parameters=18, n_bytes=180.0, fidelity=np.nan)
    candidates = Candidates([small, large, taught])
    assert (candidates.chosen.fidelity, candidates.chosen.n_rows) == (0.8, 120)
    display = SizeFidelityDisplay.from_candidates(candidates)
    assert display.fidelity[display.chosen] == 0.8


def test_wrong_candidates_are_refused(make):
    """Those of which none was judged, and what is none."""
    case = make("values")
    few = DistilledRegressor(case.model.teacher, AutoStudent(["linear", "tree"]), sampler=None, random_state=0)
    with pytest.warns(UserWarning, match="got 5 real rows; from so few"):
        few.fit(case.X[:5])
    with pytest.raises(ValueError, match=r"none of the .* candidates was validated"):
        SizeFidelityDisplay.from_candidates(few.candidates_)
    with pytest.raises(TypeError, match="got a DistilledRegressor; expected candidates_ of a model"):
        SizeFidelityDisplay.from_candidates(case.model)


# ---------------------------------------------------------------------- where they differ


def planted(n_rows=600):
    """Return people, and probabilities of a teacher and of a student who is wrong of all above fifty."""
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"age": rng.integers(18, 90, n_rows), "job": rng.choice(["clerk", "baker", "smith"], n_rows)})
    teacher = rng.uniform(0.05, 0.95, n_rows)
    student = np.where(people["age"] > 50, 1 - teacher, teacher)
    return people, np.column_stack([1 - teacher, teacher]), np.column_stack([1 - student, student])


def test_a_planted_difference_is_found():
    """The first rules are of those above fifty; the others have no distance at all."""
    people, teacher, student = planted()
    display = DisagreementDisplay.from_predictions(people, teacher, student, classes=["no", "yes"], max_rules=2)
    assert display.rules == ["age > 50.5", "age <= 50.5"]
    assert display.n_rows.tolist() == [(people["age"] > 50).sum(), (people["age"] <= 50).sum()]
    np.testing.assert_allclose(display.share_of_distance, [1, 0], atol=1e-12)
    assert display.disagreement[0] == pytest.approx(1)
    assert display.disagreement[1] == 0
    share = display.n_rows[0] / len(people)
    texts = "".join(drawn_texts(display))
    assert f"{display.n_rows[0]} rows ({share:.0%}), 100% of the distance\n100.0% different label" in texts


@pytest.mark.parametrize("name", ["two classes", "several values", "pandas", "polars", "csr"])
def test_rules_share_all_rows(make, name):
    """Each row is in one rule, shares sum to one, and the worst comes first."""
    case = make(name)
    display = DisagreementDisplay.from_estimator(case.model, case.X, max_rules=4)
    assert 1 <= len(display.rules) <= 4
    assert sum(display.n_rows) == case.X.shape[0]
    assert sum(display.share_of_distance) == pytest.approx(1)
    assert np.all(np.diff(display.distance) <= 0)
    assert len(display.bars_) == len(display.rules)
    assert (display.disagreement is None) == (name == "several values")


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), max_rules=st.integers(1, 8))
def test_distances_are_means_of_their_rows(seed, max_rules):
    """Weighted by rows, the rules have the distance of all rows; weights count as rows."""
    rng = np.random.default_rng(seed)
    X, teacher, student = rng.normal(size=(80, 3)), rng.normal(size=80), rng.normal(size=80)
    weight = rng.integers(0, 3, 80)
    weight[0] = 1
    options = {"max_rules": max_rules, "ax": new_axes()}
    display = DisagreementDisplay.from_predictions(X, teacher, student, sample_weight=weight, **options)
    spread = np.std(np.repeat(teacher, weight))
    expected = np.mean(np.repeat(np.abs(teacher - student), weight)) / spread
    share = [np.nan_to_num(each) for each in (display.distance, display.share_of_distance)]
    assert sum(share[1]) == pytest.approx(1)
    occupied = share[0] > 0
    weights = share[1][occupied] * expected / share[0][occupied]
    assert weights.sum() == pytest.approx(1)


def test_names_of_columns_are_no_formulas():
    """Dollars, underscores and braces are drawn as they are."""
    people, teacher, student = planted()
    named = titled(people, ["income_{$", "$job^"])
    display = DisagreementDisplay.from_predictions(named, teacher, student, classes=["no", "yes"], max_rules=4)
    assert_drawn(display)
    assert any("income_{$ > 50.5" in text for text in drawn_texts(display))
    plt.close("all")
    assert_drawn(SamplerDisplay.from_samples(named, named, features=["income_{$", "$job^"]))


def test_wrong_arguments_of_disagreement_are_named(make):
    """By whom, what and what was expected."""
    people, teacher, student = planted(50)
    make_display = DisagreementDisplay.from_predictions
    with pytest.raises(ValueError, match=r"DisagreementDisplay.from_predictions: max_rules=0; expected an integer"):
        make_display(people, teacher, student, max_rules=0)
    with pytest.raises(ValueError, match="got 49 rows and 50 outputs; expected one output per row"):
        make_display(people[1:], teacher, student)
    with pytest.raises(ValueError, match=r"DisagreementDisplay.from_predictions: sample_weight has shape \(3,\)"):
        make_display(people, teacher, student, sample_weight=[1, 2, 3])
    with pytest.raises(ValueError, match=r"from_estimator: max_rows=-1; expected an integer of at least 1"):
        DisagreementDisplay.from_estimator(make("two classes").model, make("two classes").X, max_rows=-1)


# ---------------------------------------------------------------------- synthetic rows

TABLES = {
    "numpy": RNG.normal(size=(60, 4)),
    "list": RNG.normal(size=(60, 4)).tolist(),
    "one column": RNG.normal(size=(60, 1)),
    "pandas": example_table("pandas", 60),
    "polars": example_table("polars", 60),
    "objects": example_table("numpy", 60),
    "csr": sparse.random(60, 8, 0.3, format="csr", random_state=0),
    "coo": sparse.coo_array(sparse.random(60, 8, 0.3, random_state=0)),
    "narrow csr": sparse.random(60, 2, 0.5, format="csr", random_state=0),
}


@pytest.mark.parametrize(
    ("kind", "features"),
    [
        *(pytest.param(kind, None, marks=pytest.mark.slow if kind in ("polars", "coo") else ()) for kind in TABLES),
        *((kind, (0, -1)) for kind in ("numpy", "pandas", "csr")),
    ],
)
def test_rows_have_two_coordinates(kind, features):
    """Real and synthetic rows, of any table, as components or as two columns; the table is not changed."""
    X = TABLES[kind]
    display = SamplerDisplay.from_estimator(MUNGE(), X, n_samples=30, features=features, random_state=0)
    n_rows = len(X) if isinstance(X, list) else X.shape[0]
    assert display.real.shape == (n_rows, 2)
    assert display.synthetic.shape == (30, 2)
    assert len(display.real_.get_offsets()) == n_rows
    assert len(display.synthetic_.get_offsets()) == 30
    assert display.ax_.get_title() == "MUNGE"
    assert_drawn(display)


def test_rows_are_drawn_again_for_the_same_seed():
    """And at most so many real ones are used."""
    X = RNG.normal(size=(300, 3))
    first, second = (SamplerDisplay.from_estimator(Jitter(), X, subsample=40, random_state=0) for _ in range(2))
    assert first.real.shape == first.synthetic.shape == (40, 2)
    np.testing.assert_array_equal(first.synthetic, second.synthetic)


def test_samplers_of_others_and_those_that_ask_the_teacher(make):
    """KernelDensity, and the sampler of a distilled estimator, alone or in a pipeline."""
    case = make("two classes")
    SamplerDisplay.from_estimator(KernelDensity(), case.X, random_state=0)
    forest = case.model.teacher
    model = DistilledClassifier(forest, "linear", sampler=LeafSwap(), n_synthetic=50, random_state=0).fit(case.X)
    assert SamplerDisplay.from_estimator(model, case.X, random_state=0).title == "LeafSwap"
    within = DistilledClassifier(
        RandomForestClassifier(5, random_state=0), "linear", sampler=Jitter(), n_synthetic=50, random_state=0
    )
    pipeline = make_pipeline(StandardScaler(), within).fit(case.X, case.y)
    assert SamplerDisplay.from_estimator(pipeline, case.X, random_state=0).title == "Jitter"


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_columns_are_named(frame):
    """Axes have the names of the columns shown, by name or by position; arrays number them."""
    rows = frame({"age": [1.0, 2.0, 3.0], "job": ["a", "b", "a"], "pay": [5.0, 6.0, 7.0]})
    display = SamplerDisplay.from_samples(rows, rows, features=["pay", 0])
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("pay", "age")
    np.testing.assert_array_equal(display.real, [[5, 1], [6, 2], [7, 3]])


def test_categories_and_times_are_written_out():
    """Ticks have the names of categories; dates are years, durations days."""
    rows = pd.DataFrame(
        {
            "town": ["York", "Bath", None],
            "day": pd.to_datetime(["1970-01-01", "2000-01-01", "2020-01-01"]),
            "lasts": pd.to_timedelta([1, 2, 3], unit="D"),
        }
    )
    display = SamplerDisplay.from_samples(rows, rows, features=["town", "day"])
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["Bath", "York"]
    assert display.ax_.get_ylabel() == "day, year"
    np.testing.assert_allclose(display.real[:, 1], [1970, 2000, 2020], atol=0.01)
    display = SamplerDisplay.from_samples(rows, rows, features=["lasts", "town"])
    assert (display.names[0], display.real[:, 0].tolist()) == ("lasts, days", [1, 2, 3])
    assert [label.get_text() for label in display.plot(new_axes()).ax_.get_yticklabels()] == ["Bath", "York"]


def test_columns_without_any_cell_are_shown():
    """Missing cells stand in the middle of the components, also where all are missing, and a single row is a point."""
    X = np.array([[1.0, np.nan], [2.0, np.nan], [4.0, np.nan]])
    display = SamplerDisplay.from_samples(X, X)
    assert np.isfinite(display.real).all()
    assert np.isfinite(SamplerDisplay.from_samples(X[:1], X[:1]).real).all()


def test_wrong_arguments_of_the_sampler_display_are_named(make):
    """Features, models without synthetic rows, unfitted ones, what is no sampler."""
    case = make("two classes")
    make_display = SamplerDisplay.from_estimator
    for features in ("age", ["age"], 3, [0, 1, 2]):
        with pytest.raises(ValueError, match=r"features=.*; expected two columns, such as features=\[0, 1\]"):
            make_display(Jitter(), case.X, features=features)
    with pytest.raises(ValueError, match=r"columns \['age', 9\] are not in the table; expected names"):
        make_display(Jitter(), case.X, features=["age", 9])
    with pytest.raises(SamplerError, match="DistilledClassifier was trained without synthetic rows"):
        make_display(case.model, case.X)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        make_display(DistilledClassifier(case.model.teacher), case.X)
    with pytest.raises(TypeError, match=r"SamplerDisplay.from_estimator: got a DummyClassifier"):
        make_display(DummyClassifier(), case.X)
    with pytest.raises(ValueError, match=r"subsample=0; expected an integer of at least 1"):
        make_display(Jitter(), case.X, subsample=0)
    with pytest.raises(ValueError, match=r"from_samples: the synthetic rows are or have shape \(200, 3\)"):
        SamplerDisplay.from_samples(case.X, case.X[:, :3])


def test_logistic_models_are_drawn_beside_any_teacher(make):
    """A model and a teacher of other labels are refused, with both named."""
    case = make("two classes")
    other = LogisticRegression().fit(case.X, np.where(case.y == 1, "b", "a"))
    with pytest.raises(ValueError, match=r"LogisticRegression returns .*'a', 'b'.* RandomForestClassifier returns"):
        FidelityDisplay.from_estimator(other, case.X, teacher=case.model.teacher)


def test_each_family_has_a_look_of_its_own():
    """A fixed colour and marker, which no other family of this package has."""
    assert set(_size_fidelity_display.FAMILIES) == OURS
    assert len(set(COLORS)) == len(COLORS) >= len(OURS) <= len(set(MARKERS))
