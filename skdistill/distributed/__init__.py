"""Labels and fits on a cluster of Dask: ``pip install "skdistill[dask]"``."""

from ._labelling import label
from ._on_cluster import on_cluster

__all__ = ["label", "on_cluster"]
