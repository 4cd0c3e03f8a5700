"""``score_dataset`` writes Parquet beside Parquet: atomic parts, and only what is missing when it is run again."""

import errno
import os

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import skdistill
from skdistill import score_dataset
from skdistill.datasets import as_dataset
from skdistill.exceptions import DatasetError

ROWS = pd.DataFrame(np.random.RandomState(0).rand(90, 2), columns=["a", "b"]).assign(
    key=np.arange(90) + 2**60, name=[f"row {place}" for place in range(90)]
)
LABELS = np.array(["no", "yes"])[(ROWS["a"] > 0.5).astype(int)]
CLASSIFIER = LogisticRegression().fit(ROWS[["a", "b"]], LABELS)


@pytest.fixture
def folder(tmp_path):
    rows = tmp_path / "rows"
    rows.mkdir()
    for place in range(3):
        ROWS[30 * place : 30 * (place + 1)].to_parquet(rows / f"p{place}.parquet", index=False)
    return rows


class Counting:
    """A model that counts the rows that it predicts, and may stop."""

    feature_names_in_ = np.array(["a", "b"])

    def __init__(self, stops_after=np.inf):
        self.n_asked, self.stops_after = 0, stops_after

    def predict(self, X):
        if self.n_asked + len(X) > self.stops_after:
            raise KeyboardInterrupt
        self.n_asked += len(X)
        return X["a"].to_numpy() + 1


def test_each_partition_gets_a_part(folder, tmp_path):
    """With predictions and kept columns, whose types stay, in the order of the rows."""
    scores = score_dataset(
        CLASSIFIER,
        as_dataset(folder, chunk_size=11),
        tmp_path / "out",
        method=["predict", "predict_proba"],
        keep=["key"],
    )
    assert (scores.n_rows, scores.n_parts, scores.n_skipped) == (90, 3, 0)
    written = pd.read_parquet(tmp_path / "out")
    assert written["key"].tolist() == ROWS["key"].tolist()
    assert written["prediction"].tolist() == CLASSIFIER.predict(ROWS[["a", "b"]]).tolist()
    expected = CLASSIFIER.predict_proba(ROWS[["a", "b"]])
    assert written[["proba_no", "proba_yes"]].to_numpy() == pytest.approx(expected)
    assert sorted(os.listdir(tmp_path / "out")) == [f"part-{place:05d}.parquet" for place in range(3)]
    assert sum(map(len, as_dataset(scores.folder).chunks())) == 90


@pytest.mark.parametrize("outputs", ["a", ["a", "b"]])
def test_values_and_compiled_models_are_written(outputs, tmp_path):
    """One column, or one for each output; of frames of polars, with kept texts."""
    model = LinearRegression().fit(ROWS[["a", "b"]], ROWS[outputs])
    source = [pl.from_pandas(ROWS[:40]), pl.from_pandas(ROWS[:0]), pl.from_pandas(ROWS[40:])]
    scores = score_dataset(skdistill.compile(model), source, tmp_path / "out", keep=["name"])
    assert scores.n_parts == 2
    written = pd.read_parquet(tmp_path / "out")
    assert written.pop("name").tolist() == ROWS["name"].tolist()
    assert written.to_numpy() == pytest.approx(model.predict(ROWS[["a", "b"]]).reshape(90, -1))


def test_a_run_that_was_stopped_is_continued(folder, tmp_path):
    """It asks only for partitions without a complete part, and leaves no half of one."""
    stopped, going_on = Counting(stops_after=45), Counting()
    dataset = as_dataset(folder, chunk_size=10)
    with pytest.raises(KeyboardInterrupt):
        score_dataset(stopped, dataset, tmp_path / "out", model_id="counting")
    assert os.listdir(tmp_path / "out") == ["part-00000.parquet"]
    scores = score_dataset(going_on, dataset, tmp_path / "out", model_id="counting")
    assert (scores.n_skipped, going_on.n_asked, scores.n_rows) == (1, 60, 90)
    assert pd.read_parquet(tmp_path / "out")["prediction"].tolist() == (ROWS["a"] + 1).tolist()


def test_a_file_that_has_changed_is_scored_again(folder, tmp_path):
    """Only this one."""
    score_dataset(CLASSIFIER, folder, tmp_path / "out")
    ROWS[:17].to_parquet(folder / "p1.parquet", index=False)
    scores = score_dataset(CLASSIFIER, folder, tmp_path / "out")
    assert (scores.n_skipped, scores.n_rows) == (2, 77)


def test_parts_of_another_model_are_not_mixed(folder, tmp_path):
    """Nor those with other columns; unless they are to be replaced."""
    score_dataset(CLASSIFIER, folder, tmp_path / "out")
    other = LogisticRegression(C=0.1).fit(ROWS[["a", "b"]], LABELS)
    with pytest.raises(DatasetError, match=r"part-00000.parquet exists, with other model than these.*overwrite=True"):
        score_dataset(other, folder, tmp_path / "out")
    with pytest.raises(DatasetError, match="with other keep than these"):
        score_dataset(CLASSIFIER, folder, tmp_path / "out", keep=["key"])
    assert score_dataset(other, folder, tmp_path / "out", overwrite=True).n_skipped == 0
    (tmp_path / "out" / "part-00000.parquet").write_bytes(b"something else")
    with pytest.raises(DatasetError, match=r"part-00000.parquet exists"):
        score_dataset(other, folder, tmp_path / "out")


