"""Results: whole or not at all, by a rename through the mount, every one of them, and then the
user's own."""
import contextlib
import http.server
import json
import os
import sqlite3
import queue
import subprocess
import threading

import pytest

import campaign
from harness import FLAT, KEYS, TEXT, lines_until, png, probe, sha256


def content_of(path):
    with open(path, "rb") as file:
        return file.read()


class Watch:
    """inotifywait -m of a folder."""

    def __init__(self, path):
        self.process = subprocess.Popen(["inotifywait", "-m", "--format", "%e %f", path],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while "established" not in self.process.stderr.readline():
            assert self.process.poll() is None, "inotifywait failed"

    def until(self, line):
        """All lines up to this one."""
        return lines_until(self.process, lambda text: text == line)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def watch():
    watches = []

    def run(path):
        watches.append(Watch(path))
        return watches[-1]
    yield run
    for running in watches:
        running.stop()


def test_a_video_appears_whole_by_a_rename_that_inotify_sees(mount, clip, watch):
    watcher = watch(mount.path(TEXT, "out"))
    folders = watch(mount.path(FLAT, "out"))
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop(FLAT, "summer/beach.txt", "waves")
    lines = watcher.until("MOVED_TO cat.mp4")
    video = mount.path(TEXT, "out", "cat.mp4")
    assert os.path.getsize(video) == os.path.getsize(clip)
    assert sha256(content_of(video)) == sha256(content_of(clip))
    assert [line for line in lines if line.endswith(" cat.mp4")] == ["MOVED_TO cat.mp4"], lines
    assert probe(video) == pytest.approx(1, abs=0.1)
    mount.done(TEXT, "cat")
    folders.until("CREATE,ISDIR summer")
    mount.done(FLAT, "summer/beach")
    assert mount.out(FLAT, "summer") == ["beach.mp4"]


def test_notes_come_and_go_by_events_too(mount, watch):
    watcher = watch(mount.path(TEXT, "out"))
    mount.drop_bad(TEXT, "cat.txt", " ")
    watcher.until("MOVED_TO cat.error.txt")
    os.unlink(mount.path(TEXT, "cat.txt"))
    watcher.until("DELETE cat.error.txt")


def test_a_result_is_an_ordinary_file_of_the_user(mount, clip):
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop(TEXT, "dog.txt", "a dog")
    mount.done(TEXT, "cat")
    mount.done(TEXT, "dog")
    out = mount.path(TEXT, "out")
    os.mkdir(os.path.join(out, "best"))
    os.rename(os.path.join(out, "cat.mp4"), os.path.join(out, "best", "tiger.mp4"))
    os.unlink(os.path.join(out, "dog.mp4"))
    os.chmod(os.path.join(out, "best", "tiger.mp4"), 0o600)
    with open(os.path.join(out, "best", "tiger.mp4"), "ab") as file:
        file.write(b"more")
    assert os.path.getsize(os.path.join(out, "best", "tiger.mp4")) == os.path.getsize(clip) + 4
    mount.quiet()
    mount.restart()
    mount.quiet()
    assert mount.out(TEXT) == ["best"] and mount.out(TEXT, "best") == ["tiger.mp4"]
    assert len(mount.sim.creates()) == len(mount.sim.downloads()) == 2
    stored = os.path.join(mount.tree, TEXT, "out", "best", "tiger.mp4")
    assert os.path.getsize(stored) == os.path.getsize(clip) + 4


def test_the_folder_of_results_may_be_away_when_a_video_comes(start_sim, kinofs):
    mount = kinofs(sim=start_sim(seconds=1))
    mount.drop(TEXT, "summer/beach.txt", "waves")
    mount.accepted(TEXT, "summer/beach")
    with pytest.raises(OSError):
        os.rmdir(mount.path(TEXT, "out"))
    subprocess.run(["rm", "-rf", mount.path(TEXT, "summer")], check=True)
    mount.done(TEXT, "summer/beach")
    assert mount.out(TEXT, "summer") == ["beach.mp4"]


def test_result_links_get_no_key(mount):
    """The simulator answers 400 to a link that is asked for with an Authorization header."""
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop(FLAT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    mount.done(FLAT, "cat")
    assert [(entry["auth"], entry["http"]) for entry in mount.sim.downloads()] == [
        (False, 200)] * 2
    asked = [entry for entry in mount.sim.log() if entry not in mount.sim.downloads() and
             not entry["path"].startswith("/sim/")]
    assert len(asked) >= 4 and all(entry["auth"] for entry in asked)
    assert not any(key in json.dumps(mount.sim.log()) for key in KEYS.values())


def test_a_download_that_breaks_off_is_taken_up_again_and_published_once(mount, clip, watch):
    watcher = watch(mount.path(TEXT, "out"))
    mount.sim.faults({"on": "download", "do": "truncate"})
    mount.drop(TEXT, "cat.txt", "a cat")
    lines = watcher.until("MOVED_TO cat.mp4")
    mount.done(TEXT, "cat")
    assert sum(line.endswith("cat.mp4") for line in lines) == 1
    assert content_of(mount.path(TEXT, "out", "cat.mp4")) == content_of(clip)
    assert len(mount.sim.downloads()) == 2 and len(mount.sim.creates()) == 1


@pytest.mark.parametrize("what", ["html", "garbage"])
def test_what_is_no_video_is_not_published(mount, what, watch):
    watcher = watch(mount.path(TEXT, "out"))
    mount.sim.faults({"on": "download", "do": what, "times": 1})
    mount.drop(TEXT, "cat.txt", "a cat")
    lines = watcher.until("MOVED_TO cat.mp4")
    mount.done(TEXT, "cat")
    assert not [line for line in lines if "cat.mp4" not in line and "running" not in line], lines
    assert mount.out(TEXT) == ["cat.mp4"] and len(mount.sim.creates()) == 1
    assert len(mount.sim.downloads()) == 2
    warned = [json.loads(line) for line in mount.read(".kinofs/events.jsonl").splitlines()
              if "warning" in line]
    assert warned and {event["state"] for event in warned} == {"downloading"}


# ------------------------------------------------------------------ what the simulator never says

class Provider(http.server.ThreadingHTTPServer):
    """A kie.ai that says what a test tells it: each query takes the next of `records`, and the
    last one for ever."""
    daemon_threads = True

    def __init__(self, clip):
        super().__init__(("127.0.0.1", 0), Answers)
        self.url = "http://127.0.0.1:%d" % self.server_port
        self.clip = content_of(clip)
        self.records = []
        self.creates = queue.Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def success(self, *names):
        links = ["%s/%s" % (self.url, name) for name in names]
        return {"state": "success", "resultJson": json.dumps({"resultUrls": links})}


class Answers(http.server.BaseHTTPRequestHandler):
    def log_message(self, format, *arguments):
        pass

    def answer(self, data, kind="application/json"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def answer_json(self, data):
        self.answer(json.dumps({"code": 200, "msg": "success", "data": data}).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.creates.put(json.loads(body))
        self.answer_json({"taskId": "task-1"})

    def do_GET(self):
        if "recordInfo" not in self.path:
            self.answer(self.server.clip, "video/mp4")
            return
        records = self.server.records
        self.answer_json({"taskId": "task-1", "model": TEXT,
                          **(records.pop(0) if len(records) > 1 else records[0])})


@pytest.fixture
def provider(clip):
    server = Provider(clip)
    yield server
    server.shutdown()
    server.server_close()


def test_an_unknown_state_means_still_running_and_every_result_becomes_a_file(kinofs, provider):
    provider.records = [{"state": "pondering", "progress": 40, "resultJson": ""},
                        provider.success("a.mp4", "b.mp4", "c.mp4")]
    mount = kinofs(environment={"KINOFS_KIE_URL": provider.url})
    mount.drop(TEXT, "cat.txt", "a cat")
    record = mount.wait(lambda: (mount.record(TEXT, "cat") or {}).get("provider_state") and
                        mount.record(TEXT, "cat"), "the state")
    assert (record["state"], record["provider_state"], record["progress"]) == (
        "running", "pondering", 40)
    record = mount.done(TEXT, "cat")
    assert provider.creates.qsize() == 1
    assert mount.out(TEXT) == ["cat-2.mp4", "cat-3.mp4", "cat.mp4"]
    assert record["outputs"] == [TEXT + "/out/" + name
                                 for name in ("cat.mp4", "cat-2.mp4", "cat-3.mp4")]
    for name in mount.out(TEXT):
        assert content_of(mount.path(TEXT, "out", name)) == provider.clip


def test_success_without_a_link_is_asked_again_because_it_is_paid_for(kinofs, provider):
    provider.records = [{"state": "success", "resultJson": ""}, provider.success("a.mp4")]
    mount = kinofs(environment={"KINOFS_KIE_URL": provider.url})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait(lambda: (mount.record(TEXT, "cat") or {}).get("warning"), "the warning")
    mount.done(TEXT, "cat")
    assert mount.out(TEXT) == ["cat.mp4"] and provider.creates.qsize() == 1


SOUND = (b"\xff\xfb\x90\x64" + bytes(413)) * 3  # frames of an MP3


class Makers(Answers):
    """A provider that calls a task as the model's folder, and has these files."""
    files = {"a.png": png(), "b.png": png(colour=(1, 2, 3)), "a.mp3": SOUND, "cut.mp3": SOUND[:-1]}

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.creates.put(body)
        self.answer_json({"taskId": body["model"].rpartition("/")[2]})

    def do_GET(self):
        path, _, task = self.path.partition("?taskId=")
        if task:
            record = {"taskId": task, **self.server.success(*self.server.made[task])}
            if task == "frames":
                record["resultJson"] = json.dumps({
                    **json.loads(record["resultJson"]),
                    "lastFrameUrl": [self.server.url + "/b.png"]})
            self.answer_json(record)
        elif path[1:] in self.files:
            self.answer(self.files[path[1:]], "application/octet-stream")
        else:
            super().do_GET()


def test_pictures_and_sound_are_results_of_models_that_make_them(kinofs, provider):
    mount = kinofs(start=False, environment={"KINOFS_KIE_URL": provider.url})
    provider.RequestHandlerClass = Makers
    provider.made = {"pictures": ["a.png", "b.png"], "sound": ["a.mp3"], "frames": ["a.mp4"],
                     "wrong": ["a.png", "a.mp3"], "cut": ["cut.mp3"]}
    folder = os.path.join(mount.home, "config", "kinofs", "models", "my")
    os.makedirs(folder)
    for name, result in (("pictures", "image"), ("sound", ["audio"]), ("frames", "video"),
                         ("wrong", "audio"), ("cut", "audio")):
        with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as file:
            json.dump({"$id": "my/" + name, "title": name, "x-kinofs-provider": "kie",
                       "x-kinofs-prompt": "prompt", "x-kinofs-result": result,
                       "properties": {"prompt": {"type": "string"}}, "required": ["prompt"]}, file)
    mount.start()
    paths = {name: mount.drop("my/" + name, "cat.txt", "a cat") for name in provider.made}
    wanted = {"pictures": {"cat.png": Makers.files["a.png"], "cat-2.png": Makers.files["b.png"]},
              "sound": {"cat.mp3": SOUND},
              "frames": {"cat.mp4": provider.clip, "cat-2.png": Makers.files["b.png"]}}
    for name, files in wanted.items():
        waited = mount.run("wait", paths[name])
        assert waited.returncode == 0 and len(waited.stdout.splitlines()) == len(files), waited
        assert {file: content_of(mount.path("my", name, "out", file))
                for file in mount.out("my/" + name)} == files
    assert ("Result 1 of 2: It is image/png, not the sound that the model promises."
            in mount.note("my/wrong", "cat"))
    assert mount.out("my/wrong") == ["cat-2.mp3", "cat.error.txt", "cat.png"]
    mount.wait(lambda: (mount.record("my/cut", "cat") or {}).get("warning"), "a warning")
    assert mount.record("my/cut", "cat")["state"] == "downloading"
    mount.drop("my/pictures", "dog.txt", "a cat")
    assert "; its picture is my/pictures/out/cat.png" in mount.note("my/pictures", "dog", "held")
    assert {os.stat(mount.path("out", name)).st_ino for name in os.listdir(mount.path("out"))} >= {
        os.stat(mount.path("my", name, "out", file)).st_ino
        for name, files in wanted.items() for file in files}


LIVE = b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\x01" + b"\xff" * 7


class Careless(Answers):
    """Results of which one is dead, one a picture, and one breaks off in the middle, of a kind that
    does not show where it ends; then there is another version of it."""
    versions = (LIVE + b"one." * 9000000, LIVE + b"two." * 9000000)

    def do_GET(self):
        name = self.path.rpartition("/")[2]
        if name == "x.png":
            self.answer(png(), "image/png")
        elif name == "dead.mp4":
            self.send_error(404)
        elif name == "live.webm":
            self.live(len(self.server.asked))
        else:
            super().do_GET()

    def live(self, number):
        data = self.versions[min(number, 1)]
        self.server.asked.append((self.headers["Range"], self.headers["If-Range"]))
        self.send_response(200)
        self.send_header("ETag", '"version %d"' % number)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if number:
            self.wfile.write(data)
            return
        self.wfile.write(data[:len(data) // 2])
        self.server.over.wait()


def sizes_in(folder):
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # it may be published meanwhile
            yield os.stat(os.path.join(folder, name)).st_size


@pytest.mark.parametrize("end", ["unmount", "kill9", "kill9 after a while"])
def test_a_good_result_comes_whole_whatever_the_others_and_the_mount_do(
        kinofs, provider, tmp_path, end):
    environment = {"KINOFS_KIE_URL": provider.url}
    if end == "kill9 after a while":
        libraries = campaign.compile_preloads(str(tmp_path / "preload"))
        environment.update(campaign.preload(libraries["speed"], KINOFS_TEST_SPEED=30))
    provider.RequestHandlerClass = Careless
    provider.asked, provider.over = [], threading.Event()
    provider.records = [provider.success("dead.mp4", "x.png", "live.webm")]
    mount = kinofs(environment=environment)
    mount.drop(TEXT, "cat.txt", "a cat")
    half = len(Careless.versions[0]) // 2
    mount.wait(lambda: half in sizes_in(os.path.join(mount.store, "incoming")), "half of the video")
    if end == "kill9 after a while":
        mount.wait(mount.is_kept, "what came so far to be synced")
    getattr(mount, end.split()[0])()
    if end != "unmount":
        subprocess.run(["fusermount3", "-u", "-z", mount.root], check=True)
    provider.over.set()
    mount.start()
    mount.wait(lambda: "cat-3.webm" in mount.out(TEXT), "the video")
    assert content_of(mount.path(TEXT, "out", "cat-3.webm")) == Careless.versions[1]
    assert content_of(mount.path(TEXT, "out", "cat-2.png")) == png()
    record = mount.record(TEXT, "cat")
    assert record["state"] == "downloading" and "Result 1 of 3" in record["warning"]
    assert [result["state"] for result in record["results"]] == ["waiting", "published",
                                                                 "published"]
    if end != "kill9":
        assert provider.asked[1] == ("bytes=%d-" % half, '"version 0"')
    else:
        assert provider.asked[1] == (None, None)


def test_the_note_of_a_job_goes_with_its_name(mount):
    mount.sim.faults({"on": "create", "do": "code", "value": 422})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait_state(TEXT, "cat", "failed")
    mount.note(TEXT, "cat")
    os.rename(mount.path(TEXT, "cat.txt"), mount.path(TEXT, "tiger.txt"))
    mount.wait(lambda: mount.out(TEXT) == ["tiger.error.txt"], "the note's new name")
    assert mount.note(TEXT, "tiger").startswith("tiger failed")


def test_a_video_that_cannot_be_published_is_not_downloaded_again(mount):
    in_the_way = mount.path(TEXT, "out", "summer")
    with open(in_the_way, "wb") as file:
        file.write(b"a file where a folder is needed")
    mount.expects = "cannot publish"
    mount.drop(TEXT, "summer/beach.txt", "waves")
    mount.wait(lambda: "out/" in str((mount.record(TEXT, "summer/beach") or {}).get("warning")),
               "the warning")
    os.unlink(in_the_way)
    mount.done(TEXT, "summer/beach")
    assert len(mount.sim.downloads()) == 1


def test_a_video_that_was_named_and_is_nowhere_is_fetched_again(mount):
    """As a power failure may leave it, when the part file's own entry was not on the disk yet."""
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    mount.unmount()
    os.unlink(os.path.join(mount.tree, TEXT, "out", "cat.mp4"))
    journal = sqlite3.connect(os.path.join(mount.store, "journal.db"))
    journal.execute("UPDATE job SET state = 'downloading',"
                    " outputs = json_remove(outputs, '$[0].published')")
    journal.commit()
    journal.close()
    mount.start()
    mount.done(TEXT, "cat")
    assert mount.out(TEXT) == ["cat.mp4"]
    assert len(mount.sim.creates()) == 1 and len(mount.sim.downloads()) == 2
