"""The report as a self-contained HTML page that adopts the colours of its surroundings."""

import io
import re
import threading
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np

from .._tabulate import encodable
from ._cost_picture import cost_picture
from ._decision import CANNOT_TELL, DO_NOT_SHIP, SHIP, TRAIN_DIRECTLY
from ._fidelity_display import FidelityDisplay
from ._page_tables import legend, models_table, part_table
from ._style import BLUE, GREEN, OCHRE, VERMILLION, ink

N_SLICES = 12
"""Maximum number of slices on the page; all of them are in the frame."""

INK = "#010203"
"""Placeholder for the colour of the surrounding text in a figure."""

DRAWING = threading.Lock()
"""Held while a figure is drawn, because all threads share matplotlib's style."""

SIGNS = {SHIP: ("good", "✓"), TRAIN_DIRECTLY: ("other", "→"), DO_NOT_SHIP: ("bad", "✕"), CANNOT_TELL: ("open", "?")}
"""Class and sign of each decision, so that good and bad news differ by more than their colour."""

STYLE = f"""
.skdistill-report {{ font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; }}
.skdistill-report .verdict {{ --tone: {BLUE}; border-left: 6px solid var(--tone); border-radius: 4px;
  background: color-mix(in srgb, var(--tone) 12%, transparent); padding: .6em 1em; }}
.skdistill-report .verdict.good {{ --tone: {GREEN}; }}
.skdistill-report .verdict.bad {{ --tone: {VERMILLION}; }}
.skdistill-report .verdict.open {{ --tone: {OCHRE}; }}
.skdistill-report .verdict p {{ margin: .3em 0; }}
.skdistill-report .verdict .decision {{ font-size: 1.5em; line-height: 1.3; }}
.skdistill-report .verdict .reason {{ font-size: 1.1em; }}
.skdistill-report .verdict .warning {{ border-left: 3px solid {VERMILLION}; padding-left: .6em; }}
.skdistill-report dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .1em 1em; margin: .8em 0; }}
.skdistill-report dt {{ font-weight: 600; }}
.skdistill-report dd {{ margin: 0; overflow-wrap: anywhere; }}
.skdistill-report .subject {{ font-size: .93em; }}
.skdistill-report abbr {{ text-decoration: underline dotted; text-underline-offset: .2em; cursor: help; }}
.skdistill-report summary {{ cursor: pointer; padding: .2em 0; }}
.skdistill-report details {{ margin: 0 0 1em; }}
.skdistill-report .scroll {{ overflow-x: auto; margin: .5em 0 1em; }}
.skdistill-report .scroll:focus-visible {{ outline: 2px solid {BLUE}; }}
.skdistill-report table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
.skdistill-report th, .skdistill-report td {{ padding: .25em .7em; text-align: right; white-space: nowrap;
  background: none; border: 0 solid color-mix(in srgb, currentColor 20%, transparent); border-bottom-width: 1px; }}
.skdistill-report .text, .skdistill-report th:first-child {{ text-align: left; }}
.skdistill-report th[scope=row] {{ font-weight: normal; }}
.skdistill-report th[scope=col] {{ white-space: normal; vertical-align: bottom; }}
.skdistill-report .wide th[scope=row] {{ white-space: normal; min-width: 9em; overflow-wrap: anywhere; }}
.skdistill-report .texts .text {{ white-space: normal; overflow-wrap: break-word; max-width: 20em; }}
.skdistill-report .pictures {{ display: flex; flex-wrap: wrap; gap: 1em; }}
.skdistill-report figure {{ margin: 0; flex: 1 1 20rem; max-width: 30rem; }}
.skdistill-report svg {{ width: 100%; height: auto; }}
.skdistill-report figure.costs {{ max-width: 28rem; margin: 1em 0; }}
.skdistill-report .costs text {{ fill: currentColor; font: 13px system-ui, sans-serif; }}
.skdistill-report .costs text[font-weight] {{ font-weight: 600; }}
.skdistill-report figcaption, .skdistill-report .note {{ font-size: .93em; }}
@media (max-width: 40rem) {{
  .skdistill-report table {{ font-size: .84em; }}
  .skdistill-report th, .skdistill-report td {{ padding: .25em .2em; }}
  .skdistill-report .across th[scope=col] {{ overflow-wrap: break-word; }}
  .skdistill-report th[scope=row], .skdistill-report .text, .skdistill-report .texts .text {{ white-space: normal;
    overflow-wrap: anywhere; max-width: 12em; }}
  .skdistill-report th[scope=row].text {{ min-width: 5.6em; }}
  .skdistill-report td.text {{ min-width: 4em; }}
  .skdistill-report dl {{ grid-template-columns: 1fr; }}
  .skdistill-report dd {{ margin-bottom: .3em; }}
}}
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
        _verdict(report),
        _subject(report.subject or {}),
        *(f'<p class="note">{escape(note)}</p>' for note in report.notes),
        heading("Models"),
        cost_picture(report.models),
        models_table(report.models, "Quality and cost of each model"),
        legend([*report.models, *report.divergences, *report.by_output, *report.by_slice, *report.rules]),
        _pictures(report),
        *_divergences(report.divergences, heading),
    ]
    if len(next(iter(report.by_output.values()))) > 1:
        table = part_table("by_output", report.by_output, "Measures of each")
        parts += [heading("By " + next(iter(report.by_output))), table]
    parts += [
        heading("Where they differ"),
        "<p>Groups of rows, found by a small tree fitted to the distance between teacher and student.</p>",
        part_table("rules", report.rules, "Rules and the distance between teacher and student", "wide"),
        *_slices(report.by_slice, heading),
    ]
    if report.calibration:
        parts += [
            heading("Calibration"),
            "<p>Mean probability of the student's predicted label, for the student and for the teacher.</p>",
            part_table("calibration", report.calibration, "Confidence of student and teacher"),
        ]
    label = "Rows with the largest distance between teacher and student"
    parts += [heading("Worst rows"), part_table("worst_rows", report.worst_rows, label, "texts"), "</div>"]
    return encodable("\n".join(part for part in parts if part))


def _verdict(report: Any) -> str:
    """Return the decision, the reason, each piece of bad news in a paragraph of its own, and the evidence."""
    decision, reason, rest = report.verdict.split("\n")
    kind, sign = SIGNS[report.decision]
    rest = rest.removeprefix(" ".join(report.warnings)).strip()
    lines = [
        f'<p class="decision"><span aria-hidden="true">{sign}</span> <strong>{escape(decision)}</strong></p>',
        f'<p class="reason">{escape(reason)}</p>',
        *(f'<p class="warning"><strong>Note:</strong> {escape(each)}</p>' for each in report.warnings),
        f'<p class="evidence">{escape(rest)}</p>',
    ]
    return f'<div class="verdict {kind}">{"".join(lines)}</div>'


def _subject(subject: dict[str, str]) -> str:
    """Return what the report is about."""
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in subject.items())
    return f'<dl class="subject">{lines}</dl>' if lines else ""


def _slices(by_slice: dict[str, np.ndarray], heading: Callable[[str], str]) -> list[str]:
    """Return the slices with the largest distance."""
    n_slices = len(by_slice["column"])
    if not n_slices:
        return []
    more = f" {N_SLICES} of {n_slices} slices are shown; to_frame('by_slice') returns all." * (n_slices > N_SLICES)
    shown = {name: values[:N_SLICES] for name, values in by_slice.items()}
    return [
        heading("By slice"),
        "<p>Sorted by the distance minus two standard errors, so that small slices do not come first by chance."
        f"{escape(more)}</p>",
        part_table("by_slice", shown, "Slices of columns", "texts"),
    ]


def _divergences(measured: dict[str, float], heading: Callable[[str], str]) -> list[str]:
    if not measured:
        return []
    table = {"model": np.array(["student"], dtype=object)} | {
        name: np.array([value]) for name, value in measured.items()
    }
    label = "Distances between the probabilities"
    return [heading(label), models_table(table, label)]


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
