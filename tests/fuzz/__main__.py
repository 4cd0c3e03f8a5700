"""Run many generated cases and count the faults: ``PYTHONPATH=tests python -m fuzz 20000``."""

import sys
from collections import Counter

from fuzz.cases import judge

n_cases = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
found = {}
for seed in range(first, first + n_cases):
    if (fault := judge(seed)) is not None:
        found[seed] = fault
kinds = Counter(kind for kind, *_ in found.values())
sys.stdout.write(f"{n_cases} cases from seed {first}: {dict(kinds)}\n")
examples = {}
for seed, (kind, what, _) in found.items():
    examples.setdefault((kind, what), []).append(seed)
for (kind, what), seeds in sorted(examples.items(), key=lambda item: (item[0][0], -len(item[1]))):
    shown = "; ".join(f"seed {seed}: {found[seed][2]}" for seed in seeds[:3])
    sys.stdout.write(f"{len(seeds):6} {kind}: {what!r}  e.g. {shown}\n")
