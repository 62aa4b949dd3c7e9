"""The fault matrix: what can go wrong on create, poll, upload and download, and where it must end.

One table. A cell is a rule of the simulator (contrib/simulator/faults.h), the state the job must come
to, and how many creates the simulator may see for it. Timers run 20 times faster (tests/preload/
speed.c), so that the two minutes a create may take, and the pauses after a refusal, fit into `make test`.

Ends: done · again: surely not accepted for now, sent again by itself, then done · held: nothing is sent
until `retry`, then done · failed · unknown: shown with its note, never sent again.
"""
import concurrent.futures
import http.server
import os
import queue
import threading
import traceback

import pytest

import campaign
import harness
from campaign import Drop, Forwarder, preload
from harness import FLAT, HAILUO_23, TEXT, Simulator

SPEED = 20
BENCHES = 6
LONG = os.environ.get("KINOFS_TORTURE")

TRAP = "http://127.0.0.1:{trap}"  # another host, as far as a key is concerned: another port

# way: whose API; then on, do, value, how often, end, creates
CREATE = [
    *[("kie", "create", "http", status, 1, end, creates) for status, end, creates in (
        (400, "failed", 1), (401, "held", 2), (402, "held", 2), (404, "failed", 1),
        (408, "unknown", 1), (422, "failed", 1), (429, "again", 2), (433, "held", 2),
        (455, "again", 2), (500, "unknown", 1), (502, "unknown", 1), (503, "unknown", 1),
        (504, "unknown", 1), (201, "unknown", 1), (204, "unknown", 1))],
    *[("kie", "create", "code", code, 1, end, creates) for code, end, creates in (
        (400, "failed", 1), (401, "held", 2), (402, "held", 2), (404, "failed", 1),
        (408, "unknown", 1), (422, "failed", 1), (429, "again", 2), (433, "held", 2),
        (455, "again", 2), (500, "unknown", 1), (501, "unknown", 1), (505, "failed", 1),
        (200, "unknown", 1), (0, "unknown", 1), (203, "unknown", 1), (599, "unknown", 1),
        (999, "unknown", 1), ("prompt is required", "failed", 1),
        ("Credits insufficient : Your current balance isn't enough", "held", 2),
        ("This interface is temporarily paused.", "failed", 1))],
    *[("pp", "create", "http", status, 1, end, creates) for status, end, creates in (
        (400, "failed", 1), (401, "held", 2), (402, "held", 2), (403, "held", 2),
        (404, "failed", 1), (408, "unknown", 1), (422, "failed", 1), (429, "again", 2),
        (500, "failed", 1), (502, "unknown", 1), (503, "unknown", 1), (504, "unknown", 1))],
    *[("pp", "create", "code", reason, 1, end, creates) for reason, end, creates in (
        ("INVALID_REQUEST_BODY", "failed", 1), ("IMAGE_FILE_EXCEEDS_MAX_SIZE", "failed", 1),
        ("INVALID_IMAGE_FORMAT", "failed", 1), ("IMAGE_EXCEEDS_MAX_RESOLUTION", "failed", 1),
        ("INVALID_IMAGE_SIZE", "failed", 1), ("IMAGE_NO_FACE_DETECTED", "failed", 1),
        ("ILLEGAL_PROMPT", "failed", 1), ("ILLEGAL_IMAGE_CONTENT", "failed", 1),
        ("MISSING_API_KEY", "held", 2), ("BILLING_BALANCE_NOT_ENOUGH", "held", 2),
        ("NOT_ENOUGH_BALANCE", "held", 2), ("INVALID_API_KEY", "held", 2),
        ("FEATURE_NOT_ALLOWED", "held", 2), ("API_NOT_ALLOWED", "held", 2),
        ("NEED_REAL_NAME_VERIFY", "held", 2), ("BILLING_AUTH_FAILED", "held", 2),
        ("API_NOT_FOUND", "failed", 1), ("RATE_LIMIT_EXCEEDED", "again", 2),
        ("BILLING_FAILED", "failed", 1), ("CREATE_TASK_FAILED", "failed", 1),
        ("GET_RESULT_FAILED", "unknown", 1), ("TASK_FAILED", "unknown", 1),
        ("SOMETHING_NEW", "unknown", 1))],
    *[(way, "create", do, value, 1, end, 1) for way in ("kie", "pp") for do, value, end in (
        ("refuse", None, "done"), ("reset_before", None, "unknown"),
        ("reset_after", None, "unknown"), ("delay", 0.5, "done"), ("stall", None, "unknown"),
        ("truncate", None, "unknown"), ("garbage", None, "unknown"), ("html", None, "unknown"),
        ("huge", None, "unknown"), ("fail", "the upstream said no", "failed"),
        ("redirect", "{sim}{create}", "unknown"), ("redirect", TRAP + "/x", "unknown"),
        ("redirect", "file:///etc/passwd", "unknown"))],
]
POLL = [
    *[("kie", "poll", "http", status, times, "done", 1) for status, times in (
        (400, 2), (402, 2), (404, 3), (408, 2), (422, 2), (429, 2), (500, 3), (502, 3), (503, 3),
        (401, 1))],
    *[("kie", "poll", "code", code, times, "done", 1) for code, times in (
        (400, 2), (402, 2), (404, 3), (408, 2), (422, 3), (429, 2), (433, 2), (455, 2), (500, 3),
        (501, 2), (505, 2), (0, 2), (599, 2), ("recordInfo is null", 4), (401, 1))],
    *[("pp", "poll", "http", status, times, "done", 1) for status, times in (
        (400, 2), (404, 3), (408, 2), (422, 2), (429, 2), (500, 3), (502, 3), (503, 3))],
    *[("pp", "poll", "code", reason, times, "done", 1) for reason, times in (
        ("TASK_NOT_FOUND", 4), ("API_NOT_FOUND", 2), ("RATE_LIMIT_EXCEEDED", 2),
        ("GET_RESULT_FAILED", 2), ("TASK_FAILED", 2), ("SOMETHING_NEW", 2),
        ("INVALID_API_KEY", 1))],
    *[(way, "poll", do, value, times, end, 1) for way in ("kie", "pp")
      for do, value, times, end in (
          ("refuse", None, 1, "done"), ("reset_before", None, 2, "done"),
          ("reset_after", None, 2, "done"), ("delay", 0.3, 1, "done"),
          ("stall", None, 1, "done"), ("truncate", None, 2, "done"),
          ("garbage", None, 2, "done"), ("html", None, 2, "done"), ("huge", None, 1, "done"),
          ("fail", "your prompt is forbidden", 1, "failed"), ("expire", None, 1, "done"),
          ("redirect", "{sim}{poll}", 1, "done"), ("redirect", TRAP + "/x", 2, "done"),
          ("redirect", "file:///etc/passwd", 1, "done"))],
]
UPLOAD = [
    *[("up", "upload", "http", status, 1, end, creates) for status, end, creates in (
        (400, "failed", 0), (401, "held", 1), (402, "held", 1), (404, "failed", 0),
        (408, "done", 1), (422, "failed", 0), (429, "done", 1), (433, "held", 1),
        (455, "done", 1), (500, "done", 1), (502, "done", 1), (503, "done", 1))],
    *[("up", "upload", "code", code, 1, end, creates) for code, end, creates in (
        (400, "failed", 0), (401, "held", 1), (402, "held", 1), (408, "done", 1),
        (422, "failed", 0), (429, "done", 1), (433, "held", 1), (455, "done", 1),
        (500, "done", 1), (501, "done", 1), (505, "done", 1), (0, "done", 1),
        (999, "done", 1), ("File type not supported", "failed", 0))],
    *[("up", "upload", do, value, 1, end, creates) for do, value, end, creates in (
        ("refuse", None, "done", 1), ("reset_before", None, "done", 1),
        ("reset_after", None, "done", 1), ("delay", 0.5, "done", 1), ("stall", None, "done", 1),
        ("truncate", None, "done", 1), ("garbage", None, "done", 1), ("html", None, "done", 1),
        ("huge", None, "done", 1), ("redirect", "{sim}/api/file-stream-upload", "failed", 0),
        ("redirect", TRAP + "/x", "failed", 0), ("redirect", "file:///etc/passwd", "failed", 0))],
]
DOWNLOAD = [
    (way, "download", do, value, times, "done", 1) for way in ("kie", "pp")
    for do, value, times in (
        ("http", 400, 2), ("http", 401, 2), ("http", 403, 2), ("http", 404, 2), ("http", 410, 2),
        ("http", 416, 1), ("http", 429, 2), ("http", 500, 2), ("http", 502, 2), ("http", 503, 2),
        ("http", 204, 2), ("reset_before", None, 2), ("reset_after", None, 2),
        ("delay", 0.3, 1), ("stall", None, 1), ("truncate", None, 1), ("garbage", None, 2),
        ("html", None, 2), ("expire", None, 2), ("redirect", TRAP + "/clip.mp4", 1),
        ("redirect", TRAP + "/loop", 1), ("redirect", "http://127.0.0.1:1/", 2),
        ("redirect", "file:///etc/passwd", 1), ("redirect", "ftp://127.0.0.1/x", 1),
        *([("huge", None, 1)] if LONG else []))
]
CELLS = CREATE + POLL + UPLOAD + DOWNLOAD

