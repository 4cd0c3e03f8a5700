"""Files of outputs that a model is known to agree with, because it returned or confirmed them in this process.

The outputs of models of known libraries depend on the row and on what the model holds, and on nothing else. As long as
nothing of such a model changes, it agrees with a file for good, so that a grid or a repeated fit asks it only once.
"""

from pathlib import Path
from typing import Any

from ._by_row import is_by_row
from ._contents import MAX_KNOWN, Digester

_AGREED: dict[bytes, set[Path]] = {}
"""Files by the hashes of the pickles of models in this process."""


def agreed_files(model: Any, digester: Digester) -> set[Path]:
    """Return the files that a model agrees with, to which new ones are added.

    Parameters
    ----------
    model : object
        A model that ``digester`` has read.
    digester : Digester

    Returns
    -------
    files : set of Path
        An empty set for a model whose outputs may depend on something that it does not hold.
    """
    pickled = digester.hash_of_pickle(model)
    if pickled is None or not is_by_row(model):
        return set()
    if len(_AGREED) >= MAX_KNOWN:
        _AGREED.clear()
    return _AGREED.setdefault(pickled, set())
