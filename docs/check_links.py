"""Fail if a link within the built site is broken: `python docs/check_links.py docs/_build/html`."""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, and its anchors."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = [], {"", "top"}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        """Record links and anchors."""
        attributes = dict(attrs)
        self.links += [attributes[name] for name in ("href", "src") if attributes.get(name)]
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}


def broken(site):
    """Yield (page, link) for each link to a missing file or anchor."""
    files = [path.resolve() for path in Path(site).rglob("*.html") if "_static" not in path.parts]
    pages = {path: Page(path) for path in files}
    for path, page in pages.items():
        for link in dict.fromkeys(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            missing_anchor = target in pages and unquote(parts.fragment) not in pages[target].anchors
            if not target.is_file() or missing_anchor:
                yield path.relative_to(Path(site).resolve()), link


if __name__ == "__main__":
    found = list(broken(sys.argv[1]))
    for page, link in found:
        print(f"{page}: broken link {link}")
    sys.exit(1 if found else 0)
