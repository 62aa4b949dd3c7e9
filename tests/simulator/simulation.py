"""kinofs-sim by itself, without a mount: what its tests share."""
import contextlib
import glob
import http.client
import json
import os
import re
import signal
import subprocess
import time

from harness import KINOFS_SIM as PROGRAM

CREATE = "/api/v1/jobs/createTask"
HAILUO_PP = "/v3/async/minimax-hailuo-02"
KEY = {"Authorization": "Bearer test-key"}
TEXT_MODEL = "hailuo/02-text-to-video-pro"

# How long to wait before calling it a failure: what is as it should be waits for no such thing.
PATIENCE = 60

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


def wait_for(condition, what):
    """What condition() says once it is true."""
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < deadline, "still waiting for " + what
        time.sleep(0.01)
    return result


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
        self.is_killed = False
        line = self.process.stdout.readline()
        match = re.fullmatch(r"kinofs-sim listening on (http://127\.0\.0\.1:(\d+))\n", line)
        assert match, line
        self.base, self.port = match[1], int(match[2])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()
        return status

    def crash(self):
        self.process.kill()
        self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()
        self.is_killed = True

    def call(self, method, path, body=None, headers=KEY, timeout=PATIENCE):
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
        deadline = time.monotonic() + PATIENCE
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

    def renderers(self):
        """Every ffmpeg. What will be one is left out: posix_spawn() waits for it to begin, so to
        stop it is to stop the program."""
        pids = []
        for file in glob.glob("/proc/%d/task/*/children" % self.process.pid):
            with contextlib.suppress(OSError), open(file, encoding="ascii") as children:
                pids += [int(pid) for pid in children.read().split()]
        return [pid for pid in pids if name_of(pid) == "ffmpeg"]

    def stats(self):
        return self.get("/sim/stats").json

    def log(self):
        with open(self.log_path, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]


def name_of(pid):
    with contextlib.suppress(OSError), open("/proc/%d/comm" % pid, encoding="utf-8") as name:
        return name.read().strip()
    return None


def text_job(prompt="a cat", **fields):
    return {"model": TEXT_MODEL, "input": {"prompt": prompt, **fields}}


def task_of(answer):
    body = answer.json
    return body["task_id"] if "task_id" in body else body["data"]["taskId"]


def link_of(record):
    if "videos" in record:
        return record["videos"][0]["video_url"]
    return json.loads(record["resultJson"])["resultUrls"][0]


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
