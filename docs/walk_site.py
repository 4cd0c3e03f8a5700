"""Walk the built site as a reader would: `python docs/walk_site.py docs/_build/html`.

From the text of the home page, each task of `TASKS` must be answered after at most two clicks on links whose words
promise it. Each query of `QUERIES` must find its page. Code is narrow enough for its box, and examples show no lines
that only tests need.
"""

import json
import re
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

TASKS = {
    "limit a student to 10 kB": ("10 kB", "max_bytes"),
    "get a readable tree": ("readable tree", "to_text"),
    "use a sampler of one's own": ("own sampler", "sample(n_samples, random_state)"),
    "ship without LightGBM": ("without LightGBM", "LightGBM is used in fit only"),
    "predict in microseconds": ("microseconds", "also a dict of cells by name"),
    "use a pipeline after a ColumnTransformer": ("ColumnTransformer", "make_pipeline(scale, DistilledRegressor"),
    "see progress": ("progress", "verbose=1"),
    "predict ten million rows": ("ten million rows", "block by block"),
    "get intervals": ("intervals", "conformalize"),
    "get ONNX or C": ("ONNX", "to_onnx"),
    "make a forest fast": ("a forest", "RandomForestClassifier(500"),
    "judge a student": ("report", "The first line of the verdict"),
    "know when not to distil": ("when not", "The teacher is weak"),
    "see a student at work": ("try a student", "Move the sliders"),
    "see a project from a table to a service": ("whole project", "make_table.py"),
    "watch a student in production": ("watch", "Monitor"),
}
"""What a reader wants: words of the links to follow, and what the answer contains."""

QUERIES = {
    "random forest slow": "guide/slow_forest",
    "onnx": "exporting",
    "latency": "benchmarks/latency",
    "explain": "guide/explain",
}


WIDEST = 88


class Link(NamedTuple):
    """A link in a part of a page."""

    words: str
    target: str


class Part:
    """The article of a page, or a section of it: its words and its links."""

    def __init__(self):
        self.texts, self.links = [], []

    @property
    def words(self):
        """The words without repeated spaces."""
        return " ".join("".join(self.texts).split())


class Page(HTMLParser):
    """The article of a page (the part "") and its sections, by their anchors."""

    def __init__(self, path):
        super().__init__()
        self.open, self.parts, self.href = [], {}, None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        """Begin a part at an article or a section, and a link."""
        attributes = dict(attrs)
        name = {"article": "", "section": attributes.get("id")}.get(tag)
        self.open.append((tag, self.parts.setdefault(name, Part()) if name is not None else None))
        if tag == "a" and attributes.get("href"):
            self.href, self.linked = attributes["href"], []

    def handle_endtag(self, tag):
        """End a part or a link, and the tags inside that have no end."""
        if tag == "a" and self.href:
            for part in self._inside():
                part.links.append(Link(" ".join("".join(self.linked).split()), self.href))
            self.href = None
        while self.open and tag in [name for name, _ in self.open] and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        """Add words to the open parts and to the open link."""
        for part in self._inside():
            part.texts.append(data)
        if self.href:
            self.linked.append(data)

    def _inside(self):
        return [part for _, part in self.open if part is not None]


class Site:
    """A built site, whose pages are read once."""

    def __init__(self, folder):
        self.folder, self.pages = Path(folder).resolve(), {}

    def part(self, name, fragment=""):
        """Return the part of a page that a link leads to."""
        if name not in self.pages:
            self.pages[name] = Page(self.folder / name)
        parts = self.pages[name].parts
        return parts.get(fragment) or parts[""]

    def follow(self, name, link):
        """Return page and fragment that a link on a page leads to, or None outside the site."""
        url = urlsplit(link.target)
        path = (self.folder / name).parent / unquote(url.path) if url.path else self.folder / name
        if url.scheme or url.netloc or path.suffix != ".html":
            return None
        return path.resolve().relative_to(self.folder).as_posix(), unquote(url.fragment)

    def walk(self, promise, answer, clicks=2, start=("index.html", "")):
        """Return the links that lead to an answer in a number of clicks at most, or None."""
        if answer in self.part(*start).words and start[0] != "index.html":
            return []
        for link in self.part(*start).links if clicks else ():
            is_promising = promise.lower() in link.words.lower() or start[0] != "index.html"
            target = self.follow(start[0], link) if is_promising else None
            path = None if target is None else self.walk(promise, answer, clicks - 1, target)
            if path is not None:
                return [link.words, *path]
        return None

    def found(self, query):
        """Return the pages that contain all words of a query, by the index that the site's search reads."""
        import snowballstemmer  # comes with Sphinx

        text = (self.folder / "searchindex.js").read_text(encoding="utf-8")
        index = json.loads(text[text.index("{") : text.rindex("}") + 1])
        pages = []
        for word in query.lower().split():
            stem = snowballstemmer.stemmer("english").stemWord(word)
            numbers = [index[kind].get(stem, []) for kind in ("terms", "titleterms")]
            pages.append({number for some in numbers for number in (some if isinstance(some, list) else [some])})
        return {index["docnames"][number] for number in set.intersection(*pages)}


def failures(site):
    """Yield a sentence per promise that the site does not keep."""
    for task, (promise, answer) in TASKS.items():
        if site.walk(promise, answer) is None:
            yield f"{task}: no link with {promise!r} on the home page leads to {answer!r} within two clicks"
    for query, page in QUERIES.items():
        if page not in site.found(query):
            yield f"search: {query!r} does not find {page}"
    for path in sorted(site.folder.glob("auto_examples/plot_*.html")):
        hidden = re.search(
            r"SKDISTILL_EXAMPLES|sphinx_gallery|sys\.argv", site.part(f"auto_examples/{path.name}").words
        )
        if hidden:
            yield f"{path.name}: shows {hidden[0]}"
    for path in sorted(site.folder.rglob("*.html")):
        width = max(map(len, code_lines(path.read_text(encoding="utf-8"))), default=0)
        if width > WIDEST:
            yield f"{path.relative_to(site.folder)}: has code of {width} characters, more than {WIDEST}"


CODE = re.compile(r'<div class="[^"]*highlight-(?!text|none)\w+ notranslate">.*?<pre>(.*?)</pre>', re.DOTALL)


def code_lines(page):
    """Return the lines of the code of a page, without its output."""
    texts = [unescape(re.sub(r"<[^>]*>", "", block)) for block in CODE.findall(page)]
    prompts = (">>> ", "... ")
    return [line for text in texts for line in text.splitlines() if ">>> " not in text or line.startswith(prompts)]


if __name__ == "__main__":
    built = Site(sys.argv[1])
    broken = list(failures(built))
    for task, (promise, answer) in TASKS.items():
        print(f"{task}: {' > '.join(built.walk(promise, answer) or ['-'])}")
    print(*broken, sep="\n")
    sys.exit(1 if broken else 0)
