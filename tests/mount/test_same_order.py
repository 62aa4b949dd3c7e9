"""Copies of what was ordered are held and say why; who wants another asks for it.

The ways on from a copy: change it, `release`, `retry`. The ways to several: "takes": N, and
`retry -n N`.
"""
import http.server
import json
import os
import shutil
import threading

import pytest

import ledger
from harness import FLAT, HAILUO_02, OPEN_GATES, TEXT, png
from ledger import held_as_copy, once, ordered, orders

pytestmark = pytest.mark.no_asan("its rules run under it in the simulated engine, which is faster")

REFUSED = {"on": "create", "do": "code", "value": 422}


def paid(mount, name, text, model=TEXT):
    mount.drop(model, name + ".txt", text)
    return mount.done(model, name, timeout=ledger.LATE)


def copy(mount, one, other):
    os.makedirs(os.path.dirname(mount.path(TEXT, other)), exist_ok=True)
    shutil.copy2(mount.path(TEXT, one), mount.path(TEXT, other))


def lines(*prompts):
    return "".join(json.dumps({"prompt": text}) + "\n" for text in prompts)


# ------------------------------------------------------------------ copies

def test_a_copy_made_to_be_edited_costs_nothing_until_it_is(mount):
    paid(mount, "first", "a cat")
    copy(mount, "first.txt", "second.txt")
    held_as_copy(mount, TEXT, "second", "first")
    ordered(mount, "a cat")
    mount.drop(TEXT, "second.txt", "a cat with a hat")
    ordered(mount, "a cat", "a cat with a hat")
    record = mount.done(TEXT, "second", timeout=ledger.LATE)
    assert (record["take"], record["outputs"]) == (1, [TEXT + "/out/second.mp4"])
    mount.wait(lambda: "second.held.txt" not in mount.out(TEXT), "the note to go")
    assert mount.record(TEXT, "first")["state"] == "done"


def test_a_copied_folder_is_held_and_what_is_edited_in_it_goes(mount):
    names = ("a", "b", "sea/c")
    for name in names:
        paid(mount, "summer/" + name, "wave " + name)
    shutil.copytree(mount.path(TEXT, "summer"), mount.path(TEXT, "winter"))
    for name in names:
        held_as_copy(mount, TEXT, "winter/" + name, "summer/" + name)
    mount.drop(TEXT, "winter/b.txt", "ice")
    ordered(mount, "wave a", "wave b", "wave sea/c", "ice")
    assert [mount.record(TEXT, "winter/" + name)["state"] == "held" for name in names] == [
        True, False, True]


@pytest.mark.parametrize("while_it", ["waits", "runs"])
def test_a_copy_of_what_is_not_done_yet_is_held_too(start_sim, kinofs, while_it):
    """One that waits for its turn is an order as well."""
    sim = start_sim(seconds=1)
    if while_it == "waits":
        sim.faults({"on": "create", "do": "http", "value": 429})
    mount = kinofs(sim=sim)
    mount.drop(TEXT, "first.txt", "a cat")
    if while_it == "waits":
        mount.wait(lambda: sim.creates("a cat"), "the first try")
    else:
        mount.accepted(TEXT, "first")
    copy(mount, "first.txt", "second.txt")
    ledger.held(mount, TEXT, "second", "first", "release", "retry")
    ordered(mount, "a cat")


def test_many_copies_of_each_other_at_once_cost_one(kinofs):
    mount = kinofs(settle=1)
    for number in range(8):
        mount.drop(TEXT, "cat%d.txt" % number, "a cat")
    ordered(mount, "a cat")
    states = [mount.record(TEXT, "cat%d" % number)["state"] for number in range(8)]
    assert states.count("held") == 7, states


@pytest.mark.parametrize("word", ["release", "retry"])
def test_another_of_the_same_is_to_be_had_for_asking(mount, word):
    paid(mount, "first", "a cat")
    copy(mount, "first.txt", "second.txt")
    held_as_copy(mount, TEXT, "second", "first")
    result = mount.run(word, mount.path(TEXT, "second.txt"))
    assert result.returncode == 0, result
    record = mount.done(TEXT, "second", timeout=ledger.LATE)
    assert record["outputs"] == [TEXT + "/out/second.mp4"] and record["take"] == 1
    ordered(mount, "a cat", "a cat")
    for name in ("first.txt", "second.txt"):  # both are paid now
        mount.drop(TEXT, name, "a cat\n")
    ordered(mount, "a cat", "a cat")
    copy(mount, "first.txt", "third.txt")
    ledger.held(mount, TEXT, "third")
    ordered(mount, "a cat", "a cat")


