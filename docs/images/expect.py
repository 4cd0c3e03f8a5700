"""Draw docs/images/expect.png from the tables of docs/benchmarks/expect.md: `python docs/images/expect.py`.

One line per kind of teacher, from the teacher to the student of a default fit: the time of one row, and the bytes. A
second file, for narrow windows, has one panel below the other.
"""

import re
from pathlib import Path

import matplotlib.pyplot as plt

HERE = Path(__file__).parent
TEACHER, STUDENT = "#B34700", "#0072B2"
TIMES = {1: "1 µs", 10: "10 µs", 100: "100 µs", 1000: "1 ms", 10_000: "10 ms", 100_000: "100 ms"}
SIZES = {1: "1 kB", 10: "10 kB", 100: "100 kB", 1000: "1 MB", 10_000: "10 MB", 100_000: "100 MB"}


def tables(page):
    """Return the tables of a page as lists of rows of cells, by heading."""
    found = {}
    for title, body in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE):
        lines = [line.strip("| ").split(" | ") for line in body.splitlines() if line.startswith("| ")]
        found[title] = lines[1:]
    return found


def draw(page, is_narrow=False):
    """Return the figure, with the panels side by side or one below the other."""
    found = tables(page)
    fidelity = {row[0]: float(row[3]) for row in found["What is kept"]}
    saved = found["What is saved"]
    style = {"font.size": 11, "axes.titlesize": 12, "axes.titleweight": "bold"}
    with plt.rc_context(style):
        shape, size = ((2, 1), (5.2, 7.6)) if is_narrow else ((1, 2), (10, 4.3))
        figure, axes = plt.subplots(*shape, figsize=size, sharey=True, layout="constrained")
        panels = ((1, "Time to predict one row", "faster", TIMES), (7, "Size on disk", "smaller", SIZES))
        for ax, (column, title, word, ticks) in zip(axes, panels, strict=True):
            for height, row in enumerate(reversed(saved)):
                teacher, student = (float(cell.replace(",", "")) for cell in row[column : column + 2])
                span(ax, height, teacher, student, f"{row[column + 2]} times {word}")
            ax.set(title=title, xscale="log", ylim=(-0.55, len(saved) - 0.3))
            ax.set_xticks(list(ticks), list(ticks.values()))
            ax.minorticks_off()
            ax.grid(axis="x", alpha=0.25)
            ax.spines[["top", "right", "left"]].set_visible(False)
            ax.tick_params(length=0)
            ax.margins(x=0.1)
        names = [f"{row[0]}\nfidelity {fidelity[row[0]]:.3f}" for row in reversed(saved)]
        for ax in axes if is_narrow else axes[:1]:
            ax.set_yticks(range(len(saved)), names)
        for colour, marker, label in ((TEACHER, "s", "the model (teacher)"), (STUDENT, "o", "its student, compiled")):
            axes[0].plot([], [], color=colour, marker=marker, linestyle="", markersize=9, label=label)
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def span(ax, height, teacher, student, label):
    """Draw an arrow from teacher to student, with a label above."""
    arrow = {"arrowstyle": "-|>", "color": "0.6", "shrinkA": 6, "shrinkB": 6, "linewidth": 1.4}
    ax.annotate("", (student, height), (teacher, height), arrowprops=arrow)
    ax.plot(teacher, height, "s", color=TEACHER, markersize=9)
    ax.plot(student, height, "o", color=STUDENT, markersize=9)
    ax.text((teacher * student) ** 0.5, height + 0.14, label, ha="center", va="bottom", fontsize=10)


if __name__ == "__main__":
    page = (HERE.parent / "benchmarks" / "expect.md").read_text(encoding="utf-8")
    draw(page).savefig(HERE / "expect.png", dpi=130)
    draw(page, is_narrow=True).savefig(HERE.parent / "_static" / "expect_narrow.png", dpi=130)
