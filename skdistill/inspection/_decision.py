"""The decision: what to do with a student, the reason, and how many rows are needed if it is open."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from ._costs import all_costs, gains_nothing, main_costs
from ._findings import CLEAR, Estimate, Findings

SHIP, TRAIN_DIRECTLY, DO_NOT_SHIP, CANNOT_TELL = "ship", "train directly", "do not ship", "cannot tell"

DECISIONS = {
    SHIP: "Ship it",
    TRAIN_DIRECTLY: "Ship the same student trained directly",
    DO_NOT_SHIP: "Do not ship",
    CANNOT_TELL: "Cannot tell",
}
"""The start of the first line of a verdict."""

GRADES = ((0.97, "a close copy"), (0.9, "a good copy"), (0.7, "a rough copy"), (-math.inf, "a poor copy"))
"""Minimum fidelity of each grade, and its name."""

LEAST_FIDELITY = 0.9
"""Minimum fidelity of a student that is shipped as a copy: that of a good one."""

LEAST_KEPT = 0.98
"""Minimum share of the teacher's skill of a student that is shipped, whatever its fidelity."""

TOO_LITTLE_KEPT = 0.9
"""Share of the teacher's skill below which a student is not shipped, whatever its fidelity."""

MIN_ROWS_FOR_INTERVAL = 50
"""Minimum number of rows for an interval; with fewer rows, the standard error is unreliable."""

MANY_ROWS = 100
"""Minimum number of rows that an open decision asks for."""

MOST_TIMES = 100
"""Maximum multiple of the rows that an open decision on few rows asks for, since their standard error is unreliable."""

MAX_STATED_ROWS = 1_000_000
"""Maximum number of needed rows that is stated; beyond it, the estimate is too close to its limit."""


@dataclass(frozen=True)
class Decision:
    """What to do.

    Attributes
    ----------
    name : {"ship", "train directly", "do not ship", "cannot tell"}
    reason : str
        The reason, with numbers.
    about : {"closeness", "student", "teacher", "alone", "costs", "rows", "training rows"}
        The topic of the reason, so that the verdict does not repeat it.
    limit : str, default=""
        A qualification of the decision, such as "as a copy".
    needed : str, default=""
        The rows that are needed, if the decision is open.
    """

    name: str
    reason: str
    about: str
    limit: str = ""
    needed: str = ""

    @property
    def headline(self) -> str:
        """The first line of a verdict: the decision."""
        return f"{DECISIONS[self.name]}{self.limit and ', '}{self.limit}{self.needed and ': '}{self.needed}."

    @property
    def sentence(self) -> str:
        """The second line of a verdict: the reason in numbers."""
        return f"{self.reason[0].upper()}{self.reason[1:]}."


def decide(found: Findings) -> Decision:
    """Return the decision of the first rule that applies, starting with bad news."""
    rules: tuple[Callable[[Findings], Decision | None], ...] = (
        _no_better_than_a_constant,
        _nothing_gained,
        _rows_that_do_not_tell,
        _better_without_the_teacher,
        _better_than_the_teacher,
        _teacher_without_skill,
    )
    return next(filter(None, (rule(found) for rule in rules)), None) or _by_closeness(found)


def is_mostly_training_rows(found: Findings) -> bool:
    """Whether more than half of the rows are training rows."""
    return found.n_shared > found.n_rows / 2


def on_rows(found: Findings) -> str:
    """Return the number of rows and, if known, how many of them are training rows."""
    rows = f"{found.n_rows:,} {'unseen ' if found.is_unseen else ''}row{'' if found.n_rows == 1 else 's'}"
    return rows + (f", {found.n_shared:,} of them training rows" if found.n_shared else "")


# ---------------------------------------------------------------------- rules, in order


def _no_better_than_a_constant(found: Findings) -> Decision | None:
    """Do not ship a student whose skill is clearly not above zero, on sufficient rows."""
    if _are_untold(found) or not found.student_skill.high <= 0 or _is_better_alone(found):
        return None
    skill = _figure("skill", found.student_skill)
    return Decision(DO_NOT_SHIP, f"it is no better than a constant ({skill}, on {on_rows(found)})", "student")


def _nothing_gained(found: Findings) -> Decision | None:
    """Do not ship a student that costs more in every respect than a teacher with skill, and has no more skill."""
    is_teacher_useless = found.teacher_skill.low <= 0
    if not gains_nothing(found) or _is_better(found) or is_teacher_useless:
        return None
    return Decision(DO_NOT_SHIP, f"this student has no cost advantage: {all_costs(found)}", "costs")