def test_a_held_copy_stays_held_over_a_start(mount):
    paid(mount, "first", "a cat")
    copy(mount, "first.txt", "second.txt")
    held_as_copy(mount, TEXT, "second", "first")
    mount.restart()
    held_as_copy(mount, TEXT, "second", "first")
    copy(mount, "second.txt", "third.txt")
    ledger.held(mount, TEXT, "third", "release", "retry")
    ordered(mount, "a cat")


@pytest.mark.parametrize("how", ["removed", "changed"])
def test_a_copy_takes_the_job_over_when_the_first_goes_away(mount, how):
    """What cp and rm do is what mv does across file systems."""
    paid(mount, "first", "a cat")
    copy(mount, "first.txt", "summer/second.txt")
    held_as_copy(mount, TEXT, "summer/second", "first")
    if how == "removed":
        os.unlink(mount.path(TEXT, "first.txt"))
    else:
        mount.drop(TEXT, "first.txt", "a dog")
    record = mount.done(TEXT, "summer/second", timeout=ledger.LATE)
    assert record["outputs"] == [TEXT + "/out/first.mp4"]
    ordered(mount, *["a cat", "a dog"][:1 + (how == "changed")])
    if how == "removed":
        assert mount.record(TEXT, "first") is None


def test_a_copy_of_a_pair_is_held(mount):
    """The picture counts by its bytes; another picture is another order."""
    mount.drop(HAILUO_02, "first.png", png())
    paid(mount, "first", "a cat", HAILUO_02)
    for name, picture in (("second", png()), ("third", png(colour=(1, 2, 3)))):
        mount.drop(HAILUO_02, name + ".png", picture)
        mount.drop(HAILUO_02, name + ".txt", "a cat")
    held_as_copy(mount, HAILUO_02, "second", "first")
    mount.done(HAILUO_02, "third", timeout=ledger.LATE)
    mount.quiet(timeout=ledger.LATE)
    assert orders(mount.sim) == once("a cat", "a cat")


def test_the_same_words_for_another_model_are_another_order(mount):
    paid(mount, "cat", "a cat")
    mount.drop(FLAT, "cat.json", {"prompt": "a cat"})
    mount.done(FLAT, "cat", timeout=ledger.LATE)
    ordered(mount, "a cat", "a cat")


def test_the_same_line_twice_in_a_batch(mount):
    mount.drop(TEXT, "list.jsonl", lines("one", "two", "one"))
    mount.quiet(timeout=ledger.LATE)
    assert orders(mount.sim) == once("one", "two")
    mount.done(TEXT, "list-0001", timeout=ledger.LATE)
    held_as_copy(mount, TEXT, "list-0003", "list-0001")
    mount.drop(TEXT, "list.jsonl", lines("one", "two", "three"))
    ordered(mount, "one", "two", "three")
    mount.drop(TEXT, "list.jsonl", lines("one", "two", "three", "two"))
    ledger.held(mount, TEXT, "list-0004", "list-0002")
    assert "released" in mount.order("release %s/list-0004" % TEXT)
    ordered(mount, "one", "two", "three", "two")


# ------------------------------------------------------------------ what failed does not count

def test_an_order_that_failed_is_free_for_others(mount):
    mount.sim.faults(REFUSED)
    mount.drop(TEXT, "first.txt", "a cat")
    mount.wait_state(TEXT, "first", "failed", timeout=ledger.LATE)
    copy(mount, "first.txt", "second.txt")
    mount.done(TEXT, "second", timeout=ledger.LATE)
    mount.drop(TEXT, "first.txt", "a cat")  # and now it is a copy of the second
    mount.quiet(timeout=ledger.LATE)
    held_as_copy(mount, TEXT, "first", "second")
    ordered(mount, "a cat")


