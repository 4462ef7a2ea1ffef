#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`postern` as people type it, well and badly: command_line_test.py POSTERN DOCS CAPTURES

Exit status, what is said on standard error, and what is written. Exit 0: done; 1: could not be done, or not all of it; 2: not a
way to call it. Run by root, it also replays as nobody.
"""
import json
import os
import pwd
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from packets import Packet, frame, pcap_write, pcapng_read

CONFIG = 'tenants: ( { id = 1; name = "acme"; prefixes = [ "192.0.2.0/24" ]; } );\n'
RULE = 'alert smtp any any -> any any (msg:"m"; smtp.helo; content:"x"; sid:1;)\n'


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.capture = CAPTURES / "smtp-malware.pcapng"

    def path(self, name, content=None):
        path = self.folder / name
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run_it(self, *args, status=0, said="", silent=False, **options):
        """Runs it; `said` is part of what is on standard error, which is else empty."""
        result = subprocess.run([POSTERN, *args], capture_output=True, stdin=subprocess.DEVNULL, **options)
        error = result.stderr.decode()
        self.assertEqual(result.returncode, status, error)
        self.assertNotIn("EAL", error)
        if said:
            self.assertIn(said, error)
        else:
            self.assertEqual(error, "")
        return result.stdout

    def replay(self, *args, **options):
        return self.run_it("replay", *args, **options)

    def summary(self, *args, **options):
        self.replay("-q", "--json", self.path("json"), *args, **options)
        return json.loads(self.path("json").read_text())

    # What is no capture, or not all of one

    def test_no_such_file(self):
        self.replay("no-such-file", status=1, said="no-such-file: No such file or directory")

    def test_no_such_file_among_others_is_told_before_anything_is_written(self):
        self.replay("-q", "--json", self.path("json"), self.capture, "no-such-file", status=1, said="no-such-file")
        self.assertFalse(self.path("json").exists())

    def test_a_folder(self):
        self.replay(self.folder, status=1, said=str(self.folder))

    def test_no_capture(self):
        self.replay(self.path("text", "this is no capture\n" * 9), status=1, said="text: ")

    def test_an_empty_file(self):
        self.replay(self.path("empty", ""), status=1, said="empty: ")

    def test_a_link_type_that_is_not_read(self):
        head = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 9)
        packet = struct.pack("<IIII", 1, 0, 4, 4) + b"\xff\x03\0\x21"
        result = subprocess.run([POSTERN, "replay", "-q", "--json", "-", self.path("ppp", head + packet)],
                                capture_output=True, text=True)
        said = result.stderr if result.returncode else json.dumps(json.loads(result.stdout)["reasons"])
        self.assertRegex(said, "link")

    def test_a_capture_without_packets(self):
        self.assertEqual(self.summary(self.path("none", struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)))["packets"], 0)

    def test_cut_files_give_what_was_read_so_far(self):
        whole = self.capture.read_bytes()
        for cut in (len(whole) // 2, len(whole) - 1):
            path = self.path("cut.pcapng", whole[:cut])
            summary = self.summary(path, status=1, said="cut.pcapng: ")
            self.assertGreater(summary["packets"], 10)
            self.assertGreater(summary["smtp"]["sessions"], 0)
        packets = [Packet(10**9 * n, "192.0.2.1", "198.51.100.1", 1, 25) for n in range(5)]
        pcap_write(self.path("whole.pcap"), packets)
        self.path("cut.pcap", self.path("whole.pcap").read_bytes()[:-3])
        self.assertEqual(self.summary(self.path("cut.pcap"), status=1, said="cut.pcap: ")["packets"], 4)

    # Several captures

    def test_files_are_merged_by_time(self):
        whole = [Packet(10**9 * n, "192.0.2.1", "198.51.100.1", n, 25, flags=2) for n in range(1, 8)]
        pcap_write(self.path("odd"), whole[::2])
        pcap_write(self.path("even"), whole[1::2])
        self.replay("-q", "--write", self.path("left"), self.path("even"), self.path("odd"))
        self.assertEqual([p.sport for p in pcapng_read(self.path("left"))], [1, 2, 3, 4, 5, 6, 7])

    def test_times_that_step_back_are_replayed_as_they_stand(self):
        packets = [Packet(10**9 * n, "192.0.2.1", "198.51.100.1", n, 25, flags=2) for n in (3, 1, 2)]
        with open(self.path("back"), "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1))
            for packet in packets:
                data = frame(packet)
                file.write(struct.pack("<IIII", *divmod(packet.time, 10**9), len(data), len(data)) + data)
        summary = self.summary(self.path("back"))
        self.assertEqual((summary["packets"], summary["duration_s"]), (3, 2))

    # Configuration and rules

    def test_a_bad_configuration_is_told_by_file_and_line(self):
        path = self.path("conf", CONFIG + "policy: { retry_after = 1000; };\nnonsense = 1;\n")
        said = self.run_it("check", path, status=1).decode()
        for line in ("conf:2: error: policy.retry_after", "conf:3: error: nonsense", "2 errors"):
            self.assertIn(line, said)
        self.replay("-c", path, self.capture, status=1, said="conf:2: error: ")

    def test_a_configuration_that_is_none(self):
        self.replay("-c", self.path("conf", "tenants: ("), self.capture, status=1, said="conf:1")
        self.replay("-c", self.path("nowhere"), self.capture, status=1, said="nowhere")
        self.assertIn(b"nowhere", self.run_it("check", self.path("nowhere"), status=1))
        self.replay("-c", self.folder, self.capture, status=1, said="Is a directory")

    def test_a_list_that_is_missing(self):
        path = self.path("conf", CONFIG + 'lists: { optout = [ "no-such-list" ]; };\n')
        self.replay("-c", path, self.capture, status=1, said="no-such-list")

    def test_a_good_configuration(self):
        self.assertIn(b"postern.conf.example: good, 3 tenants", self.run_it("check", DOCS / "postern.conf.example"))

    def test_bad_rules_are_told_by_file_line_and_column(self):
        path = self.path("bad.rules", RULE + RULE.replace("sid:1", "sid:2").replace("content", "contents"))
        self.replay("-r", path, self.capture, status=1, said="bad.rules:2:")
        self.replay("-r", self.path("nowhere"), self.capture, status=1, said="nowhere")

    def test_rules_of_a_folder_and_a_file(self):
        self.path("rules").mkdir()
        for n in (1, 2):
            self.path(f"rules/{n}.rules", RULE.replace("sid:1", f"sid:{n}").replace('"x"', '"mail."'))
        self.path("rules/README", "no rules")
        one = self.path("one.rules", RULE.replace("sid:1", "sid:3").replace('"x"', '"mail."'))
        self.assertEqual(self.summary("-r", self.path("rules"), "-r", one, self.capture)["rules"], {"1": 2, "2": 2, "3": 2})

    # Outputs

    def test_outputs_that_cannot_be_written(self):
        for option in ("--json", "--events", "--write"):
            with self.subTest(option):
                said = self.replay(option, self.path("no/such/folder"), self.capture, status=1, said="no/such/folder: No such file")
                self.assertEqual(said, b"")  # told before the replay

    def test_a_capture_is_not_written_over(self):
        copy = self.path("copy.pcapng", self.capture.read_bytes())
        for option in ("--json", "--events", "--write"):
            with self.subTest(option):
                self.replay("-q", option, self.folder / "." / "copy.pcapng", self.capture, copy, status=1,
                            said="copy.pcapng: is one of the captures")
                self.assertEqual(copy.read_bytes(), self.capture.read_bytes())

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_a_full_disk(self):
        for option in ("--json", "--events", "--write"):
            with self.subTest(option):
                self.replay("-q", option, "/dev/full", self.capture, status=1, said="/dev/full: No space left on device")
        for args in (("replay", self.capture), ("check", DOCS / "postern.conf.example"), ("version",), ("--help",)):
            with self.subTest(args), open("/dev/full", "wb") as full:
                result = subprocess.run([POSTERN, *args], stdout=full, stderr=subprocess.PIPE, text=True)
                self.assertEqual((result.returncode, result.stderr),
                                 (1, "postern: standard output: No space left on device\n"))

    def test_one_output_to_standard_output(self):
        self.assertEqual(json.loads(self.replay("--json", "-", self.capture))["smtp"]["sessions"], 2)
        events = [json.loads(line) for line in self.replay("--events", "-", self.capture).splitlines()]
        self.assertEqual(events[-1]["event_type"], "stats")
        self.path("left", self.replay("--write", "-", self.capture))
        self.assertEqual(len(pcapng_read(self.path("left"))), 60)
        self.replay("--json", "-", "--events", "-", self.capture, status=2, said="only one output")

    def test_the_page_is_on_standard_output_unless_quiet(self):
        self.assertIn(b"WHAT CAME IN", self.replay(self.capture))
        self.assertEqual(self.replay("-q", self.capture), b"")

    def test_without_anything_all_is_nobodys_and_passes(self):
        summary = self.summary("--write", self.path("left"), self.capture)
        self.assertEqual(summary["verdicts"], {"pass": 60, "alert": 0, "drop": 0, "reject": 0})
        self.assertEqual([t["id"] for t in summary["tenants"]], [0])

    # Options

    def test_wrong_options(self):
        for args, said in (
            ((), "which capture?"),
            (("--nonsense", self.capture), "nonsense"),
            (("--json",), "json"),
            (("--workers", "0", self.capture), "--workers: '0' is not a number from 1 to 32"),
            (("--workers", "33", self.capture), "--workers: '33' is not"),
            (("--workers", "two", self.capture), "--workers: 'two' is not"),
            (("--checksums", "maybe", self.capture), "--checksums: 'maybe' is not auto, check or ignore"),
            (("--loop", "3", self.capture), "--loop goes with --bench"),
            (("--bench", "--events", "-", self.capture), "--bench writes no events"),
        ):
            with self.subTest(args):
                self.replay(*args, status=2, said=said)

    def test_commands(self):
        self.assertIn(b"usage: postern replay", self.replay("--help"))
        self.assertIn(b"usage: postern COMMAND", self.run_it("--help"))
        self.assertRegex(self.run_it("version"), rb"^postern \d")
        self.run_it(status=2, said="usage: postern COMMAND")
        self.run_it("nonsense", status=2, said="there is no command 'nonsense'")
        self.run_it("check", status=2, said="usage: postern check")

    @unittest.skipUnless(os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0,
                         "no namespaces for this user")
    def test_without_sys(self):
        """A bare chroot: DPDK's own words would be its usage."""
        result = subprocess.run(["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys && exec "$@"', "sh", POSTERN, "replay", self.capture],
                                capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (1, "", "postern: DPDK finds no CPU: is /sys mounted?\n"))

    # Who may

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "not root, or no setpriv: runs as a user anyway")
    def test_an_ordinary_user_can_replay(self):
        """No privileges, no capabilities, no home: only what a user has. And nothing of it stays."""
        nobody = pwd.getpwnam("nobody")
        os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        program, capture = self.path("postern"), self.path("capture")
        for source, copy in ((POSTERN, program), (self.capture, capture)):
            shutil.copy(source, copy)
            copy.chmod(0o755)
        result = subprocess.run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--bounding-set=-all",
                                 "--no-new-privs", program, "replay", "--json", "json", "--events", "eve", "--write", "left",
                                 "--workers", "2", capture], cwd=self.folder, env={"PATH": os.environ["PATH"]},
                                capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(json.loads(self.path("json").read_text())["packets"], 60)
        left = [entry.name for entry in os.scandir("/tmp") if re.fullmatch(r"postern-\w{6}", entry.name)
                and entry.stat(follow_symlinks=False).st_uid == nobody.pw_uid]
        self.assertEqual(left, [])


if __name__ == "__main__":
    POSTERN, DOCS, CAPTURES = (Path(x).resolve() for x in sys.argv[1:4])
    unittest.main(argv=sys.argv[:1])
