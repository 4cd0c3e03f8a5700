"""Write the table of the project into a database: `python make_table.py`.

The rows are those of scikit-learn's breast cancer data: 30 measures of a cell nucleus
each, and the diagnosis. In your project, the table is there already.
"""

import sqlite3

from sklearn.datasets import load_breast_cancer

measures, is_benign = load_breast_cancer(return_X_y=True, as_frame=True)
table = measures.rename(columns=lambda name: name.replace(" ", "_"))
table["diagnosis"] = is_benign.map({0: "malignant", 1: "benign"})
connection = sqlite3.connect("clinic.db")
table.to_sql("nuclei", connection, index_label="id", if_exists="replace")
connection.close()
print(f"clinic.db: {len(table)} rows in the table nuclei")
