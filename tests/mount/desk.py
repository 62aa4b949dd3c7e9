"""Where real programs work on a mount, and the servers they speak to."""
import getpass
import http.server
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import termios
import threading
import time

import pytest

from harness import PATIENCE, TEXT, prompt_of

SMALL, BLACK = '{"prompt": "a small cat"}', '{"prompt": "a big black cat"}'
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
SCREEN = ("xvfb xauth xdotool dbus", "xvfb-run", "xauth", "xdotool", "dbus-run-session")


def require(packages, *commands):
    """contrib/install-dependencies has installed them: in .ci/run a missing one is a failure."""
    missing = [command for command in commands if not shutil.which(command, path=PATH)]
    if not missing:
        return
    message = "needs %s (apt-get install %s)" % (", ".join(missing), packages)
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def wait_for(condition, what, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "still waiting for " + what
        select.select([], [], [], 0.05)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def listens(port, server):
    assert server.poll() is None, "%s ended" % server.args[0]
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Desk:
    """Where a program saves cat.json again and again; what it needs around it ends with it."""

    def __init__(self, mount, stack):
        self.mount = mount
        self.stack = stack
        self.folder = mount.path(TEXT)
        self.target = mount.path(TEXT, "cat.json")
        self.port = self.samba = None
        self.served = {}

    def source(self, text, name="cat.json"):
        return self.mount.outside(name, text + "\n")

    def environment(self, text=""):
        return {"HOME": self.mount.home, "PATH": PATH, "LC_ALL": "C.UTF-8", "TERM": "linux",
                "XDG_RUNTIME_DIR": self.mount.home, "TMPDIR": self.mount.home,
                "GIO_USE_VFS": "local", "GIO_USE_VOLUME_MONITOR": "unix",
                "USER": getpass.getuser(), "LOGNAME": getpass.getuser(),
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""),
                "TEXT": text, "TARGET": self.target}

    def run(self, *words, text="", **options):
        """In the model's folder; a program that fails is a failure."""
        data = options.pop("input", None)
        options = {"cwd": self.folder, **options}
        process = subprocess.Popen(
            words, env=self.environment(text), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
            start_new_session=True, **options)
        with process:
            try:
                output = process.communicate(data, timeout=PATIENCE)[0].decode(errors="replace")
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                output = process.communicate()[0].decode(errors="replace")
                raise AssertionError("%s does not end: %s" % (words, output)) from None
        assert process.returncode == 0, "%s: %s" % (words, output)
        return output

    def run_on_screen(self, script, *words, **options):
        """A script with a display and a session bus of its own."""
        return self.run("dbus-run-session", "--", "xvfb-run", "-a", "sh", "-c", script, "sh",
                        *words, **options)

    def type(self, words, *steps, text=""):
        """Runs a program on a terminal: for each step awaits a text, then types the keys, or what
        a function says are the keys by now."""
        pid, terminal = pty.fork()
        if pid == 0:
            try:
                os.chdir(self.folder)
                termios.tcsetwinsize(0, (24, 80))
                os.execvpe(words[0], words, self.environment(text))
            finally:
                os._exit(127)
        ended = os.pidfd_open(pid)
        self.stack.callback(os.close, ended)
        self.stack.callback(os.close, terminal)
        seen, deadline = b"", time.monotonic() + PATIENCE
        try:
            for awaited, keys in (*steps, (None, b"")):
                while awaited is None or awaited not in seen:
                    left = deadline - time.monotonic()
                    assert left > 0, "no %r on the screen: %r" % (awaited, seen)
                    ready, _, _ = select.select([terminal, ended], [], [], left)
                    if terminal not in ready:
                        assert awaited is None or ended not in ready, "ended: %r" % seen
                        break
                    try:
                        seen += os.read(terminal, 65536)
                    except OSError:  # EIO: it has let go of the terminal
                        assert awaited is None, "ended before %r: %r" % (awaited, seen)
                        break
                keys = keys() if callable(keys) else keys
                os.write(terminal, keys) if keys else None
                seen = seen if awaited is None else b""
        except BaseException:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        _, status = os.waitpid(pid, 0)
        assert status == 0, "%s: %d, %r" % (words, status, seen)

    def sent(self, *prompts, perhaps=(), job="cat"):
        """What has been sent is this, once each, and nothing else is a job (but these, perhaps)."""
        self.mount.quiet()
        assert [prompt_of(body) for body in self.mount.sim.bodies()] == list(prompts)
        assert set(self.mount.job_names()) - set(perhaps) == {job}

    # -------- servers on loopback

    def url(self, text):
        """A web server that has it as /cat.json."""
        self.served["/cat.json"] = text.encode() + b"\n"
        if self.port is None:
            served = self.served

            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(served[self.path])))
                    self.end_headers()
                    self.wfile.write(served[self.path])

                def log_message(self, *_):
                    pass
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            self.stack.callback(lambda: (server.shutdown(), thread.join(), server.server_close()))
            self.port = server.server_port
        return "http://127.0.0.1:%d/cat.json" % self.port

    def ssh_options(self):
        """Words for scp and sftp: an sshd of this test's own, without a port."""
        folder = os.path.join(self.mount.directory, "ssh")
        if not os.path.isdir(folder):
            os.makedirs(folder, 0o700)
            for key in ("host", "user"):
                self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                         os.path.join(folder, key))
            if os.geteuid() == 0:
                os.makedirs("/run/sshd", 0o755, exist_ok=True)  # as its start script does
            with open(os.path.join(folder, "config"), "w", encoding="utf-8") as file:
                file.write("HostKey {0}/host\nAuthorizedKeysFile {0}/user.pub\nUsePAM no\n"
                           "StrictModes no\nPermitRootLogin yes\nPidFile none\n"
                           "Subsystem sftp internal-sftp\n".format(folder))
        server = "ProxyCommand=%s -i -E %s/log -f %s/config" % (
            shutil.which("sshd", path=PATH), folder, folder)
        return ["-q", "-F", "none", "-o", server, "-o", "StrictHostKeyChecking=no",
                "-o", "UserKnownHostsFile=/dev/null", "-i", os.path.join(folder, "user")]

    def smbclient(self, orders, **options):
        """What smbclient says to these orders, separated by semicolons."""
        if self.samba is None:
            self.start_samba()
        return self.run("smbclient", "-N", "-p", str(self.port), "-s",
                        os.path.join(self.samba, "smb.conf"), "-c", orders, "//127.0.0.1/kino",
                        **options)

    def start_samba(self):
        """smbd, as whoever runs the tests; qemu starts it so for its guests."""
        # its sockets are in there, and the path of a socket is short
        folder = self.samba = self.stack.enter_context(tempfile.TemporaryDirectory())
        places = "".join("%s = %s\n" % (key, folder) for key in (
            "private dir", "pid directory", "lock directory", "state directory",
            "cache directory", "ncalrpc dir"))
        with open(os.path.join(folder, "smb.conf"), "w", encoding="utf-8") as file:
            file.write("[global]\nserver role = standalone\nmap to guest = Bad User\n"
                       "interfaces = 127.0.0.1\nbind interfaces only = yes\nload printers = no\n"
                       "printing = bsd\ndisable spoolss = yes\nusershare max shares = 0\n"
                       "log file = %s/log\nsmb passwd file = %s/smbpasswd\n%s"
                       "[kino]\npath = %s\nread only = no\nguest ok = yes\nguest only = yes\n"
                       "force user = %s\n" % (folder, folder, places, self.mount.root,
                                              getpass.getuser()))
        self.port = free_port()
        server = subprocess.Popen(  # it makes a session of its own, and ends it
            ["smbd", "-F", "-p", str(self.port), "-s", os.path.join(folder, "smb.conf")],
            env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.stack.callback(server.wait)
        self.stack.callback(server.terminate)
        wait_for(lambda: listens(self.port, server), "smbd")