def _rows_that_do_not_tell(found: Findings) -> Decision | None:
    """Cannot tell from few rows, from training rows, and if the teacher's output is constant."""
    if not _are_untold(found):
        return None
    if found.n_rows < MIN_ROWS_FOR_INTERVAL:
        few = "a single row is not enough" if found.n_rows == 1 else f"{found.n_rows} rows are too few"
        return Decision(CANNOT_TELL, few, "rows", needed=_needed(found, _rows_after_few(found)))
    if is_mostly_training_rows(found):
        rows = f"{found.n_shared:,} of the {found.n_rows:,} rows are training rows"
        return Decision(CANNOT_TELL, rows, "training rows", needed=f"at least {MANY_ROWS} other rows are needed")
    if math.isnan(found.fidelity.mean):
        constant = f"the teacher's output is the same for all of these {found.n_rows:,} rows"
        needed = f"at least {MANY_ROWS} rows with different outputs are needed"
        return Decision(CANNOT_TELL, constant, "closeness", needed=needed)
    return Decision(CANNOT_TELL, "these rows give no interval", "rows", needed=_needed(found, math.nan))


def _better_without_the_teacher(found: Findings) -> Decision | None:
    """Ship the same student trained directly if it is clearly better, and good enough."""
    if not _is_better_alone(found):
        return None
    is_student_shipped = (_better_than_the_teacher(found) or _by_closeness(found)).name == SHIP
    if not is_student_shipped and found.alone_kept.high < LEAST_KEPT:
        return None
    skills = f"without the teacher it has skill {found.alone_skill.mean:.3f}, with it {found.student_skill.mean:.3f}"
    gain = f"95 % interval of the gain {_interval(found.alone_gain)}, on {on_rows(found)}"
    return Decision(TRAIN_DIRECTLY, f"{skills} ({gain})", "alone")


def _better_than_the_teacher(found: Findings) -> Decision | None:
    """Ship a student that clearly has more skill than its teacher, whatever its fidelity."""
    if not _is_better(found):
        return None
    skills = f"{_figure('skill', found.student_skill)}, the teacher {found.teacher_skill.mean:.3f}"
    return Decision(SHIP, f"it is better than its teacher ({skills}, on {on_rows(found)}), {_costs(found)}", "student")


def _teacher_without_skill(found: Findings) -> Decision | None:
    """Cannot tell if the teacher is not clearly better than a constant."""
    teacher, student = found.teacher_skill, found.student_skill
    if not teacher.is_known or teacher.is_clear:
        return None
    figure = f"{_figure('skill', teacher)}, on {on_rows(found)}"
    if teacher.high > 0:
        reason = f"the teacher may be no better than a constant ({figure})"
        return Decision(CANNOT_TELL, reason, "teacher", needed=_needed(found, _rows_to_tell(found, teacher, 0)))
    reason = (
        f"the teacher is no better than a constant ({figure}), and the student may not be ({_figure('skill', student)})"
    )
    return Decision(CANNOT_TELL, reason, "teacher", needed=_needed(found, _rows_to_tell(found, student, 0)))


def _by_closeness(found: Findings) -> Decision:
    """Ship a good copy or a student that keeps the teacher's skill; do not ship one that clearly is neither."""
    measured = [(each, least) for each, least in _limits(found) if each.is_known]
    if found.kept.high < TOO_LITTLE_KEPT:
        reason = f"it keeps {_share_on_rows(found)}, clearly less than {TOO_LITTLE_KEPT:.0%}"
        return Decision(DO_NOT_SHIP, reason, "closeness")
    if any(each.low >= least for each, least in measured):
        return _shipped(found)
    if all(each.high < least for each, least in measured):
        return Decision(DO_NOT_SHIP, _shortfall(found), "closeness")
    return Decision(CANNOT_TELL, _shortfall(found), "closeness", needed=_needed(found, _rows_to_be_close(found)))


# ---------------------------------------------------------------------- conditions


def _are_untold(found: Findings) -> bool:
    """Whether these rows are not sufficient for a decision."""
    return found.n_rows < MIN_ROWS_FOR_INTERVAL or is_mostly_training_rows(found) or not found.fidelity.is_known


def _is_better(found: Findings) -> bool:
    """Whether the student is clearly better than a constant, and than its teacher."""
    is_teacher_known = not math.isnan(found.teacher_skill.mean)
    is_more = found.student_gain.is_clear or found.teacher_skill.high <= 0
    return is_teacher_known and found.student_skill.is_clear and is_more


def _is_better_alone(found: Findings) -> bool:
    """Whether the same student is clearly better without the teacher, and than a constant, and its labels not worse."""
    is_student_known = not math.isnan(found.student_skill.mean)
    is_better = found.alone_gain.is_clear and found.alone_skill.is_clear
    return is_student_known and is_better and not found.alone_labels.is_clear_loss


def _limits(found: Findings) -> tuple[tuple[Estimate, float], ...]:
    """Return the sufficient criteria of a good student with their limits."""
    return (found.fidelity, LEAST_FIDELITY), (found.kept, LEAST_KEPT)


