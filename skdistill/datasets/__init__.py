"""Tables that do not fit in memory: Parquet, Arrow, polars, Dask and other sources, read in chunks of rows."""

from ._chunked_table import Chunk, ChunkedTable, Partition, Source
from ._recognition import as_dataset, is_dataset

__all__ = ["Chunk", "ChunkedTable", "Partition", "Source", "as_dataset", "is_dataset"]
