"""Teachers of other packages: how each is passed, and the fidelity of its student on unseen rows.

Run with ``python docs/benchmarks/interop.py`` after ``pip install "skdistill[interop]"``; it writes ``interop.md``.
Packages that are not installed are left out and named.
"""

import argparse
import datetime
import importlib.metadata
import platform
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier, DistilledRegressor, as_teacher

FILE = Path(__file__).with_suffix(".md")


@dataclass
class Data:
    """Rows that the teacher is fitted on, and rows that neither model has seen."""

    X: Any
    y: Any
    X_test: Any
    y_test: Any

    @classmethod
    def of(cls, load: Callable[..., Any], frame: bool = False) -> "Data":
        X, y = load(return_X_y=True)
        X = pd.DataFrame(X, columns=[f"x{index}" for index in range(X.shape[1])]) if frame else X
        X, X_test, y, y_test = train_test_split(X, y, random_state=0)
        return cls(X, y, X_test, y_test)


BINARY, THREE, VALUES = (Data.of(load) for load in (load_breast_cancer, load_iris, load_diabetes))
ABOVE_140 = Data(*(part if part.ndim > 1 else (part > 140).astype(int) for part in vars(VALUES).values()))
BINARY_FRAME, THREE_FRAME, VALUES_FRAME = (
    Data.of(load, True) for load in (load_breast_cancer, load_iris, load_diabetes)
)


@dataclass
class Case:
    """One teacher: its package, how it is made and passed, and the data."""

    package: str
    title: str
    make: Callable[[Data], Any]
    data: Data
    classifies: bool = True
    passed: str = "fitted model"
    options: dict[str, Any] | None = None


def fitted(make: Callable[[], Any]) -> Callable[[Data], Any]:
    """Fit the model on the training rows."""

    def make_and_fit(data: Data) -> Any:
        model = make()
        model.fit(data.X, data.y)
        return model

    return make_and_fit


# ---------------------------------------------------------------------- the models


def xgboost_booster(data: Data) -> Any:
    import xgboost

    return xgboost.train({"objective": "multi:softprob", "num_class": 3}, xgboost.DMatrix(data.X, data.y), 30)


def xgboost_classifier() -> Any:
    import xgboost

    return xgboost.XGBClassifier(n_estimators=50, n_jobs=1)


def xgboost_ranker(data: Data) -> Any:
    import xgboost

    queries = np.sort(np.arange(len(data.y)) % 20)
    return xgboost.XGBRanker(n_estimators=30, n_jobs=1).fit(data.X, (data.y > 140).astype(int), qid=queries)


def catboost_classifier() -> Any:
    import catboost

    return catboost.CatBoostClassifier(iterations=50, verbose=0, allow_writing_files=False, thread_count=1)


