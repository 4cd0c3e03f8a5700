"""A cluster of two processes, and teachers that its workers can load."""

import sys

import pytest


@pytest.fixture(scope="module")
def client(request):
    """Return the client of a cluster of two processes, which unpickle what the test module defines."""
    pytest.importorskip("dask.dataframe")
    distributed = pytest.importorskip("distributed")
    import cloudpickle

    module = request.module
    sys.modules.setdefault(module.__name__, module)
    cloudpickle.register_pickle_by_value(module)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs="CRITICAL"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
    cloudpickle.unregister_pickle_by_value(module)
