"""The context in which teachers are queried on a cluster, and datasets of Dask are read there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from ..datasets._drawing import drawn_by
from ..solvers import trees_grown_by
from ..teachers import Teacher
from ..teachers._asking import ask
from ..teachers._by_row import is_by_row
from ..teachers._elsewhere import BlocksOfRows, blocks_labelled_by
from ._cluster import Cluster, Task
from ._drawing import ClusterDrawer
from ._installed import require_dask
from ._sent import Loaded, Sent
from ._trees import ClusterTrees


@contextmanager
def on_cluster(client: Any = None, *, grow_trees: bool = False) -> Iterator[None]:
    """Let the workers of a cluster of Dask label rows and read the partitions of Dask collections.

    Within ``with on_cluster(client):``, each fit and each other query of a teacher is computed as it would be on one
    machine, from the same rows in the same blocks of ``chunk_size`` rows, and so is the student:

    - The teacher is sent to each worker once, and labels blocks of rows there. The answers are stored in ``memory``
      here, each once, in whatever order the workers answer.
    - Of a Dask DataFrame or Array that is passed as ``X`` or ``X_unlabeled``, only the rows travel that are drawn. Its
      partitions are computed three times for a fit, so ``persist()`` what takes long to compute.
    - ``model.fidelity`` and :func:`~skdistill.report` of such a collection query both models where its partitions are,
      if these are at least as many as the threads of all workers: only sums travel, and the rows that a report draws.
    - A block or partition whose worker ends is given to another worker.

    Students are fitted here, apart from the trees of boosting with ``grow_trees=True``. Other datasets, such as paths
    of Parquet, are read here.

    Parameters
    ----------
    client : distributed.Client or None, default=None
        ``None`` uses the current client.
    grow_trees : bool, default=False
        Whether all workers together grow the trees of :class:`~skdistill.students.CompactBoostingClassifier` and
        :class:`~skdistill.students.CompactBoostingRegressor` on dense tables of at least 10,000 rows, with LightGBM's
        distributed learning. The rows are sent from here, each worker has an equal part of them, and leaf values are
        refitted here. The trees are those of the number of workers, and not those of one machine, because each worker
        finds the bins of some of the columns in its own rows.

    Yields
    ------
    None

    Raises
    ------
    ClusterError
        If there is no client, the scheduler does not answer or has no workers, the teacher cannot be pickled, or a
        worker cannot load it. Errors that occur later name the partition or the rows, or say that trees cannot be
        grown: workers lack LightGBM or cannot reach each other.
    ImportError
        If Dask is not installed.

    See Also
    --------
    label : Labels all rows of a Dask DataFrame.

    Notes
    -----
    Use workers of one thread (``dask worker --nthreads 1``): a model of which nobody knows whether several threads may
    call it is called by one thread of each worker at a time.

    Examples
    --------
    >>> from distributed import Client  # doctest: +SKIP
    >>> from skdistill.distributed import on_cluster
    >>> with on_cluster(Client("tcp://scheduler:8786")):  # doctest: +SKIP
    ...     model.fit(frame, y="bought")
    """
    require_dask("on_cluster")
    client = _client_or_current(client)
    cluster = Cluster(client)
    trees = trees_grown_by(ClusterTrees(client)) if grow_trees else nullcontext()
    with drawn_by(ClusterDrawer(cluster)), blocks_labelled_by(ClusterLabels(cluster)), trees:
        yield


def _client_or_current(client: Any) -> Any:
    from distributed import get_client

    from ..exceptions import ClusterError

    if client is not None:
        if hasattr(client, "submit") and hasattr(client, "scatter"):
            return client
        raise ClusterError(f"on_cluster got {type(client).__name__} as client; expected a distributed.Client.")
    try:
        return get_client()
    except ValueError as error:
        raise ClusterError(
            'on_cluster: there is no client of Dask. Connect one before: Client("tcp://scheduler:8786"), or Client() '
            "for the cores of this machine."
        ) from error


class ClusterLabels:
    """Labels the blocks of queries on a cluster.

    Parameters
    ----------
    cluster : Cluster
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self.name = cluster, "a cluster of Dask"
        self._known: dict[int, tuple[Teacher, dict[str, Any], Sent]] = {}

    def __call__(self, blocks: BlocksOfRows, todo: Sequence[Any]) -> Iterator[np.ndarray]:
        """Yield the outputs of blocks in order."""
        if not todo:
            return
        sent = self._sent(blocks.teacher)
        tasks = (Task(label_block, task, f"{blocks.teacher.name} labels {task[1]}") for task in map(blocks.task, todo))
        yield from self._cluster.run(sent, tasks)

    def _sent(self, teacher: Teacher) -> Sent:
        """Return the teacher as it is sent: pickled again only if an attribute was set since."""
        attributes, known = dict(vars(teacher)), self._known.get(id(teacher))
        if known is not None and _is_same(known[1], attributes):
            return known[2]
        sent = Sent.of(teacher, f"the teacher {teacher.name}")
        if known is not None and known[2].digest != sent.digest:
            self._cluster.forget(known[2])
        self._known[id(teacher)] = teacher, attributes, sent
        return sent


def _is_same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return first.keys() == second.keys() and all(first[name] is second[name] for name in first)


def label_block(loaded: Loaded, block: Any, where: str) -> np.ndarray:
    """Return the outputs for a block of rows, on a worker; one thread calls a model that may not be called by more."""
    teacher = loaded.value
    if loaded.state.setdefault("is_by_row", is_by_row(teacher.model)):
        return ask(teacher, block, where)
    with loaded.lock:
        return ask(teacher, block, where)
