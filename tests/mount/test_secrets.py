"""Keys stay where they belong, and what a server says is data: never a path, never a command."""
import contextlib
import http.server
import json
import os
import re
import stat
import subprocess
import threading

import pytest

import campaign
from campaign import Control, preload
from harness import FLAT, KEYS, KINOFS, PATIENCE, TEXT, png

pytestmark = pytest.mark.no_asan("looks into the memory of the process")

SECRETS = [key.encode() for key in KEYS.values()]


def descendants(pid):
    found = []
    for task in os.listdir("/proc/%d/task" % pid):
        with contextlib.suppress(OSError), \
                open("/proc/%d/task/%s/children" % (pid, task), encoding="ascii") as file:
            for child in map(int, file.read().split()):  # a thread may end at any moment
                found += [child, *descendants(child)]
    return found


def process_bytes(pid):
    """What anyone of the same user may read of a process."""
    found = b""
    for name in ("cmdline", "environ", "status", "comm"):
        with contextlib.suppress(OSError), open("/proc/%d/%s" % (pid, name), "rb") as file:
            found += file.read()
    return found


def files_below(directory):
    for folder, _, names in os.walk(directory):
        for name in names:
            yield os.path.join(folder, name)


def assert_clean(mount):
    """No key in any file of the store, name, log line, mount table or process."""
    for path in files_below(mount.store):
        content = b""
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:  # a note may go
            content = file.read()
        for secret in SECRETS:
            assert secret not in content, "a key in " + path
            assert secret.decode() not in path
    with open("/proc/self/mountinfo", "rb") as file:
        table = file.read()
    for secret in SECRETS:
        assert secret.decode() not in mount.log_text(), mount.log_text()
        assert secret not in table
        for pid in [mount.process.pid, *descendants(mount.process.pid)]:
            assert secret not in process_bytes(pid), "a key in /proc/%d" % pid


def assert_guarded(pid):
    with open("/proc/%d/limits" % pid, encoding="ascii") as file:
        assert re.search(r"Max core file size\s+0\s+0\s", file.read()), "a core dump may be written"
    assert os.stat("/proc/%d/mem" % pid).st_uid == 0, "it is dumpable"


# ------------------------------------------------------------------ a server that means harm

class Hostile:
    """An API whose answers the test writes: path prefix to a function of the request."""

    def __init__(self):
        self.answers = {}
        self.seen = []
        hostile = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802, the name is the library's
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                hostile.seen.append((self.path, dict(self.headers), body))
                answer = next((value for prefix, value in hostile.answers.items()
                               if self.path.startswith(prefix)), {"code": 500, "msg": "?"})
                status, headers, content = answer if isinstance(answer, tuple) else (
                    200, {}, json.dumps(answer).encode())
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def hostile():
    server = Hostile()
    yield server
    server.close()


@pytest.fixture
def against(kinofs, hostile, tmp_path):
    """against(answers): a quick mount whose only provider is hostile."""
    libraries = campaign.compile_preloads(str(tmp_path / "preload"))

    def run(answers, **options):
        hostile.answers = answers
        return kinofs(environment=preload(
            libraries["speed"], KINOFS_TEST_SPEED=30, KINOFS_KIE_URL=hostile.url,
            KINOFS_KIE_UPLOAD_URL=hostile.url, KINOFS_PPINFRA_URL=hostile.url), **options)
    return run


CREATED = {"code": 200, "msg": "success", "data": {"taskId": "t1"}}
CREATE, POLL = "/api/v1/jobs/createTask", "/api/v1/jobs/recordInfo"


def success(*urls):
    return {"code": 200, "msg": "success", "data": {
        "taskId": "t1", "state": "success", "resultJson": json.dumps({"resultUrls": urls})}}


# ------------------------------------------------------------------ keys

def test_a_key_is_nowhere_but_in_the_request(mount, sim):
    mount.drop(FLAT, "cat.png", png())
    mount.drop(FLAT, "cat.txt", "a cat")
    mount.drop(TEXT, "dog.txt", "a dog")
    sim.faults({"on": "create", "do": "code", "value": 401, "model": TEXT})
    mount.drop(TEXT, "refused.txt", "a mouse")
    mount.done(FLAT, "cat")
    mount.wait(lambda: any(job["state"] == "held" for job in mount.jobs()), "a refused key")
    mount.run("status", mount.root)
    assert_clean(mount)
    # process_bytes() has read what may be read: to a user who is not root, not even the environment
    assert_guarded(mount.process.pid)
    mount.terminate()
    for line in mount.log:
        assert not any(secret.decode() in line for secret in SECRETS)


