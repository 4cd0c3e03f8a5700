"""The decision: what to do with a student, why, and how many rows would tell where these do not."""

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
"""How the first line of a verdict begins."""

GRADES = ((0.97, "a close copy"), (0.9, "a good copy"), (0.7, "a rough copy"), (-math.inf, "a poor copy"))
"""Fidelity at least, and what it is called."""

LEAST_FIDELITY = 0.9
"""Fidelity from which a student is good enough as a copy: that of a good one."""

LEAST_KEPT = 0.98
"""Share of the teacher's skill from which a student is good enough, however closely it follows."""

TOO_LITTLE_KEPT = 0.9
"""Share of the teacher's skill below which a student is not good enough, however closely it follows."""

FEWEST_ROWS = 50
"""Below which no interval is trusted: the standard error itself is hardly known."""

MANY_ROWS = 100
"""Rows that are asked for at least, where these do not tell."""

MOST_TIMES = 100
"""Times as many rows as there are that are asked for at most, where these are few: their standard error is a guess."""

MOST_ROWS = 1_000_000
"""Beyond which the number of rows that would tell is not told: so close to its limit is the student."""


@dataclass(frozen=True)
class Decision:
    """What to do.

    Attributes
    ----------
    name : {"ship", "train directly", "do not ship", "cannot tell"}
    reason : str
        In a few words, with figures.
    about : {"closeness", "student", "teacher", "alone", "costs", "rows", "training rows"}
        What the reason is about, so that it is not told twice.
    limit : str, default=""
        Within which the decision holds, such as "as a copy".
    """

    name: str
    reason: str
    about: str
    limit: str = ""

    @property
    def line(self) -> str:
        """The first line of a verdict."""
        return f"{DECISIONS[self.name]}{self.limit and ', '}{self.limit}: {self.reason}."


def decide(found: Findings) -> Decision:
    """Return the decision: that of the first rule that has one, the worst news first."""
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
    """Return the number of rows, and how many of them are training rows, as far as that is known."""
    rows = f"{found.n_rows:,} {'unseen ' if found.is_unseen else ''}row{'' if found.n_rows == 1 else 's'}"
    return rows + (f", {found.n_shared:,} of them training rows" if found.n_shared else "")


# ---------------------------------------------------------------------- rules, in order


def _no_better_than_a_constant(found: Findings) -> Decision | None:
    """Do not ship a student whose skill is clearly not above zero, on rows that tell."""
    if _are_untold(found) or not found.student_skill.high <= 0 or _is_better_alone(found):
        return None
    skill = _figure("skill", found.student_skill)
    return Decision(DO_NOT_SHIP, f"it is no better than a constant ({skill}, on {on_rows(found)})", "student")


def _nothing_gained(found: Findings) -> Decision | None:
    """Do not ship a student that costs more than a teacher of some use, in everything, and has not more skill."""
    is_teacher_useless = found.teacher_skill.low <= 0
    if not gains_nothing(found) or _is_better(found) or is_teacher_useless:
        return None
    return Decision(DO_NOT_SHIP, f"nothing is gained by this student: {all_costs(found)}", "costs")


def _rows_that_do_not_tell(found: Findings) -> Decision | None:
    """Cannot tell from few rows, from training rows, and where the teacher answers always the same."""
    if not _are_untold(found):
        return None
    if found.n_rows < FEWEST_ROWS:
        few = "a single row does not tell" if found.n_rows == 1 else f"{found.n_rows} rows are too few"
        return Decision(CANNOT_TELL, f"{few}; {_needed(found, _rows_after_few(found))}", "rows")
    if is_mostly_training_rows(found):
        rows = f"{found.n_shared:,} of the {found.n_rows:,} rows are training rows"
        return Decision(CANNOT_TELL, f"{rows}; at least {MANY_ROWS} that are not are needed", "training rows")
    if math.isnan(found.fidelity.mean):
        constant = f"the teacher answers the same for all of these {found.n_rows:,} rows"
        needed = f"at least {MANY_ROWS} for which its answers differ are needed"
        return Decision(CANNOT_TELL, f"{constant}; {needed}", "closeness")
    return Decision(CANNOT_TELL, f"these rows give no interval; {_needed(found, math.nan)}", "rows")


def _better_without_the_teacher(found: Findings) -> Decision | None:
    """Ship the same student trained directly where it is clearly better, and good enough."""
    if not _is_better_alone(found):
        return None
    is_student_shipped = (_better_than_the_teacher(found) or _by_closeness(found)).name == SHIP
    if not is_student_shipped and found.alone_kept.high < LEAST_KEPT:
        return None
    skills = f"without the teacher it has skill {found.alone_skill.mean:.3f}, with it {found.student_skill.mean:.3f}"
    gain = f"95 % interval of the gain {_interval(found.alone_gain)}, on {on_rows(found)}"
    return Decision(TRAIN_DIRECTLY, f"{skills} ({gain})", "alone")


def _better_than_the_teacher(found: Findings) -> Decision | None:
    """Ship a student that clearly has more skill than its teacher, however closely it follows."""
    if not _is_better(found):
        return None
    skills = f"{_figure('skill', found.student_skill)}, the teacher {found.teacher_skill.mean:.3f}"
    return Decision(SHIP, f"it is better than its teacher ({skills}, on {on_rows(found)}), {_costs(found)}", "student")