MODEL = {"kie": TEXT, "pp": FLAT, "up": HAILUO_23}
PATHS = {"create": {"kie": "/api/v1/jobs/createTask", "pp": "/v3/async/" + FLAT},
         "poll": {"kie": "/api/v1/jobs/recordInfo", "pp": "/v3/async/task-result"}}
NOTES = {"failed": ("error", "retry"), "held": ("held", "retry"), "unknown": ("error", "MAY have")}


def cell_id(cell):
    way, on, do, value, *_ = cell
    value = "" if value is None else "-" + str(value)
    return ("%s-%s-%s%s" % (on, way, do, value)).replace("http://127.0.0.1:", "").replace(
        "/", "_").replace(" ", "_")[:70]


# ------------------------------------------------------------------ where a redirect may lead

class Trap:
    """A server of somebody else: whatever reaches it is remembered with its headers."""

    def __init__(self, clip):
        self.requests = []
        trap = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802, the name is the library's
                trap.requests.append((self.command, self.path, dict(self.headers)))
                self.send_response(302 if self.path == "/loop" else 200)
                if self.path == "/loop":
                    self.send_header("Location", "/loop")
                body = campaign.clip_content(clip) if self.path == "/clip.mp4" else b""
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


# ------------------------------------------------------------------ a bench to try cells on

