"""kinofs-sim by itself: the two APIs, the videos, the faults, the log.

No mount is needed. KINOFS_BUILD names the directory with kinofs-sim (default: build).
"""
import base64
import concurrent.futures
import contextlib
import glob
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import struct
import subprocess
import time
import urllib.parse
import zlib

import pytest

PROGRAM = os.path.join(os.environ.get("KINOFS_BUILD", "build"), "kinofs-sim")
CREATE = "/api/v1/jobs/createTask"
HAILUO_PP = "/v3/async/minimax-hailuo-02"
KEY = {"Authorization": "Bearer test-key"}
TEXT_MODEL = "hailuo/02-text-to-video-pro"

# The example bodies of the five pages, and the seconds each asks for.
EXAMPLES = [
    (CREATE, 6, {
        "model": "hailuo/2-3-image-to-video-pro",
        "callBackUrl": "https://your-domain.com/api/callback",
        "input": {
            "prompt": "一位优雅的艺伎在室内表演传统日本舞蹈。她身着带有金色花卉刺绣的华贵红色和服，"
                      "搭配白色腰带与白色分趾袜。",
            "image_url": "https://file.aiquickdraw.com/custom-page/akr/section-images/"
                         "1761736831884xl56xfiw.webp",
            "duration": "6",
            "resolution": "768P"}}),
    (CREATE, 10, {
        "model": "hailuo/02-image-to-video-standard",
        "callBackUrl": "https://your-domain.com/api/callback",
        "input": {
            "prompt": "史诗级航拍镜头：一名孤独的武士伫立在嶙峋的山峰之巅，漫天樱花花瓣随风狂舞。",
            "image_url": "https://file.aiquickdraw.com/custom-page/akr/section-images/"
                         "17585207681646umf3lz8.png",
            "end_image_url": "https://file.aiquickdraw.com/custom-page/akr/section-images/"
                             "1758521423357w8586uq8.png",
            "duration": "10",
            "resolution": "768P",
            "prompt_optimizer": True}}),
    (CREATE, 6, {
        "model": "hailuo/02-text-to-video-pro",
        "callBackUrl": "https://your-domain.com/api/callback",
        "input": {
            "prompt": "高俯角宽景中近景跟拍镜头，以两米高度极速掠过史前蕨类植物和苔藓覆盖的地面，"
                      "写实画质——原生未修饰。",
            "prompt_optimizer": True}}),
    (CREATE, 5, {
        "model": "bytedance/v1-pro-image-to-video",
        "callBackUrl": "https://your-domain.com/api/callback",
        "input": {
            "prompt": "一只金毛犬在海滩的浅浪中奔跑，镜头从后方低角度贴近水面拍摄",
            "image_url": "https://file.aiquickdraw.com/custom-page/akr/section-images/"
                         "1755179021328w1nhip18.webp",
            "resolution": "720p",
            "duration": "5",
            "camera_fixed": False,
            "seed": -1,
            "enable_safety_checker": True}}),
    (HAILUO_PP, 6, {
        "image": "https://static.ppinfra.com/docs/assets/minimax-hailuo-video-02-input-image.jpg",
        "prompt": "戴着太阳镜的毛茸茸的熊猫在日出时的雪山顶上跳舞，左移运镜",
        "duration": 6,
        "resolution": "768P",
        "enable_prompt_expansion": True}),
]


