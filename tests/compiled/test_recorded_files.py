"""Files of this release, byte by byte: every later release reads them, and answers as this one did."""

import base64
import pickle

import numpy as np
import pandas as pd
import pytest

from skdistill.compiled import CompiledModel, Linear
from skdistill.compiled._packing import FORMAT, pack_arrays, unpack_arrays
from skdistill.exceptions import CompileError

ROWS = pd.DataFrame({"age": [20.0, 45.0, np.nan, 69.0], "city": ["Rome", "Oslo", "Oslo", "Bonn"]})

FILES_0_1 = {
    "boosting": (
        "gASVOwEAAAAAAACMGXNrZGlzdGlsbC5jb21waWxlZC5fbW9kZWyUjA1Db21waWxlZE1vZGVslJOUKYGUfZQojAZzY29yZXKUjBpz"
        "a2Rpc3RpbGwuY29tcGlsZWQuX2ZvcmVzdJSMBkZvcmVzdJSTlCmBlEOMiAAAAYtGRB80FRnhjD+8sWeEI+5wxpwl3ngzxh9rlvji"
        "zBh7vFjiihUjPHFigCNGsMeHOc7YMMIdFxCZWAaG4r7Zh1feFbT7nsm/Z4up9ZZdupY7TCw37PZdyWcaLeLgINhwtGGPyFt7BiBg"
        "BCMGhpCGwwkMzAxsTKyMLAwM7Iz/mzjZOTlZORUYGwCUYowJaXNfc2luZ2xllIiMBXRhYmxllEMoi45WSkxPVdJRSs4sqVSK1YnO"
        "K83J0YlW8i/OyQeKBuXnpirFxsYCAJR1Yi4=",
        [2.941807539258857, 5.201613361808177, 6.026472162209025, 6.41330326126057],
    ),
    "linear": (
        "gASVuAEAAAAAAACMGXNrZGlzdGlsbC5jb21waWxlZC5fbW9kZWyUjA1Db21waWxlZE1vZGVslJOUKYGUfZQojAZzY29yZXKUjBtz"
        "a2Rpc3RpbGwuY29tcGlsZWQuX25ldHdvcmuUjAdOZXR3b3JrlJOUKYGUfZQojAZkZXNpZ26UjBpza2Rpc3RpbGwuY29tcGlsZWQu"
        "X2Rlc2lnbpSMBkRlc2lnbpSTlCmBlH2UjAZwYWNrZWSUQ0E9AAABi47GzMRoWRgRD6gJCIs4MPMifIOec9GF0TOnEd6sCZWNZUAG"
        "1ye7OQAph2sH9RwYFB7tZ2g4Zs/AxIAKAJRzYowHd2VpZ2h0c5RdlIwGYmlhc2VzlF2UaBFDQDwAAAGLRk3oEIeY4IxCHBGESHeJ"
        "mSjFgRFEJpbhoq+vb0p0dHRrbGyso8MBh2dHf2j7dzAcYACDD/aMjAwoAACUdWKMBGxpbmuUjAZiaW5hcnmUjAhjbGFzc2VzX5SM"
        "AzxVM5RdlCiMAm5vlIwDeWVzlGWGlIwFdGFibGWUQyiLjlZKTE9V0lFKziypVIrVic4rzcnRiVbyL87JB4oG5eemKsXGxgIAlHVi"
        "Lg==",
        [
            [0.9999999999999943, 5.692932915134028e-15],
            [0.00916841181758321, 0.9908315881824168],
            [0.007761115181775802, 0.9922388848182242],
            [4.6695536326524234e-11, 0.9999999999533045],
        ],
    ),
    "mlp": (
        "gASV1AEAAAAAAACMGXNrZGlzdGlsbC5jb21waWxlZC5fbW9kZWyUjA1Db21waWxlZE1vZGVslJOUKYGUfZQojAZzY29yZXKUjBtz"
        "a2Rpc3RpbGwuY29tcGlsZWQuX25ldHdvcmuUjAdOZXR3b3JrlJOUKYGUfZQojAZkZXNpZ26UjBpza2Rpc3RpbGwuY29tcGlsZWQu"
        "X2Rlc2lnbpSMBkRlc2lnbpSTlCmBlH2UjAZwYWNrZWSUQ0tHAAABi47GyMQmaFkYHg8mqAkIizgw88J9Y4Kec9GF0TOnEd6sCZWN"
        "ZSALHDjgYOTs4u4ABNikG4DIlEHEDJc8WA0Q2AMBAxOaBACUc2KMB3dlaWdodHOUXZSMBmJpYXNlc5RdlIwFcGFpcnOUTmgRQ25q"
        "AAABi0ZN6JCUZKZjjDVNQ2SNcaVQkB+MccQ9jpiFCMcy7DeW+x9WUa71cP5L71oDp++fq3baWu0w3GOzb/dO1S1bbfZvM9vKe1lZ"
        "3XRbyke7cueP4VM/2O+3j641u/G+QMThw0Q2xfV7ftkDAJR1YowJaXNfc2luZ2xllIiMBXRhYmxllEMoi45WSkxPVdJRSs4sqVSK"
        "1YnOK83J0YlW8i/OyQeKBuXnpirFxsYCAJR1Yi4=",
        [4.0932487134836855, 5.273665184267491, 5.089715217183549, 4.932977507473037],
    ),
}
"""Pickles of compiled models of release 0.1, with their outputs for the rows; none is ever changed."""


@pytest.mark.parametrize("name", list(FILES_0_1))
def test_files_of_release_0_1_are_read(name):
    """Trees with categories, linear models with a product, and networks; they answer as they did."""
    text, outputs = FILES_0_1[name]
    model = pickle.loads(base64.b64decode(text))
    np.testing.assert_allclose(model(ROWS), outputs, rtol=1e-6)
    np.testing.assert_allclose(model(ROWS.iloc[1].tolist()), outputs[1], rtol=1e-6)
    assert model.feature_names_in_ == ["age", "city"]


def test_files_state_their_format():
    """In the fourth byte; those written before that are read."""
    packed = pack_arrays({"value": np.arange(3.0)})
    assert packed[3] == FORMAT
    for number in range(FORMAT + 1):
        earlier = packed[:3] + bytes([number]) + packed[4:]
        np.testing.assert_array_equal(unpack_arrays(earlier)["value"], np.arange(3.0))


def test_files_of_later_releases_and_damaged_files_are_refused():
    """By an error that says what to do, not by numbers that mean something else."""
    packed = pack_arrays({"value": np.arange(3.0)})
    with pytest.raises(CompileError, match=rf"in format {FORMAT + 1}, .* reads formats up to {FORMAT}\. Install the"):
        unpack_arrays(packed[:3] + bytes([FORMAT + 1]) + packed[4:])
    for damaged in (packed[:4] + b"\xff" * 9 + packed[13:], packed[:4] + packed[9:]):
        with pytest.raises(CompileError, match=r"cannot be read: it is damaged, or .* Compile the"):
            unpack_arrays(damaged)


def test_parts_that_are_not_known_are_refused():
    """A step that a later release adds to a model is not left out in silence."""
    model = CompiledModel(Linear(np.ones((1, 1)), np.zeros(1)), is_single=True)
    state = model.__getstate__()
    later = object.__new__(CompiledModel)
    later.__setstate__(state)
    assert later([2.0]) == 2.0
    with pytest.raises(CompileError, match="with rounding, which a later release of skdistill has written"):
        later.__setstate__(state | {"rounding": 2})
