#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""posternd and postern-dataplane together: dataplane_test.py POSTERND POSTERN DATAPLANE

Real programs, and a wire of two veth pairs in a network namespace of the test's own: what comes in at one end, what leaves at the
other, and what becomes of it when tenants are changed, configurations pushed and programs killed. Needs root.
"""
import contextlib
import mmap
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "replay"))
import exposition  # noqa: E402
from gate import DEADLINE, Gate, wait_for  # noqa: E402
from packets import UDP, Packet, frame, frame_read  # noqa: E402

IN_OWN_NAMESPACE = "POSTERN_TEST_NAMESPACE"
ETH_P_ALL = 3
TENANT, OTHER, NEW, PEER = "192.0.2.10", "203.0.113.5", "203.0.113.6", "198.51.100.1"
TENANTS = f"""{{ id = 7; name = "acme"; prefixes = [ "{TENANT}/32" ]; }},
  {{ id = 8; name = "other"; prefixes = [ "{OTHER}/32" ]; }}"""
RULE = 'alert sip any any -> any any (msg:"m"; sip.method; content:"INVITE"; sid:%d;)\n'
SUSPENDED = 1  # bpf/tenant.h


def invite(number, src=TENANT, sport=5060):
    text = (f"INVITE sip:1@{PEER} SIP/2.0\r\nVia: SIP/2.0/UDP {src}:5060;branch=z9hG4bK{number}\r\n"
            f"From: <sip:a@{src}>;tag=t{number}\r\nTo: <sip:1@{PEER}>\r\nCall-ID: c{number}@{src}\r\nCSeq: 1 INVITE\r\n"
            f"Max-Forwards: 70\r\nContact: <sip:a@{src}>\r\nContent-Length: 0\r\n\r\n")
    return frame(Packet(0, src, PEER, sport, 5060, text.encode(), UDP))


class Wire:
    """The two ends that are not the gate's."""

    def __init__(self):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for side in ("in", "out"):
            subprocess.run(["ip", "link", "add", f"{side}0", "type", "veth", "peer", "name", f"{side}1"], check=True)
            for end in ("0", "1"):
                subprocess.run(["sysctl", "-qw", f"net.ipv6.conf.{side}{end}.disable_ipv6=1"], check=False)
                subprocess.run(["ip", "link", "set", side + end, "up"], check=True)
        self.inside, self.outside = self._end("in1"), self._end("out1")
        self.sent = 0

    @staticmethod
    def _end(name):
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        end.bind((name, 0))
        end.setblocking(False)
        return end

    @staticmethod
    def _drain(end):
        """SIP texts that came."""
        texts = []
        while True:
            try:
                data, address = end.recvfrom(65536)
            except BlockingIOError:
                return texts
            if address[2] == socket.PACKET_OUTGOING:
                continue
            with contextlib.suppress(Exception):
                packet = frame_read(0, data)
                if packet and packet.payload:
                    texts.append(packet.payload.decode(errors="replace"))

    def call(self, src=TENANT):
        """A new call's INVITE; its number."""
        self.sent += 1
        self.inside.send(invite(self.sent, src, 10000 + self.sent))  # a flow of its own
        return self.sent

    def left(self):
        return self._drain(self.outside)

    def came_back(self):
        return self._drain(self.inside)

    def passes(self, src=TENANT):
        """Whether a call passes (True) or is answered by the gate (False); None: nothing yet."""
        number = self.call(src)
        end = time.monotonic() + 2
        while time.monotonic() < end:
            if any(f"branch=z9hG4bK{number}\r" in text for text in self.left()):
                return True
            if any(f"branch=z9hG4bK{number}\r" in text for text in self.came_back()):
                return False
            time.sleep(0.002)
        return None