class Bench:
    """A simulator, a way to it that can be closed, a trap and a mount."""

    def __init__(self, directory, clip, libraries):
        os.makedirs(directory)
        self.clip = campaign.clip_content(clip)
        self.sim = Simulator(os.path.join(directory, "sim"), clip=clip, seconds=0)
        self.forwarder = Forwarder(self.sim.port)
        self.trap = Trap(clip)
        url = self.forwarder.url
        self.mount = campaign.CrashMount(
            directory, self.sim, config=campaign.OPEN, expects="error:",
            environment=preload(libraries["speed"], KINOFS_TEST_SPEED=SPEED, KINOFS_KIE_URL=url,
                                KINOFS_KIE_UPLOAD_URL=url, KINOFS_PPINFRA_URL=url))
        self.mount.start()
        self.cells = 0
        self.expected = {}

    def close(self):
        """What went wrong at the end, a list of errors: every part is ended whatever another says."""
        errors = []
        for end in (self.mount.close, self.forwarder.close, self.trap.close, self.stop_sim):
            try:
                end()
            except (AssertionError, OSError) as error:
                errors.append(error)
        return errors

    def stop_sim(self):
        assert self.sim.stop() == 0, "kinofs-sim failed"

    def rule(self, cell):
        way, on, do, value, times, *_ = cell
        rule = {"on": on, "do": do, "times": times}
        if value is not None:
            rule["value"] = value if not isinstance(value, str) else value.format(
                sim=self.sim.url, trap=self.trap.port, create=PATHS["create"].get(way),
                poll=PATHS["poll"].get(way)) if do == "redirect" else value
        return rule

    def try_cell(self, cell):
        way, on, do, _, _, end, creates = cell
        self.cells += 1
        drop = Drop(MODEL[way], "cell%d" % self.cells, pictures=way != "kie",
                    distinct=b"%d" % self.cells)
        del self.trap.requests[:]
        self.sim.faults(*([] if do == "refuse" else [self.rule(cell)]))
        if do == "refuse":
            self.refuse(drop, on)
        else:
            drop.put(self.mount)
        self.await_end(drop, end, do)
        self.expected[drop.mark] = creates
        self.check(drop, cell)

    def refuse(self, drop, on):
        """The port is closed while the job gets there, then opened."""
        mount = self.mount
        if on == "poll":
            self.sim.faults({"on": "poll", "do": "http", "value": 503, "times": 0})
            drop.put(mount)
            mount.wait(lambda: (mount.record(drop.model, drop.name) or {}).get("warning"),
                       "polls to fail")
            self.forwarder.close()
            self.sim.faults()
        else:
            self.forwarder.close()
            drop.put(mount)
        mount.wait(lambda: "connect" in str((mount.record(drop.model, drop.name) or {})
                                            .get("warning")).lower() or on == "upload",
                   "the refusal to be shown")
        self.forwarder.open()

    def await_end(self, drop, end, do):
        states = {"again": "done"}.get(end, end)
        if end == "held":
            record = self.mount.wait_state(drop.model, drop.name, "held")
            assert record["money"] == "No money was spent.", record["money"]
            self.check_note(drop, "held")
            assert "tried again" in self.mount.order("retry %s/%s" % (drop.model, drop.name))
            states = "done"
        self.mount.wait_state(drop.model, drop.name, states)
        if end in NOTES and end != "held":
            self.check_note(drop, end)

    def check_note(self, drop, end):
        kind, words = NOTES[end]
        note = self.mount.note(drop.model, drop.name, kind)
        assert words in note and all(c.isprintable() or c == "\n" for c in note), note
        for key in harness.KEYS.values():
            assert key not in note

    def check(self, drop, cell):
        creates = self.sim.creates(drop.mark)
        assert len(creates) == cell[6], "%d creates, not %d" % (len(creates), cell[6])
        assert sum(bool(entry["task"]) for entry in creates) <= 1, "two accepted tasks"
        videos = campaign.published(self.mount, drop)
        state = self.mount.record(drop.model, drop.name)["state"]
        assert videos == ([self.clip] if state == "done" else []), "published: %d" % len(videos)
        campaign.await_no_leftovers(self.mount)
        if cell[1] == "download":
            assert all("authorization" not in {name.lower() for name in headers}
                       for _, _, headers in self.trap.requests), "the key went elsewhere"
        else:
            assert self.trap.requests == [], "a request with a key was redirected"
        if cell[2] == "redirect" and "{sim}" in cell[3] and cell[1] == "create":
            assert len(creates) == 1, "a create was redirected"

    def check_quiet(self):
        """Much later, by the mount's clock, nothing was sent again."""
        for mark, creates in self.expected.items():
            assert len(self.sim.creates(mark)) == creates, "later: " + mark


