"""Random pipelines over random raw tables, and rows on which they are compared with their compiled forms."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeRegressor

import skdistill
from skdistill.export._program import program_of
from skdistill.export._rows import rows_for
from skdistill.students import (
    CompactBoostingClassifier,
    CompactBoostingRegressor,
    CompactLinearRegressor,
    CompactMLPRegressor,
)

NUMBERS = ["size", "it's", "x y", "whole"]
TEXTS = ["kind", 'say "x"']
WORDS = ["red", "green", "blue", "1", "1.0", "'; --", "rare", "odd"]


def random_table(rng, n_rows=120):
    """Draw numbers with missing cells, whole numbers, booleans, and texts with and without missing cells."""
    frame = pd.DataFrame(rng.normal(size=(n_rows, 3)).round(2) * [1, 100, 1e-3], columns=NUMBERS[:3])
    frame = frame.mask(rng.uniform(size=frame.shape) < 0.1)
    weight = np.array([6, 5, 4, 3, 2, 2, 1, 1]) / 24
    words = pd.DataFrame(rng.choice(WORDS, size=(n_rows, 2), p=weight).astype(object), columns=TEXTS)
    words.loc[rng.uniform(size=n_rows) < 0.15, TEXTS[0]] = np.nan
    return pd.concat([frame, pd.Series(rng.integers(0, 6, n_rows), name="whole"), words], axis=1).assign(
        flag=rng.uniform(size=n_rows) < 0.4
    )


def random_pipeline(seed):
    """Return a fitted pipeline and its table, a frame or, for some seeds, an array of objects."""
    rng = np.random.default_rng(seed)
    frame = random_table(rng)
    signal = frame["size"].fillna(0) + 2.0 * (frame["kind"] == "red") + frame["whole"] / 3
    steps = [_columns(rng, frame), *_after(rng)]
    needs_numbers, model, is_classifier = _model(rng)
    refuses_sparse = isinstance(model, DecisionTreeRegressor | RandomForestClassifier)  # with missing cells
    if needs_numbers or (refuses_sparse and steps[0].sparse_threshold):
        steps.append(SimpleImputer(add_indicator=bool(rng.integers(2)), keep_empty_features=True))
    X = frame if rng.integers(4) else frame.to_numpy(dtype=object)
    if not isinstance(X, pd.DataFrame):
        steps[0] = _by_position(steps[0], frame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence, constant columns
        pipeline = make_pipeline(*steps, model).fit(X, signal > 1 if is_classifier else signal)
    return pipeline, X


def _columns(rng, frame):
    """Draw a transformer of columns."""
    groups = [("numbers", _of_numbers(rng), _chosen(rng, NUMBERS, frame)), ("texts", _of_texts(rng), list(TEXTS))]
    if rng.integers(2):
        groups.append(("again", _encoder(rng), ["whole", "flag"]))
    if rng.integers(2):
        groups.append(("flags", str(rng.choice(["passthrough", "drop"])), ["flag"]))
    if rng.integers(3) == 0:
        groups.append(("none", StandardScaler(), []))
    remainder = "passthrough" if groups[-1][0] in ("again", "flags") and rng.integers(2) else "drop"
    weights = {"numbers": 2.5} if rng.integers(4) == 0 else None
    return ColumnTransformer(
        [groups[place] for place in rng.permutation(len(groups))],
        remainder=remainder,
        sparse_threshold=float(rng.choice([0, 0.3, 1])),
        transformer_weights=weights,
    )


def _chosen(rng, names, frame):
    """Select columns by names, a slice, positions, negative positions, a mask or a function."""
    places = [frame.columns.get_loc(name) for name in names]
    forms = [
        list(names),
        slice(names[0], names[-1]),
        places,
        slice(places[0], places[-1] + 1),
        [place - frame.shape[1] for place in places],
        [name in names for name in frame.columns],
        lambda X: [name for name in X.columns if name in names],
    ]
    return forms[rng.integers(len(forms))]


def _by_position(transformer, frame):
    """Select the same columns of an array."""

    def places(chosen):
        if callable(chosen):
            chosen = chosen(frame)
        if isinstance(chosen, slice) and isinstance(chosen.start, str):
            chosen = list(frame.loc[:, chosen].columns)
        if isinstance(chosen, list) and chosen and isinstance(chosen[0], str):
            return [frame.columns.get_loc(name) for name in chosen]
        return chosen

    groups = [(name, part, places(chosen)) for name, part, chosen in transformer.transformers]
    return transformer.set_params(transformers=groups)


def _of_numbers(rng):
    strategy = str(rng.choice(["mean", "median", "most_frequent", "constant"]))
    imputer = SimpleImputer(strategy=strategy, fill_value=0.25, add_indicator=bool(rng.integers(2)))
    marked = make_pipeline(SimpleImputer(strategy="constant", fill_value=-9), SimpleImputer(missing_values=-9))
    union = FeatureUnion([("scaled", _scaler(rng)), ("missing", MissingIndicator(features="all")), ("no", "drop")])
    chains = [
        _scaler(rng),
        make_pipeline(imputer, _scaler(rng)),
        make_pipeline(_scaler(rng), "passthrough", imputer),
        make_pipeline(marked, VarianceThreshold(), _scaler(rng)),
        union,
        make_pipeline(FunctionTransformer(), union),
        "passthrough",
    ]
    return chains[rng.integers(len(chains))]


def _scaler(rng):
    scalers = [
        StandardScaler(with_mean=bool(rng.integers(2))),
        StandardScaler(with_std=False),
        MinMaxScaler(feature_range=(-1, 2), clip=bool(rng.integers(2))),
        MaxAbsScaler(),
        RobustScaler(with_centering=bool(rng.integers(2))),
        make_pipeline(MinMaxScaler(clip=True), StandardScaler()),
    ]
    return scalers[rng.integers(len(scalers))]


def _of_texts(rng):
    fill = SimpleImputer(strategy=str(rng.choice(["most_frequent", "constant"])), fill_value="green")
    swap = SimpleImputer(missing_values="rare", strategy="constant", fill_value="odd")
    encoder = _encoder(rng)
    chains = [encoder, encoder, make_pipeline(fill, encoder), make_pipeline(fill, swap, encoder)]
    flagged = make_pipeline(SimpleImputer(strategy="constant", fill_value="?", add_indicator=True), encoder)
    return [*chains, flagged][rng.integers(5)]


def _encoder(rng):
    if rng.integers(3) == 0:
        unknown = {"handle_unknown": "use_encoded_value", "unknown_value": [-1, 99, np.nan][rng.integers(3)]}
        many = {"min_frequency": 6} if rng.integers(2) else {}
        return OrdinalEncoder(**unknown, **many, encoded_missing_value=float(rng.choice([-2, np.nan])))
    drop = [None, "first", "if_binary"][rng.integers(3)]
    unknown = str(rng.choice(["error", "ignore", "infrequent_if_exist"]))
    many = [{}, {"min_frequency": 6}, {"max_categories": 3}][rng.integers(3)]
    return OneHotEncoder(drop=drop, handle_unknown=unknown, **many)


def _after(rng):
    """Draw steps after the transformer of columns, which its result may be sparse for."""
    steps = [VarianceThreshold(), MaxAbsScaler(), "passthrough", SelectKBest(k=3), StandardScaler(with_mean=False)]
    # selectors that compare with the target refuse missing cells
    return [steps[place] for place in rng.permutation(5)[: rng.integers(3)] if place != 3]


def _model(rng):
    """Return whether a model needs a number in each cell, the model, and whether it is a classifier."""
    models = [
        (True, LinearRegression(), False),
        (True, make_pipeline(SelectKBest(k=3), LogisticRegression(C=0.1)), True),
        (False, DecisionTreeRegressor(max_leaf_nodes=12, random_state=0), False),
        (False, RandomForestClassifier(4, max_leaf_nodes=8, random_state=0), True),
        (False, CompactBoostingRegressor(3, 6, random_state=0), False),
        (False, CompactLinearRegressor(), False),
        (False, CompactMLPRegressor((8,), max_epochs=3, random_state=0), False),
    ]
    return models[rng.integers(len(models))]


@cache
def every_step(*, is_linear=False):
    """Return a pipeline with each kind of computed column and its table: bounds, filled and marked cells, keys, codes.

    A linear model is fitted to noise, so that every column has a weight. Otherwise, dates pass the steps as they are.
    """
    table = random_table(np.random.default_rng(5))
    table = table.assign(day=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(len(table)) % 90, unit="D"))
    marked = make_pipeline(SimpleImputer(strategy="constant", fill_value=-9), SimpleImputer(missing_values=-9))
    many = {"handle_unknown": "infrequent_if_exist", "min_frequency": 8}
    unknown = {"handle_unknown": "use_encoded_value", "unknown_value": -1, "encoded_missing_value": -2}
    columns = make_column_transformer(
        (make_pipeline(MinMaxScaler(clip=True), StandardScaler()), ["size"]),
        (make_pipeline(marked, StandardScaler()), ["it's"]),
        (SimpleImputer(add_indicator=True), ["x y"]),
        (OneHotEncoder(drop="if_binary", sparse_output=False), ["whole", "flag"]),
        (OneHotEncoder(**many, sparse_output=False), TEXTS),
        (OrdinalEncoder(**unknown), TEXTS),
        ("drop" if is_linear else "passthrough", ["day"]),
    ).set_output(transform="pandas")
    if is_linear:
        noise = np.random.default_rng(0).normal(size=len(table))
        return make_pipeline(columns, SimpleImputer(), LinearRegression()).fit(table, noise), table
    signal = table["size"].fillna(0) + (table["kind"].isna()) + (table["day"] > "2024-02-01") + (table["whole"] == 2)
    student = CompactBoostingClassifier(12, 8, random_state=0)
    return make_pipeline(columns, student).fit(table, np.digitize(signal, [0.5, 1.5])), table


def compared_rows(pipeline, X, n_rows=200):
    """Return raw rows at and beside thresholds, with missing cells and unseen categories where the pipeline takes them.

    They are a table of the kind of ``X`` with the outputs of the pipeline for them.
    """
    compiled = skdistill.compile(pipeline, dtype="float64")
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X, columns=range(X.shape[1]))
    raw = rows_for(compiled, program_of(compiled), X).raw[len(X) - 20 :]
    drawn = pd.DataFrame(raw, columns=frame.columns).iloc[:n_rows]
    for name in frame.columns:
        drawn[name] = _taken(drawn[name], frame[name])
    drawn = drawn.astype(frame.dtypes.to_dict())
    rows = drawn if isinstance(X, pd.DataFrame) else drawn.to_numpy(dtype=object)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # unseen categories are encoded as zeros
        try:
            return rows, outputs(pipeline, rows)
        except ValueError:  # some encoder refuses unseen categories: only those of the table remain
            known = _known(drawn, frame)
            rows = known if isinstance(X, pd.DataFrame) else known.to_numpy(dtype=object)
            return rows, outputs(pipeline, rows)


def _taken(drawn, given):
    """Return drawn cells of the kind of a column, and cells of the table in place of others."""
    cells = given.sample(len(drawn), replace=True, random_state=0).set_axis(drawn.index)
    present = given.dropna().tolist()
    if isinstance(present[0], str):
        fits = drawn.map(lambda cell: isinstance(cell, str) or (cell != cell and given.isna().any()))
        return drawn.where(fits, cells).map(lambda cell: cell if isinstance(cell, str) else np.nan).astype(object)
    if (
        isinstance(present[0], bool)
        or given.dtype.kind == "M"
        or (given.dtype.kind in "iO" and all(cell == int(cell) for cell in present))
    ):
        return cells
    numbers = pd.to_numeric(drawn.where(drawn.notna(), np.nan))
    return numbers.where(numbers.isna() | (numbers.abs() < 1e6), pd.to_numeric(cells))


def _known(drawn, frame):
    """Return drawn rows with texts that the table has."""
    for name in frame.columns:
        if isinstance(frame[name].dropna().iloc[0], str):
            cells = frame[name].sample(len(drawn), replace=True, random_state=1).set_axis(drawn.index)
            drawn[name] = drawn[name].where(drawn[name].isin(set(frame[name].dropna())), cells)
    return drawn


def outputs(pipeline, rows):
    """Return the probabilities or the values of a pipeline."""
    return pipeline.predict_proba(rows) if hasattr(pipeline, "predict_proba") else pipeline.predict(rows)
