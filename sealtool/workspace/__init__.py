"""Puts the stages together for one configuration: the only place that knows settings and stages both.

The public face is :class:`Workspace`, in ``front``. Behind it, each in a module of its own, is what a configuration
describes (``seal``, ``secret``, ``trust``, ``cluster``, ``presses``, ``installation``), what a command does with it
(``reading``, ``plan``, ``issue``, ``extend``, ``appeals``, ``rebuild``; ``runs`` is what those have in common that
write), and what worker processes run (``tasks``). The front imports each when it is first needed, so that a command
pays only for what it uses.
"""

from sealtool.workspace.front import Workspace, utc_now

__all__ = ["Workspace", "utc_now"]
