"""The live page without a browser: what is served and to whom, what it says, and what it survives."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Outcome
from dispatched import gold_flow, write_cluster
from external import wait_for
from hypothesis import given
from hypothesis import strategies as st
from mongo import Mongod

from barriers import run
from barriers.dispatch.fireworks.submit import submit
from barriers.dispatch.marker import write_marker
from barriers.dispatch.source import following_source
from barriers.dispatch.states import JobStates
from barriers.dispatch.status import STATES, JobStatus, LocalStatus, grouped
from barriers.documents import BarrierDoc
from barriers.engines.running import running_band
from barriers.report.live.bands import NOTHING, band_section
from barriers.report.live.helper import Helper
from barriers.report.live.job_files import details
from barriers.report.live.ledger import Ledger
from barriers.report.live.page import LivePage
from barriers.report.live.server import PageServer
from barriers.report.live.watcher import Watcher
from barriers.report.status import cells, clock
from barriers.secrecy import keep_secret


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BarrierDoc]:
    """Results folder of Au on Al(100), and its barrier."""
    folder = tmp_path_factory.mktemp("results") / "gold"
    return folder, run(gold_flow(), folder).output


@pytest.fixture(scope="module")
def server(gold: tuple[Path, BarrierDoc]) -> Iterator[PageServer]:
    watcher = Watcher("gold", following_source(gold[0], None))
    watcher.look()
    page = LivePage(watcher, gold[0])
    served = PageServer(page.answers)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield served
    served.shutdown()
    served.server_close()
    page.helper.stop()


def ask(server: PageServer, path: str, verb: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(verb, path, headers={"Host": f"127.0.0.1:{server.server_port}"} | headers)
    answer = connection.getresponse()
    content = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return content


def told(server: PageServer, path: str) -> Any:
    status, _, body = ask(server, f"/{server.token}/{path}")
    assert status == 200
    return json.loads(body)


def test_nothing_is_said_to_whoever_does_not_know_the_address(server: PageServer) -> None:
    mine = f"/{server.token}/"
    assert ask(server, mine)[0] == 200
    assert ask(server, mine, Host="localhost")[0] == 200
    refused = [ask(server, mine, verb) for verb in ("POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "NONSENSE")]
    wrong = ["/", "/state", mine[:-1], f"/{server.token[:-1]}/", f"/{server.token}x/state"]
    wrong += [
        f"{mine}{path}" for path in ("../state", "state/", "%73tate", "live.css", "hop", "hop?row=-1", "hop?row=9")
    ]
    wrong += [
        f"{mine}{path}" for path in ("hop?row=9", "hop?row=../etc", "band?row=99", "page.py", "..%2f..%2fetc%2fpasswd")
    ]
    refused += [ask(server, path) for path in wrong]
    hosts = ("evil.example", f"evil.example:{server.server_port}", "", "127.0.0.1.evil.example", "[::1]")
    refused += [ask(server, mine, Host=host) for host in hosts]
    for status, headers, body in refused:
        assert (status, body, set(headers)) == (404, b"", {"Content-Length", "Connection"})


def test_other_machines_do_not_reach_it_and_a_broken_request_is_nothing(server: PageServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert len(server.token) >= 32 and PageServer({}).token != server.token
    for words in (b"\x16\x03\x01\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"A" * 70000 + b"\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.server_port), 5) as connection:
            connection.sendall(words)
            answer = connection.recv(4096)
        assert b"Error" not in answer and b"Python" not in answer
        assert not answer or b" 404 " in answer
    assert ask(server, f"/{server.token}/")[0] == 200


def test_the_page_asks_nobody_else_and_holds_no_token(server: PageServer) -> None:
    _, headers, body = ask(server, f"/{server.token}/")
    text = body.decode()
    assert server.token not in text and "<title>gold: barriers</title>" in text
    assert re.findall(r"https?://[^\s\"']+", text) == []
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"
    _, headers, body = ask(server, f"/{server.token}/live.js", **{"Accept-Encoding": "gzip"})
    assert b"fetch(`state?since=" in gzip.decompress(body)


def test_the_state_is_that_of_the_run(server: PageServer, gold: tuple[Path, BarrierDoc]) -> None:
    state = told(server, "state")
    groups = grouped(LocalStatus(gold[0])())
    assert state["rows"] == [[at, group.state, cells(group), ""] for at, group in enumerate(groups)]
    assert state["rows"][0][2][6] == f"{gold[1].forward:.3f}"
    assert (state["states"], state["over"], state["trouble"]) == ({"done": 4}, True, "")
    assert len(state["log"]) == 8 and state["log"][0][0] >= state["log"][-1][0]
    band = next(job for job in LocalStatus(gold[0])() if job.kind == "neb")
    assert any(
        f"{band.name} in {clock(band.elapsed)}, {band.force_calls} force calls" in line for *_, line in state["log"]
    )
    assert told(server, f"state?since={state['revision']}") == {"revision": state["revision"]}
    _, headers, _ = ask(server, f"/{server.token}/state")
    assert ask(server, f"/{server.token}/state", **{"If-None-Match": headers["ETag"]})[::2] == (304, b"")


def test_a_hop_tells_forces_profile_and_files_of_its_band(server: PageServer, gold: tuple[Path, BarrierDoc]) -> None:
    found, band = told(server, "hop?row=0"), gold[1].band
    forces = [row.max_force for row in band.history]
    assert [force for _, force in found["forces"]] == pytest.approx(forces[: len(found["forces"])])
    assert len(found["forces"]) >= len(forces) - 1 and found["target"] == band.settings["fmax"]
    lengths, heights = found["profile"]
    assert heights == pytest.approx([energy - band.energies[0] for energy in band.energies], abs=0.02)
    assert lengths == pytest.approx(gold[1].profile["distances"], abs=0.05)
    assert len(found["jobs"]) == 4 and found["has_band"]
    assert Path(found["where"]).is_dir() and "force calls" in found["lines"][-1]


def test_the_section_on_a_hop_is_that_of_the_report(gold: tuple[Path, BarrierDoc]) -> None:
    jobs = LocalStatus(gold[0])()
    section = json.loads(band_section(gold[0], None, jobs, "gold, there"))
    assert '<h2 id="title-0">gold, there</h2>' in section["html"] and "all starts converged" in section["html"]
    assert section["data"]["profile"]["energies"] == pytest.approx(gold[1].profile["energies"], abs=1e-5)
    running = [replace(job, state="running") if job.kind == "neb" else replace(job, state="waiting") for job in jobs]
    section = json.loads(band_section(gold[0], None, running, "gold"))
    assert "yet: 0.0" in section["html"] and "0.05 asked for" in section["html"]
    assert len(section["data"]["scene"]["images"]) == 6 and len(section["data"]["profile"]["energies"]) == 6
    nowhere = [replace(job, folder="/nowhere", state="running") for job in jobs]
    assert json.loads(band_section(gold[0], None, nowhere, "gold")) == {"reason": NOTHING}


def test_half_written_files_are_left_out_until_they_are_whole(gold: tuple[Path, BarrierDoc], tmp_path: Path) -> None:
    band = next(job for job in LocalStatus(gold[0])() if job.kind == "neb")
    texts = {path.name: path.read_text() for path in Path(band.folder).iterdir()}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (group, *_) = grouped([replace(band, folder=str(tmp_path), state="running")])
    whole = details(group, [])
    progress = next(name for name in texts if name.endswith(".progress.jsonl"))
    (tmp_path / progress).write_text(texts[progress] + '{"kind": "neb", "wall')
    assert details(group, [])["forces"] == whole["forces"]
    (tmp_path / progress).write_text(texts[progress] + "}\n" + '{"kind": "neb", broken}\n')
    assert details(group, [])["forces"] == whole["forces"]
    now = next(name for name in texts if name.endswith(".now.json"))
    (tmp_path / now).write_text(texts[now][:-40])
    assert None in running_band(tmp_path).energies  # the first band, as long as the newest cannot be read
    (tmp_path / "band.json").write_text(texts["band.json"][:100])
    assert running_band(tmp_path) is None
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert None not in running_band(tmp_path).energies
    assert details(replace(group, members=[replace(band, folder="/nowhere", host="node7")]), [[1, 0.5]]) == {
        **whole,
        "jobs": [[band.name, "done", clock(band.elapsed), "", "node7", "/nowhere", ""]],
        "forces": [[1, 0.5]],
        "lines": [],
        "where": "/nowhere on node7, not seen from here",
        "stamp": "0-running-0",
        "has_band": True,
    }


def test_a_store_that_breaks_is_told_and_read_when_it_is_whole(gold: tuple[Path, BarrierDoc], tmp_path: Path) -> None:
    shutil.copy(gold[0] / "documents.sqlite", tmp_path)
    watcher = Watcher("gold", following_source(tmp_path, None))
    watcher.look()
    before = watcher.since(0)
    whole = (tmp_path / "documents.sqlite").read_bytes()
    (tmp_path / "documents.sqlite").write_bytes(b"no database" * 1000)
    watcher.look()
    seen = watcher.since(before["revision"])
    assert "not a database" in seen["trouble"] and seen["rows"] == []
    assert watcher.since(0)["rows"] == before["rows"]
    (tmp_path / "documents.sqlite").unlink()
    watcher.look()
    assert "nothing was run or submitted here" in watcher.since(0)["trouble"]
    (tmp_path / "documents.sqlite").write_bytes(whole)
    JobStates(tmp_path).change(JobStates(tmp_path).read()[0].uuid, state="failed", message="no SCF")
    watcher.look()
    after = watcher.since(seen["revision"])
    assert after["trouble"] == "" and after["states"] == {"failed": 1, "done": 3}
    assert after["rows"][0][3] == "barrier: relax initial: no SCF"


def job(number: int, state: str) -> JobStatus:
    return JobStatus(f"NCM hop{number}: band", "neb", "NCM", f"hop{number}", state, uuid=str(number))  # type: ignore[arg-type]


@given(st.lists(st.lists(st.sampled_from(STATES), max_size=5), min_size=1, max_size=6), st.integers(1, 3))
def test_who_asks_for_what_is_new_knows_all(looks: list[list[str]], every: int) -> None:
    ledger, known, revision = Ledger("study"), {}, 0
    for number, states in enumerate(looks):
        ledger.take([job(at, state) for at, state in enumerate(states)])
        if number % every == 0 or number == len(looks) - 1:
            new = ledger.since(revision)
            known = {at: row for at, row in known.items() if at < new["total"]} | {at: row for at, *row in new["rows"]}
            revision = new["revision"]
    assert known == {at: row for at, *row in ledger.since(0)["rows"]}
    assert ledger.since(revision)["rows"] == []


def test_a_run_has_ended_when_nothing_runs_for_a_while_and_goes_on_when_something_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr("barriers.report.live.ledger.time.monotonic", lambda: now)
    ledger = Ledger("study")
    ledger.take([job(0, "running"), job(1, "waiting")])
    assert not ledger.since(0)["over"]
    ledger.take([job(0, "done"), job(1, "waiting")])  # between two jobs
    assert not ledger.since(0)["over"]
    now += 4.0
    ledger.take([job(0, "done"), job(1, "waiting")])
    assert ledger.since(0)["over"]
    ledger.take([job(0, "done"), job(1, "running")])
    assert not ledger.since(0)["over"]
    at_once = Ledger("study")
    at_once.take([job(0, "done")])
    assert at_once.since(0)["over"]


def test_who_asks_is_answered_while_a_database_hangs_and_no_secret_is_told() -> None:
    keep_secret({"password": "hunter2secret"})
    there, asked = threading.Event(), threading.Event()

    def read() -> list[JobStatus]:
        asked.set()
        there.wait(20)
        raise ValueError("no database answers at hunter2secret\nmore")

    watcher = Watcher("study", read)
    watcher.start()
    assert asked.wait(5)
    began = time.monotonic()
    assert watcher.since(0) is None
    assert time.monotonic() - began < 0.5
    there.set()
    wait_for(lambda: (watcher.since(0) or {}).get("trouble"), 5, "the trouble")
    assert watcher.since(0)["trouble"].startswith("no database answers at ")
    assert "hunter2" not in json.dumps(watcher.since(0))
    watcher.stop()


def test_the_helper_answers_passes_errors_on_and_begins_again_when_it_was_killed() -> None:
    helper = Helper()
    first = helper.call(os.getpid)
    assert first != os.getpid() and helper.call(clock, 61.0) == "0:01:01"
    with pytest.raises(RuntimeError, match="invalid literal"):
        helper.call(int, "x")
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{first}/cmdline").exists() or not helper._process.is_alive(), 5, "its end")
    assert helper.call(os.getpid) != first
    helper.stop()


def test_the_command_prints_an_address_serves_and_ends_with_ctrl_c(
    gold: tuple[Path, BarrierDoc], tmp_path: Path, cli: Callable[..., Outcome]
) -> None:
    study = tmp_path / "gold.yaml"
    study.write_text("name: gold\nsystems: [{name: NCM}]\n")
    command = [sys.executable, "-m", "barriers", "watch", str(study), "--results", str(gold[0].parent)]
    process = subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    address = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/([\w-]{32})/\n", process.stdout.readline())
    assert address is not None
    connection = http.client.HTTPConnection("127.0.0.1", int(address[1]), timeout=10)
    connection.request("GET", f"/{address[2]}/state")
    assert json.loads(connection.getresponse().read())["states"] == {"done": 4}
    taken = cli("watch", study, "--results", gold[0].parent, "--port", address[1])
    assert (taken.code, taken.err) == (
        2,
        f"wrong input: --port: {address[1]}: Address already in use; allowed: one that is free, 0 for any\n",
    )
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=15)
    assert (process.returncode, err) == (0, "stopped watching; whatever runs goes on\n")


@pytest.mark.mongo
def test_a_submitted_study_is_followed_through_the_loss_of_its_database(tmp_path: Path) -> None:
    server = Mongod(tmp_path / "mongod").start()
    cluster = write_cluster(tmp_path / "cluster", server.port, name=re.sub(r"\W", "_", tmp_path.name))
    folder = tmp_path / "results" / "gold"
    watcher = Watcher("gold", following_source(folder, None))
    watcher.look()
    assert "nothing was run or submitted here" in watcher.since(0)["trouble"]
    submit([gold_flow()], "gold", cluster)
    write_marker(folder, cluster.folder)
    watcher.look()
    assert watcher.since(0)["states"] == {"ready": 2, "waiting": 2}
    assert watcher.since(0)["trouble"] == ""
    server.stop()
    watcher.look()
    assert f"no database answers at 127.0.0.1:{server.port}" in watcher.since(0)["trouble"]
    assert watcher.since(0)["states"] == {"ready": 2, "waiting": 2}
    server.start()
    watcher.look()
    assert watcher.since(0)["trouble"] == ""
    server.stop()
