"""What the C file promises beside its answers: no warning, no allocation, no undefined behaviour, sound names."""

import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import random_model
from sklearn.ensemble import RandomForestRegressor

from skdistill.exceptions import ExportError
from skdistill.export import to_c
from skdistill.export._c import c_header, c_string, c_text
from skdistill.export._export import largest_difference
from skdistill.export._identifiers import field_names, is_identifier
from skdistill.export._program import program_of
from skdistill.export._rows import rows_for
from skdistill.export._runtimes import C_FLAGS, CRun

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed: C is not tested")


def gcc(directory, *arguments):
    return subprocess.run(["gcc", *arguments], cwd=directory, capture_output=True, text=True, timeout=120, check=False)


def assert_sanitized(seed):
    """A model answers the same when addresses, bounds and arithmetic are watched."""
    model = random_model(seed)
    program = program_of(model)
    rows = rows_for(model, program)
    watched = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1"]
    run = CRun(program, c_text(program, "model"), c_header(program, "model"), "model", flags=[*C_FLAGS, *watched])
    outputs, _ = run(rows.plain)
    assert largest_difference(rows, np.array(outputs), is_classifier=program.classes is not None) <= 1e-9


@needs_gcc
def test_undefined_behaviour():
    """A sum of parts, with categories, on all drawn rows."""
    assert_sanitized(2)


@pytest.mark.slow
@needs_gcc
@pytest.mark.parametrize("seed", range(60))
def test_more_undefined_behaviour(seed):
    """More models."""
    assert_sanitized(seed)


@needs_gcc
def test_header_and_library(tmp_path):
    """Another file uses the model through its header, without the mathematical library; -ffast-math is refused."""
    X = np.random.RandomState(0).normal(size=(100, 2))
    forest = RandomForestRegressor(5, max_leaf_nodes=8, random_state=0).fit(X, X[:, 0])
    exported = to_c(forest, name="forest", path=tmp_path / "forest.c", verify=False)
    assert (tmp_path / "forest.c").read_text() == exported.text
    assert (tmp_path / "forest.h").read_text() == exported.header
    assert "alloc" not in exported.text.replace("without allocation", "")
    main = '#include <stdio.h>\n#include "forest.h"\nint main(void) { forest_row row = {0.5, -1}; '
    main += 'printf("%.17g", forest_predict(&row)); return 0; }'
    (tmp_path / "main.c").write_text(main)
    built = gcc(tmp_path, *C_FLAGS, "-Wpedantic", "main.c", "forest.c", "-o", "main")
    assert built.returncode == 0, built.stderr
    answer = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True, timeout=60).stdout
    np.testing.assert_allclose(float(answer), forest.predict([[0.5, -1]])[0], rtol=1e-12)
    fast = gcc(tmp_path, "-ffast-math", "-fsyntax-only", "forest.c")
    assert fast.returncode != 0
    assert "without -ffast-math" in fast.stderr


@settings(max_examples=40)
@given(st.lists(st.text("aZ_09 é字-\n", max_size=6) | st.sampled_from(["int", "a", "A", "x", "x_2", "é"]), max_size=5))
def test_names_of_fields(names):
    """Whatever the columns are called: distinct identifiers that are no keywords, as many as columns."""
    fields = field_names(names)
    assert len(set(fields)) == len(names)
    assert all(is_identifier(field) for field in fields)


@needs_gcc
@pytest.mark.parametrize("flag", ["-std=c99", "-std=gnu17", "-D_GNU_SOURCE"])
def test_fields_are_no_macros(tmp_path, flag):
    """No macro of the headers of a file is the name of a field: it would be replaced."""
    text = c_text(program_of(random_model(2)), "model")
    headers = "".join(line + "\n" for line in text.split("\n") if line.startswith("#include"))
    assert "stdint.h" in headers
    (tmp_path / "headers.c").write_text(headers + "#include <math.h>\n")
    macros = [line.split()[1] for line in gcc(tmp_path, flag, "-dM", "-E", "headers.c").stdout.splitlines()]
    objects = [name for name in macros if not name.startswith("_") and "(" not in name]
    assert len(objects) > 50
    assert [name for name in objects if is_identifier(name)] == []


@settings(max_examples=40)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_strings_are_what_they_were(text):
    """A literal has no character that ends it or means something, and is the text again when it is read."""
    literal = c_string(text)
    inner = literal[1:-1]
    assert inner.isascii()
    assert inner.isprintable()
    assert not set('"?%') & set(inner)
    assert inner.encode().decode("unicode_escape").encode("latin-1").decode() == text


@pytest.mark.parametrize("name", ["", "a b", "int", "1x", "x;", "class", "é", 3])
def test_names_of_functions(name):
    """Refused unless they are identifiers of C and C++."""
    with pytest.raises(ExportError, match="expected letters, digits and underscores"):
        to_c(random_model(0), name=name)


def test_header_has_no_definitions():
    """The header is declarations only, guarded against being included twice."""
    header = c_header(program_of(random_model(1)), "other")
    assert header.startswith("#ifndef OTHER_H\n")
    assert "static" not in header