def png(width, height, colour):
    """A PNG of one colour."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    rows = (b"\0" + bytes(colour) * width) * height
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Simulator:
    def __init__(self, directory, *options):
        self.log_path = os.path.join(directory, "requests.log")
        self.temporary = os.path.join(directory, "tmp")
        os.makedirs(self.temporary, exist_ok=True)
        self.process = subprocess.Popen(
            [PROGRAM, "--log", self.log_path, *options], stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, TMPDIR=self.temporary))
        line = self.process.stdout.readline()
        match = re.fullmatch(r"kinofs-sim listening on (http://127\.0\.0\.1:(\d+))\n", line)
        assert match, line
        self.base, self.port = match[1], int(match[2])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=5)
        self.process.stdout.close()
        return status

    def call(self, method, path, body=None, headers=KEY, timeout=10):
        if path.startswith(self.base):
            path = path[len(self.base):]
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = dict(headers)
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path, headers=KEY, **options):
        return self.call("GET", path, headers=headers, **options)

    def create(self, body=None, path=CREATE, **options):
        return self.call("POST", path, text_job() if body is None else body, **options)

    def upload(self, content, folder="images/tests", name="cat.png"):
        mark = b"----boundary1234"
        parts = []
        for field, value in (("uploadPath", folder), ("fileName", name)):
            if value is not None:
                parts.append(b'Content-Disposition: form-data; name="%s"\r\n\r\n%s' %
                             (field.encode(), value.encode()))
        parts.append(b'Content-Disposition: form-data; name="file"; filename="local.png"\r\n'
                     b"Content-Type: image/png\r\n\r\n" + content)
        body = b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts)
        return self.call("POST", "/api/file-stream-upload", body + b"--" + mark + b"--\r\n", dict(
            KEY, **{"Content-Type": "multipart/form-data; boundary=" + mark.decode()}))

    def poll(self, task):
        if "-" in task:
            return self.get("/v3/async/task-result?task_id=" + task)
        return self.get("/api/v1/jobs/recordInfo?taskId=" + task)

    def finish(self, task):
        """Polls to the end; the last record, kie.ai's data or PPInfra's whole body."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            answer = self.poll(task).json
            state = answer["data"]["state"] if "data" in answer else answer["task"]["status"]
            if state in ("success", "fail", "TASK_STATUS_SUCCEED", "TASK_STATUS_FAILED"):
                return answer.get("data", answer)
            time.sleep(0.05)
        raise AssertionError("the task never ended")

    def faults(self, *rules):
        return self.call("POST", "/sim/faults", list(rules))

    def count_sockets(self):
        """Open sockets of the program; one is the one it listens on."""
        directory = "/proc/%d/fd" % self.process.pid
        count = 0
        for name in os.listdir(directory):
            with contextlib.suppress(FileNotFoundError):
                count += os.readlink(os.path.join(directory, name)).startswith("socket:")
        return count

    def children(self):
        pids = []
        for file in glob.glob("/proc/%d/task/*/children" % self.process.pid):
            with contextlib.suppress(OSError), open(file, encoding="ascii") as children:
                pids += [int(pid) for pid in children.read().split()]
        return pids

    def stats(self):
        return self.get("/sim/stats").json

    def log(self):
        with open(self.log_path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


def text_job(prompt="a cat", **fields):
    return {"model": TEXT_MODEL, "input": {"prompt": prompt, **fields}}


def task_of(answer):
    body = answer.json
    return body["task_id"] if "task_id" in body else body["data"]["taskId"]


def link_of(record):
    if "videos" in record:
        return record["videos"][0]["video_url"]
    return json.loads(record["resultJson"])["resultUrls"][0]


@pytest.fixture
def start(tmp_path):
    running = []

    def run(*options):
        simulator = Simulator(str(tmp_path), *options)
        running.append(simulator)
        return simulator
    yield run
    for simulator in running:
        assert simulator.process.poll() is not None or simulator.stop() == 0
        assert simulator.process.returncode == 0
        assert os.listdir(simulator.temporary) == [], "the temporary directory is left behind"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    path.write_bytes(os.urandom(50000))
    return str(path)


@pytest.fixture
def quick(start, clip):
    """Tasks end at once, with a clip, without a limit."""
    return start("--seconds", "0", "--rate", "0", "--clip", clip)


def probe(path):
    text = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "format=duration:stream=codec_name,pix_fmt",
         "-of", "json", path], check=True, capture_output=True).stdout
    found = json.loads(text)
    return float(found["format"]["duration"]), found["streams"]


def frame(path, at):
    """The mean colour of the upper half of the frame at this second."""
    pixel = subprocess.run(
        ["ffmpeg", "-v", "error", "-ss", str(at), "-i", path, "-frames:v", "1", "-vf",
         "crop=iw:ih/3:0:0,scale=1:1:flags=area,format=rgb24", "-f", "rawvideo", "-"],
        check=True, capture_output=True).stdout
    return tuple(pixel[:3])


# Videos

def test_example_bodies_of_the_pages_make_videos_of_the_right_length(start, tmp_path):
    simulator = start("--seconds", "0.2")
    tasks = [(task_of(simulator.create(body, path)), seconds)
             for path, seconds, body in EXAMPLES]
    for task, seconds in tasks:
        video = simulator.get(link_of(simulator.finish(task)), headers={})
        assert video.status == 200 and video.headers["Content-Type"] == "video/mp4"
        path = tmp_path / "video.mp4"
        path.write_bytes(video.body)
        duration, streams = probe(str(path))
        assert duration == pytest.approx(seconds, abs=0.01)
        assert [(s["codec_name"], s["pix_fmt"]) for s in streams] == [("h264", "yuv420p")]
        assert video.body.index(b"moov") < video.body.index(b"mdat"), "not faststart"


def test_video_shows_the_uploaded_pictures(start, tmp_path):
    simulator = start("--seconds", "0")
    first = simulator.upload(png(64, 48, (200, 20, 20)), name="erste Seite ü.png").json["data"]
    last = simulator.upload(png(40, 40, (20, 20, 200)), name="last.png").json["data"]
    record = simulator.finish(task_of(simulator.create({
        "model": "hailuo/02-image-to-video-standard",
        "input": {"prompt": "red, then blue", "duration": "6", "image_url": first["downloadUrl"],
                  "end_image_url": last["downloadUrl"]}})))
    path = tmp_path / "video.mp4"
    path.write_bytes(simulator.get(link_of(record), headers={}).body)
    red, blue = frame(str(path), 1), frame(str(path), 5.8)
    assert red[0] > 150 and red[2] < 80, red
    assert blue[2] > 150 and blue[0] < 80, blue


def test_a_ten_second_video_takes_less_than_a_second_and_a_half(start):
    simulator = start("--seconds", "0")
    link = simulator.upload(png(1600, 1200, (90, 120, 30))).json["data"]["downloadUrl"]
    begun = time.monotonic()
    simulator.finish(task_of(simulator.create({
        "model": "hailuo/02-image-to-video-standard",
        "input": {"prompt": "green", "image_url": link, "end_image_url": link}})))
    assert time.monotonic() - begun < 1.5