def test_a_full_disk_loses_one_part(folder, tmp_path, monkeypatch):
    """The message names the part and its partition, and the next run goes on."""
    write, written = pq.ParquetWriter.write_table, []

    def full(writer, table, *arguments, **options):
        written.append(table)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(writer, table, *arguments, **options)

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    said = (
        r"part-00001.parquet, of the partition p1.parquet, cannot be written.*No space left.*1 parts before.*make room"
    )
    with pytest.raises(DatasetError, match=said):
        score_dataset(CLASSIFIER, folder, tmp_path / "out")
    assert os.listdir(tmp_path / "out") == ["part-00000.parquet"]
    assert score_dataset(CLASSIFIER, folder, tmp_path / "out").n_skipped == 1


class Wrong:
    """A model with another number of answers, or with answers of changing types."""

    feature_names_in_ = np.array(["a", "b"])

    def __init__(self, answer):
        self.predict = answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda X: np.zeros(3), "returned 3 answers for 30 rows of the partition p0.parquet"),
        (lambda X: 1 / 0, "predict fails for rows of the partition p0.parquet.*ZeroDivisionError"),
        (lambda X: np.zeros(30) if ROWS["a"][0] in set(X["a"]) else np.full(30, "x"), None),
    ],
)
def test_predictions_that_cannot_be_written_are_told(answer, said, folder, tmp_path):
    """With the partition; parts may have other types."""
    if said is None:
        assert score_dataset(Wrong(answer), folder, tmp_path / "out", model_id="x").n_parts == 3
        return
    with pytest.raises(DatasetError, match=said):
        score_dataset(Wrong(answer), folder, tmp_path / "out", model_id="x")
    assert os.listdir(tmp_path / "out") == []


def test_types_that_change_within_a_partition_are_told(folder, tmp_path):
    """Instead of a part that cannot be read."""
    changing = Wrong(lambda X: np.zeros(len(X)) if ROWS["a"][0] in set(X["a"]) else np.full(len(X), "x"))
    with pytest.raises(DatasetError, match=r"partition p0.parquet has columns of other types in some chunks"):
        score_dataset(changing, as_dataset(folder, chunk_size=10), tmp_path / "out", model_id="x")


def test_a_reader_may_be_scored(tmp_path):
    """It is read once."""
    reader = pa.Table.from_pandas(ROWS).to_reader(max_chunksize=40)
    assert score_dataset(CLASSIFIER, reader, tmp_path / "out", keep=["name"]).n_rows == 90


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "score"}, "method='score'; expected 'predict' or 'predict_proba'"),
        ({"method": ()}, "method=''"),
        ({"keep": ["nothing"]}, r"has no columns \['nothing'\]"),
    ],
)
def test_wrong_options_are_told(options, said, folder, tmp_path):
    """Before anything is written."""
    with pytest.raises(ValueError, match=said):
        score_dataset(CLASSIFIER, folder, tmp_path / "out", **options)


def test_models_without_a_name_or_the_method_are_told(folder, tmp_path):
    """A model that cannot be pickled is recognised by a name."""
    with pytest.raises(DatasetError, match="Wrong has no predict_proba"):
        score_dataset(Wrong(len), folder, tmp_path / "out", method="predict_proba")
    with pytest.raises(DatasetError, match=r"Wrong cannot be pickled.*Pass model_id"):
        score_dataset(Wrong(lambda X: X), folder, tmp_path / "out")


@pytest.mark.parametrize("keep", ["a", ["key", "a", "key"]])
def test_kept_columns_may_be_features_and_are_written_once(keep, tmp_path):
    """One name is a name, not its letters."""
    score_dataset(CLASSIFIER, [ROWS], tmp_path, keep=keep)
    written = pq.read_table(tmp_path).to_pandas()
    assert written.columns.tolist() == [*dict.fromkeys([keep] if isinstance(keep, str) else keep), "prediction"]
    np.testing.assert_array_equal(written["a"], ROWS["a"])
    np.testing.assert_array_equal(written["prediction"], CLASSIFIER.predict(ROWS[["a", "b"]]))


def test_kept_columns_are_not_replaced_by_predictions(tmp_path):
    """Columns of the same name are an error, not lost."""
    with pytest.raises(DatasetError, match=r"columns \['prediction'\] are kept, and predictions have the same names"):
        score_dataset(CLASSIFIER, [ROWS.assign(prediction=0)], tmp_path, keep=["prediction"])


def test_what_is_no_folder_is_told(tmp_path):
    """A file, and what is no path."""
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="file is a file; expected a folder"):
        score_dataset(CLASSIFIER, [ROWS], tmp_path / "file")
    with pytest.raises(TypeError, match="score_dataset: folder=None; expected the path of a folder"):
        score_dataset(CLASSIFIER, [ROWS], None)
    with pytest.raises(ValueError, match="method=None; expected 'predict' or 'predict_proba'"):
        score_dataset(CLASSIFIER, [ROWS], tmp_path, method=None)
