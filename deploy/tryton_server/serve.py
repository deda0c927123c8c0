"""Serves until its parent is gone: run by the server's own interpreter with the server's own arguments."""

import os
import threading
import time

from trytond.cli import main

LOOK_S = 1.0
PARENT = os.getppid()


def end_with_parent():
    """A test run that was killed leaves no server behind."""
    while os.getppid() == PARENT:
        time.sleep(LOOK_S)
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()
main()