@pytest.mark.parametrize("prompt", [
    "%{pts} ' : ; , [x] \\ \\\\ = drawtext=text='x' | $(id) `id` \" end",
    "-i /etc/passwd -y out.mp4",
    "x" * 1500,
    "漢字" * 400,
    "\u0001\u200b\u202e🎬 مرحبا שלום \t\r\n\r\n tab",
])
def test_any_prompt_can_be_a_caption(start, prompt):
    simulator = start("--seconds", "0")
    assert simulator.finish(task_of(simulator.create(text_job(prompt))))["state"] == "success"


def test_a_picture_that_cannot_be_decoded_fails_the_task_for_free(start):
    simulator = start("--seconds", "0")
    broken = png(64, 48, (1, 2, 3))[:60]
    link = simulator.upload(broken).json["data"]["downloadUrl"]
    record = simulator.finish(task_of(simulator.create({
        "model": "hailuo/2-3-image-to-video-pro", "input": {"prompt": "x", "image_url": link}})))
    assert record["state"] == "fail" and record["creditsConsumed"] == 0
    assert simulator.get("/api/v1/chat/credit").json["data"] == 100000


def test_links_serve_ranges_and_refuse_a_leaked_key(quick, clip):
    link = link_of(quick.finish(task_of(quick.create())))
    with open(clip, "rb") as file:
        content = file.read()
    assert quick.get(link, headers={}).body == content
    assert quick.get(link).status == 400
    for header, span in (("bytes=100-199", content[100:200]), ("bytes=49990-", content[49990:]),
                         ("bytes=-7", content[-7:]), ("bytes=0-999999", content)):
        part = quick.get(link, headers={"Range": header})
        assert (part.status, part.body) == (206, span)
    assert part.headers["Content-Range"] == "bytes 0-49999/50000"
    assert quick.get(link, headers={"Range": "bytes=50000-"}).status == 416
    assert quick.get(link, headers={"Range": "lines=1-2"}).body == content
    assert quick.log()[-1]["range"] == "lines=1-2"
    head = quick.call("HEAD", link, headers={})
    assert (head.status, head.headers["Content-Length"], head.body) == (200, "50000", b"")


# kie.ai

def test_kie_record_follows_the_recorded_traffic(start, clip):
    simulator = start("--seconds", "0.6", "--clip", clip)
    body = text_job("Ü 猫")
    body["callBackUrl"] = "https://example.org/hook"
    answer = simulator.create(body)
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.json["data"]["taskId"] == answer.json["data"]["recordId"]
    task = task_of(answer)
    assert re.fullmatch("[0-9a-f]{32}", task)
    record = simulator.poll(task).json["data"]
    assert list(record) == ["taskId", "model", "state", "param", "resultJson", "failCode",
                            "failMsg", "costTime", "completeTime", "createTime"]
    assert record["state"] == "waiting" and record["resultJson"] == ""
    assert record["failCode"] is record["failMsg"] is record["costTime"] is None
    param = json.loads(record["param"])
    assert list(param) == ["input", "callBackUrl", "model"]
    assert json.loads(param["input"]) == body["input"]
    time.sleep(0.3)
    assert simulator.poll(task).json["data"]["state"] == "generating"
    record = simulator.finish(task)
    assert record["state"] == "success" and record["failCode"] is None
    assert record["costTime"] == 1 and record["creditsConsumed"] == 57
    assert record["completeTime"] - record["createTime"] == pytest.approx(600, abs=2)
    assert simulator.get("/api/v1/chat/credit").json == {
        "code": 200, "msg": "success", "data": 99943}


@pytest.mark.parametrize("body, code, text", [
    ({"model": "sora-3", "input": {}}, 422,
     "The model name you specified is not supported. Please verify your input and use one of the "
     "supported models provided by KIE."),
    ({"model": "minimax-hailuo-02", "input": {"prompt": "x"}}, 422, None),
    ({"model": TEXT_MODEL}, 500, "input is required"),
    (text_job(None), 500, "prompt is required"),
    (text_job("  "), 500, "prompt is required"),
    (text_job("é" * 1501), 500, "prompt exceeds the maximum length of 1500"),
    (text_job(duration="6"), 500, "duration is not a parameter of this model"),
    (text_job(prompt_optimizer="true"), 500, "prompt_optimizer must be a boolean"),
    ({**text_job(), "callBackUrl": "here"}, 500, "callBackUrl must be a URL"),
    ({**text_job(), "$schema": "x"}, 500, "$schema is not a parameter of createTask"),
    ({"model": "hailuo/2-3-image-to-video-pro", "input": {"prompt": "x"}}, 500,
     "image_url is required"),
    ({"model": "hailuo/2-3-image-to-video-pro",
      "input": {"prompt": "x", "image_url": "data:image/png;base64,AAAA"}}, 500,
     "image_url must be a URL"),
    ({"model": "hailuo/2-3-image-to-video-pro",
      "input": {"prompt": "x", "image_url": "https://a/b", "duration": 6}}, 500,
     "duration is not within the range of allowed options"),
    ({"model": "hailuo/2-3-image-to-video-pro",
      "input": {"prompt": "x", "image_url": "https://a/b", "resolution": "768p"}}, 500,
     "resolution is not within the range of allowed options"),
    ({"model": "hailuo/2-3-image-to-video-pro",
      "input": {"prompt": "x", "image_url": "https://a/b", "duration": "10",
                "resolution": "1080P"}}, 500, None),
    ({"model": "bytedance/v1-pro-image-to-video",
      "input": {"prompt": "x", "image_url": "https://a/b", "seed": 1.5}}, 500,
     "seed is not within the range of allowed options"),
])
def test_kie_refuses_under_http_200_with_a_code(quick, body, code, text):
    answer = quick.create(body)
    assert answer.status == 200
    assert answer.json["code"] == code and answer.json["data"] is None
    assert text is None or answer.json["msg"] == text
    assert quick.stats()["creates"] == {
        "accepted": 0, "refused": 1, "rate_limited": 0, "max_in_10s": 1}