@pytest.fixture(scope="module")
def results(request, tmp_path_factory, clip):
    """Cell to the errors it met: every cell selected, tried on a few benches at once. They are tried
    by whoever asks first, once: all that use it belong to one worker (xdist_group)."""
    libraries = campaign.compile_preloads(str(tmp_path_factory.mktemp("preload")))
    work = queue.SimpleQueue()
    for item in request.session.items:
        cell = getattr(item, "callspec", None) and item.callspec.params.get("cell")
        if cell:
            work.put(cell)
    found = {"later": []}

    def serve(number):
        generation = 0
        bench = None
        while True:
            try:
                cell = work.get_nowait()
            except queue.Empty:
                break
            if bench is None:
                name = "bench-%d-%d" % (number, generation)
                bench = Bench(str(tmp_path_factory.mktemp("faults") / name), clip, libraries)
                generation += 1
            try:
                bench.try_cell(cell)
                found[cell] = []
            except Exception as error:  # whatever it is, it is this cell's
                found[cell] = [error, *bench.close()]
                bench = None
        if bench:
            try:
                bench.check_quiet()
            except AssertionError as error:
                found["later"].append(error)
            found["later"] += bench.close()

    with concurrent.futures.ThreadPoolExecutor(BENCHES) as pool:
        for future in [pool.submit(serve, number) for number in range(BENCHES)]:
            future.result()
    return found


