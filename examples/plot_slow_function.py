"""
A slow function
===============

How far does a golf ball fly? The equations of motion have no closed-form solution. A
call integrates them numerically, which takes a millisecond per ball. Any function of
``X`` can be a teacher. ``max_queries`` limits the number of queries, and with
``memory=`` a second run needs almost none.
"""

from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import solve_ivp
from sklearn.ensemble import RandomForestRegressor

import skdistill
from skdistill import DistilledRegressor
from skdistill.metrics import fidelity, latency, pickled_bytes
from skdistill.samplers import UniformBox

QUERIES, N_TESTS = [50, 100, 200, 400, 800, 1600, 3200], 1000
MASS, RADIUS, GRAVITY = 0.0459, 0.02135, 9.81  # kg, m, m/s²
# sphinx_gallery_start_ignore
import os

if os.environ.get("SKDISTILL_EXAMPLES") == "small":
    QUERIES, N_TESTS = QUERIES[:4], 200
# sphinx_gallery_end_ignore

# %%
# The teacher
# -----------
# Drag slows the ball down and its spin lifts it (Magnus force). Both increase with the
# spin; the coefficients are rounded typical values, not measured ones. The air density
# decreases with the altitude, and the wind blows along the flight. The function counts
# the rows for which it is called.

COLUMNS = {
    "speed": (40.0, 80.0),  # m/s
    "launch": (5.0, 30.0),  # degrees
    "spin": (2000.0, 10_000.0),  # revolutions per minute
    "wind": (-10.0, 10.0),  # m/s, from behind
    "altitude": (0.0, 2500.0),  # m
}
counted = {"rows": 0}


def forces(_, state, spin, wind, density):
    _, _, vx, vy = state
    ux = vx - wind
    speed = np.hypot(ux, vy)
    spin_ratio = RADIUS * spin / speed
    drag, lift = 0.24 + 0.18 * spin_ratio, 0.54 * spin_ratio**0.4
    pressure = 0.5 * density * np.pi * RADIUS**2 * speed / MASS
    return (
        vx,
        vy,
        -pressure * (drag * ux + lift * vy),
        pressure * (lift * ux - drag * vy) - GRAVITY,
    )


def height(_, state, *__):
    return state[1]


height.terminal, height.direction = True, -1  # the flight ends on the ground


def carry(X):
    """Return the distance flown, in metres."""
    counted["rows"] += len(X)
    flown = []
    for speed, launch, spin, wind, altitude in X:
        angle = np.radians(launch)
        start = [0.0, 1e-3, speed * np.cos(angle), speed * np.sin(angle)]
        air = (spin * np.pi / 30, wind, 1.225 * np.exp(-altitude / 8500))
        flown.append(
            solve_ivp(forces, (0, 60), start, args=air, events=height, rtol=1e-6).y[
                0, -1
            ]
        )
    return np.array(flown)


# %%
# Students
# --------
# There is no table, only a description of the columns, from which rows are drawn. The
# students are families of this package and a forest of scikit-learn, fitted to the same
# outputs. With the memory, all families share them.

box = UniformBox(COLUMNS).fit()
rows = box.sample(max(QUERIES), random_state=0).to_numpy()
rows_test = box.sample(N_TESTS, random_state=1).to_numpy()
reference = carry(rows_test)

STUDENTS = {
    "kernel": ("kernel", "#0072B2", "o"),
    "mlp": ("mlp", "#009E73", "^"),
    "boosting": ("boosting", "#D55E00", "s"),
    "scikit-learn's forest": (
        RandomForestRegressor(100, random_state=0),
        "#CC79A7",
        "v",
    ),
}
folder = TemporaryDirectory()


def distil(student, max_queries):
    options = {"max_queries": max_queries, "memory": folder.name, "random_state": 0}
    return DistilledRegressor(carry, student, sampler=None, **options).fit(rows)


kept = {name: [] for name in STUDENTS}
print(
    f"max_queries  queries of each student in turn  fidelity of {', '.join(STUDENTS)}"
)
for max_queries in QUERIES:
    counts = []
    for name, (student, *_) in STUDENTS.items():
        before = counted["rows"]
        kept[name].append(
            fidelity(
                reference, distil(student, max_queries).student_.predict(rows_test)
            )
        )
        counts.append(counted["rows"] - before)
    scores = "  ".join(f"{scores[-1]:.4f}" for scores in kept.values())
    print(f"{max_queries:11}  {', '.join(map(str, counts)):32}{scores}")

# %%
# In each line, only the first student queries the teacher; the others find its outputs
# in the memory. Their only queries are the 16 rows by which the memory recognises the
# function. With a permanent folder, a second run needs no other queries either.

before = counted["rows"]
model = distil("kernel", max(QUERIES))
print(f"queries of another fit: {counted['rows'] - before}")
folder.cleanup()

# %%
# Fidelity against queries
# ------------------------

figure, ax = plt.subplots(figsize=(6.6, 4.6), layout="constrained")
for name, (_, colour, marker) in STUDENTS.items():
    ax.plot(QUERIES, 1 - np.array(kept[name]), color=colour, marker=marker, label=name)
ax.set(
    xscale="log", yscale="log", xlabel="queries", ylabel="fidelity on unseen rows (R²)"
)
ax.invert_yaxis()
ax.set_xticks(QUERIES, [f"{n:,}" for n in QUERIES])
ax.set_yticks(
    [0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003],
    ["0.7", "0.9", "0.97", "0.99", "0.997", "0.999", "0.9997"],
)
ax.minorticks_off()
ax.grid(alpha=0.3)
ax.legend(fontsize=9)
ax.set_title("Students of the golf ball simulation")
plt.show()

# %%
# What is gained
# --------------
# There are no true values apart from this teacher, and therefore no student without a
# teacher. A compiled student is fastest if it receives a single row as a flat array.

student = model.student_
print(f"{'':8}fidelity  µs, 1 row  µs, batch   kB")
for name, predict, size in (
    ("teacher", carry, ""),
    ("student", student.predict, f"{pickled_bytes(student) / 1000:5.1f}"),
):
    print(
        f"{name:8}{fidelity(reference, predict(rows_test)):8.4f}"
        f"{latency(predict, rows_test[:1]):11,.0f}"
        f"{latency(predict, rows_test[:100]):11.1f}{size}"
    )
compiled = skdistill.compile(model)
microseconds = latency(lambda row: compiled(row[0]), rows_test[:1])
print(
    f"student, compiled: {microseconds:.1f} µs for one row, "
    f"{compiled.n_bytes / 1000:.1f} kB"
)

# %%
# Conclusion
# ----------
# On a smooth function of five columns, a few landmarks reach with 200 queries what
# boosted trees reach with 3,200, and what a forest does not reach here. The family
# matters more than the number of queries. In batches, the student is about a thousand
# times faster than the simulation. No student can tell how accurate the simulation is:
# it is a copy, with the errors of its teacher.