def test_kie_keys_paths_and_unknown_tasks(quick):
    for headers in ({}, {"Authorization": "Bearer invalid-key"}, {"Authorization": "bare"}):
        answer = quick.create(headers=headers)
        assert answer.status == 200
        assert answer.json == {"code": 401, "msg": "Unauthorized \u2013 Authentication failed. "
                               "Please check that your Authorization and Content-Type headers "
                               "are correctly set."}
    wrong_type = quick.call("POST", CREATE, b"{}", dict(KEY, **{"Content-Type": "text/plain"}))
    assert wrong_type.json["code"] == 401
    assert quick.poll("0" * 32).json == {
        "code": 422, "msg": "recordInfo is null", "data": None}
    assert quick.get("/api/v1/jobs/recordInfo").json["code"] == 400
    nowhere = quick.get("/api/v1/nowhere")
    assert (nowhere.status, nowhere.json["path"]) == (404, "/api/v1/nowhere")
    assert quick.get(CREATE).status == 405


def test_kie_bills_successes_only_and_holds_what_runs(start, clip):
    simulator = start("--credits", "120", "--seconds", "0.5", "--clip", clip)
    tasks = [task_of(simulator.create()) for _ in range(2)]
    refused = simulator.create()
    assert (refused.status, refused.json["code"]) == (200, 402)
    assert refused.json["msg"].startswith("Credits insufficient : ")
    simulator.faults({"on": "poll", "do": "fail", "value": "no"})
    assert simulator.poll(tasks[0]).json["data"]["failMsg"] == "no"
    third = task_of(simulator.create())
    for task in (tasks[1], third):
        assert simulator.finish(task)["state"] == "success"
    assert simulator.stats()["credits"] == 120 - 2 * 57


@pytest.mark.parametrize("model, fields, price", [
    ("hailuo/2-3-image-to-video-pro", {}, 45),
    ("hailuo/2-3-image-to-video-pro", {"resolution": "1080P"}, 80),
    ("hailuo/2-3-image-to-video-pro", {"duration": "10"}, 90),
    ("hailuo/02-image-to-video-standard", {}, 50),
    ("hailuo/02-image-to-video-standard", {"duration": "6", "resolution": "512P"}, 12),
    ("bytedance/v1-pro-image-to-video", {}, 30),
    ("bytedance/v1-pro-image-to-video", {"duration": "10", "resolution": "480p"}, 28),
    ("bytedance/v1-pro-image-to-video", {"duration": "10", "resolution": "1080p"}, 140),
])
def test_kie_prices(quick, model, fields, price):
    record = quick.finish(task_of(quick.create({
        "model": model, "input": {"prompt": "x", "image_url": "https://a/b.png", **fields}})))
    assert record["creditsConsumed"] == pytest.approx(price)


def test_kie_fresh_link(quick):
    link = link_of(quick.finish(task_of(quick.create())))
    fresh = quick.call("POST", "/api/v1/common/download-url", {"url": link}).json["data"]
    assert quick.get(fresh, headers={}).status == 200
    foreign = quick.call("POST", "/api/v1/common/download-url", {"url": "https://a/b.mp4"})
    assert foreign.json == {"code": 422, "msg": "url is wrong", "data": None}


# Uploads

def test_uploads_come_back_under_their_link(quick):
    content = png(30, 20, (1, 2, 3))
    stream = quick.upload(content, "images/tests", "Kätzchen 1.png").json
    assert stream["success"] is True and stream["code"] == 200
    data = stream["data"]
    assert data["fileName"] == "Kätzchen 1.png" and data["mimeType"] == "image/png"
    assert data["fileSize"] == len(content)
    assert data["filePath"].endswith("/images/tests/Kätzchen 1.png")
    assert quick.get(data["downloadUrl"], headers={}).body == content
    encoded = base64.b64encode(content).decode()
    for text in (encoded, "data:image/png;base64," + encoded):
        answer = quick.call("POST", "/api/file-base64-upload",
                            {"base64Data": text, "uploadPath": "b"}).json["data"]
        assert re.fullmatch(r"\d{13}-[0-9a-f]{11}\.png", answer["fileName"])
        assert quick.get(answer["downloadUrl"], headers={}).body == content
    copied = quick.call("POST", "/api/file-url-upload", {
        "fileUrl": data["downloadUrl"], "uploadPath": "c", "fileName": "c.png"}).json["data"]
    assert quick.get(copied["downloadUrl"], headers={}).body == content
    entry = next(e for e in quick.log() if e["path"] == "/api/file-stream-upload")
    assert entry["body"]["file"] == {"filename": "local.png", "bytes": len(content),
                                     "sha256": hashlib.sha256(content).hexdigest()}