def test_a_failed_take_waits_for_the_user(mount):
    """Not for a touch, a start, other defaults; for a save or a retry."""
    mount.sim.faults({**REFUSED, "times": 2})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait_state(TEXT, "cat", "failed", timeout=ledger.LATE)
    os.utime(mount.path(TEXT, "cat.txt"))
    mount.quiet(timeout=ledger.LATE)
    mount.restart()
    mount.drop(TEXT, "defaults.json", {"prompt_optimizer": True})
    mount.quiet(timeout=ledger.LATE)
    assert len(mount.sim.creates()) == 1
    os.unlink(mount.path(TEXT, "defaults.json"))
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait(lambda: len(mount.sim.creates()) == 2, "the second try", ledger.LATE)
    mount.quiet(timeout=ledger.LATE)
    assert mount.record(TEXT, "cat")["state"] == "failed"
    assert mount.run("retry", mount.path(TEXT, "cat.txt")).returncode == 0
    mount.done(TEXT, "cat", timeout=ledger.LATE)
    ordered(mount, "a cat")
    assert len(mount.sim.creates()) == 3


def test_a_failed_take_goes_with_its_file(mount):
    """A rename is no save: nothing is tried again under the new name."""
    mount.sim.faults(REFUSED)
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait_state(TEXT, "cat", "failed", timeout=ledger.LATE)
    os.rename(mount.path(TEXT, "cat.txt"), mount.path(TEXT, "dog.txt"))
    ordered(mount)
    assert mount.record(TEXT, "dog")["state"] == "failed" and not mount.record(TEXT, "cat")
    mount.drop(TEXT, "dog.txt", "a cat")
    mount.done(TEXT, "dog", take=2, timeout=ledger.LATE)
    ordered(mount, "a cat")


@pytest.mark.parametrize("fault", [REFUSED, {"on": "create", "do": "http", "value": 422}],
                         ids=["code", "http"])
def test_an_event_of_the_very_write_orders_no_second_take(kinofs, sim, fault):
    """It arrives while the create is on the wire; the create is refused; nobody has saved again."""
    sim.faults({**fault, "times": 0})
    mount = kinofs(settle=0.003)
    names = ["cat%d" % number for number in range(80)]
    for name in names:
        mount.drop(TEXT, name + ".txt", "intent %s." % name)
    mount.quiet(timeout=ledger.LATE)
    records = [mount.record(TEXT, name) for name in names]
    assert [(record["state"], record["take"]) for record in records] == [("failed", 1)] * 80
    assert [len(sim.creates("intent %s." % name)) for name in names] == [1] * 80


class Refusal:
    """A provider that answers a create only when it is told to: by a refusal."""

    def __init__(self):
        self.come, self.go, self.seen = threading.Event(), threading.Event(), 0
        refusal = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802, the name is the library's
                self.rfile.read(int(self.headers["Content-Length"]))
                refusal.seen += 1
                refusal.come.set()
                refusal.go.wait(ledger.LATE)
                body = b'{"code": 422, "msg": "The prompt is refused", "data": null}'
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.go.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def refusal():
    server = Refusal()
    yield server
    server.close()


@pytest.mark.parametrize("event", ["touched", "saved", "renamed"])
def test_what_happens_while_a_create_is_refused_orders_nothing(kinofs, refusal, event):
    """The file settles when the answer comes, and is judged after the take has failed."""
    mount = kinofs(settle=1, environment={"KINOFS_KIE_URL": refusal.url})
    path = mount.drop(TEXT, "cat.txt", "a cat")
    assert refusal.come.wait(ledger.LATE)
    if event == "touched":
        os.utime(path)
        os.close(os.open(path, os.O_RDWR))
    elif event == "saved":
        mount.drop(TEXT, "cat.txt", "a cat")
    else:
        os.rename(path, mount.path(TEXT, ".cat.txt"))
        os.rename(mount.path(TEXT, ".cat.txt"), path)
    refusal.go.set()
    mount.quiet(timeout=ledger.LATE)
    assert (mount.record(TEXT, "cat")["state"], mount.record(TEXT, "cat")["take"]) == ("failed", 1)
    assert refusal.seen == 1
    mount.drop(TEXT, "cat.txt", "a cat")  # after the failure: the user wants it
    mount.wait(lambda: refusal.seen == 2, "the second take", ledger.LATE)
    mount.quiet(timeout=ledger.LATE)
    assert mount.record(TEXT, "cat")["take"] == 2 and refusal.seen == 2


# ------------------------------------------------------------------ several on purpose

