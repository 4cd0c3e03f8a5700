"""
From a forest to a C file under 20 kB and a web page
====================================================

A forest is distilled into a few small trees, and these are written as one C file that
needs no library. Before the file is written, it is compiled and compared with the
student. The same student is also written in other languages, and as
:ref:`a web page that you can try <live_page>`.
"""

import json
import string

import matplotlib.pyplot as plt
from sklearn.datasets import make_friedman2
from sklearn.ensemble import RandomForestRegressor

from skdistill import DistilledRegressor
from skdistill.export import to_c, to_javascript, to_python, to_sql
from skdistill.metrics import pickled_bytes
from skdistill.students import CompactBoostingRegressor

N_ROWS, N_FOREST, N_TREES = 5000, 200, 20
# sphinx_gallery_start_ignore
import os

if os.environ.get("SKDISTILL_EXAMPLES") == "small":
    N_ROWS, N_FOREST, N_TREES = 500, 10, 5
# sphinx_gallery_end_ignore

# %%
# Distil
# ------
# The values are the impedance of an electrical circuit, computed from its resistance,
# the angular frequency, the inductance and the capacitance.

X, y = make_friedman2(N_ROWS, noise=20, random_state=0)
forest = RandomForestRegressor(N_FOREST, random_state=0).fit(X[::2], y[::2])
student = CompactBoostingRegressor(N_TREES, 16)
model = DistilledRegressor(forest, student, random_state=0).fit(X[::2])
print(f"fidelity on unseen rows: {model.fidelity(X[1::2]):.3f}")

# %%
# Export
# ------
# Without gcc, the file is written all the same, but a warning says that it has not been
# run. ``to_c(model, path="model.c")`` writes the file and its header; the layout
# ``"table"`` takes the fewest bytes.

exported = to_c(model, layout="table", X=X[1::2])
print(exported.header)
print(f"C: {len(exported.text) / 1000:.0f} kB")
print(f"forest: {pickled_bytes(forest) / 1000:,.0f} kB")
print(f"largest difference on {exported.n_rows} rows: {exported.largest_difference}")

# %%
# The same student in other languages
# -----------------------------------

exports = {"Python": to_python(model), "SQL": to_sql(model), "C": exported}
exports["JavaScript"] = to_javascript(model)
sizes = {name: len(export.text) / 1000 for name, export in exports.items()}
sizes["pickle"] = pickled_bytes(model.student_) / 1000

fig, ax = plt.subplots(layout="constrained")
ax.barh(list(sizes), list(sizes.values()))
ax.set(xlabel="kB", title="One student in several languages")
plt.show()

# %%
# .. _live_page:
#
# A web page
# ----------
# The page is one file, which contains the module of JavaScript. It needs no network and
# can be opened from a disk. Move the sliders: the student computes the value and the
# curve in your browser. The curve has steps, because the student consists of trees.

sliders = [
    {"name": "Resistance", "unit": "Ω", "min": 0, "max": 100, "step": 1},
    {"name": "Frequency", "unit": "rad/s", "min": 130, "max": 1750, "step": 5},
    {"name": "Inductance", "unit": "H", "min": 0, "max": 1, "step": 0.01},
    {"name": "Capacitance", "unit": "µF", "min": 1, "max": 11, "step": 0.1},
]
sliders = [
    dict(slider, value=(slider["min"] + slider["max"]) / 2) for slider in sliders
]

template = string.Template("""
<div class="demo">
<style>
.demo { max-width: 44em; color: var(--pst-color-text-base, CanvasText); }
.demo label { display: flex; flex-wrap: wrap; gap: 0 1em; margin: 0.4em 0; }
.demo label span { flex: 0 0 7em; }
.demo label input { flex: 1 1 9em; }
.demo label output { flex: 0 0 7em; }
.demo .answer { font-size: 1.5em; font-weight: bold; }
.demo svg { width: 100%; height: auto; overflow: visible; }
.demo path { fill: none; stroke: var(--pst-color-primary, #3d8fb5); stroke-width: 2; }
.demo line { stroke: currentColor; }
.demo circle { fill: var(--pst-color-primary, #3d8fb5); }
.demo .axis { display: flex; justify-content: space-between; font-size: 0.875em; }
</style>
<p>Impedance: <output class="answer"></output></p>
<div class="axis"><span>1,800 Ω</span></div>
<svg viewBox="0 0 600 250" role="img" aria-label="Impedance by frequency">
<line x2="600" y1="250" y2="250"/><line y2="250"/><path/><circle r="5"/>
</svg>
<div class="axis"><span>0 Ω, 130 rad/s</span><span>1,750 rad/s</span></div>
<script type="module">
$module
const sliders = $sliders;
const root = document.querySelector(".demo");
const inputs = sliders.map(({ name, unit, min, max, step, value }) => {
  const label = document.createElement("label");
  const shown = document.createElement("output");
  const input = Object.assign(document.createElement("input"), { type: "range" });
  Object.assign(input, { min, max, step, value });
  const title = document.createElement("span");
  title.textContent = name;
  label.append(title, input, shown);
  root.insertBefore(label, root.querySelector("p"));
  input.addEventListener("input", show);
  return input;
});
const HIGHEST = 1800;
const heightOf = (value) => 250 - (250 * value) / HIGHEST;

function show() {
  const row = inputs.map((input) => input.valueAsNumber);
  inputs.forEach((input, place) => {
    input.nextSibling.value = `$${row[place]} $${sliders[place].unit}`;
  });
  const value = predict(row);
  root.querySelector(".answer").value = `$${value.toFixed(1)} Ω`;
  const { min, max } = sliders[1];
  const points = Array.from({ length: 301 }, (_, step) => {
    const frequency = min + ((max - min) * step) / 300;
    const answer = predict([row[0], frequency, row[2], row[3]]);
    return `$${2 * step},$${heightOf(answer).toFixed(1)}`;
  });
  root.querySelector("path").setAttribute("d", `M$${points.join("L")}`);
  root.querySelector("circle").setAttribute("cx", (600 * (row[1] - min)) / (max - min));
  root.querySelector("circle").setAttribute("cy", heightOf(value));
}
show();
</script>
</div>
""")
content = template.substitute(
    module=exports["JavaScript"].text,
    sliders=json.dumps(sliders).replace("<", "\\u003c"),
)
page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Impedance</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>body {{ margin: 1em; font-family: sans-serif }}</style></head>
<body><main><h1>Impedance of a circuit</h1>{content}</main></body></html>"""
print(f"page: {len(page.encode()) / 1000:.0f} kB")


class Shown:
    """A part of a page that the gallery shows as it is."""

    def _repr_html_(self):
        return content


Shown()
