"""Watching a student after it is shipped, with numpy only: drift, audits, and alarms with a stated false-alarm rate."""

from ._monitor import Monitor
from ._status import Alarm, MonitorStatus

__all__ = ["Alarm", "Monitor", "MonitorStatus"]
