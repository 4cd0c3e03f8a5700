"""Tables that do not fit in memory: Parquet, Arrow, polars, Dask and other sources, read in chunks of rows."""

from ._chunked_table import Chunk, ChunkedTable, Partition, Source
from ._drawing import DrawnRows, LargestKeys, row_keys
from ._recognition import as_dataset, dataset_of, is_dataset

__all__ = [
    "Chunk",
    "ChunkedTable",
    "DrawnRows",
    "LargestKeys",
    "Partition",
    "Source",
    "as_dataset",
    "dataset_of",
    "is_dataset",
    "row_keys",
]