def test_uploads_are_checked(quick):
    content = png(30, 20, (1, 2, 3))
    for folder, name, text in ((None, "a.png", "uploadPath is required"),
                               ("/images", "a.png", "uploadPath is invalid"),
                               ("images/../..", "a.png", "uploadPath is invalid"),
                               ("images", "../a.png", "fileName is invalid")):
        answer = quick.upload(content, folder, name)
        assert (answer.status, answer.json) == (
            200, {"success": False, "code": 400, "msg": text})
    text = quick.upload(b"no picture at all", name="a.png").json["data"]
    for link, problem in ((text["downloadUrl"], "File type not supported"),
                          (quick.base + "/kieai/sim/none.png",
                           "The picture could not be downloaded")):
        answer = quick.create({"model": "hailuo/2-3-image-to-video-pro",
                               "input": {"prompt": "x", "image_url": link}})
        assert (answer.json["code"], answer.json["msg"]) == (500, problem)


def test_a_body_over_the_limit_is_refused(quick):
    answer = quick.call("POST", CREATE, b" " * ((64 << 20) + 1), timeout=30)
    assert answer.status == 413


# PPInfra

def test_ppinfra_task_follows_the_recorded_traffic(start, clip):
    simulator = start("--seconds", "0.4", "--clip", clip)
    answer = simulator.create({"prompt": "x", "duration": 10}, HAILUO_PP,
                              headers={"Authorization": "bare-key"})
    assert answer.status == 200
    task = answer.json["task_id"]
    assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
                        task)
    assert simulator.poll(task).json == {
        "audios": [], "extra": {}, "images": [], "videos": [],
        "task": {"eta": 0, "progress_percent": 0, "reason": "", "status": "TASK_STATUS_QUEUED",
                 "task_id": task, "task_type": "MINIMAX_HAILUO_02_10S_768P"}}
    record = simulator.finish(task)
    assert record["task"]["progress_percent"] == 0
    video = record["videos"][0]
    assert video["video_type"] == "mp4" and video["video_url_ttl"] == "0"
    link = video["video_url"]
    assert "?q-sign-algorithm=sha1&" in link
    assert simulator.get(link, headers={}).status == 200
    start_time, end_time = re.search(r"q-sign-time=(\d+);(\d+)", link).groups()
    assert int(end_time) - int(start_time) == 3600
    for spoilt in (link.split("?")[0], link.replace(end_time, str(int(end_time) + 9))):
        refused = simulator.get(spoilt, headers={})
        assert refused.status == 403 and refused.body.startswith(b"<?xml")
    assert simulator.get("/v3/user").json == {"credit_balance": 100000}


def data_uri(content, mime="image/png"):
    return "data:%s;base64,%s" % (mime, base64.b64encode(content).decode())


