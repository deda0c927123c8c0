"""Views by Faust: key figures that are derived from the topics and can be thrown away and rebuilt.

The only package that imports Faust; nothing that is delivered passes through it.
"""

from streams.views.http import routes
from streams.views.view import NotRunning, View

__all__ = ["NotRunning", "View", "routes"]
