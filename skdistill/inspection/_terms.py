"""The terms of a report, each with its name on the page and a short explanation."""

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

TERMS = {
    "accuracy": "Share of the rows with the true label; 1 is best.",
    "error": "Root mean squared error in units of y; 0 is best.",
    "pinball_loss": "Mean loss of the predicted quantiles in units of y; 0 is best.",
    "coverage": "Share of the true values between the outer quantiles.",
    "concordance": "Share of the comparable pairs of rows in the right order; 0.5 is chance.",
    "skill": "1 minus the loss as a share of that of the best constant: 1 is perfect, 0 is no better than a constant.",
    "kept": "The model's skill as a share of the teacher's.",
    "fidelity": "R² of the outputs to the teacher's outputs: 1 is an exact copy, 0 no better than a constant.",
    "agreement": "Share of the rows with the same label as the teacher.",
    "n_bytes": "Size of the pickled model.",
    "n_parameters": "Numbers that the model has learned.",
    "n_operations": "Additions, multiplications, comparisons and look-ups that a prediction needs.",
    "one_row": "Microseconds to predict a single row.",
    "many_rows": "Microseconds per row to predict many rows at once.",
    "total_variation": "Half the sum of the absolute differences of the probabilities; 0 is an exact copy.",
    "kl_divergence": "Kullback-Leibler divergence from the teacher's probabilities, in nats.",
    "brier_distance": "Mean squared difference of the probabilities, summed over the classes.",
    "calibration_error": "Mean difference between the student's confidence and the teacher's in the same label.",
    "top_2_agreement": "Share of the rows whose label by the teacher is among the student's two most probable ones.",
    "distance": "Total variation between the probabilities of a row, or the difference of the values in standard "
    "deviations of the teacher.",
    "distance_error": "Standard error of the mean distance.",
    "disagreement": "Share of the rows for which teacher and student predict different labels.",
    "share": "Share of all rows.",
    "share_of_distance": "Share of the summed distance of all rows.",
    "teacher_share_below": "Share of the true values up to the teacher's quantile.",
    "student_share_below": "Share of the true values up to the student's quantile.",
    "teacher_recall": "Share of the rows of this class that the teacher finds.",
    "student_recall": "Share of the rows of this class that the student finds.",
}
"""Short explanations of measures; the glossary has the long ones."""


def meaning_of(name: str) -> str:
    """Return the explanation of a measure; nothing for a name that says what it is."""
    if name.endswith("_fidelity"):
        return "Fidelity on the scale of the student's link."
    return TERMS.get(name, "")


def terms_of(names: list[str]) -> dict[str, str]:
    """Return the explanations of those names that have one, in the given order."""
    return {name: meaning_of(name) for name in dict.fromkeys(names) if meaning_of(name)}
