"""Stand-ins for a terminal and for tqdm, which note what is drawn."""

import io
import sys
from types import ModuleType, SimpleNamespace

from skdistill import _bars


class Terminal(io.StringIO):
    """Standard error that is a terminal."""

    def isatty(self):
        return True


def be_in_a_terminal(monkeypatch):
    """Let bars find a terminal as standard error, without any package that draws them, and return it."""
    stream = Terminal()  # not in sys, where pytest puts its own before each test
    monkeypatch.setattr(_bars, "sys", SimpleNamespace(stderr=stream, modules=sys.modules))
    for name in ("IPython", "tqdm", "tqdm.auto", "rich", "rich.progress"):
        monkeypatch.setitem(sys.modules, name, None)
    return stream


def stand_in_for_tqdm(monkeypatch):
    """Install a class instead of tqdm, and return it: ``bars`` has the bars with their states, ``lines`` the lines."""

    class Tqdm:
        bars, lines = [], []

        def __init__(self, *, total, initial, desc, bar_format, dynamic_ncols, file, display=True):
            assert total == 1.0
            assert "{bar" in bar_format
            self.n, self.is_closed, self.states = initial, False, [(initial, desc)]
            self.container = self if display is False else None
            self.bars.append(self)

        def set_description_str(self, desc):
            assert not self.is_closed
            self.states.append((self.n, desc))

        def close(self):
            self.is_closed = True

        @classmethod
        def write(cls, line, *, file):
            cls.lines.append(line)

    for name in ("tqdm", "tqdm.auto"):
        monkeypatch.setitem(sys.modules, name, module_of(name, tqdm=Tqdm))
    return Tqdm


def module_of(name, **things):
    """Return a module with these names in it."""
    module = ModuleType(name)
    vars(module).update(things)
    return module