def raise_first(errors):
    for error in errors[1:]:
        print("".join(traceback.format_exception(error)))
    if errors:
        raise errors[0]


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("cell", CELLS, ids=cell_id)
def test_fault(results, cell):
    raise_first(results[cell])


@pytest.mark.xdist_group("faults")
def test_nothing_was_sent_again_later(results):
    raise_first(results["later"])


def test_a_connection_without_tls_is_no_connection(kinofs, sim, tmp_path):
    """https to a port that speaks http: the handshake fails before a byte of the request."""
    libraries = campaign.compile_preloads(str(tmp_path / "preload"))
    url = sim.url.replace("http:", "https:")
    mount = kinofs(environment=preload(libraries["speed"], KINOFS_TEST_SPEED=SPEED,
                                       KINOFS_KIE_URL=url))
    mount.drop(TEXT, "cat.txt", "a cat")
    record = mount.wait(lambda: (lambda r: r and r.get("warning") and r)(
        mount.record(TEXT, "cat")), "the failed handshake to be shown")
    assert record["state"] in ("queued", "submitting") and sim.creates() == []
    mount.extra_environment["KINOFS_KIE_URL"] = sim.url
    mount.restart()
    mount.done(TEXT, "cat")
    assert len(sim.creates()) == 1


WRONG = {"text": b"not a video at all\n" * 20, "empty": b""}
OTHER = {"png": harness.png(),
         "pdf": b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n",
         "bin": b"\x7fELF\x02\x01\x01" + bytes(400)}


@pytest.mark.parametrize("kind", [*WRONG, "half"])
def test_what_is_no_whole_video_is_never_published(kinofs, start_sim, tmp_path, clip, kind):
    """Served with its full Content-Length, again and again: paid for, shown, never in out/."""
    libraries = campaign.compile_preloads(str(tmp_path / "preload"))
    whole = campaign.clip_content(clip)
    path = tmp_path / "wrong.mp4"
    path.write_bytes(WRONG.get(kind, whole[:len(whole) // 2]))
    sim = start_sim(clip=str(path), seconds=0)
    mount = kinofs(sim=sim, environment=preload(libraries["speed"], KINOFS_TEST_SPEED=SPEED))
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait(lambda: len(sim.downloads()) >= 3, "the download to be tried again")
    record = mount.record(TEXT, "cat")
    assert record["state"] == "downloading" and record["warning"] and record["links_live_until"]
    assert mount.out(TEXT) == [] and len(sim.creates()) == 1
    path.write_bytes(whole)  # and then the provider mends it
    mount.done(TEXT, "cat")
    assert campaign.clip_content(mount.path(TEXT, "out", "cat.mp4")) == whole


@pytest.mark.parametrize("kind", OTHER)
def test_what_is_whole_but_no_video_is_kept_as_what_it_is(kinofs, start_sim, tmp_path, kind):
    libraries = campaign.compile_preloads(str(tmp_path / "preload"))
    path = tmp_path / "other.mp4"
    path.write_bytes(OTHER[kind])
    sim = start_sim(clip=str(path), seconds=0)
    mount = kinofs(sim=sim, environment=preload(libraries["speed"], KINOFS_TEST_SPEED=SPEED))
    mount.drop(TEXT, "cat.txt", "a cat")
    record = mount.done(TEXT, "cat")
    assert "not the video that the model promises" in mount.note(TEXT, "cat")
    assert mount.out(TEXT) == sorted(["cat." + kind, "cat.error.txt"])
    assert campaign.clip_content(mount.path(TEXT, "out", "cat." + kind)) == OTHER[kind]
    assert record["results"][0]["state"] == "published" and record["results"][0]["type"]
    waited = mount.run("wait", mount.path(TEXT, "cat.txt"))
    assert waited.returncode == 1 and "not the video" in waited.stderr, waited
    assert waited.stdout.splitlines() == [mount.path(TEXT, "out", "cat." + kind)]
    assert len(sim.creates()) == 1 and len(sim.downloads()) <= 5
