"""Some rows of a dataset."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._tables import take_rows
from ._schema import Schema


@dataclass(frozen=True)
class Chunk:
    """Some rows of a dataset.

    Parameters
    ----------
    table : table of shape (n_rows, n_features)
    start : int
        Position of the first row in the dataset.
    partition : str
        Name of the partition that the rows are from.
    others : dict of ndarray
        Further columns by name, such as true labels.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.datasets import as_dataset
    >>> [chunk.table.shape for chunk in as_dataset([np.eye(2), np.eye(2)]).chunks()]
    [(2, 2), (2, 2)]
    """

    table: Any
    start: int
    partition: str
    others: dict[str, np.ndarray]

    def __len__(self) -> int:
        return int(self.table.shape[0])

    @property
    def head(self) -> Any:
        """Rows that have the dtypes, the categories and the missing columns of all."""
        return self.table

    def take(self, rows: np.ndarray) -> "Chunk":
        """Return the rows at the positions ``rows``, with the start of the whole chunk."""
        return Chunk(take_rows(self.table, rows), self.start, self.partition, self.others_of(rows))

    def others_of(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the further columns of some rows."""
        return {name: values[rows] for name, values in self.others.items()}

    def conformed(self, schema: Schema) -> "Chunk":
        """Return the chunk with the dtypes and categories of all chunks."""
        return Chunk(schema.conformed(self.table), self.start, self.partition, self.others)

    def numbers(self, place: int) -> np.ndarray | None:  # noqa: ARG002 - of a table of any kind
        """Return a column as an array of numbers, if that is cheap; ``None`` if the table has to be encoded."""
        return None
