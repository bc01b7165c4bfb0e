"""A stand-in for opsdash: starts the demo, says so in a file, and waits to be ended in one way or another."""

import json
import os
import signal
import sys
import threading
from pathlib import Path

from opsdash.tui.demo.run import start_demo

if __name__ == "__main__":
    # as a shell starts a program in front: whoever runs the tests may ignore them, as nohup does
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    report = Path(sys.argv[1])
    demo = start_demo()
    unfinished = report.with_suffix(".unfinished")
    unfinished.write_text(json.dumps({"folder": str(demo.folder), "pid": os.getpid()}))
    unfinished.rename(report)
    threading.Event().wait()