class Together(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.wire = Wire()

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.gate = Gate(self.folder, POSTERND, POSTERN)
        self.addCleanup(self.end)
        self.gate.configure(
            tenants=f"( {TENANTS} )", inside='"in0"', outside='"out0"',
            supervise="true", dataplane=f'"{DATAPLANE}"', idle_us="200", huge='"no"', heartbeat='"10s"',
            extra="budgets: { flows = 1024; sessions = 256; messages = 64; calls = 1024; };")

    def end(self):
        with contextlib.suppress(Exception):
            pid = self.dataplane()["pid"]
            self.gate.stop()
            os.kill(pid, signal.SIGTERM)
            wait_for("the dataplane has gone", lambda: not Path(f"/proc/{pid}").exists())
        self.gate.stop(signal.SIGKILL)
        subprocess.run(["pkill", "-KILL", "-f", f"^{DATAPLANE} .*{self.folder}/"], check=False)
        if sys.exc_info()[0] or os.environ.get("POSTERN_TEST_VERBOSE"):
            print(self.gate.said())

    def result(self, command, **arguments):
        answer = self.gate.ask(command, **arguments)
        self.assertTrue(answer["ok"], answer)
        return answer["result"]

    def dataplane(self):
        return self.result("status")["dataplane"]

    def start(self, *options):
        self.gate.start(*options)
        self.wait_live()

    def wait_live(self, after=None):
        """Until a dataplane's workers run, another one than `after`; its pid."""

        def live():
            dataplane = self.dataplane()
            worker = (dataplane["workers"] or [{}])[0]
            good = dataplane["up"] and not dataplane["trouble"] and worker.get("heartbeat_age_ms") is not None
            return good and dataplane["pid"] != after and dataplane["pid"]

        return wait_for("the dataplane's workers run", live)

    def wait_passes(self, wanted, src=TENANT):
        wait_for(f"calls pass: {wanted}", lambda: self.wire.passes(src) is wanted)

    def children(self):
        pid = self.gate.process.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()

    @contextlib.contextmanager
    def slots(self):
        """The tenants' array as the dataplane has it."""
        pid = self.dataplane()["pid"]
        for link in Path(f"/proc/{pid}/fd").iterdir():
            if Path(os.readlink(link)).name.startswith("tenants."):
                with open(link, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
                    yield memory
                return
        self.fail("the dataplane has no array of tenants")

    def state_of(self, memory, tenant):
        for at in range(0, len(memory), self.slot_size(memory)):
            id_, state = struct.unpack_from("=II", memory, at)
            if id_ == tenant:
                return state
        return None

    def slot_size(self, memory):
        room = int(self.gate.settings.get("tenants", 4095)) + 1
        self.assertEqual(len(memory) % room, 0)
        return len(memory) // room

    # What a user sees

    def test_calls_are_counted_and_told_of(self):
        rules = Path(self.folder) / "a.rules"
        rules.write_text(RULE % 42)
        self.gate.configure(rules=f'[ "{rules}" ]')
        self.start()
        self.wait_passes(True)
        with self.gate.client() as follower:
            follower.ask("events follow", types=["alert"], tenant="acme")
            self.wire.call()
            event = follower.line()
        self.assertEqual((event["tenant"], event["alert"]["signature_id"]), ("acme", 42))
        wait_for("the log has it", lambda: any(e["alert"]["signature_id"] == 42 for e in self.gate.events("alert")))
        wait_for("stats come", lambda: self.gate.events("stats"))
        tenant = self.result("tenant", tenant="acme")
        self.assertGreater(tenant["counters"]["packets"], 0)
        self.assertGreater(tenant["counters"]["calls"], 0)
        self.assertEqual([hit["sid"] for hit in self.result("rules")["hits"]], [42])
        ports = self.result("ports")["ports"]
        self.assertEqual([(p["side"], p["interface"]) for p in ports], [("inside", "in0"), ("outside", "out0")])
        metrics = exposition.parse(self.metrics())
        self.assertEqual(metrics["postern_dataplane_up"]["samples"], {(): 1})
        self.assertGreater(metrics["postern_tenant_calls_total"]["samples"][(("tenant", "acme"),)], 0)
        self.assertGreater(metrics["postern_rule_hits_total"]["samples"][(("sid", "42"),)], 0)
        self.assertIn((("worker", "0"),), metrics["postern_worker_heartbeat_age_seconds"]["samples"])
        for words, shown in ((["show"], "runs, pid"), (["ports"], "in0"), (["stats"], "verdicts"), (["rules"], "42"),
                             (["show", "tenant", "acme"], "calls"), (["tenants"], "acme")):
            self.assertIn(shown, self.gate.run(*words).stdout, words)

    def metrics(self):

        with urllib.request.urlopen(f"http://127.0.0.1:{self.gate.metrics_port}/metrics", timeout=DEADLINE) as answer:
            return answer.read().decode()

    # Tenants

    def test_a_suspension_holds_at_once(self):
        self.start()
        self.wait_passes(True)
        self.result("tenant suspend", tenant="acme", reason="r")
        self.assertIs(self.wire.passes(), False)
        self.assertIs(self.wire.passes(OTHER), True)
        self.result("tenant resume", tenant="acme")
        self.assertIs(self.wire.passes(), True)

    def test_how_soon_a_change_is_in_the_array(self):
        self.start()
        took = []
        with self.slots() as memory, self.gate.client() as client:
            for turn in range(50):
                wanted = SUSPENDED if turn % 2 == 0 else 0
                command = ("tenant suspend", {"reason": "r"}) if wanted else ("tenant resume", {})
                began = time.monotonic()
                thread = threading.Thread(target=client.ask, args=command[:1], kwargs={"tenant": "acme", **command[1]})
                thread.start()
                while self.state_of(memory, 7) != wanted:
                    self.assertLess(time.monotonic() - began, DEADLINE)
                took.append(time.monotonic() - began)
                thread.join()
        took.sort()
        print(f"a change is in the array after {took[len(took) // 2] * 1e3:.1f} ms (median), "
              f"{took[-1] * 1e3:.1f} ms (the longest of {len(took)})")

    def test_a_limit_holds_at_once_and_a_wider_one_forgives(self):
        self.start()
        self.wait_passes(True)
        self.result("limits set", tenant="acme", limits={"calls": "1/d"})
        answers = [self.wire.passes() for _ in range(4)]
        self.assertEqual(answers.count(True), 1, answers)
        self.assertEqual(answers[-1], False)
        self.result("limits set", tenant="acme", limits={"calls": "1000/s"})
        self.assertIs(self.wire.passes(), True)

    def test_tenants_come_and_go_while_traffic_flows(self):
        self.start()
        self.wait_passes(True)
        self.assertIsNone(self.wire.passes(NEW))  # nobody's address
        new = f'{{ id = 9; name = "new"; prefixes = [ "{NEW}/32" ]; state = "%s"; }}'
        for state, passes in (("suspended", False), ("active", True)):
            self.gate.configure(tenants=f"( {new % state}, {TENANTS} )")
            self.assertTrue(self.result("reload")["in_force"])
            self.assertIs(self.wire.passes(NEW), passes)
            self.assertIs(self.wire.passes(TENANT), True)
            self.assertIs(self.wire.passes(OTHER), True)
        self.gate.configure(tenants=f"( {TENANTS} )")
        self.result("reload")
        self.assertIsNone(self.wire.passes(NEW))

    # Reloads

    def test_a_reload_that_the_dataplane_refuses_changes_nothing(self):
        rules = Path(self.folder) / "a.rules"
        rules.write_text(RULE % 1)
        self.gate.configure(rules=f'[ "{rules}" ]')
        self.start()
        before = self.dataplane()["workers"][0]
        self.gate.configure(extra="budgets: { flows = 2048; sessions = 256; messages = 64; calls = 1024; };")
        rules.write_text(RULE % 2)
        answer = self.gate.ask("reload")
        if answer["ok"]:  # budgets may be taken and wait for a restart: that has to be said
            self.assertIn("budgets.flows", [s["setting"] for s in answer["result"]["needs_restart"]])
            return
        self.assertEqual(answer["error"]["code"], "dataplane_refused")
        after = self.dataplane()["workers"][0]
        self.assertEqual(before["policy_generation"], after["policy_generation"])
        self.wire.call()
        self.assertEqual(self.result("rules")["sids"], [1])

    def test_generations_are_those_of_the_workers(self):
        self.start()
        for _ in range(5):
            result = self.result("reload")
            self.assertTrue(result["in_force"])
            worker = self.dataplane()["workers"][0]
            self.assertEqual(worker["policy_generation"], result["generation"])

    # Deaths

    def test_a_dead_dataplane_is_started_again_with_everything(self):
        self.start()
        self.result("tenant suspend", tenant="acme", reason="r")
        pid = self.dataplane()["pid"]
        os.kill(pid, signal.SIGKILL)
        self.wait_live(after=pid)
        self.assertEqual([e["status"] for e in self.gate.gate_events("dataplane_died")], ["signal 9"])
        self.assertEqual(len(self.gate.gate_events("dataplane_down")), 1)
        self.wait_passes(False)
        dataplane = self.dataplane()
        self.assertEqual((dataplane["starts"], dataplane["deaths"]), (2, 1))

    def test_a_new_posternd_adopts_what_runs_and_resets_nothing(self):
        self.start()
        self.wait_passes(True)
        self.result("limits set", tenant="acme", limits={"calls": "1/d"})
        self.wait_passes(False)
        pid = self.dataplane()["pid"]
        calls = self.result("tenant", tenant="acme")["counters"]["calls"]
        for how in (signal.SIGKILL, signal.SIGTERM):
            self.gate.stop(how)
            # Nobody is in control: what holds, holds.
            self.assertIs(self.wire.passes(), False)
            self.assertIs(self.wire.passes(OTHER), True)
            self.gate.start()
            self.assertEqual(self.wait_live(), pid)
            self.assertIs(self.wire.passes(), False)  # its bucket is as empty as it was
            self.assertGreaterEqual(self.result("tenant", tenant="acme")["counters"]["calls"], calls)
            self.assertEqual(self.dataplane()["starts"], 0)
        os.kill(pid, signal.SIGKILL)
        self.wait_live(after=pid)
        self.assertEqual(self.dataplane()["starts"], 1)

    def test_events_while_nobody_reads_are_kept_or_counted(self):
        self.start()
        self.wait_passes(True)
        self.gate.stop(signal.SIGKILL)
        numbers = [self.wire.call() for _ in range(20)]
        wait_for("they have left", lambda: any(f"K{numbers[-1]}\r" in text for text in self.wire.left()) or
                 not self.wire.call())
        self.gate.start()
        self.wait_live()
        wanted = {f"c{number}@{TENANT}" for number in numbers}
        wait_for("their events", lambda: wanted <= {e["sip"].get("call_id") for e in self.gate.events("sip")})

    def test_a_stopped_worker_is_an_alarm(self):
        self.gate.configure(heartbeat='"500ms"')
        self.start()
        pid = self.dataplane()["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_for("the alarm", lambda: self.gate.gate_events("worker_stalled"))
            self.assertTrue(self.dataplane()["stalled"])
            self.assertEqual(self.gate.ask("tenant suspend", tenant="acme", reason="r")["ok"], True)
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_for("all is well", lambda: self.gate.gate_events("worker_resumed"))
        self.wait_passes(False)

    def test_a_program_that_is_not_there_is_tried_again_and_told_of(self):
        self.gate.configure(dataplane='"/nonexistent/postern-dataplane"')
        self.gate.start()
        wait_for("it was tried", lambda: self.dataplane()["deaths"] >= 2)
        self.assertIn("/nonexistent/postern-dataplane", self.gate.said())
        self.assertFalse(self.dataplane()["up"])
        self.assertIn("DOWN", self.gate.run("show").stdout)
        deaths = self.gate.gate_events("dataplane_died")
        self.assertEqual(deaths[0]["status"], "exit 127")

    def test_kills_in_any_order_leave_no_process_behind_and_both_come_back(self):
        self.start()
        self.result("tenant suspend", tenant="acme", reason="r")

        random.seed(7)
        for _ in range(8):
            if random.random() < 0.5:
                self.gate.stop(signal.SIGKILL)
                self.gate.start()
            else:
                with contextlib.suppress(TypeError, ProcessLookupError):
                    os.kill(self.dataplane()["pid"], signal.SIGKILL)
            if random.random() < 0.5:
                self.wait_live()
        self.wait_live()
        self.wait_passes(False)
        running = subprocess.run(["pgrep", "-f", f"^{DATAPLANE} .*{self.folder}/"], capture_output=True, text=True)
        self.assertEqual(len(running.stdout.split()), 1, running.stdout)


def main():
    if os.geteuid() != 0:
        print("skipped: needs root, for a network namespace")
        return 77
    if IN_OWN_NAMESPACE not in os.environ:
        if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0:
            print("skipped: no network namespaces here")
            return 77
        os.execvpe("unshare", ["unshare", "-n", sys.executable, *sys.argv], dict(os.environ, **{IN_OWN_NAMESPACE: "1"}))
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
    return 0


if __name__ == "__main__":
    POSTERND, POSTERN, DATAPLANE = sys.argv[1:4]
    sys.exit(main())
