"""The verdict: a decision in the first line, the reason in the second, then other evidence, bad news first."""

import math
from dataclasses import dataclass

from ._costs import gains_nothing, other_costs
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
        What is kept, what the teacher brought, and the costs, without the numbers of the reason.
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
    costs = other_costs(found, decision.reason)
    is_dear = gains_nothing(found)
    warnings = _bad_news(found, decision)
    if is_dear and decision.about != "costs":
        warnings.append(f"This student has no cost advantage{costs and ': '}{costs}.")
    evidence = [*_what_is_kept(found, decision), *_what_the_teacher_brought(found, decision)]
    if costs and not is_dear:
        evidence.append(_capitalized(f"{costs}."))
    told = " ".join(evidence) or "The tables have all other measures."
    return Verdict(decision.name, decision.headline, decision.sentence, tuple(warnings), told)


def _bad_news(found: Findings, decision: Decision) -> list[str]:
    """Return the bad news that the decision has not mentioned."""
    news = []
    if is_mostly_training_rows(found) and decision.about != "training rows":
        news.append("These are training rows: the results on other rows may differ.")
    if found.student_skill.mean <= 0 and decision.about != "student":
        news.append(f"The student is no better than a constant (skill {found.student_skill.mean:.3f}).")
    if decision.about != "teacher":
        news += _news_of_the_teacher(found)
    gain, labels, alone = found.alone_gain, found.alone_labels, _alone(found, decision)
    if gain.is_clear and labels.is_clear_loss:
        news.append(f"The teacher improves the labels and worsens the probabilities{alone}.")
    elif gain.is_clear_loss and labels.is_clear:
        news.append(f"The teacher improves the probabilities and worsens the labels{alone}.")
    elif gain.is_clear and not labels.is_clear and not math.isnan(labels.mean):
        news.append(f"The teacher worsens the probabilities and makes no significant difference to the labels{alone}.")
    elif gain.is_clear:
        news.append(f"The teacher makes the student worse{alone}.")
    return news


def _news_of_the_teacher(found: Findings) -> list[str]:
    """Return whether the teacher itself has no skill."""
    skill = found.teacher_skill
    if skill.mean <= 0:
        return [f"The teacher itself is no better than a constant (skill {skill.mean:.3f})."]
    if skill.low <= 0:
        return [f"The teacher itself is hardly better than a constant (skill {skill.mean:.3f} ± {skill.error:.3f})."]
    return []


def _alone(found: Findings, decision: Decision) -> str:
    """Return the scores of the student fitted without the teacher, next to those of the student."""
    scores = []
    if not math.isnan(found.alone_accuracy):
        scores.append(f"accuracy {found.alone_accuracy:.3f} (with it {found.student_accuracy:.3f})")
    if decision.about != "alone":
        scores.append(f"skill {found.alone_skill.mean:.3f} (with it {found.student_skill.mean:.3f})")
    return f": fitted without it, the same student has {' and '.join(scores)}" if scores else ""


def _what_the_teacher_brought(found: Findings, decision: Decision) -> list[str]:
    """Return whether the teacher improves the student, if nothing is worse."""
    gain = found.alone_gain
    is_told = gain.is_clear or (gain.is_clear_loss and found.alone_labels.is_clear)
    if math.isnan(gain.mean) and not math.isnan(found.student_skill.mean):
        return ["Pass X_train and y_train to compare with the same student trained directly."]
    if is_told or math.isnan(gain.mean) or math.isnan(gain.error):
        return []
    if gain.is_clear_loss:
        return [f"The teacher helped{_alone(found, decision)}."]
    return [f"No significant gain over training directly{_alone(found, decision)}."]


def _what_is_kept(found: Findings, decision: Decision) -> list[str]:
    """Return how close the student is to the teacher, and the share of its skill, as far as the reason has not."""
    fidelity, reason = found.fidelity.mean, decision.reason
    copy = "" if math.isnan(fidelity) else f"{grade(fidelity)} of the teacher"
    has_skill = found.teacher_skill.is_clear and found.student_skill.mean > 0
    share = f"{found.student_skill.mean / found.teacher_skill.mean:.1%} of" if has_skill else ""
    is_new_fidelity = copy != "" and f"fidelity {fidelity:.3f}" not in reason
    is_new_share = has_skill and f"keeps {share}" not in reason
    knows_labels = not math.isnan(found.agreement)
    if copy and copy in reason:
        told = [f"has fidelity {fidelity:.3f}"] * is_new_fidelity
        told += [f"predicts the teacher's label for {found.agreement:.1%} of the rows"] * knows_labels
        told += [f"keeps {share} the teacher's skill"] * is_new_share
        return [f"It {' and '.join(told)}."] if told else []
    parts = [f"fidelity {fidelity:.3f}"] * is_new_fidelity
    parts += [f"{found.agreement:.1%} of its labels"] * knows_labels
    parts += [f"{share} its skill"] * is_new_share
    measured = ", ".join(parts)
    if copy:
        rows = "1 row" if found.n_rows == 1 else f"{found.n_rows:,} rows"
        return [_capitalized(f"{copy} on {rows}{measured and ': '}{measured}.")]
    why = (
        "a single row is not enough"
        if found.n_rows == 1
        else f"the teacher's output is the same for all of these {found.n_rows:,} rows"
    )
    return [f"Fidelity to the teacher is not defined, because {why}{measured and ': '}{measured}."]


def _capitalized(text: str) -> str:
    return text[0].upper() + text[1:]
