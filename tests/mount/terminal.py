"""A command on a terminal, and what is seen there."""
import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import unicodedata

from harness import KINOFS, PATIENCE

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """A command whose output goes to a terminal of so many columns."""

    def __init__(self, mount, words, columns=80, stdout=None, **variables):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        environment = {**mount.environment(), "TERM": "xterm", "NO_COLOR": "", **variables}
        self.process = subprocess.Popen([KINOFS, *words], env=environment, cwd="/", stdin=theirs,
                                        stdout=stdout or theirs, stderr=theirs)
        os.close(theirs)
        self.shown = ""
        self._answered = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def read(self):
        """More of what is shown. false: that was all."""
        assert select.select([self.ours], [], [], PATIENCE)[0], self.shown
        try:
            self.shown += self._decoder.decode(os.read(self.ours, 65536))
            return True
        except OSError:  # EIO: the other end is closed
            return False

    def until(self, condition):
        while not condition(self.shown):
            assert self.read(), self.shown
        return self.shown

    def answer(self, question, text):
        """Types a line once it is asked for."""
        self.until(lambda shown: question in shown[self._answered:])
        self._answered = self.shown.index(question, self._answered) + len(question)
        os.write(self.ours, (text + "\n").encode())

    def end(self):
        """All that was shown, and the exit status."""
        while self.read():
            pass
        os.close(self.ours)
        return self.shown, self.process.wait(PATIENCE)


def columns(line):
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1
               for char in COLOURS.sub("", line))
