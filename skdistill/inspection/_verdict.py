"""The verdict: a decision in the first line, the reason in the second, then the evidence, bad news first."""

import math
from dataclasses import dataclass

from ._costs import all_costs, gains_nothing
from ._decision import Decision, decide, grade, is_mostly_training_rows
from ._findings import Findings


@dataclass(frozen=True)
class Verdict:
    """A verdict in parts.

    Attributes
    ----------
    decision : str
        The name of the decision.
    headline : str
        The decision as a sentence.
    reason : str
        The reason in numbers.
    warnings : tuple of str
        Bad news that the reason has not mentioned, one sentence each.
    evidence : str
        What is kept, what the teacher brought, and the costs.
    """

    decision: str
    headline: str
    reason: str
    warnings: tuple[str, ...]
    evidence: str

    @property
    def text(self) -> str:
        """Three lines: the decision, the reason, and the rest, bad news first."""
        return f"{self.headline}\n{self.reason}\n{' '.join([*self.warnings, self.evidence])}"


def verdict(found: Findings) -> Verdict:
    """Return the verdict."""
    decision = decide(found)
    costs = all_costs(found)
    is_dear = gains_nothing(found)
    warnings = _bad_news(found, decision)
    if is_dear and decision.about != "costs":
        warnings.append(f"This student has no cost advantage: {costs}.")
    evidence = [_what_is_kept(found), *_what_the_teacher_brought(found)]
    if costs and not is_dear:
        evidence.append(_capitalized(f"{costs}."))
    return Verdict(decision.name, decision.headline, decision.sentence, tuple(warnings), " ".join(evidence))


def _bad_news(found: Findings, decision: Decision) -> list[str]:
    """Return the bad news that the decision has not mentioned."""
    news = []
    if is_mostly_training_rows(found) and decision.about != "training rows":
        news.append("These are training rows: the results on other rows may differ.")
    if found.student_skill.mean <= 0 and decision.about != "student":
        news.append(f"The student is no better than a constant (skill {found.student_skill.mean:.3f}).")
    if decision.about != "teacher":
        news += _news_of_the_teacher(found)
    gain, labels = found.alone_gain, found.alone_labels
    if gain.is_clear and labels.is_clear_loss:
        news.append(f"The teacher improves the labels and worsens the probabilities: {_alone(found)}.")
    elif gain.is_clear_loss and labels.is_clear:
        news.append(f"The teacher improves the probabilities and worsens the labels: {_alone(found)}.")
    elif gain.is_clear and not labels.is_clear and not math.isnan(labels.mean):
        news.append(
            f"The teacher worsens the probabilities and makes no significant difference to the labels: {_alone(found)}."
        )
    elif gain.is_clear:
        news.append(f"The teacher makes the student worse: {_alone(found)}.")
    return news


def _news_of_the_teacher(found: Findings) -> list[str]:
    """Return whether the teacher itself has no skill."""
    skill = found.teacher_skill
    if skill.mean <= 0:
        return [f"The teacher itself is no better than a constant (skill {skill.mean:.3f})."]
    if skill.low <= 0:
        return [f"The teacher itself is hardly better than a constant (skill {skill.mean:.3f} ± {skill.error:.3f})."]
    return []


def _alone(found: Findings) -> str:
    """Return the scores of the student fitted without the teacher, next to those of the student."""
    accuracies = f"accuracy {found.alone_accuracy:.3f} (with it {found.student_accuracy:.3f}) and "
    return (
        f"fitted without it, the same student has {'' if math.isnan(found.alone_accuracy) else accuracies}"
        f"skill {found.alone_skill.mean:.3f} (with it {found.student_skill.mean:.3f})"
    )


def _what_the_teacher_brought(found: Findings) -> list[str]:
    """Return whether the teacher improves the student, if nothing is worse."""
    gain = found.alone_gain
    is_told = gain.is_clear or (gain.is_clear_loss and found.alone_labels.is_clear)
    if math.isnan(gain.mean) and not math.isnan(found.student_skill.mean):
        return ["Pass X_train and y_train to compare with the same student trained directly."]
    if is_told or math.isnan(gain.mean) or math.isnan(gain.error):
        return []
    if gain.is_clear_loss:
        return [f"The teacher helped: {_alone(found)}."]
    return [f"No significant gain over training directly: {_alone(found)}."]


def _what_is_kept(found: Findings) -> str:
    """Return how close the student is to the teacher, and the share of its skill."""
    fidelity = found.fidelity.mean
    parts = [] if math.isnan(fidelity) else [f"fidelity {fidelity:.3f}"]
    if not math.isnan(found.agreement):
        parts.append(f"{found.agreement:.1%} of its labels")
    if found.teacher_skill.is_clear and found.student_skill.mean > 0:
        parts.append(f"{found.student_skill.mean / found.teacher_skill.mean:.1%} of its skill")
    measured = ", ".join(parts)
    if math.isnan(fidelity):
        why = (
            "a single row is not enough"
            if found.n_rows == 1
            else f"the teacher's output is the same for all of these {found.n_rows:,} rows"
        )
        return f"Fidelity to the teacher is not defined, because {why}" + (f": {measured}." if parts else ".")
    rows = "1 row" if found.n_rows == 1 else f"{found.n_rows:,} rows"
    return f"{_capitalized(grade(fidelity))} of the teacher on {rows}: {measured}."


def _capitalized(text: str) -> str:
    return text[0].upper() + text[1:]