def _teacher_without_skill(found: Findings) -> Decision | None:
    """Cannot tell what is worth keeping of a teacher that is not clearly better than a constant."""
    teacher, student = found.teacher_skill, found.student_skill
    if not teacher.is_known or teacher.is_clear:
        return None
    figure = f"{_figure('skill', teacher)}, on {on_rows(found)}"
    if teacher.high > 0:
        reason = f"the teacher may be no better than a constant ({figure})"
        return Decision(CANNOT_TELL, f"{reason}; {_needed(found, _rows_to_tell(found, teacher, 0))}", "teacher")
    reason = (
        f"the teacher is no better than a constant ({figure}), and the student may not be ({_figure('skill', student)})"
    )
    return Decision(CANNOT_TELL, f"{reason}; {_needed(found, _rows_to_tell(found, student, 0))}", "teacher")


def _by_closeness(found: Findings) -> Decision:
    """Ship a good copy, or what keeps the teacher's skill; do not ship what clearly is neither."""
    measured = [(each, least) for each, least in _limits(found) if each.is_known]
    if found.kept.high < TOO_LITTLE_KEPT:
        reason = f"it keeps {_share_on_rows(found)}, clearly less than {TOO_LITTLE_KEPT:.0%}"
        return Decision(DO_NOT_SHIP, reason, "closeness")
    if any(each.low >= least for each, least in measured):
        return _shipped(found)
    if all(each.high < least for each, least in measured):
        return Decision(DO_NOT_SHIP, _shortfall(found), "closeness")
    return Decision(CANNOT_TELL, f"{_shortfall(found)}; {_needed(found, _rows_to_be_close(found))}", "closeness")


# ---------------------------------------------------------------------- conditions


def _are_untold(found: Findings) -> bool:
    """Whether these rows tell nothing, whatever was measured on them."""
    return found.n_rows < FEWEST_ROWS or is_mostly_training_rows(found) or not found.fidelity.is_known


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
    """Return what makes a student good enough, each with its limit: one of them is enough."""
    return (found.fidelity, LEAST_FIDELITY), (found.kept, LEAST_KEPT)


# ---------------------------------------------------------------------- how many rows would tell


def _rows_after_few(found: Findings) -> float:
    """Return how many rows would tell, guessed from few; NaN from a single one."""
    skill = found.teacher_skill
    is_skilled = skill.is_clear or not skill.is_known
    n_rows = _rows_to_be_close(found) if is_skilled else _rows_to_tell(found, skill, 0)
    return min(n_rows, MOST_TIMES * found.n_rows)


def _rows_to_be_close(found: Findings) -> float:
    """Return how many rows would tell whether one of the limits is reached; NaN where none is measured."""
    rows = [(each.mean >= least, _rows_to_tell(found, each, least)) for each, least in _limits(found) if each.is_known]
    reached = [n_rows for is_reached, n_rows in rows if is_reached]
    return min(reached) if reached else max((n_rows for _, n_rows in rows), default=math.nan)


def _rows_to_tell(found: Findings, estimate: Estimate, limit: float) -> float:
    """Return how many rows make the interval so narrow that it leaves out a limit."""
    margin = abs(estimate.mean - limit)
    times = CLEAR * estimate.error / margin if margin > 0 else math.inf
    return found.n_rows * times * times


def _needed(found: Findings, n_rows: float) -> str:
    """Say how many rows are needed: more than there are, and rounded up."""
    least = max(MANY_ROWS, found.n_rows + 1, 0 if math.isnan(n_rows) else n_rows)
    most = max(MOST_ROWS, 10 * found.n_rows)
    if least > most:
        return f"more than {_round_up(most):,} rows are needed, so close to the limit is it"
    if least == MANY_ROWS:
        return f"at least {MANY_ROWS} rows are needed"
    return f"at least some {_round_up(least):,} rows are needed"


def _round_up(n_rows: float) -> int:
    """Return two significant digits, never less."""
    unit = 10 ** max(math.floor(math.log10(n_rows)) - 1, 0)
    return math.ceil(n_rows / unit) * unit


# ---------------------------------------------------------------------- reasons


def _shipped(found: Findings) -> Decision:
    """Return the decision to ship, only as a copy where the truth does not say how good it is."""
    if not found.kept.is_known:
        untold = "these true labels do not say" if found.has_truth else "without true labels nothing is said about"
        reason = f"{_copy(found)}, {_costs(found)}; {untold} how good it is"
        return Decision(SHIP, reason, "closeness", "as a copy")
    if found.fidelity.low >= LEAST_FIDELITY:
        reason = f"{_copy(found)} that keeps {found.kept.mean:.1%} of its skill, {_costs(found)}"
    else:
        reason = f"it keeps {_share_on_rows(found)}, with fidelity {found.fidelity.mean:.3f}, {_costs(found)}"
    return Decision(SHIP, reason, "closeness")


def _shortfall(found: Findings) -> str:
    """Return what is kept, and what is asked for."""
    if found.kept.is_known:
        asked = f"fidelity {LEAST_FIDELITY} or {LEAST_KEPT:.0%} of it is asked"
        return f"{_copy(found)}, and it keeps {_share(found)}; {asked}"
    if found.fidelity.high <= 0:
        figure = _figure("fidelity", found.fidelity)
        return f"it follows the teacher no better than a constant would ({figure}, on {on_rows(found)})"
    return f"{_copy(found)}; fidelity {LEAST_FIDELITY} is asked"


def _costs(found: Findings) -> str:
    return main_costs(found) or "its costs not measured"


def _copy(found: Findings) -> str:
    """Return the grade of the copy, with its fidelity and the rows it was measured on."""
    figure = _figure("fidelity", found.fidelity, most=1)
    return f"{grade(found.fidelity.mean)} of the teacher ({figure}, on {on_rows(found)})"


def grade(fidelity: float) -> str:
    """Return what a copy of this fidelity is called."""
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
