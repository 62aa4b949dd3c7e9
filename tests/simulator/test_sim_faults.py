"""The rules of kinofs-sim by which answers go wrong (contrib/simulator/faults.h)."""
import concurrent.futures
import http.client
import json
import select
import socket
import time

import pytest

from simulation import (
    CREATE, HAILUO_PP, KEY, PATIENCE, TEXT_MODEL, link_of, task_of, wait_for)


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
        stalled = [pool.submit(quick.create, timeout=2) for _ in range(3)]
        wait_for(lambda: quick.stats()["tasks"]["total"] == 3, "the deeds")
        for future in stalled:
            with pytest.raises(TimeoutError):
                future.result()
    wait_for(lambda: quick.count_sockets() == 1, "the connections of clients that left")


def test_a_waiting_connection_does_not_hold_up_the_end(start, tmp_path):
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps([{"on": "credit", "do": "stall"},
                                 {"on": "poll", "do": "delay", "value": 3600},
                                 {"on": "upload", "do": "huge"}]))
    simulator = start("--faults", str(rules))
    sockets = []
    for line in (b"GET /api/v1/chat/credit", b"GET /api/v1/jobs/recordInfo?taskId=1",
                 b"POST /api/file-stream-upload"):
        sockets.append(socket.create_connection(("127.0.0.1", simulator.port), timeout=PATIENCE))
        sockets[-1].sendall(line + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_for(lambda: simulator.stats()["faults_applied"] == 3, "the faults")
    assert simulator.stop() == 0
    for connection in sockets:
        connection.close()


def test_delay_answers_late_without_blocking_others(quick):
    quick.faults({"on": "credit", "do": "delay", "value": 0.7},
                 {"on": "credit", "do": "delay", "value": 3600})
    begun = time.monotonic()
    assert quick.get("/api/v1/chat/credit").json["data"] == 100000
    assert time.monotonic() - begun >= 0.7
    with socket.create_connection(("127.0.0.1", quick.port)) as late:
        late.sendall(b"GET /api/v1/chat/credit HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(lambda: quick.stats()["faults_applied"] == 2, "the second to be delayed")
        assert quick.get("/api/v1/chat/credit").json["data"] == 100000
        assert not select.select([late], [], [], 0)[0]


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
    connection = http.client.HTTPConnection("127.0.0.1", quick.port, timeout=PATIENCE)
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
     'rule 2: "on" must be create, poll, upload, download, credit or catalogue'),
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
