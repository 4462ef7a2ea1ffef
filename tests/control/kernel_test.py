#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""posternd and the kernel's maps: kernel_test.py POSTERND POSTERN GATE_BPF_O

With mode xdp the tenants' array is a map of the kernel's. In a network and mount namespace of the test's own, with a
bpffs of its own. Needs root.
"""
import contextlib
import ctypes
import json
import mmap
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "replay"))
import exposition  # noqa: E402
from gate import DEADLINE, Gate, wait_for  # noqa: E402
from packets import SYN, TCP, UDP, Packet, frame  # noqa: E402

IN_OWN_NAMESPACE = "POSTERN_TEST_NAMESPACE"
BPFFS = "/sys/fs/bpf"
SYS_BPF, BPF_OBJ_GET, BPF_OBJ_GET_INFO_BY_FD = 321, 7, 15
TENANT = '{ id = 7; name = "acme"; prefixes = [ "192.0.2.0/24" ]; limits: { syns = "3/d"; }; }'
OTHER = '{ id = 8; name = "other"; prefixes = [ "203.0.113.0/24" ]; state = "suspended"; }'
ACME, STOPPED, PEER, REFUSED = "192.0.2.1", "203.0.113.1", "198.51.100.1", "198.51.100.7"
VLANS, GATE_PORTS, PORT_WORDS = 4096, 8, 8
BLOCKED_MOST, NODES_SMALL = 1 << 19, 65536  # what gate.bpf.o has room for (bpf/maps.h)
TENANTS = 4095  # gate.tenants by default
BUCKET_FROM_END = 8  # the slot's last word is a bucket, or padding: whatever it is, nobody resets it


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, max(len(attributes), 128))
    result = ctypes.CDLL(None, use_errno=True).syscall(SYS_BPF, command, buffer, len(buffer))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def networks(count):
    return ", ".join(f'"10.{64 + (i >> 16)}.{i >> 8 & 255}.{i & 255}/32"' for i in range(count))


class Map:
    """A pinned array, mapped: elements of `size` bytes, as the kernel says."""

    def __init__(self, name):
        path = ctypes.create_string_buffer(f"{BPFFS}/{name}".encode())
        fd = bpf(BPF_OBJ_GET, struct.pack("=QII", ctypes.addressof(path), 0, 0))
        info = ctypes.create_string_buffer(128)
        bpf(BPF_OBJ_GET_INFO_BY_FD, struct.pack("=IIQ", fd, 128, ctypes.addressof(info)))
        _, _, _, self.size, self.count = struct.unpack_from("=IIIII", info)
        self.memory = mmap.mmap(fd, self.size * self.count)
        os.close(fd)

    def words(self, index, count):
        return struct.unpack_from(f"={count}I", self.memory, index * self.size)

    def tenants(self):
        """{id: (slot, state)}"""
        found = {}
        for slot in range(1, self.count):
            id_, state = self.words(slot, 2)
            if id_:
                found[id_] = (slot, state)
        return found


class Kernel(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.gate = Gate(folder, POSTERND, POSTERN)
        self.addCleanup(self.gate.stop, signal.SIGKILL)
        self.addCleanup(self.unpin)
        self.gate.configure(tenants=f"( {TENANT} )", mode='"xdp"', inside='"in0"', outside='"out0"',
                            xdp_program=f'"{OBJECT}"')

    @staticmethod
    def unpin():
        for side in ("in", "out"):  # the next test's program is to find the next test's maps
            subprocess.run(["ip", "link", "set", "dev", f"{side}0", "xdp", "off"], check=True)
        for name in os.listdir(BPFFS):
            if name.startswith("postern_"):
                os.unlink(f"{BPFFS}/{name}")

    def result(self, command, **arguments):
        answer = self.gate.ask(command, **arguments)
        self.assertTrue(answer["ok"], answer)
        return answer["result"]

    def ports(self):
        """(ifindex, peer, from, failure) of the two ports."""
        shared = Map("postern_gate")
        words = shared.words(0, shared.size // 4)
        behind = VLANS + 2 * 2 * VLANS  # VLANs' owners, and roots of two halves for two families
        first = len(words) - behind - GATE_PORTS * PORT_WORDS
        return words[first:first + 4], words[first + PORT_WORDS:first + PORT_WORDS + 4]

    def test_what_is_in_force_is_in_the_maps(self):
        self.gate.start()
        tenants = Map("postern_tenants")
        self.assertEqual({id_: state for id_, (_, state) in tenants.tenants().items()}, {7: 0})
        inside, outside = (socket.if_nametoindex(f"{name}0") for name in ("in", "out"))
        self.assertEqual(self.ports(), ((inside, outside, 1, 0), (outside, inside, 2, 0)))
        self.result("tenant suspend", tenant="acme", reason="r")
        self.assertEqual(tenants.tenants()[7][1], 1)
        self.gate.configure(tenants=f'( {{ id = 9; name = "new"; prefixes = [ "10.0.0.0/8" ]; }}, {TENANT} )',
                            failure='"closed"')
        slot = tenants.tenants()[7][0]
        self.result("reload")
        self.assertEqual(tenants.tenants()[7], (slot, 1))  # where it was, and suspended
        self.assertEqual(tenants.tenants()[9][1], 0)
        self.assertEqual([port[3] for port in self.ports()], [1, 1])
        self.result("tenant resume", tenant="acme")
        self.assertEqual(tenants.tenants()[7][1], 0)
        self.assertEqual(self.gate.gate_events("kernel_failed"), [])

    def test_a_hundred_thousand_tenants(self):
        tenants = ", ".join(f'{{ id = {i}; name = "t{i}"; prefixes = [ "10.{i >> 16}.{i >> 8 & 255}.{i & 255}/32" ]; }}'
                            for i in range(1, 100001))
        self.gate.configure(tenants=f"( {tenants} )", xdp_program=f'"{LARGE_OBJECT}"')
        self.gate.settings["tenants"] = "100000"
        self.gate.configure()
        self.gate.start()
        self.assertEqual(Map("postern_tenants").count, 131072)
        self.result("tenant suspend", tenant="t100000", reason="the last one")
        slot, state = Map("postern_tenants").tenants()[100000]
        self.assertEqual((slot > 8192, state), (True, 1))
        self.assertEqual(self.result("tenant", tenant="t100000")["state"], "suspended")

    def test_it_starts_however_often_it_is_stopped_meanwhile(self):
        """A signal ends what the kernel does with the program: as many as fall into it, and then none."""
        process = self.gate.start(ready=False)
        for _ in range(40):
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.02)
            process.send_signal(signal.SIGCONT)
            time.sleep(0.02)
        wait_for("posternd answers", self.gate.answers)
        self.assertEqual(Map("postern_tenants").tenants()[7][1], 0)

    def test_a_new_posternd_finds_buckets_as_they_were(self):
        self.gate.start()
        self.result("limits set", tenant="acme", limits={"calls": "1/d"})
        tenants = Map("postern_tenants")
        slot = tenants.tenants()[7][0]
        at = (slot + 1) * tenants.size - BUCKET_FROM_END
        struct.pack_into("=Q", tenants.memory, at, 123456789)
        before = tenants.memory[slot * tenants.size:(slot + 1) * tenants.size]
        for how in (signal.SIGKILL, signal.SIGTERM):
            self.gate.stop(how)
            self.gate.start()
            self.assertEqual(tenants.memory[slot * tenants.size:(slot + 1) * tenants.size], before)
            self.assertEqual(Map("postern_tenants").tenants(), {7: (slot, 0)})

    def test_maps_of_another_version_are_refused_and_left_alone(self):
        self.gate.start()
        self.gate.stop()
        shared = Map("postern_gate")
        struct.pack_into("=I", shared.memory, 4, 99)
        self.gate.start(ready=False)
        self.assertEqual(self.gate.process.wait(60), 1)
        self.assertIn("gate.mode", self.gate.said())
        self.assertEqual(shared.words(0, 2)[1], 99)

    # What the program counts

    @staticmethod
    @contextlib.contextmanager
    def wire():
        """A function that has a packet come in by a port: ("in" or "out", a Packet). Its link goes down again."""
        ends = {}
        for side in ("in", "out"):
            for end in ("0", "1"):
                Path(f"/proc/sys/net/ipv6/conf/{side}{end}/disable_ipv6").write_text("1")
                subprocess.run(["ip", "link", "set", side + end, "up"], check=True)
            ends[side] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            ends[side].bind((f"{side}1", 0))
        wait_for("both links", lambda: all(Path(f"/sys/class/net/{side}0/operstate").read_text().strip() == "up"
                                           for side in ends))
        try:
            yield lambda side, packet: ends[side].send(frame(packet))
        finally:
            for side, end in ends.items():
                end.close()
                subprocess.run(["ip", "link", "set", f"{side}1", "down"], check=True)

    def scrape(self):
        with urllib.request.urlopen(self.gate.metrics_url, timeout=DEADLINE) as answer:
            self.text = answer.read().decode()
        return {name: {tuple(value for _, value in sorted(key)): n for key, n in metric["samples"].items()}
                for name, metric in exposition.parse(self.text).items()}

    def check_schema(self):
        try:
            import jsonschema
        except ImportError:
            return
        schema = json.loads((Path(__file__).parents[2] / "docs" / "eve.schema.json").read_text())
        validator = jsonschema.Draft202012Validator(schema)
        for event in self.gate.events():
            self.assertEqual([error.message for error in validator.iter_errors(event)], [], event)

    def test_what_the_kernel_counts_is_shown_everywhere(self):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        self.gate.configure(tenants=f"( {TENANT}, {OTHER} )")
        self.gate.start()
        with self.wire() as send:
            for n in range(5):
                send("in", Packet(0, ACME, PEER, 1000 + n, 80, b"", TCP, flags=SYN))
                send("in", Packet(0, "172.16.0.1", PEER, 1000, 80, b"x", UDP))
                send("in", Packet(0, STOPPED, PEER, 1000, 80, b"x", UDP))
                send("in", Packet(0, STOPPED, PEER, 1000, 5060, b"x", UDP))
                send("in", Packet(0, ACME, PEER, 1000, 5060, b"x", UDP))
                send("out", Packet(0, PEER, ACME, 5060, 1000, b"x", UDP))
            wait_for("they are counted", lambda: [p["kernel"]["packets"] for p in self.result("ports")["ports"]] == [25, 5])
            wait_for("an alarm", lambda: self.gate.gate_events("failure_acting"))
        inside = self.result("ports")["ports"][0]["kernel"]
        self.assertEqual(inside["dropped_for"], {"limit_syns": 2, "spoofed": 5, "tenant_suspended": 5})
        self.assertEqual(inside["passed_for"], {"no_socket": 5, "call_unread": 5})
        self.assertEqual((inside["packets"], inside["passed"], inside["dropped"], inside["inspected"]), (25, 13, 12, 0))
        acme, other = (self.result("tenant", tenant=name)["kernel"] for name in ("acme", "other"))
        self.assertEqual((acme["packets_out"], acme["packets_in"], acme["inspected"], acme["uninspected"],
                          acme["dropped_for"]), (10, 5, 10, 10, {"limit_syns": 2}))
        self.assertEqual(other["dropped_for"], {"tenant_suspended": 5})
        self.assertEqual(self.result("stats")["kernel"]["failure"],
                         {"acting": True, "passed": 15, "dropped": 0, "calls_unread": 5})
        metrics = self.scrape()  # labels by name: action, port, reason, tenant
        if shutil.which("promtool"):
            checked = subprocess.run(["promtool", "check", "metrics"], input=self.text, capture_output=True, text=True, check=False)
            self.assertEqual(checked.returncode, 0, checked.stderr + checked.stdout)
        self.assertEqual(metrics["postern_kernel_packets_total"],
                         {("pass", "inside"): 13, ("inspect", "inside"): 0, ("drop", "inside"): 12,
                          ("pass", "outside"): 5, ("inspect", "outside"): 0, ("drop", "outside"): 0})
        self.assertEqual(metrics["postern_kernel_reasons_total"][("drop", "inside", "spoofed")], 5)
        self.assertEqual(metrics["postern_kernel_tenant_dropped_packets_total"],
                         {("limit_syns", "acme"): 2, ("tenant_suspended", "other"): 5})
        self.assertEqual(metrics["postern_kernel_tenant_packets_total"][("out", "acme")], 10)
        self.assertEqual(metrics["postern_failure_packets_total"],
                         {("pass", "no_socket"): 10, ("drop", "no_socket"): 0, ("pass", "heartbeat_stale"): 0,
                          ("drop", "heartbeat_stale"): 0, ("pass", "call_unread"): 5})
        self.assertEqual((metrics["postern_failure_acting"], metrics["postern_failures_total"]), ({(): 1}, {(): 1}))
        alarm = self.gate.gate_events("failure_acting")
        self.assertEqual([(a["severity"], a["failure"], a["reason"]) for a in alarm], [("error", "open", "no dataplane")])
        for words, shown in ((("ports",), "spoofed 5"), (("stats",), "ACTS NOW"), (("show", "tenant", "acme"), "limit_syns 2"),
                             (("show",), "failure policy")):
            page = self.gate.run(*words)
            self.assertEqual((page.returncode, page.stderr), (0, ""), words)
            self.assertIn(shown, page.stdout, words)
        wait_for("an event of type stats", lambda: [e for e in self.gate.events("stats")
                                                    if e["stats"]["kernel"]["failure"]["calls_unread"] == 5])
        self.check_schema()
        # The counters outlive posternd; the alarm is of those packets alone that it saw come.
        self.gate.stop(signal.SIGKILL)
        self.gate.start()
        self.assertEqual(self.result("ports")["ports"][0]["kernel"], inside)
        self.assertFalse(self.result("stats")["kernel"]["failure"]["acting"])
        # Whose slot it was counts for nothing for who comes after.
        self.gate.configure(tenants=f"( {TENANT} )")
        self.result("reload")
        self.assertEqual(self.result("tenant", tenant="acme")["kernel"], acme)

    def test_a_closed_gate_counts_what_it_drops(self):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        self.gate.configure(tenants=f"( {TENANT}, {OTHER} )", failure='"closed"')
        self.gate.start()
        with self.wire() as send:
            send("in", Packet(0, STOPPED, PEER, 1000, 5060, b"x", UDP))
            send("in", Packet(0, ACME, PEER, 1000, 5060, b"x", UDP))
            wait_for("an alarm", lambda: self.gate.gate_events("failure_acting"))
            wait_for("both are counted", lambda: self.result("stats")["kernel"]["failure"]["dropped"] == 2)
        self.assertEqual(self.gate.gate_events("failure_acting")[0]["failure"], "closed")

    # What there is no room for

    def what_becomes_of(self, send, *packets):
        """Of UDP packets, (source, destination) each: how many pass, and of the others how many are dropped for what."""
        def now():
            return self.result("ports")["ports"][0]["kernel"]

        def all_counted():  # a packet is counted here and there, one after the other
            after = now()
            return after if after["passed"] + sum(after["dropped_for"].values()) - passed == len(packets) else None
        before = now()
        passed = before["passed"] + sum(before["dropped_for"].values())
        for source, destination in packets:
            send("in", Packet(0, source, destination, 1000, 80, b"x", UDP))
        after = wait_for("they are counted", all_counted)
        dropped = {reason: n - before["dropped_for"].get(reason, 0) for reason, n in after["dropped_for"].items()}
        return after["passed"] - before["passed"], {reason: n for reason, n in dropped.items() if n}

    def check_stays(self, send, before):
        """All of the configuration that blocks REFUSED is in force, and nothing of another."""
        status = self.result("status")["configuration"]
        self.assertEqual((status["generation"], Map("postern_tenants").tenants(), self.result("tenant", tenant="acme")["prefixes"]),
                         (before["generation"], before["tenants"], 1))
        self.assertEqual(self.what_becomes_of(send, (ACME, REFUSED), (ACME, PEER), (STOPPED, PEER)), (1, {"blocked": 1, "spoofed": 1}))

    def test_a_reload_for_which_the_maps_have_no_room_changes_nothing(self):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        self.gate.configure(extra=f'lists: {{ blocked = [ "{REFUSED}/32" ]; }};')
        self.gate.start()
        before = {"generation": self.result("status")["configuration"]["generation"], "tenants": Map("postern_tenants").tenants()}
        # Another tenant in its place, nothing that blocks REFUSED; and too much of something.
        other = OTHER.replace("suspended", "active")
        many = f"( {other}, " + ", ".join(f'{{ id = {i}; name = "t{i}"; prefixes = [ "10.{i >> 8}.{i & 255}.0/24" ]; }}'
                                          for i in range(9, TENANTS + 9)) + " )"
        far = ", ".join(f'"16.{n >> 16}.{n >> 8 & 255}.{n & 255}/32", "2001:db8:{n >> 8:x}:{n & 255:x}::1/128"'
                        for n in random.Random(1).sample(range(1 << 24), NODES_SMALL // 2))
        far = f'( {other}, {{ id = 9; name = "far"; prefixes = [ {far} ]; }} )'
        blocked = f"lists: {{\n blocked = [ {networks(BLOCKED_MOST + 1)} ];\n}};"
        refusals = (
            ("bad_configuration", "postern.conf:3: error: lists.blocked: "
             f"{BLOCKED_MOST + 1} networks, and there is room for {BLOCKED_MOST} in the kernel", dict(tenants=f"( {other} )", extra=blocked)),
            # By the file alone there would be room; the maps that are there are others.
            ("too_large", f"{BLOCKED_MOST + 1} blocked networks, and the maps have room for {BLOCKED_MOST}", dict(mode='"dpdk"')),
            ("too_large", rf"the tenants' prefixes are \d+ nodes and \d+ leaves, and the maps have room for {NODES_SMALL} and \d+; "
             r"those of gate\.tenants = 8192, after a restart, for more",
             dict(tenants=far, extra="", mode='"xdp"')),
            ("bad_configuration", rf"more tenants than there is room for \(gate\.tenants: {TENANTS}\)", dict(tenants=many)),
        )
        self.gate.settings["tenants"] = "100000"  # the file's; the maps are made
        with self.wire() as send:
            self.check_stays(send, before)
            for i, (code, words, settings) in enumerate(refusals, 1):
                with self.subTest(code=code, words=words):
                    self.gate.configure(**settings)
                    refused = self.gate.run("reload")
                    self.assertEqual(refused.returncode, 1)
                    self.assertRegex(refused.stderr, words)
                    self.assertEqual(self.result("status")["configuration"]["failures"], i)
                    self.assertEqual(self.gate.gate_events("reload_failed")[-1]["code"], code)
                    self.check_stays(send, before)
            # The next good one holds: as many as there is room for.
            self.gate.settings["tenants"] = None
            self.gate.configure(tenants=f"( {other} )", extra=f"lists: {{ blocked = [ {networks(BLOCKED_MOST)} ]; }};")
            reloaded = self.gate.run("reload")
            self.assertEqual((reloaded.returncode, reloaded.stderr), (0, ""))
            self.assertGreater(self.result("status")["configuration"]["generation"], before["generation"])
            self.assertEqual(list(Map("postern_tenants").tenants()), [8])
            self.assertEqual(self.what_becomes_of(send, *((STOPPED, to) for to in (REFUSED, "10.64.0.0", "10.71.255.255", "10.72.0.0"))),
                             (2, {"blocked": 2}))

    def test_an_interface_that_is_not_there_is_told_of(self):
        self.gate.configure(inside='"nowhere0"')
        self.gate.start()
        self.assertIn("no such interface", self.gate.gate_events("kernel_failed")[0]["reason"])


def main():
    if os.geteuid() != 0:
        print("skipped: needs root, for namespaces and the kernel's maps")
        return 77
    if IN_OWN_NAMESPACE not in os.environ:
        inside = "mount -t bpf bpf /sys/fs/bpf && ip link add in0 type veth peer name in1 && ip link add out0 type veth peer name out1"
        if subprocess.run(["unshare", "-nm", "sh", "-c", f"mount -t sysfs sysfs /sys && {inside}"], capture_output=True).returncode:
            print("skipped: no namespaces with a bpffs here")
            return 77
        os.execvpe("unshare", ["unshare", "-nm", "sh", "-c", f'mount -t sysfs sysfs /sys && {inside} && exec "$0" "$@"', sys.executable,
                               *sys.argv], dict(os.environ, **{IN_OWN_NAMESPACE: "1"}))
    unittest.main(argv=sys.argv[:1] + sys.argv[5:], verbosity=2)
    return 0


if __name__ == "__main__":
    POSTERND, POSTERN, OBJECT, LARGE_OBJECT = sys.argv[1:5]
    sys.exit(main())