# ---------------------------------------------------------------------- how many rows are needed


def _rows_after_few(found: Findings) -> float:
    """Return how many rows are needed, estimated from few rows; NaN from a single one."""
    skill = found.teacher_skill
    is_skilled = skill.is_clear or not skill.is_known
    n_rows = _rows_to_be_close(found) if is_skilled else _rows_to_tell(found, skill, 0)
    return min(n_rows, MOST_TIMES * found.n_rows)


def _rows_to_be_close(found: Findings) -> float:
    """Return how many rows are needed to tell whether a limit is reached; NaN if none is measured."""
    rows = [(each.mean >= least, _rows_to_tell(found, each, least)) for each, least in _limits(found) if each.is_known]
    reached = [n_rows for is_reached, n_rows in rows if is_reached]
    return min(reached) if reached else max((n_rows for _, n_rows in rows), default=math.nan)


def _rows_to_tell(found: Findings, estimate: Estimate, limit: float) -> float:
    """Return how many rows make the interval narrow enough to exclude a limit."""
    margin = abs(estimate.mean - limit)
    times = CLEAR * estimate.error / margin if margin > 0 else math.inf
    return found.n_rows * times * times


def _needed(found: Findings, n_rows: float) -> str:
    """Return a text with the number of needed rows: more than there are, and rounded up."""
    least = max(MANY_ROWS, found.n_rows + 1, 0 if math.isnan(n_rows) else n_rows)
    most = max(MAX_STATED_ROWS, 10 * found.n_rows)
    if least > most:
        return f"more than {_round_up(most):,} rows are needed, because the estimate is very close to its limit"
    if least == MANY_ROWS:
        return f"at least {MANY_ROWS} rows are needed"
    return f"at least {_round_up(least):,} rows are needed"


def _round_up(n_rows: float) -> int:
    """Return two significant digits, never less."""
    unit = 10 ** max(math.floor(math.log10(n_rows)) - 1, 0)
    return math.ceil(n_rows / unit) * unit


# ---------------------------------------------------------------------- reasons


def _shipped(found: Findings) -> Decision:
    """Return the decision to ship, only as a copy if the skill is not known."""
    if not found.kept.is_known:
        rows = "on these true labels" if found.has_truth else "without true labels"
        reason = f"{_copy(found)}, {_costs(found)}; its skill cannot be measured {rows}"
        return Decision(SHIP, reason, "closeness", "as a copy")
    if found.fidelity.low >= LEAST_FIDELITY:
        reason = f"{_copy(found)} that keeps {found.kept.mean:.1%} of its skill, {_costs(found)}"
    else:
        reason = f"it keeps {_share_on_rows(found)}, with fidelity {found.fidelity.mean:.3f}, {_costs(found)}"
    return Decision(SHIP, reason, "closeness")


def _shortfall(found: Findings) -> str:
    """Return what is kept, and what is required."""
    if found.kept.is_known:
        required = f"fidelity {LEAST_FIDELITY} or {LEAST_KEPT:.0%} of the skill is required"
        return f"{_copy(found)}, and it keeps {_share(found)}; {required}"
    if found.fidelity.high <= 0:
        figure = _figure("fidelity", found.fidelity)
        return f"it follows the teacher no better than a constant would ({figure}, on {on_rows(found)})"
    return f"{_copy(found)}; fidelity {LEAST_FIDELITY} is required"


def _costs(found: Findings) -> str:
    return main_costs(found) or "with costs that were not measured"


def _copy(found: Findings) -> str:
    """Return the grade of the copy, with its fidelity and the rows it was measured on."""
    figure = _figure("fidelity", found.fidelity, most=1)
    return f"{grade(found.fidelity.mean)} of the teacher ({figure}, on {on_rows(found)})"


def grade(fidelity: float) -> str:
    """Return the grade of a copy with this fidelity."""
    return next(name for least, name in GRADES if fidelity >= least)


def _share_on_rows(found: Findings) -> str:
    """Return the share of skill that is kept, its interval, and the rows it was measured on."""
    return _share(found, f", on {on_rows(found)}")


def _share(found: Findings, rows: str = "") -> str:
    """Return the share of skill that is kept, and its interval."""
    kept = found.kept
    return f"{kept.mean:.1%} of the teacher's skill (95 % interval {kept.low:.1%} to {kept.high:.1%}{rows})"


def _figure(name: str, estimate: Estimate, most: float = math.inf) -> str:
    if math.isnan(estimate.mean):
        return f"{name} not known"
    return f"{name} {estimate.mean:.3f}" + (f", 95 % interval {_interval(estimate, most)}" if estimate.is_known else "")


def _interval(estimate: Estimate, most: float = math.inf) -> str:
    return f"{estimate.low:.3f} to {min(estimate.high, most):.3f}"