def catboost_one_vs_all() -> Any:
    import catboost

    options = {"iterations": 50, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
    return catboost.CatBoostClassifier(loss_function="MultiClassOneVsAll", **options)


def catboost_raw() -> Any:
    import catboost

    options = {"iterations": 50, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
    return catboost.CatBoost({"loss_function": "MultiClass", **options})


def catboost_recipe(data: Data) -> Any:
    import catboost

    options = {"iterations": 50, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
    return catboost.CatBoostClassifier(cat_features=["town"], **options)


def towns(data: Data) -> Data:
    """Add a column of text."""
    add = lambda X: X.assign(town=np.array(["Bath", "Ely", "York"])[np.arange(len(X)) % 3])  # noqa: E731
    return Data(add(data.X), data.y, add(data.X_test), data.y_test)


def lightgbm_one_vs_all() -> Any:
    import lightgbm

    return lightgbm.LGBMClassifier(objective="multiclassova", n_estimators=30, verbose=-1, n_jobs=1)


def lightgbm_custom(data: Data) -> Any:
    import lightgbm

    def logistic(scores: np.ndarray, data: Any) -> Any:
        proba = 1 / (1 + np.exp(-scores))
        return proba - data.get_label(), proba * (1 - proba)

    params = {"objective": logistic, "verbose": -1, "num_threads": 1}
    return lightgbm.train(params, lightgbm.Dataset(data.X, data.y.astype(float)), 30)


def ebm() -> Any:
    from interpret.glassbox import ExplainableBoostingClassifier

    return ExplainableBoostingClassifier(outer_bags=2, interactions=3, n_jobs=1, random_state=0)


def ngboost() -> Any:
    from ngboost import NGBRegressor

    return NGBRegressor(n_estimators=100, verbose=False, random_state=0)


def pygam() -> Any:
    from pygam import LogisticGAM

    return LogisticGAM()


def perpetual() -> Any:
    from perpetual import PerpetualClassifier

    return PerpetualClassifier(budget=0.3)


def imodels() -> Any:
    from imodels import RuleFitRegressor

    return RuleFitRegressor(random_state=0)


def glum() -> Any:
    from glum import GeneralizedLinearRegressor

    return GeneralizedLinearRegressor(family="gamma", alpha=0.01)


def quantile_forest() -> Any:
    from quantile_forest import RandomForestQuantileRegressor

    return RandomForestQuantileRegressor(100, min_samples_leaf=5, default_quantiles=[0.1, 0.5, 0.9], random_state=0)


def mapie(data: Data) -> Any:
    from mapie.regression import CrossConformalRegressor
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(50, random_state=0)
    model = CrossConformalRegressor(forest, cv=3).fit_conformalize(data.X, data.y)
    return lambda X: np.column_stack([model.predict_interval(X)[1][:, side, 0] for side in (0, 1)])


def survival(data: Data) -> Any:
    from sksurv.ensemble import RandomSurvivalForest
    from sksurv.util import Surv

    y = Surv.from_arrays(np.arange(len(data.y)) % 3 > 0, data.y)
    return RandomSurvivalForest(50, min_samples_leaf=8, random_state=0).fit(data.X, y)


def pyod() -> Any:
    from pyod.models.iforest import IForest

    return IForest(random_state=0)


def ydf(data: Data) -> Any:
    import ydf as forests

    rows = data.X.assign(label=data.y.astype(str))
    return forests.GradientBoostedTreesLearner(label="label", num_trees=30).train(rows, verbose=0)


def river(data: Data) -> Any:
    from river import tree

    model = tree.HoeffdingTreeClassifier(grace_period=10)
    for row, label in zip(data.X.to_dict("records"), data.y, strict=True):
        model.learn_one(row, label)
    return model


def statsmodels(data: Data) -> Any:
    import statsmodels.api as sm

    model = sm.GLM(data.y, sm.add_constant(data.X), family=sm.families.Gamma(sm.families.links.Log())).fit()
    return lambda X: model.predict(sm.add_constant(X, has_constant="add"))


def sklego(data: Data) -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from sklego.meta import Thresholder

    return Thresholder(RandomForestClassifier(100, random_state=0), threshold=0.3).fit(data.X, data.y)


def mlxtend(data: Data) -> Any:
    from mlxtend.classifier import EnsembleVoteClassifier
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    members = [kind(50, random_state=0) for kind in (RandomForestClassifier, ExtraTreesClassifier)]
    return EnsembleVoteClassifier(members, voting="soft").fit(data.X, data.y)


def aplr() -> Any:
    from aplr import APLRRegressor

    return APLRRegressor(m=200, random_state=0)


def lifelines(data: Data) -> Any:
    from lifelines import CoxPHFitter

    rows = data.X.assign(time=data.y, event=1)
    model = CoxPHFitter(penalizer=0.1).fit(rows, "time", "event")
    return lambda X: np.log(model.predict_partial_hazard(X).to_numpy())


def hmmlearn(data: Data) -> Any:
    from hmmlearn.hmm import GaussianHMM

    model = GaussianHMM(3, random_state=0).fit(data.X)
    return lambda X: np.vstack([model.predict_proba(X[[row]]) for row in range(len(X))])


def umap(data: Data) -> Any:
    from umap import UMAP

    return UMAP(n_neighbors=10, random_state=0, n_jobs=1).fit(data.X)


def balanced_forest() -> Any:
    from imblearn.ensemble import BalancedRandomForestClassifier

    return BalancedRandomForestClassifier(100, random_state=0, sampling_strategy="all", replacement=True)


def effects(data: Data) -> Any:
    from econml.dml import CausalForestDML

    treatment = (np.arange(len(data.y)) % 2).astype(float)
    model = CausalForestDML(discrete_treatment=True, n_estimators=100, random_state=0)
    model.fit(data.y + 20 * treatment * (data.X[:, 2] > 0), treatment, X=data.X)
    return model


def gplearn() -> Any:
    from gplearn.genetic import SymbolicRegressor

    return SymbolicRegressor(population_size=300, generations=5, random_state=0)


def skglm() -> Any:
    from skglm import MCPRegression

    return MCPRegression(alpha=0.1)


def mord() -> Any:
    from mord import LogisticAT

    return LogisticAT()


def flaml() -> Any:
    from flaml import AutoML

    return AutoML(task="classification", time_budget=5, estimator_list=["rf"], verbose=0, n_jobs=1)


REGRESSION = {"classifies": False}
CASES = [
    Case("xgboost", "`XGBClassifier`", fitted(xgboost_classifier), BINARY),
    Case("xgboost", "`Booster`, three classes", xgboost_booster, THREE),
    Case("xgboost", "`XGBRanker`", xgboost_ranker, VALUES, **REGRESSION),
    Case("catboost", "`CatBoostClassifier`", fitted(catboost_classifier), THREE),
    Case("catboost", "`CatBoostClassifier`, one class against all", fitted(catboost_one_vs_all), THREE),
    Case("catboost", "`CatBoost`", fitted(catboost_raw), THREE),
    Case("catboost", "`CatBoostClassifier(cat_features=...)`", catboost_recipe, towns(BINARY_FRAME), passed="recipe"),
    Case("lightgbm", "`LGBMClassifier`, one class against all", fitted(lightgbm_one_vs_all), THREE),
    Case("lightgbm", "`Booster`, custom objective", lightgbm_custom, BINARY),
    Case("interpret", "`ExplainableBoostingClassifier`", fitted(ebm), BINARY_FRAME),
    Case("ngboost", "`NGBRegressor`", fitted(ngboost), VALUES, **REGRESSION),
    Case("pygam", "`LogisticGAM`", fitted(pygam), BINARY),
    Case(
        "pygam",
        "`LogisticGAM`, `teacher_cv=3`",
        lambda _: pygam(),
        ABOVE_140,
        passed="recipe",
        options={"teacher_cv": 3},
    ),
    Case("perpetual", "`PerpetualClassifier`", lambda _: perpetual(), BINARY, passed="recipe"),
    Case("imodels", "`RuleFitRegressor`", fitted(imodels), VALUES, **REGRESSION),
    Case("glum", "`GeneralizedLinearRegressor`, gamma", fitted(glum), VALUES, **REGRESSION),
    Case(
        "quantile-forest",
        "`RandomForestQuantileRegressor`, three quantiles",
        fitted(quantile_forest),
        VALUES,
        **REGRESSION,
    ),
    Case("mapie", "`CrossConformalRegressor`, both ends", mapie, VALUES, passed="function", **REGRESSION),
    Case("scikit-survival", "`RandomSurvivalForest`, risk", survival, VALUES, **REGRESSION),
    Case(
        "scikit-survival",
        "`RandomSurvivalForest`, curves",
        survival,
        VALUES,
        options={"response_method": "predict_survival_function"},
        **REGRESSION,
    ),
    Case("pyod", "`IForest`", fitted(pyod), BINARY),
    Case(
        "pyod",
        "`IForest`, scores",
        fitted(pyod),
        BINARY,
        options={"response_method": "decision_function"},
        **REGRESSION,
    ),
    Case("ydf", "`GradientBoostedTreesModel`", ydf, THREE_FRAME),
    Case("river", "`HoeffdingTreeClassifier`", river, THREE_FRAME),
    Case("statsmodels", "`GLM` results", statsmodels, VALUES, passed="function", **REGRESSION),
    Case("scikit-lego", "`Thresholder`", sklego, BINARY),
    Case("mlxtend", "`EnsembleVoteClassifier`", mlxtend, THREE),
    Case("aplr", "`APLRRegressor`", fitted(aplr), VALUES, **REGRESSION),
    Case("lifelines", "`CoxPHFitter`, log hazard", lifelines, VALUES_FRAME, passed="function", **REGRESSION),
    Case("hmmlearn", "`GaussianHMM`, memberships of single rows", hmmlearn, THREE, passed="function"),
    Case("umap-learn", "`UMAP`, embedding", umap, THREE, **REGRESSION),
    Case("imbalanced-learn", "`BalancedRandomForestClassifier`", fitted(balanced_forest), BINARY),
    Case("econml", "`CausalForestDML`, effects", effects, VALUES, **REGRESSION),
    Case("gplearn", "`SymbolicRegressor`", fitted(gplearn), VALUES, **REGRESSION),
    Case("skglm", "`MCPRegression`", fitted(skglm), VALUES, **REGRESSION),
    Case("mord", "`LogisticAT`, ordinal labels", fitted(mord), THREE),
    Case("flaml", "`AutoML`", lambda _: flaml(), BINARY, passed="recipe"),
]


def measure(case: Case) -> tuple[float, float]:
    """Return the fidelity on unseen rows and the seconds of the fit of the student."""
    teacher, data = case.make(case.data), case.data
    kind = DistilledClassifier if case.classifies else DistilledRegressor
    if case.package == "ydf":
        teacher = as_teacher(teacher, task="classification")
    if case.package == "hmmlearn":
        teacher = as_teacher(teacher, classes=[0, 1, 2])
    needs_y = case.passed == "recipe" or (case.classifies and case.package in NEEDS_LABELS)
    model = kind(teacher, random_state=0, **(case.options or {}))
    started = time.perf_counter()
    model.fit(data.X, data.y) if needs_y else model.fit(data.X)
    return model.fidelity(data.X_test), time.perf_counter() - started


NEEDS_LABELS = ("xgboost", "catboost", "lightgbm", "pygam", "river", "perpetual")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="a package")
    only = parser.parse_args().only
    lines, absent = [], set()
    for case in CASES:
        if only not in (None, case.package):
            continue
        try:
            version = importlib.metadata.version(case.package)
        except importlib.metadata.PackageNotFoundError:
            absent.add(case.package)
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fidelity, seconds = measure(case)
            result = f"{fidelity:.3f} | {seconds:.1f}"
        except Exception as error:
            result = f"{type(error).__name__}: {error} |"
        lines.append(f"| {case.package} {version} | {case.title} | {case.passed} | {result} |")
        print(lines[-1], flush=True)
    if only is None:
        FILE.write_text(page(lines, absent))


def page(lines: list[str], absent: set[str]) -> str:
    """Return the page with the table."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("scikit-learn", "numpy", "pandas"))
    missing = f"\nNot installed: {', '.join(sorted(absent))}.\n" if absent else ""
    table = "\n".join(lines)
    return f"""# Teachers of other packages, measured

Fidelity (R² to the teacher) of `DistilledClassifier(teacher, random_state=0)` or
`DistilledRegressor` with its defaults, on rows that neither model has seen: breast cancer (two
classes), iris (three classes) or diabetes (values).

Command: `python docs/benchmarks/interop.py`, {datetime.date.today()}, Python {platform.python_version()}, {versions}.

| package | model | passed as | fidelity | seconds of the fit |
|---|---|---|---|---|
{table}
{missing}"""


if __name__ == "__main__":
    main()
