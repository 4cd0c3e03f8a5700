"""Tables that do not fit in memory: Parquet, Arrow, polars, Dask and other sources, read in chunks of rows."""

from pathlib import Path
from typing import TypeAlias

from ._chunk import Chunk
from ._chunked_table import ChunkedTable, Partition, Source
from ._recognition import as_dataset, is_dataset

DatasetLike: TypeAlias = ChunkedTable | Path
"""What type checkers know as a dataset; other sources, such as lazy frames, look like tables to them."""

__all__ = ["Chunk", "ChunkedTable", "Partition", "Source", "as_dataset", "is_dataset"]
