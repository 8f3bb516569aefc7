"""Runs a command, in this process, with a socket handed over that is connected to the path, as a unit's OpenFile= does."""

import os
import socket
import sys

path, *command = sys.argv[1:]
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.connect(path)
os.dup2(manager.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="notify")
os.execvp(command[0], command)