def test_a_spec_may_ask_for_several_takes(mount):
    mount.drop(TEXT, "cat.json", {"prompt": "a cat", "takes": 3})
    mount.done(TEXT, "cat", take=3, timeout=ledger.LATE)
    mount.wait(lambda: mount.out(TEXT) == ["cat.2.mp4", "cat.3.mp4", "cat.mp4"], "three videos",
               ledger.LATE)
    ordered(mount, *["a cat"] * 3)
    assert all("takes" not in json.dumps(body) for body in mount.sim.bodies())
    record = mount.record(TEXT, "cat")
    assert [take["take"] for take in record["earlier_takes"]] == [2, 1]
    mount.drop(TEXT, "cat.json", {"takes": 3, "prompt": "a cat"})
    ordered(mount, *["a cat"] * 3)
    mount.restart()
    ordered(mount, *["a cat"] * 3)
    mount.drop(TEXT, "cat.json", {"prompt": "a cat", "takes": 5})  # five in all
    ordered(mount, *["a cat"] * 5)
    mount.drop(TEXT, "cat.json", {"prompt": "a cat", "takes": 1})
    ordered(mount, *["a cat"] * 5)


def test_several_takes_survive_a_crash_in_the_middle(tmp_path, start_sim):
    sim = start_sim(rate=2)  # the rest waits for its turn
    with ledger.mounts(tmp_path, sim) as make:
        mount = make()
        mount.drop(TEXT, "cat.json", {"prompt": "a cat", "takes": 3})
        mount.wait(lambda: orders(sim)["a cat"] >= 1, "the first", ledger.LATE)
        ledger.crash(mount)
        mount.wait(lambda: orders(sim)["a cat"] >= 3 or
                   mount.record(TEXT, "cat")["state"] == "unknown", "all three", ledger.LATE)
        mount.quiet(timeout=ledger.LATE)
        assert orders(sim)["a cat"] <= 3


def test_retry_asks_for_more(mount):
    paid(mount, "cat", "a cat")
    result = mount.run("retry", "-n", "2", mount.path(TEXT, "cat.txt"), input="")
    assert result.returncode == 2 and "2 are to be paid for" in result.stderr
    assert "nothing was ordered" in result.stderr and len(mount.sim.creates()) == 1
    result = mount.run("retry", "-n", "2", "-y", mount.path(TEXT, "cat.txt"))
    assert result.returncode == 0, result
    mount.done(TEXT, "cat", take=3, timeout=ledger.LATE)
    ordered(mount, *["a cat"] * 3)
    assert mount.run("retry", mount.path(TEXT, "cat.txt")).returncode == 0
    mount.done(TEXT, "cat", take=4, timeout=ledger.LATE)
    ordered(mount, *["a cat"] * 4)
    for number in ("0", "-1", "101", "two", ""):
        assert mount.run("retry", "-n", number, mount.path(TEXT, "cat.txt")).returncode != 0
    ordered(mount, *["a cat"] * 4)


def test_several_takes_stop_at_a_cap(kinofs, sim):
    mount = kinofs(config={**OPEN_GATES, "caps": {"jobs_per_day": 2}})
    mount.drop(TEXT, "cat.json", {"prompt": "a cat", "takes": 4})
    mount.wait(lambda: (mount.record(TEXT, "cat") or {}).get("state") == "held", "the cap",
               ledger.LATE)
    ordered(mount, *["a cat"] * 2)
    assert "jobs_per_day" in mount.note(TEXT, "cat", "held")
    mount.restart()
    ordered(mount, *["a cat"] * 2)


@pytest.mark.parametrize("takes", [0, 101, -1, 1.5, "many", [2]], ids=repr)
def test_a_number_of_takes_that_cannot_be(mount, takes):
    mount.drop_bad(TEXT, "cat.json", {"prompt": "a cat", "takes": takes})
    mount.wait_state(TEXT, "cat", "rejected", timeout=ledger.LATE)
    assert "takes" in mount.note(TEXT, "cat")
    ordered(mount)


def test_takes_in_a_batch(mount):
    mount.drop(TEXT, "list.jsonl", '{"prompt": "one", "takes": 2}\n{"prompt": "two"}\n')
    mount.done(TEXT, "list-0001", take=2, timeout=ledger.LATE)
    ordered(mount, "one", "one", "two")