def test_ppinfra_takes_pictures_inside_the_body(start, tmp_path):
    simulator = start("--seconds", "0")
    content = png(90, 160, (10, 180, 20))
    task = task_of(simulator.create(
        {"prompt": "x", "image": data_uri(content), "end_image": data_uri(content)}, HAILUO_PP))
    path = tmp_path / "video.mp4"
    path.write_bytes(simulator.get(link_of(simulator.finish(task)), headers={}).body)
    green = frame(str(path), 2)
    assert green[1] > 140 and green[0] < 70, green
    entry = next(e for e in simulator.log() if e["task"] == task)
    assert entry["body"]["image"] == "data:image/png;base64,<%d bytes, sha256 %s>" % (
        len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("fields, status, reason", [
    ({"prompt": None}, 400, "INVALID_REQUEST_BODY"),
    ({"prompt": "x" * 2001}, 400, "INVALID_REQUEST_BODY"),
    ({"duration": "6"}, 400, "INVALID_REQUEST_BODY"),
    ({"duration": 7}, 400, "INVALID_REQUEST_BODY"),
    ({"duration": 10, "resolution": "1080P"}, 400, "INVALID_REQUEST_BODY"),
    ({"model": "minimax-hailuo-02"}, 400, "INVALID_REQUEST_BODY"),
    ({"image": "cat.png"}, 400, "INVALID_REQUEST_BODY"),
    ({"image": data_uri(b"no picture")}, 400, "INVALID_IMAGE_FORMAT"),
    ({"image": data_uri(png(30, 20, (1, 2, 3)), "image/jpeg")}, 400, "INVALID_IMAGE_FORMAT"),
    ({"image": "data:image/png;base64,!!!!"}, 400, "INVALID_IMAGE_FORMAT"),
    ({"image": data_uri(png(30, 20, (1, 2, 3)) + bytes(20 << 20))}, 400,
     "IMAGE_FILE_EXCEEDS_MAX_SIZE"),
])
def test_ppinfra_refuses_with_real_statuses(quick, fields, status, reason):
    answer = quick.create({"prompt": "x", **fields}, HAILUO_PP)
    assert answer.status == status
    assert list(answer.json) == ["code", "reason", "message", "metadata"]
    assert (answer.json["code"], answer.json["reason"]) == (status, reason)


def test_ppinfra_keys_paths_and_unknown_tasks(quick):
    for headers in ({}, {"Authorization": "Bearer invalid"}):
        answer = quick.create({"prompt": "x"}, HAILUO_PP, headers=headers)
        assert (answer.status, answer.json) == (403, {
            "code": 403, "reason": "INVALID_API_KEY", "message": "invalid api-key",
            "metadata": {}})
    for path, reason in (("/v3/async/task-result?task_id=none", "TASK_NOT_FOUND"),
                         ("/v3/async/none", "API_NOT_FOUND")):
        answer = quick.get(path)
        assert (answer.status, answer.json["reason"]) == (404, reason)
    accepted = quick.create({"prompt": "x", "image_url": "https://a/b.png"}, HAILUO_PP)
    assert accepted.status == 200, "the older name of the field"


def test_an_empty_purse_is_refused_by_both(start):
    simulator = start("--credits", "0")
    assert simulator.create().json["code"] == 402
    answer = simulator.create({"prompt": "x"}, HAILUO_PP)
    assert (answer.status, answer.json["reason"]) == (400, "BILLING_BALANCE_NOT_ENOUGH")


def test_more_creates_than_the_rate_are_refused_by_each_provider(start, clip):
    simulator = start("--rate", "3", "--clip", clip)
    codes = [simulator.create() for _ in range(5)]
    assert [a.json["code"] for a in codes] == [200, 200, 200, 429, 429]
    assert [a.status for a in codes] == [200, 200, 200, 429, 429]
    answers = [simulator.create({"prompt": "x"}, HAILUO_PP) for _ in range(4)]
    assert [a.status for a in answers] == [200, 200, 200, 429]
    assert answers[-1].json["reason"] == "RATE_LIMIT_EXCEEDED"
    assert simulator.stats()["creates"] == {
        "accepted": 6, "refused": 3, "rate_limited": 3, "max_in_10s": 5}


# Faults

def test_http_and_code_faults_speak_the_apis_own_language(quick):
    quick.faults({"on": "create", "do": "http", "value": 503, "times": 2},
                 {"on": "create", "do": "code", "value": 455},
                 {"on": "create", "do": "code", "value": "ILLEGAL_PROMPT"},
                 {"on": "credit", "do": "http", "value": 429},
                 {"on": "upload", "do": "code", "value": 500})
    answer = quick.create()
    assert (answer.status, answer.json["code"]) == (503, 503)
    answer = quick.create({"prompt": "x"}, HAILUO_PP)
    assert (answer.status, answer.json["code"], answer.json["reason"]) == (
        503, 503, "SERVICE_NOT_AVAILABLE")
    answer = quick.create()
    assert (answer.status, answer.json["code"]) == (200, 455)
    answer = quick.create({"prompt": "x"}, HAILUO_PP)
    assert (answer.status, answer.json["reason"]) == (400, "ILLEGAL_PROMPT")
    assert quick.get("/v3/user").json["reason"] == "RATE_LIMIT_EXCEEDED"
    assert quick.upload(b"x").json == {
        "success": False, "code": 500, "msg": "File upload failed"}
    assert quick.stats()["tasks"]["total"] == 0
    assert quick.create().json["code"] == 200


def test_rules_skip_count_and_choose_by_model(quick):
    quick.faults({"on": "create", "do": "http", "value": 500, "skip": 1, "times": 2,
                  "model": TEXT_MODEL},
                 {"on": "poll", "do": "http", "value": 502, "times": 0,
                  "model": "minimax-hailuo-02"})
    other = {"model": "hailuo/2-3-image-to-video-pro",
             "input": {"prompt": "x", "image_url": "https://a/b"}}
    answers = [quick.create(), quick.create(other), quick.create(), quick.create(),
               quick.create()]
    assert [a.status for a in answers] == [200, 200, 500, 500, 200]
    assert quick.poll(task_of(answers[0])).status == 200
    task = task_of(quick.create({"prompt": "x"}, HAILUO_PP))
    assert [quick.poll(task).status for _ in range(3)] == [502] * 3
    quick.faults()
    assert quick.poll(task).status == 200
    assert quick.stats()["faults_applied"] == 5


def test_reset_before_does_nothing_and_reset_after_creates_and_bills(quick):
    quick.faults({"on": "create", "do": "reset_before"}, {"on": "create", "do": "reset_after"})
    for tasks in (0, 1):
        with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
            quick.create()
        assert quick.stats()["tasks"]["total"] == tasks
    assert quick.stats()["credits"] == 100000 - 57
    entries = [e for e in quick.log() if e["path"] == CREATE]
    assert [(e["http"], e["code"], e["task"] is None) for e in entries] == [
        (0, None, True), (0, None, False)]


def test_stall_acts_answers_nobody_and_does_not_block(quick):
    quick.faults({"on": "create", "do": "stall", "times": 3})
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        stalled = [pool.submit(quick.create, timeout=0.5) for _ in range(3)]
        for future in stalled:
            with pytest.raises(TimeoutError):
                future.result()
    assert quick.stats()["tasks"]["total"] == 3
    deadline = time.monotonic() + 5
    while quick.count_sockets() > 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert quick.count_sockets() == 1, "connections of clients that left are still held"


def test_a_waiting_connection_does_not_hold_up_the_end(start, tmp_path):
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps([{"on": "credit", "do": "stall"},
                                 {"on": "poll", "do": "delay", "value": 3600},
                                 {"on": "upload", "do": "huge"}]))
    simulator = start("--faults", str(rules))
    sockets = []
    for line in (b"GET /api/v1/chat/credit", b"GET /api/v1/jobs/recordInfo?taskId=1",
                 b"POST /api/file-stream-upload"):
        sockets.append(socket.create_connection(("127.0.0.1", simulator.port), timeout=5))
        sockets[-1].sendall(line + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    deadline = time.monotonic() + 5
    while simulator.stats()["faults_applied"] < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    begun = time.monotonic()
    assert simulator.stop() == 0
    assert time.monotonic() - begun < 2
    for connection in sockets:
        connection.close()


def test_delay_answers_late_without_blocking_others(quick):
    quick.faults({"on": "credit", "do": "delay", "value": 0.7})
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        begun = time.monotonic()
        late = pool.submit(quick.get, "/api/v1/chat/credit")
        time.sleep(0.1)
        assert quick.get("/api/v1/chat/credit").json["data"] == 100000
        assert time.monotonic() - begun < 0.6
        assert late.result().json["data"] == 100000
        assert 0.7 <= time.monotonic() - begun < 2


def test_truncate_breaks_off_in_the_middle(quick, clip):
    task = task_of(quick.create())
    link = link_of(quick.finish(task))
    quick.faults({"on": "download", "do": "truncate", "times": 2},
                 {"on": "poll", "do": "truncate"})
    for headers, whole in (({}, 50000), ({"Range": "bytes=40000-"}, 10000)):
        with pytest.raises(http.client.IncompleteRead) as cut:
            quick.get(link, headers=headers)
        assert len(cut.value.partial) == whole // 2 and cut.value.expected == whole // 2
    with open(clip, "rb") as file:
        assert cut.value.partial == file.read()[40000:45000]
    with pytest.raises(http.client.IncompleteRead):
        quick.poll(task)
    assert quick.poll(task).status == 200


def test_garbage_html_huge_and_redirect(quick):
    quick.faults({"on": "create", "do": "garbage"}, {"on": "create", "do": "html"},
                 {"on": "create", "do": "redirect", "value": "http://example.org/x"},
                 {"on": "credit", "do": "huge"})
    with pytest.raises(ValueError):
        _ = quick.create().json
    assert quick.stats()["tasks"]["total"] == 1, "garbage spoils an answer, not the deed"
    page = quick.create()
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    away = quick.create()
    assert (away.status, away.headers["Location"]) == (302, "http://example.org/x")
    assert quick.stats()["tasks"]["total"] == 1
    connection = http.client.HTTPConnection("127.0.0.1", quick.port, timeout=5)
    connection.request("GET", "/api/v1/chat/credit", headers=KEY)
    assert len(connection.getresponse().read(5 << 20)) == 5 << 20
    connection.close()


def test_fail_ends_a_task_for_free(quick):
    quick.faults({"on": "create", "do": "fail", "value": "too bad", "times": 2})
    record = quick.finish(task_of(quick.create()))
    assert (record["state"], record["failCode"], record["failMsg"], record["resultJson"],
            record["creditsConsumed"]) == ("fail", "500", "too bad", "", 0)
    record = quick.finish(task_of(quick.create({"prompt": "x"}, HAILUO_PP)))
    assert record["videos"] == []
    assert (record["task"]["status"], record["task"]["reason"]) == (
        "TASK_STATUS_FAILED", "too bad")
    assert quick.stats()["credits"] == 100000


@pytest.mark.parametrize("path, body", [(CREATE, None), (HAILUO_PP, {"prompt": "x"})])
def test_expire_lasts_until_the_next_poll(quick, path, body):
    task = task_of(quick.create(body, path))
    link = link_of(quick.finish(task))
    quick.faults({"on": "download", "do": "expire"})
    assert [quick.get(link, headers={}).status for _ in range(2)] == [403, 403]
    assert quick.get(link_of(quick.finish(task)), headers={}).status == 200
    quick.faults({"on": "poll", "do": "expire"})
    link = link_of(quick.finish(task))
    assert quick.get(link, headers={}).status == 403


@pytest.mark.parametrize("rules, sentence", [
    ({}, "the rules must be a JSON list"),
    ([1], "rule 1: must be an object"),
    ([{"on": "create", "do": "html"}, {"on": "birth", "do": "html"}],
     'rule 2: "on" must be create, poll, upload, download or credit'),
    ([{"on": "create", "do": "explode"}], 'rule 1: "do" must be'),
    ([{"on": "create", "do": "http"}], 'rule 1: "http" needs a "value" from 200 to 599'),
    ([{"on": "create", "do": "html", "value": 1}], 'rule 1: "html" takes no "value"'),
    ([{"on": "create", "do": "html", "time": 1}], 'rule 1: unknown key "time"'),
    ([{"on": "create", "do": "html", "times": -1}],
     'rule 1: "times" must be a whole number, 0 or more'),
    ([{"on": "upload", "do": "fail"}], 'rule 1: "fail" makes no sense on upload'),
    ([{"on": "credit", "do": "html", "model": "x"}],
     'rule 1: "on": "credit" belongs to no model'),
])
def test_bad_rules_are_refused_with_a_sentence_and_change_nothing(quick, rules, sentence):
    quick.faults({"on": "credit", "do": "http", "value": 418})
    answer = quick.call("POST", "/sim/faults", rules)
    assert answer.status == 400 and answer.json["error"].startswith(sentence)
    assert quick.get("/api/v1/chat/credit").status == 418


# The log, the figures, the program

def test_log_has_a_line_for_each_request_before_its_answer(quick):
    quick.create(text_job("猫"))
    entry = quick.log()[-1]
    assert list(entry) == ["t", "method", "path", "query", "auth", "body", "http", "code", "task"]
    assert entry["body"] == text_job("猫") and entry["auth"] is True
    assert (entry["method"], entry["path"], entry["http"], entry["code"]) == (
        "POST", CREATE, 200, 200)
    assert abs(entry["t"] - time.time()) < 5
    quick.poll(entry["task"])
    poll = quick.log()[-1]
    assert poll["query"] == "taskId=" + entry["task"] and poll["task"] == entry["task"]
    quick.call("POST", CREATE, b"{broken", headers={"Content-Type": "application/json"})
    entry = quick.log()[-1]
    assert (entry["body"], entry["auth"], entry["code"]) == (None, False, 401)


def test_a_request_cut_off_by_its_client_is_logged_as_dropped(quick):
    with socket.create_connection(("127.0.0.1", quick.port)) as connection:
        connection.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
                           % CREATE.encode())
        time.sleep(0.2)
    deadline = time.monotonic() + 5
    while not quick.log() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [(e["path"], e["http"], e["task"]) for e in quick.log()] == [(CREATE, 0, None)]
    assert quick.stats()["tasks"]["total"] == 0


