"""The drafts of C for each type of numbers."""

from ._c import c_header, c_text
from ._c_integers import integers_header, integers_text
from ._export import Draft, Form
from ._floats import TOLERANCE_OF_FLOATS, as_floats, float_cells, float_outputs
from ._integers import as_integers, integer_cells
from ._program import Program
from ._runtimes import CRun


def c_draft(program: Program, name: str, layout: str, dtype: str) -> Draft:
    """Return the text of C, its header, and what runs it."""
    form = None
    if dtype == "int":
        model = as_integers(program)
        text, header = integers_text(model, name, layout=layout), integers_header(model, name)
        run = CRun(program, text, header, name, cell="int32_t", integers=model)
        form = Form(integer_cells, integers=model)
    elif dtype == "float":
        narrow = as_floats(program)
        text, header = c_text(narrow, name, layout=layout, cell="float"), c_header(narrow, name, cell="float")
        run = CRun(program, text, header, name, cell="float")
        form = Form(float_cells, float_outputs, TOLERANCE_OF_FLOATS)
    else:
        text, header = c_text(program, name, layout=layout), c_header(program, name)
        run = CRun(program, text, header, name)
    return Draft(text, lambda rows: run(rows.plain), header, lambda: run.object_bytes, form)
