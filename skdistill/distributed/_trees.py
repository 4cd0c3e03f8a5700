"""Boosted trees that the workers of a cluster grow together, with LightGBM's own distributed learning."""

import socket
from threading import Lock
from time import sleep
from typing import Any, NoReturn
from urllib.parse import urlparse

import numpy as np
from scipy import sparse

from ..exceptions import ClusterError
from ..solvers import train, without_learning_rate
from ._cluster import MAX_LOSSES, POLL_SECONDS

MIN_ROWS = 10_000
"""Minimum number of rows for growing trees on a cluster: those of fewer rows are grown here before workers are
connected."""

NOTICE_SECONDS = 1.0
"""Time in which the scheduler notices that a worker has ended."""

TIME_OUT_MINUTES = 20
"""Time that LightGBM waits for a message of another worker."""


class ClusterTrees:
    """Grows trees on all workers of a cluster, each of which has a part of the rows.

    LightGBM adds up the histograms of all workers, and each grows the same trees, as in ``lightgbm.dask``. Unlike
    there, the order of the workers is fixed: it decides which worker finds the bins of a column in its rows. So the
    trees are the same in each fit on the same number of workers. Each worker has rows of all parts of the table.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Any) -> None:
        self._client, self._lock = client, Lock()
        self._sent: tuple[Any, list[str], list[Any]] = None, [], []

    def grows(self, cells: Any) -> bool:
        """Whether there are enough rows, of a dense table."""
        return not sparse.issparse(cells) and len(cells) >= MIN_ROWS

    def __call__(
        self,
        cells: np.ndarray,
        weight: np.ndarray,
        categories: list[int],
        target: np.ndarray,
        start: np.ndarray,
        params: dict[str, Any],
        n_trees: int,
    ) -> str:
        """Return the text of the model."""
        with self._lock:  # two fits at a time would wait for each other's workers
            for _ in range(MAX_LOSSES):
                workers = sorted(self._client.nthreads())
                if not workers:
                    break
                rows = shared_out(len(cells), len(workers))
                connected = self._connected(cells, weight, workers, rows)
                if connected is not None:
                    tables, machines = connected
                    parts = [
                        (target[own], start[own], categories, {**params, **network}, n_trees)
                        for own, network in zip(rows, machines, strict=True)
                    ]
                    text = self._grown(workers, tables, parts)
                    if text is not None:
                        return text
                self._sent = None, [], []
        raise ClusterError(
            f"growing trees: there are no workers, or they were lost {MAX_LOSSES} times. Look at their logs, and run "
            "again."
        )

    def _connected(
        self, cells: np.ndarray, weight: np.ndarray, workers: list[str], rows: list[np.ndarray]
    ) -> tuple[list[Any], list[dict[str, Any]]] | None:
        """Return the places of the rows, and the parameters of the network; ``None`` if a worker has ended."""
        try:
            return self._tables(cells, weight, workers, rows), self._machines(workers)
        except Exception:  # what a worker that ends raises here depends on where it does
            sleep(NOTICE_SECONDS)
            if self._are_there(workers):
                raise
            return None

    def _tables(self, cells: np.ndarray, weight: np.ndarray, workers: list[str], rows: list[np.ndarray]) -> list[Any]:
        """Return the places of the rows, which are sent once for all outputs."""
        if self._sent[0] is not cells or self._sent[1] != workers:
            parts = zip(workers, rows, strict=True)
            sent = [self._client.scatter((cells[own], weight[own]), workers=[at], hash=False) for at, own in parts]
            self._sent = cells, workers, sent
        return self._sent[2]

    def _machines(self, workers: list[str]) -> list[dict[str, Any]]:
        """Return the parameters of the network for each worker, with a free port on each."""
        n_threads = self._client.nthreads()
        if len(workers) == 1:
            return [{"num_threads": n_threads[workers[0]]}]
        found: dict[str, int] = {}
        while len({(urlparse(at).hostname, port) for at, port in found.items()}) < len(workers):
            found = self._client.run(free_port, workers=workers)
        listed = ",".join(f"{urlparse(at).hostname}:{found[at]}" for at in workers)
        common = {"machines": listed, "num_machines": len(workers), "tree_learner": "data"}
        common["time_out"] = TIME_OUT_MINUTES
        return [{**common, "local_listen_port": found[at], "num_threads": n_threads[at]} for at in workers]

    def _grown(self, workers: list[str], tables: list[Any], parts: list[Any]) -> str | None:
        """Return the text of the first worker's model, which is that of all; ``None`` if a worker has ended."""
        futures = [
            self._client.submit(grow_part, table, *part, workers=[at], allow_other_workers=False, pure=False)
            for at, table, part in zip(workers, tables, parts, strict=True)
        ]
        try:
            while not all(future.done() for future in futures) and self._are_there(workers):
                _wait(futures)
            if all(future.status == "finished" for future in futures):
                return str(futures[0].result())
            sleep(NOTICE_SECONDS)  # the others notice a worker that has ended before the scheduler does
            failed = [future for future in futures if future.status == "error"]
            if failed and self._are_there(workers):
                _raise_failed(failed[0].exception())
            return None
        finally:
            self._client.cancel(futures)

    def _are_there(self, workers: list[str]) -> bool:
        return set(workers) <= set(self._client.nthreads())


def shared_out(n_rows: int, n_workers: int) -> list[np.ndarray]:
    """Return the rows of each worker, about equally many, drawn at random.

    Each worker finds the bins of some columns in its rows, and tables are often sorted: a column that does not vary in
    these rows would not be split at all.
    """
    worker = np.random.RandomState(0).permutation(n_rows) % n_workers
    return [np.flatnonzero(worker == place) for place in range(n_workers)]


def _wait(futures: list[Any]) -> None:
    """Wait for a while, or until all futures are done or cancelled."""
    from distributed import CancelledError, wait

    try:
        wait(futures, timeout=POLL_SECONDS)
    except (TimeoutError, CancelledError):
        sleep(NOTICE_SECONDS)


def _raise_failed(error: Exception) -> NoReturn:
    """Raise the error of a worker with what to do."""
    raise ClusterError(
        f"growing trees on the workers failed ({type(error).__name__}: {error}). All workers need LightGBM, and ports "
        "that they reach each other at. Or grow the trees here: on_cluster(client, grow_trees=False)."
    ) from error


def free_port() -> int:
    """Return a port that is free on this machine."""
    with socket.socket() as found:
        found.bind(("", 0))
        return int(found.getsockname()[1])


def grow_part(
    table: tuple[np.ndarray, np.ndarray],
    target: np.ndarray,
    start: np.ndarray,
    categories: list[int],
    params: dict[str, Any],
    n_trees: int,
) -> str:
    """Grow trees together with the other workers; return the text of the model, which is the same on all."""
    import lightgbm

    cells, weight = table
    options: dict[str, Any] = {"weight": weight, "init_score": start, "categorical_feature": categories}
    binning = without_learning_rate(params)
    rows = lightgbm.Dataset(cells, label=target, params=binning, **options)  # binned when the network is there
    booster = train(params, rows, n_trees)
    try:
        return str(booster.model_to_string())
    finally:
        booster.free_network()
