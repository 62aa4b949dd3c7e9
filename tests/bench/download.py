"""How long a large result takes from loopback into out/, against `curl -o`; one core each."""
import http.server
import json
import os
import shutil
import statistics
import subprocess
import threading
import time

MODEL = "hailuo/02-text-to-video-pro"


def write_video(path, size):
    """A whole MP4 of this size, of which most is a hole."""
    head = (b"\0\0\0\x18ftypisom\0\0\2\0isommp42"
            b"\0\0\0\x20moov\0\0\0\x08mvhd\0\0\0\x10trak\0\0\0\x08tkhd")
    with open(path, "wb") as file:
        file.write(head + b"\0\0\0\1mdat" + (size - len(head)).to_bytes(8, "big"))
        file.truncate(size)


class Provider(http.server.BaseHTTPRequestHandler):
    """A kie.ai whose every task is done, with the one result there is."""
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *arguments):
        pass

    def say(self, data):
        text = json.dumps({"code": 200, "msg": "success", "data": data}).encode()
        self.head("application/json", len(text))
        self.wfile.write(text)

    def head(self, kind, length):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", '"1"')
        self.end_headers()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.say({"taskId": "task-1"})

    def do_GET(self):
        if not self.path.startswith("/video"):
            self.say({"state": "success", "resultJson": json.dumps(
                {"resultUrls": [self.server.url + "/video.mp4"]})})
            return
        with open(self.server.video, "rb") as file:
            self.head("video/mp4", os.fstat(file.fileno()).st_size)
            self.connection.sendfile(file)


def pin(process):
    """To the first core that is ours."""
    core = {min(os.sched_getaffinity(0))}
    for thread in os.listdir("/proc/%d/task" % process):
        os.sched_setaffinity(int(thread), core)


def by_curl(url, path):
    core = {min(os.sched_getaffinity(0))}
    begin = time.monotonic()
    subprocess.run(["curl", "-sfo", path, url], check=True,
                   preexec_fn=lambda: os.sched_setaffinity(0, core))
    took = time.monotonic() - begin
    os.unlink(path)
    return took


def by_kinofs(mount, store, name):
    """From the first sign of it to the published file, checked and synced."""
    incoming = os.path.join(store, "incoming")
    published = os.path.join(store, "tree", MODEL, "out", name + ".mp4")
    with open(os.path.join(mount.point(), MODEL, name + ".txt"), "w", encoding="ascii") as file:
        file.write("wave number " + name)
    while not os.listdir(incoming):
        time.sleep(0.001)
    begin = time.monotonic()
    while not os.path.exists(published):
        time.sleep(0.005)
    took = time.monotonic() - begin
    os.unlink(published)
    return took


def compare(bench, megabytes, runs, say):
    if not shutil.which("curl"):
        print("without downloads: curl is not installed")
        return
    store = os.path.join(bench.work, "downloads")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    server.daemon_threads = True
    server.url = "http://127.0.0.1:%d" % server.server_port
    server.video = os.path.join(bench.work, "video.mp4")
    write_video(server.video, megabytes << 20)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = {"settle_seconds": 0}
    with bench.kinofs(store=store, config=config,
                      environment={"KINOFS_KIE_URL": server.url}) as mount:
        pin(mount.process.pid)
        curl, ours = [], []
        for number in range(runs):
            curl.append(by_curl(server.url + "/video.mp4", os.path.join(bench.work, "curl.mp4")))
            ours.append(by_kinofs(mount, store, "run%d" % number))
    server.shutdown()
    server.server_close()
    say("a result of %d MiB, one core" % megabytes,
        "%.2f of curl -o (%.2f s), synced and published" %
        (statistics.median(ours) / statistics.median(curl), statistics.median(ours)))
