"""Whether Dask is installed."""


def require_dask(who: str) -> None:
    """Raise an error that says how to install Dask, unless it is installed."""
    try:
        import dask.dataframe  # noqa: F401
        import distributed  # noqa: F401
    except ImportError as error:
        message = f'{who} needs Dask, and cannot import it ({error}): pip install "skdistill[dask]".'
        raise ImportError(message) from error
