"""Times of pipelines and of their compiled forms, for one row and for many rows, as a page.

python docs/benchmarks/pipelines.py > docs/benchmarks/pipelines.md
"""

import datetime as dt
import platform
import timeit
import warnings

import numpy as np
import pandas as pd
import sklearn
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

import skdistill
from skdistill.students import CompactBoostingClassifier

N_ROWS = 10_000
NUMBERS = list("abcdefgh")
TEXTS = ["kind", "word"]

PAGE = """# Pipelines

Made by `python docs/benchmarks/pipelines.py` on {date}, one thread, Python {python}, scikit-learn {sklearn},
skdistill {skdistill}.

A generated frame of {n_rows:,} rows has eight numbers, 5 % of whose cells are missing, and two columns of texts with 6
and 300 categories. The steps impute and scale the numbers, and encode the texts. The table shows microseconds for one
row (a frame for the pipeline, a dict for the compiled model) and for each row of the whole frame, the shortest of seven
times on a machine with other load, and the size of the compiled pickle.

| steps and model | one row, pipeline | compiled | many rows, pipeline | compiled | bytes |
|---|---:|---:|---:|---:|---:|
{rows}

A one-hot encoder of 300 categories makes 300 columns, which the compiled model computes as well; an ordinal encoder
makes one.
"""


def table():
    """Return a frame of numbers and texts."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(N_ROWS, len(NUMBERS))), columns=NUMBERS)
    frame = frame.mask(rng.uniform(size=frame.shape) < 0.05)
    words = rng.choice([f"w{index}" for index in range(300)], N_ROWS)
    return frame.assign(kind=rng.choice(list("uvwxyz"), N_ROWS), word=words)


def microseconds(function, argument, number):
    """Return the shortest of seven times of a call."""
    return 1e6 * min(timeit.repeat(lambda: function(argument), number=number, repeat=7)) / number


def row_of(encoder, model, frame, label):
    """Return a line of the table."""
    columns = make_column_transformer((make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS), (encoder, TEXTS))
    pipeline = make_pipeline(columns, model).fit(frame, label)
    compiled = skdistill.compile(pipeline)
    cells = [
        f"{microseconds(pipeline.predict_proba, frame.iloc[:1], 20):,.0f}",
        f"{microseconds(compiled, frame.iloc[0].to_dict(), 2000):.1f}",
        f"{microseconds(pipeline.predict_proba, frame, 1) / N_ROWS:.2f}",
        f"{microseconds(compiled, frame, 1) / N_ROWS:.2f}",
        f"{compiled.n_bytes:,}",
    ]
    return f"| {type(encoder).__name__}, {type(model).__name__} | {' | '.join(cells)} |"


def main():
    """Print the page."""
    frame = table()
    label = frame["a"].fillna(0) * frame["b"].fillna(0) + (frame["kind"] == "u") > 0.3
    rows = [
        row_of(encoder, model, frame, label)
        for encoder in (OneHotEncoder(handle_unknown="ignore"), OrdinalEncoder())
        for model in (LogisticRegression(max_iter=1000), CompactBoostingClassifier(20, 16, random_state=0))
    ]
    versions = {"python": platform.python_version(), "sklearn": sklearn.__version__, "skdistill": skdistill.__version__}
    print(PAGE.format(date=dt.date.today(), n_rows=N_ROWS, rows="\n".join(rows), **versions), end="")


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        main()
