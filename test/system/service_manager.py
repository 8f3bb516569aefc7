"""Hears what a service tells its manager, as systemd does: datagrams at a socket, one line of JSON for each.

Once the service is ready, it is watched: without WATCHDOG=1 for so many seconds a line says "watchdog timeout", once.
"""

import json
import os
import socket
import sys
import time

path, watchdog_seconds = sys.argv[1], float(sys.argv[2])
heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
heard.bind(path)
ends_at = None


def say(lines):
    print(json.dumps(lines), flush=True)


say(["listening"])
while True:
    heard.settimeout(None if ends_at is None else max(ends_at - time.monotonic(), 0.001))
    try:
        # Open files that come with it, as with a barrier of systemd-notify, are closed: that is the answer.
        message, files, _, _ = socket.recv_fds(heard, 4096, 4)
    except TimeoutError:
        ends_at = None
        say(["watchdog timeout"])
        continue
    for file in files:
        os.close(file)
    lines = message.decode().splitlines()
    if "READY=1" in lines or ("WATCHDOG=1" in lines and ends_at is not None):
        ends_at = time.monotonic() + watchdog_seconds
    if "STOPPING=1" in lines:
        ends_at = None
    say(lines)
