"""The report as a self-contained HTML page that adopts the colours of its surroundings."""

import io
import re
import threading
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np

from .._tabulate import as_html, encodable
from ._fidelity_display import FidelityDisplay
from ._style import BLUE, ink

HEADERS = {
    "n_bytes": "bytes",
    "n_parameters": "parameters",
    "n_operations": "operations per row",
    "one_row": "µs, one row",
    "many_rows": "µs per row, batch",
    "n_rows": "rows",
    "error": "root mean squared error",
    "pinball_loss": "pinball loss",
    "teacher_share_below": "true values up to the teacher's",
    "student_share_below": "true values up to the student's",
    "kept": "skill kept",
    "share_of_distance": "share of total distance",
    "distance_error": "± error",
    "disagreement": "different label",
    "total_variation": "total variation",
    "kl_divergence": "KL divergence",
    "brier_distance": "Brier distance",
    "calibration_error": "calibration error",
    "top_2_agreement": "top 2 agreement",
    "teacher_recall": "teacher's recall",
    "student_recall": "student's recall",
    "teacher_accuracy": "teacher's accuracy",
    "student_accuracy": "student's accuracy",
    "teacher_error": "teacher's error",
    "student_error": "student's error",
}
"""Names of the columns on the page."""

N_SLICES = 12
"""Maximum number of slices on the page; all of them are in the frame."""

INK = "#010203"
"""Placeholder for the colour of the surrounding text in a figure."""

DRAWING = threading.Lock()
"""Held while a figure is drawn, because all threads share matplotlib's style."""

STYLE = f"""
.skdistill-report {{ font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; }}
.skdistill-report .verdict {{ font-size: 1.15em; border-left: 4px solid {BLUE}; padding-left: .8em; }}
.skdistill-report .verdict p {{ margin: .3em 0; }}
.skdistill-report .scroll {{ overflow-x: auto; margin: .5em 0 1em; }}
.skdistill-report .scroll:focus-visible {{ outline: 2px solid {BLUE}; }}
.skdistill-report table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
.skdistill-report th, .skdistill-report td {{ padding: .25em .7em; text-align: right; white-space: nowrap;
  background: none; border: 0 solid color-mix(in srgb, currentColor 20%, transparent); border-bottom-width: 1px; }}
.skdistill-report .text, .skdistill-report th:first-child {{ text-align: left; }}
.skdistill-report th[scope=row] {{ font-weight: normal; }}
.skdistill-report th[scope=col] {{ white-space: normal; vertical-align: bottom; }}
.skdistill-report .wide th[scope=row] {{ white-space: normal; min-width: 14em; }}
.skdistill-report .texts .text {{ white-space: normal; overflow-wrap: break-word; max-width: 20em; }}
.skdistill-report .pictures {{ display: flex; flex-wrap: wrap; gap: 1em; }}
.skdistill-report figure {{ margin: 0; flex: 1 1 20rem; max-width: 30rem; }}
.skdistill-report svg {{ width: 100%; height: auto; }}
.skdistill-report figcaption, .skdistill-report .note {{ font-size: .93em; }}
"""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 1.5rem auto; padding: 0 1rem; max-width: 70rem; color: CanvasText; background: Canvas; }}
</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def page(report: Any) -> str:
    """Return a :class:`Report` as a complete page."""
    return PAGE.format(title="What the student kept and lost", body=fragment(report, level=1))


def fragment(report: Any, level: int = 3) -> str:
    """Return the report as a part of a page, with a heading of the given ``level``."""

    def heading(text: str, below: int = 1) -> str:
        return f"<h{level + below}>{escape(text)}</h{level + below}>"

    parts = [
        f'<div class="skdistill-report"><style>{STYLE}</style>',
        heading("What the student kept and lost", 0),
        _verdict(report.verdict),
        *(f'<p class="note">{escape(note)}</p>' for note in report.notes),
        heading("Models"),
        _table(report.models, "Quality and cost of each model"),
        _pictures(report),
        *_divergences(report.divergences, heading),
    ]
    if len(next(iter(report.by_output.values()))) > 1:
        parts += [heading("By " + next(iter(report.by_output))), _table(report.by_output, "Measures of each")]
    parts += [
        heading("Where they differ"),
        "<p>Groups of rows, found by a small tree fitted to the distance between teacher and student.</p>",
        _table(report.rules, "Rules and the distance between teacher and student", "wide"),
    ]
    n_slices = len(report.by_slice["column"])
    if n_slices:
        shown = {name: values[:N_SLICES] for name, values in report.by_slice.items()}
        more = (
            f" {N_SLICES} of {n_slices} slices are shown; to_frame('by_slice') returns all."
            if n_slices > N_SLICES
            else ""
        )
        parts += [
            heading("By slice"),
            f"<p>Sorted by the distance minus two standard errors, so that small slices do not come first by chance."
            f"{escape(more)}</p>",
            _table(shown, "Slices of columns", "texts"),
        ]
    if report.calibration:
        parts += [
            heading("Calibration"),
            "<p>Mean probability of the student's predicted label, for the student and for the teacher.</p>",
            _table(report.calibration, "Confidence of student and teacher"),
        ]
    parts += [
        heading("Worst rows"),
        _table(report.worst_rows, "Rows with the largest distance between teacher and student", "texts"),
        "</div>",
    ]
    return encodable("\n".join(part for part in parts if part))