def test_tasks_are_listed_in_their_order(quick):
    made = [task_of(quick.create(text_job(prompt))) for prompt in ("one", "two")]
    listed = quick.get("/sim/tasks").json
    assert [t["id"] for t in listed] == made
    assert listed[1]["prompt_sha256"] == hashlib.sha256(b"two").hexdigest()
    assert listed[1]["model"] == TEXT_MODEL and listed[1]["state"] == "success"
    assert listed[0]["created"] <= listed[1]["created"]


def test_ten_thousand_tasks_run_at_once(start, clip):
    simulator = start("--rate", "0", "--seconds", "600", "--clip", clip, "--credits", "570000")

    def make(count):
        connection = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=30)
        body = json.dumps(text_job())
        for _ in range(count):
            connection.request("POST", CREATE, body,
                               dict(KEY, **{"Content-Type": "application/json"}))
            assert json.loads(connection.getresponse().read())["code"] == 200
        connection.close()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(make, [2500] * 4))
    assert simulator.create().json["code"] == 402, "running tasks hold their price"
    stats = simulator.stats()
    assert stats["requests"]["create"] == 10001
    assert stats["tasks"]["waiting"] == stats["creates"]["accepted"] == 10000
    assert stats["creates"]["max_in_10s"] > 1000


def test_the_end_kills_what_is_being_rendered(start):
    simulator = start()
    for _ in range(8):
        simulator.create({"model": "hailuo/02-image-to-video-standard",
                          "input": {"prompt": "x", "image_url": "https://a/b.png"}})
    deadline = time.monotonic() + 5
    while not simulator.children() and time.monotonic() < deadline:
        time.sleep(0.005)
    children = simulator.children()
    assert 1 <= len(children) <= 2, "at most two ffmpeg at a time"
    begun = time.monotonic()
    assert simulator.stop() == 0
    assert time.monotonic() - begun < 1.5
    assert not any(os.path.exists("/proc/%d" % pid) for pid in children)


@pytest.mark.parametrize("arguments", [
    ["--nonsense"], ["extra"], ["--seconds", "x"], ["--port", "70000"], ["--rate", "1.5"],
    ["--faults", "/nonexistent"], ["--clip", "/nonexistent"]])
def test_a_wrong_call_exits_with_2_and_says_why(arguments):
    result = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=5,
                            check=False)
    assert result.returncode == 2 and result.stderr and not result.stdout


def test_help_names_every_option():
    result = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True)
    for option in ("port", "seconds", "log", "faults", "clip", "credits", "rate"):
        assert "--" + option in result.stdout