def test_the_simulators_process_is_not_given_the_keys(kinofs):
    mount = kinofs(start=False)
    mount.command = lambda: [*type(mount).command(mount)[:-1], "--simulate", mount.root]
    mount.start()
    children = descendants(mount.process.pid)
    assert children, "no simulator runs"
    for pid in children:
        for secret in SECRETS:
            assert secret not in process_bytes(pid)
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    assert_clean(mount)


def test_debugging_shows_no_key(kinofs):
    mount = kinofs(start=False, expects=".")
    mount.command = lambda: [type(mount).command(mount)[0], "-d", *type(mount).command(mount)[1:]]
    mount.start()
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    assert_clean(mount)


def test_a_key_that_the_server_repeats_is_not_shown(against):
    """As "Incorrect API key provided: …" of other services does."""
    words = "Incorrect API key provided: " + KEYS["KIE_API_KEY"]
    mount = against({CREATE: {"code": 401, "msg": words}})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait_state(TEXT, "cat", "held")
    mount.note(TEXT, "cat", "held")
    assert_clean(mount)


@pytest.mark.parametrize("command", ["credits", "doctor"])
def test_commands_with_keys_guard_their_memory(kinofs, command):
    """Their configuration is a pipe here, so that they can be looked at while they read it."""
    mount = kinofs(start=False)
    path = os.path.join(mount.home, "config", "kinofs", "config.json")
    os.unlink(path)
    os.mkfifo(path, 0o600)
    process = subprocess.Popen([KINOFS, command], env=mount.environment(),
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        with open(path, "w", encoding="utf-8") as pipe:  # returns when it is open there
            assert_guarded(process.pid)
            pipe.write("{}")
        assert process.communicate(timeout=PATIENCE)[0]
    finally:
        process.kill()
        process.wait()


def test_the_journal_is_for_who_runs_it(mount):
    """It has every prompt; one that an older kinofs made was for all to read."""
    path = os.path.join(mount.store, "journal.db")
    for mode in (None, 0o644):
        if mode:
            mount.unmount()
            os.chmod(path, mode)
            mount.start()
        assert os.stat(path).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_others_can_read_is_refused(kinofs, tmp_path, mode):
    path = tmp_path / "key"
    path.write_text("secret-in-a-file")
    mount = kinofs(start=False, keys={}, expects="key file",
                   config={"providers": {"kie": {"key_file": str(path)}}})
    os.chmod(path, mode)
    result = mount.run("-f", "-o", "store=" + mount.store, mount.root)
    assert result.returncode == 1 and "chmod 600" in result.stderr
    assert "secret-in-a-file" not in result.stderr
    os.chmod(path, stat.S_IRUSR | stat.S_IWUSR)
    mount.start()
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")


@pytest.mark.parametrize("url", ["http://192.0.2.1", "http://example.invalid",
                                 "http://127.0.0.1.example.invalid", "http://localhost.invalid"])
def test_no_key_goes_to_another_host_without_tls(kinofs, tmp_path, url):
    """Refused before a connection is made: not one connect(2)."""
    libraries = campaign.compile_preloads(str(tmp_path / "preload"))
    control = Control(str(tmp_path / "control"))
    mount = kinofs(start=False, expects="https|error:", environment=preload(
        libraries["inject"], KINOFS_TEST_CONTROL=control.path, KINOFS_KIE_URL=url))
    try:
        mount.start()
    except AssertionError:
        assert "https" in mount.log_text(), mount.log_text()
        mount.process = None
        assert not mount.is_mounted()
    else:
        mount.drop(TEXT, "cat.txt", "a cat")
        assert "https" in mount.wait_state(TEXT, "cat", "held")["advice"]
    assert control.calls("connect") == 0 and control.calls("send") == 0


# ------------------------------------------------------------------ what a server says

@pytest.mark.parametrize("task", ["../../etc/passwd", "a/b", "a b", "x" * 200, "a\nb", "a?b=c", 7])
def test_a_task_id_that_cannot_be_one_is_shown_and_never_used(against, hostile, task):
    mount = against({CREATE: {"code": 200, "msg": "success", "data": {"taskId": task}}})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait_state(TEXT, "cat", "unknown")
    assert "MAY have been spent" in mount.note(TEXT, "cat")
    mount.quiet()
    assert [path for path, _, _ in hostile.seen] == [CREATE]


@pytest.mark.parametrize("path", ["/..%2f..%2fevil.sh", "/../../evil.sh", "/a/evil.sh?x=/../y",
                                  "/evil%00.mp4", "/" + "e" * 4000])
def test_a_servers_names_never_become_paths(against, hostile, clip, path):
    """Neither the link's name nor the one of Content-Disposition; and no key goes to the link."""
    mount = against({CREATE: CREATED, POLL: success(hostile.url + path), "/": (
        200, {"Content-Disposition": "attachment; filename=../../../evil.sh",
              "Content-Type": "text/x-shellscript"}, campaign.clip_content(clip))})
    mount.drop(TEXT, "cat.txt", "a cat")
    assert mount.done(TEXT, "cat")["outputs"] == [TEXT + "/out/cat.mp4"]
    assert not [name for name in files_below(mount.directory) if "evil" in name]
    downloads = [headers for seen, headers, _ in hostile.seen if not seen.startswith("/api/")]
    assert downloads and all("Authorization" not in headers for headers in downloads)


@pytest.mark.parametrize("link", ["file:///etc/passwd", "ftp://127.0.0.1/x.mp4", "gopher://127.0.0.1/",
                                  "javascript:alert(1)", "http://user:pw@127.0.0.1/x", "", "/x.mp4",
                                  "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y"])
def test_a_link_that_is_not_http_is_never_followed(against, hostile, link):
    mount = against({CREATE: CREATED, POLL: success(link)})
    mount.drop(TEXT, "cat.txt", "a cat")
    record = mount.wait(lambda: (lambda r: r and r.get("warning") and r)(
        mount.record(TEXT, "cat")), "the useless link to be shown")
    assert record["state"] == "running" and mount.out(TEXT) == []
    mount.wait(lambda: sum(path.startswith(POLL) for path, _, _ in hostile.seen) >= 2,
               "the record to be asked for again")


NASTY = "\x1b[31mred\x07\r\nnext\x00end\u202e\u2028\x9b2J" + "long " * 400


@pytest.mark.parametrize("where", ["create", "poll", "state"])
def test_a_providers_words_are_shown_without_control_characters(against, where):
    failed = {"code": 200, "msg": "", "data": {"taskId": "t1", "state": "fail", "failMsg": NASTY,
                                               "failCode": "400"}}
    running = {"code": 200, "msg": NASTY, "data": {"taskId": "t1", "state": NASTY}}
    mount = against({
        CREATE: {"code": 422, "msg": NASTY, "data": None} if where == "create" else CREATED,
        POLL: running if where == "state" else failed})
    mount.drop(TEXT, "cat.txt", "a cat")
    if where == "state":
        record = mount.wait(lambda: (lambda r: r and r.get("provider_state") and r)(
            mount.record(TEXT, "cat")), "the state")
        texts = [record["provider_state"]]
    else:
        record = mount.wait_state(TEXT, "cat", "failed")
        texts = [*record["error"], *mount.note(TEXT, "cat").split("\n")]
    texts.append(mount.run("status", "-a", mount.root).stdout.replace("\n", ""))
    for text in texts:
        assert all(c.isprintable() for c in text), ascii(text)
        assert len(text) < 2000, "the limit is 500 characters"
    assert "red" in "".join(texts)


@pytest.mark.parametrize("depth", [100, 100000])
def test_deep_json_is_no_end(against, depth):
    mount = against({CREATE: (200, {}, b'{"data":' * depth), POLL: success()})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait_state(TEXT, "cat", "unknown")
    mount.drop(TEXT, "dog.txt", "a dog")
    mount.wait_state(TEXT, "dog", "unknown")


def test_a_cookie_is_not_kept(against, hostile, clip):
    mount = against({CREATE: (200, {"Set-Cookie": "JSESSIONID=1; Path=/"},
                              json.dumps(CREATED).encode()),
                     POLL: success(hostile.url + "/v.mp4"),
                     "/v.mp4": (200, {}, campaign.clip_content(clip))})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    assert all("Cookie" not in headers for _, headers, _ in hostile.seen)