def _verdict(verdict: str) -> str:
    """Return the decision in bold, followed by the rest of the verdict."""
    decision, _, rest = verdict.partition("\n")
    return f'<div class="verdict"><p><strong>{escape(decision)}</strong></p><p>{escape(rest)}</p></div>'


def _table(columns: dict[str, np.ndarray], label: str, style: str = "") -> str:
    """Return a table that scrolls on its own if it is too wide, also by keyboard."""
    named = {HEADERS.get(name, name): values for name, values in columns.items()}
    attributes = f'class="scroll {style}" role="region" tabindex="0" aria-label="{escape(label)}"'
    return f"<div {attributes}>{as_html(named)}</div>"


def _divergences(measured: dict[str, float], heading: Callable[[str], str]) -> list[str]:
    if not measured:
        return []
    columns = {name: np.array([value]) for name, value in measured.items()}
    return [
        heading("Distances between the probabilities"),
        _table({"to": np.array(["the teacher's"], dtype=object), **columns}, "Distances between the probabilities"),
    ]


def _pictures(report: Any) -> str:
    """Return figures, or nothing if matplotlib is not installed."""
    if report.answers is None:
        return ""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return ""
    answers = report.answers

    def fidelity(ax: Any) -> None:
        FidelityDisplay.from_predictions(
            answers.teacher,
            answers.student,
            classes=answers.classes,
            same_label=answers.same_label,
            sample_weight=answers.weight,
            random_state=0,
            ax=ax,
        )
        for points in ax.collections:
            points.set_rasterized(True)  # thousands of vector shapes would take megabytes

    def calibration(ax: Any) -> None:
        ends = np.array([report.calibration["student"].min(), 1])
        ax.plot(ends, ends, color=ink(), linewidth=1, linestyle="--", alpha=0.7)
        ax.plot(report.calibration["student"], report.calibration["teacher"], color=BLUE, marker="o")
        ax.set(xlabel="student's confidence", ylabel="teacher's confidence in the same labels")

    pictures = [_picture(fidelity, "The student's outputs against the teacher's")]
    if report.calibration:
        pictures.append(_picture(calibration, "The teacher's mean confidence against the student's"))
    return f'<div class="pictures">{"".join(pictures)}</div>'


def _picture(draw: Callable[[Any], None], caption: str) -> str:
    """Return an inline figure whose lines have the colour of the surrounding text."""
    import matplotlib as mpl
    import matplotlib.style
    from matplotlib.figure import Figure

    colors = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color")
    look: dict[str, Any] = {
        **dict.fromkeys(colors, INK),
        "svg.fonttype": "none",
        "svg.hashsalt": caption,
        "font.size": 10,
    }
    with DRAWING, mpl.style.context(["default", {**look, "axes.facecolor": "none"}]), io.StringIO() as drawn:
        figure = Figure(figsize=(4.6, 3.8), layout="constrained", facecolor="none")
        draw(figure.subplots())
        figure.savefig(drawn, format="svg", dpi=144, metadata={"Date": None, "Creator": None})
        svg = drawn.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(
        r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", svg, flags=re.DOTALL
    )  # it would affect the surrounding page
    svg = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", svg)  # ids repeat in every figure, and none is used
    attributes = f'role="img" aria-label="{escape(caption)}" style="stroke-linejoin: round; stroke-linecap: butt"'
    svg = svg.replace("<svg ", f"<svg {attributes} ", 1)
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"
