"""Make the section of a release from the fragments of this folder.

    python changelog.d/assemble.py                prints the section of the changes that are not released yet
    python changelog.d/assemble.py 0.2.0          writes it into CHANGELOG.md, and removes the fragments

A fragment is a file ``<topic>.<kind>.md`` that contains one sentence or a few.
"""

import argparse
import datetime
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
CHANGELOG = FOLDER.parent / "CHANGELOG.md"
KINDS = {"added": "Added", "changed": "Changed", "fixed": "Fixed", "removed": "Removed"}


def fragments(folder=FOLDER):
    """Return (kind, path) of all fragments, in the order of their section; a file with another name is an error."""
    found = []
    for path in sorted(folder.glob("*.md")):
        named = re.fullmatch(r"[a-z0-9-]+\.(\w+)\.md", path.name)
        if path.name != "README.md" and (named is None or named[1] not in KINDS):
            raise ValueError(
                f"{path.name} is no name of a fragment; expected <topic>.<kind>.md, of {', '.join(KINDS)}."
            )
        found += [(named[1], path)] if named else []
    return sorted(found, key=lambda pair: list(KINDS).index(pair[0]))


def section(title, found):
    """Return the section of a release: its title, and a list of changes per kind."""
    parts = [f"## {title}"]
    for kind, heading in KINDS.items():
        texts = [path.read_text(encoding="utf-8").strip().replace("\n", "\n  ") for of, path in found if of == kind]
        if texts:
            parts += [f"### {heading}", "\n".join(f"- {text}" for text in texts)]
    return "\n\n".join(parts) + "\n"


def release(version, date, changelog=CHANGELOG, folder=FOLDER):
    """Put the section of a release above the earlier ones, and remove its fragments."""
    found, text = fragments(folder), changelog.read_text(encoding="utf-8")
    if not found:
        raise ValueError(f"{folder} has no fragments, so there is nothing to release.")
    if f"## {version} " in text:
        raise ValueError(f"{changelog.name} has a section of {version} already; pass the version of this release.")
    head, mark, earlier = text.partition("\n## ")
    changelog.write_text(f"{head.rstrip()}\n\n{section(f'{version} ({date})', found)}{mark}{earlier}", encoding="utf-8")
    for _, path in found:
        path.unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", nargs="?", help="version that is released, such as 0.2.0")
    parser.add_argument("--date", default=datetime.date.today(), help="its date; default: today")
    asked = parser.parse_args()
    if asked.version is None:
        sys.stdout.write(section("Unreleased", fragments()))
    else:
        release(asked.version, asked.date)
