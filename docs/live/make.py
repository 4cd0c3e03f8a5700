"""Write `page.html`, the part of the page on the live student that computes: `python docs/live/make.py`.

The model is that of the README. Its student is exported as JavaScript, and some rows that it was not trained on are
kept with the answers of the teacher and of the student in Python, which the page compares with its own.
"""

import json
import pickle
import string
from pathlib import Path

from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import train_test_split

import skdistill
from skdistill import DistilledRegressor
from skdistill.export import to_javascript

HERE = Path(__file__).parent
N_SHOWN = 8
MEASURES = {
    "age": ("Age", "years", 1),
    "sex": ("Sex", "1 or 2", 1),
    "bmi": ("Body mass index", "kg/m²", 0.1),
    "bp": ("Blood pressure", "mmHg", 0.5),
    "s1": ("Cholesterol", "mg/dl", 1),
    "s2": ("LDL", "mg/dl", 0.2),
    "s3": ("HDL", "mg/dl", 0.5),
    "s4": ("Cholesterol / HDL", "", 0.01),
    "s5": ("Log of triglycerides", "", 0.01),
    "s6": ("Blood sugar", "mg/dl", 1),
}
"""Words, unit and step of the slider of each column."""


def distilled():
    """Return the fitted model, the table, and the rows that neither teacher nor student has seen."""
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    X_train, X_rest, y_train, _ = train_test_split(X, y, test_size=0.6, random_state=0)
    X_val, X_test = train_test_split(X_rest, test_size=0.6, random_state=0)
    forest = RandomForestRegressor(500, random_state=0).fit(X_train, y_train)
    return DistilledRegressor(forest, random_state=0).fit(X_train, y_train, X_val=X_val), X, X_test


def page_of(model, X, X_test):
    """Return the part of the page, which contains the exported student and needs nothing else."""
    rows = X_test.iloc[:N_SHOWN]
    module = to_javascript(model, X=X_test).text
    sliders = [
        {"name": name, "unit": unit, "min": X[column].min(), "max": X[column].max(), "step": step}
        for column, (name, unit, step) in MEASURES.items()
    ]
    facts = {
        "module_kb": round(len(module) / 1000),
        "forest_kb": f"{len(pickle.dumps(model.teacher_)) / 1000:,.0f}",
        "compiled_kb": f"{len(pickle.dumps(skdistill.compile(model))) / 1000:.1f}",
        "fidelity": f"{model.fidelity(X_test):.3f}",
        "n_test": len(X_test),
    }
    data = {
        "sliders": sliders,
        "rows": rows.to_numpy().tolist(),
        "teacher": model.teacher_.predict(rows).tolist(),
        "student": model.predict(rows).tolist(),
    }
    template = string.Template((HERE / "template.html").read_text(encoding="utf-8"))
    return template.substitute(facts, module=module, data=json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"))


if __name__ == "__main__":
    (HERE / "page.html").write_text(page_of(*distilled()), encoding="utf-8")
