#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Lists, as people keep them: lists_test.py POSTERND POSTERN

`postern list` through posternd and without it, what is refused, what outlives a kill. Without a dataplane.
"""
import array
import contextlib
import gzip
import json
import os
import signal
import socket
import sys
import tempfile
import time
import unittest
from pathlib import Path

from gate import DEADLINE, Gate, wait_for

TENANTS = """( { id = 7; name = "acme"; prefixes = [ "192.0.2.0/24" ]; },
  { id = 9; name = "globex"; prefixes = [ "198.51.100.0/24" ]; } )"""


class Lists(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.gate = Gate(self.folder, POSTERND, POSTERN)
        self.gate.configure(tenants=TENANTS)
        self.addCleanup(self.gate.stop, signal.SIGKILL)

    def path(self, name, text):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def run_list(self, *words, straight=False):
        return self.gate.run("list", *words, *(["-c", self.gate.config] if straight else []))

    def good(self, *words, straight=False):
        result = self.run_list(*words, "--json", straight=straight)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def bad(self, *words, status=1, straight=False):
        result = self.run_list(*words, straight=straight)
        self.assertEqual((result.returncode, result.stdout), (status, ""), result.stderr)
        return result.stderr

    def standing(self, owner, kind, *entries, straight=False):
        return [e["standing"] for e in self.good("check", owner, kind, *entries, straight=straight)["entries"]]

    def entries(self, straight=False):
        return {(entry["tenant"], entry["kind"]): entry["entries"]
                for entry in self.good("show", straight=straight)["lists"]}

    def both(self, test):
        """With posternd and without: the same."""
        for straight in (False, True):
            with self.subTest(straight=straight), tempfile.TemporaryDirectory() as folder:
                self.gate = Gate(folder, POSTERND, POSTERN)
                self.gate.configure(tenants=TENANTS)
                if not straight:
                    self.gate.start()
                    self.addCleanup(self.gate.stop, signal.SIGKILL)
                try:
                    test(straight)
                finally:
                    self.gate.stop(signal.SIGKILL)

    def test_what_is_imported_is_listed_and_counted(self):
        def test(straight):
            file = self.path("a.txt", "A@example.com\nb@example.com\n\nb@EXAMPLE.com\n")
            result = self.good("import", "acme", "optout", file, "--now", straight=straight)
            self.assertEqual((result["tenant"], result["kind"], result["read"], result["bad"], result["new"], result["entries"]),
                             ("acme", "optout", 3, 0, 2, 2))
            self.assertEqual(self.standing("acme", "optout", "a@example.com", "<B@example.com>", "c@example.com", straight=straight),
                             ["listed", "listed", "absent"])
            self.assertEqual(self.standing("globex", "optout", "a@example.com", straight=straight), ["absent"])
            self.good("import", "--global", "dnc", self.path("n.txt", "+1 415 555 0100\n"), straight=straight)
            self.assertEqual(self.entries(straight), {("acme", "optout"): 2, (None, "dnc"): 1})
            page = self.run_list("show", straight=straight).stdout
            self.assertRegex(page, r"acme +optout +2 ")
            self.assertRegex(page, r"everybody +dnc +1 ")
            self.assertRegex(page, r"base +3 entries")
            page = self.run_list("check", "acme", "optout", "a@example.com", "x@y.z", straight=straight).stdout
            self.assertEqual(page, "a@example.com: on the list\nx@y.z: not on the list\n")
        self.both(test)

    def test_opt_outs_hold_after_the_grace_and_since_when_they_came(self):
        def test(straight):
            file = self.path("a.txt", "a@example.com\n")
            result = self.good("import", "acme", "optout", file, straight=straight)
            self.assertEqual(result["from"] % 3600, 0)
            entry, = self.good("check", "acme", "optout", "a@example.com", straight=straight)["entries"]
            self.assertEqual((entry["standing"], entry["from"]), ("pending", result["from"]))
            self.good("add", "acme", "optout", "b@example.com", "--since", "3d", straight=straight)
            self.good("add", "acme", "optout", "c@example.com", "--since", "2020-01-01T00:00:00Z", straight=straight)
            self.good("add", "acme", "optout", "d@example.com", "--since", "47h", straight=straight)
            self.good("add", "acme", "optout", "e@example.com", "--now", straight=straight)
            self.assertEqual(self.standing("acme", "optout", *(f"{x}@example.com" for x in "abcde"), straight=straight),
                             ["pending", "listed", "listed", "pending", "listed"])
            self.assertIn("expected", self.bad("add", "acme", "optout", "x@y.z", "--since", "long ago", straight=straight)
                          .replace("must be", "expected"))
        self.both(test)

    def test_a_reload_takes_another_grace(self):
        standing = lambda who: self.standing("acme", "optout", who, straight=False)
        self.gate.start()
        self.good("add", "acme", "optout", "a@example.com", "--since", "3h", straight=False)
        self.assertEqual(standing("a@example.com"), ["pending"])
        self.gate.configure(extra='lists: { optout_grace = "1h"; };')
        said = self.gate.ask("reload")["result"]
        self.assertEqual((said["changes"]["settings"], said["needs_restart"]), (["lists.optout_grace"], []))
        self.good("add", "acme", "optout", "b@example.com", "--since", "3h", straight=False)
        self.assertEqual((standing("b@example.com"), standing("a@example.com")), (["listed"], ["pending"]))

    def test_bad_lines_are_told_and_stop_it_or_are_left_out(self):
        def test(straight):
            file = self.path("a.txt", "a@example.com\nnobody\nb@example.com\n" + "no\n" * 30)
            said = self.bad("import", "acme", "optout", file, straight=straight)
            self.assertIn("a.txt:2: error: expected an address such as user@example.com, not \"nobody\"", said)
            self.assertIn("31 of 33 lines are bad", said)
            self.assertEqual(self.entries(straight), {})
            result = self.good("import", "acme", "optout", file, "--skip-bad", "--now", straight=straight)
            self.assertEqual((result["bad"], result["entries"], len(result["problems"])), (31, 2, 20))
        self.both(test)

    def test_columns_and_compressed_files(self):
        def test(straight):
            text = 'name;Mail\n"A; a";a@example.com\nB;b@example.com\n'.encode()
            for file in (self.path("a.csv", text), self.path("a.csv.gz", gzip.compress(text))):
                result = self.good("import", "acme", "optout", file, "--column", "mail", "--replace", straight=straight)
                self.assertEqual((result["read"], result["entries"]), (2, 2))
            self.assertIn('there is no column "address": there are "name", "Mail"',
                          self.bad("import", "acme", "optout", file, "--column", "address", straight=straight))
            self.assertIn("cut short", self.bad("import", "acme", "optout",
                                                self.path("b.gz", gzip.compress(os.urandom(3000))[:500]), straight=straight))
        self.both(test)

    def test_single_entries_come_and_go(self):
        def test(straight):
            self.assertEqual(self.good("add", "acme", "dnc", "+14155550100", "+14155550101", straight=straight)["changed"], 2)
            self.assertEqual(self.good("add", "acme", "dnc", "+14155550100", straight=straight)["changed"], 0)
            self.assertEqual(self.good("remove", "acme", "dnc", "1 415 555 0100", straight=straight)["entries"], 1)
            self.assertEqual(self.standing("acme", "dnc", "14155550100", "14155550101", straight=straight), ["absent", "listed"])
            self.good("import", "acme", "dnc", self.path("n", "14155550102\n"), straight=straight)
            self.assertEqual(self.standing("acme", "dnc", "14155550100", "14155550101", "14155550102", straight=straight),
                             ["absent", "listed", "listed"])
            self.assertIn("expected a telephone number", self.bad("add", "acme", "dnc", "1", "nobody", straight=straight))
            self.assertEqual(self.standing("acme", "dnc", "1", straight=straight), ["absent"])
        self.both(test)

    def test_what_can_t_be_is_said(self):
        def test(straight):
            file = self.path("a", "a@example.com\n")
            self.assertIn("there is nothing to export", self.bad("export", "acme", "optout", straight=straight))
            self.assertIn("no kind of list 'optuot'", self.bad("import", "acme", "optuot", file, status=2, straight=straight))
            self.assertIn("the provider's: --global", self.bad("import", "acme", "trap", file, status=2, straight=straight))
            self.assertIn("say whose", self.bad("import", "--global", "number", file, status=2, straight=straight))
            self.assertIn('no tenant "nobody"', self.bad("import", "nobody", "optout", file, straight=straight))
            self.assertIn("No such file", self.bad("import", "acme", "optout", "/nonexistent/file", straight=straight))
            self.assertIn("usage", self.bad("import", "acme", "optout", status=2, straight=straight))
            self.assertIn("usage", self.bad("add", "acme", "optout", "a@b.c", "--skip-bad", status=2, straight=straight))
        self.both(test)

    def test_without_posternd_it_is_not_done_beside_it(self):
        self.gate.start()
        self.assertIn("posternd runs", self.bad("show", straight=True))
        self.good("add", "acme", "optout", "a@example.com", "--now")
        self.gate.stop()
        self.assertIn("posternd does not run", self.bad("show"))
        self.assertEqual(self.standing("acme", "optout", "a@example.com", straight=True), ["listed"])

    def test_what_was_acknowledged_outlives_a_kill(self):
        for i in range(12):
            self.gate.start()
            if i % 4 == 3:
                self.good("import", "acme", "optout", self.path("a", f"user{i}@example.com\n"), "--now")
            else:
                self.good("add", "acme", "optout", f"user{i}@example.com", "--now")
            self.gate.stop(signal.SIGKILL)
        self.gate.start()
        self.assertEqual(set(self.standing("acme", "optout", *(f"user{i}@example.com" for i in range(12)))), {"listed"})
        self.assertEqual(self.entries(), {("acme", "optout"): 12})

    def test_a_kill_during_an_import_leaves_what_was(self):
        self.gate.start()
        self.good("add", "acme", "optout", "a@example.com", "--now")
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        with self.gate.client() as client:
            self.hand_over(client, fifo)
            client.send('{"command":"list import","arguments":{"tenant":"acme","kind":"optout","file":"f","replace":true}}\n')
            # A reader of lists has begun, and others are told so.
            with open(fifo, "w", encoding="utf-8") as end:
                end.write("b@example.com\n")
                end.flush()
                wait_for("it is busy", lambda: "under way" in self.run_list("add", "acme", "optout", "x@example.com").stderr)
                self.assertEqual(self.standing("acme", "optout", "a@example.com"), ["listed"])
                self.gate.stop(signal.SIGKILL)
        self.gate.start()
        self.assertEqual(self.entries(), {("acme", "optout"): 1})
        self.assertEqual(self.standing("acme", "optout", "a@example.com", "b@example.com"), ["listed", "absent"])

    def readers(self):
        """The children of posternd that read lists."""
        pid = self.gate.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
        return [int(child) for child in children]

    def kill_when_written(self, turn):
        """An import whose reader dies as soon as the lists are written: what is said of it."""
        base = self.folder / "state" / "lists" / "base.set"
        ends = os.pipe()
        with self.gate.client() as client:
            self.hand_over(client, ends[0])
            client.send('{"command":"list import","arguments":{"tenant":"globex","kind":"optout","file":"f"}}\n')
            with open(ends[1], "w", encoding="utf-8") as end:
                end.writelines(f"{turn}.{i}@example.com\n" for i in range(2000))
                reader = wait_for("a reader of lists", self.readers)[0]
                before = base.stat().st_ino
            end = time.monotonic() + DEADLINE
            while base.stat().st_ino == before and time.monotonic() < end:
                pass  # it says so right after: there is no time to sleep
            with contextlib.suppress(ProcessLookupError):
                os.kill(reader, signal.SIGKILL)
            return client.line()

    def test_a_reader_that_dies_after_it_wrote_costs_nothing_that_comes_later(self):
        self.gate.start()
        for turn in range(5):
            answer = self.kill_when_written(turn)
            if not answer["ok"]:
                self.assertIn("killed by signal 9", answer["error"]["message"])
                self.assertIn("had been written, and hold", answer["error"]["message"])
            self.good("add", "acme", "optout", f"{turn}@example.com", "--now")
            self.assertEqual(self.entries(), {("acme", "optout"): turn + 1, ("globex", "optout"): 2000 * (turn + 1)})
            # A merge takes what came since along.
            self.good("import", "acme", "dnc", self.path("a", f"+1202555{turn:04}\n"), "--now")
            self.good("remove", "acme", "dnc", f"+1202555{turn:04}")
            self.assertEqual(self.entries()[("acme", "optout")], turn + 1)

    def hand_over(self, client, file):
        """A path, or a descriptor, which is closed."""
        client.send('{"command":"list file"}\n')
        self.assertEqual(client.line()["result"], {"ready": True})
        fd = file if isinstance(file, int) else os.open(file, os.O_RDWR)
        try:
            socket.send_fds(client.socket, [b"f"], [fd])
        finally:
            os.close(fd)

    def test_a_file_is_handed_over_or_the_connection_ends(self):
        self.gate.start()
        file = self.path("a", "a@example.com\n")
        request = {"command": "list import", "arguments": {"tenant": "acme", "kind": "optout", "file": "a"}}
        with self.gate.client() as client:
            self.assertIn("no file came", client.ask("list import", tenant="acme", kind="optout", file="a")["error"]["message"])
            self.hand_over(client, file)
            self.hand_over(client, file)
            client.send(json.dumps(request) + "\n")
            self.assertTrue(client.line()["ok"])
            self.assertIn("no file came", client.ask("list import", tenant="acme", kind="optout", file="a")["error"]["message"])
        for wrong in (b"f", b'{"command":"status"}\n'):
            with self.gate.client() as client:
                client.send('{"command":"list file"}\n')
                client.line()
                client.send(wrong)
                self.assertIsNone(client.line())
        with self.gate.client() as client, open(file, "rb") as one:
            client.send('{"command":"list file"}\n')
            client.line()
            ancillary = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [one.fileno()] * 3))
            client.socket.sendmsg([b"f"], [ancillary])
            self.assertIsNone(client.line())
        self.assertEqual(self.entries(), {("acme", "optout"): 1})
        descriptors = len(os.listdir(f"/proc/{self.gate.process.pid}/fd"))
        for _ in range(5):
            with self.gate.client() as client:
                self.hand_over(client, file)
        wait_for("none is left open", lambda: len(os.listdir(f"/proc/{self.gate.process.pid}/fd")) <= descriptors)

    def test_damaged_lists_are_said_and_the_gate_runs_without(self):
        self.gate.start()
        self.good("add", "acme", "optout", "a@example.com", "--now")
        self.gate.stop()
        base = self.folder / "state" / "lists" / "base.set"
        base.write_bytes(base.read_bytes()[:-1])
        self.gate.start()
        self.assertIn("lists/base.set: the set of lists is cut short", self.bad("show"))
        self.assertIn("lists/base.set", self.gate.gate_events("lists_failed")[0]["reason"])
        self.assertIn("lists/base.set", self.bad("add", "acme", "optout", "b@example.com"))

    def test_a_delta_that_has_grown_is_merged_while_the_gate_goes_on(self):
        self.gate.start()
        asked = 0
        with self.gate.client() as client:
            for turn in range(30):
                entries = [f"{turn}.{i}@example.com" for i in range(1500)]
                answer = client.ask("list add", tenant="acme", kind="optout", entries=entries, now=True)
                while not answer["ok"]:
                    self.assertEqual(answer["error"]["code"], "busy")
                    answer = client.ask("list add", tenant="acme", kind="optout", entries=entries, now=True)
                asked += len(entries)
                self.assertEqual(answer["result"]["entries"], asked)
        shown = wait_for("the base has most of it", lambda: (r := self.good("show"))["base"]["entries"] > 30000 and r)
        self.assertEqual([entry["entries"] for entry in shown["lists"]], [asked])
        self.assertEqual(set(self.standing("acme", "optout", "0.0@example.com", "29.1499@example.com")), {"listed"})

    def test_changes_are_events_and_entries_are_in_none(self):
        self.gate.start()
        self.good("add", "acme", "optout", "secret@example.com", "--now")
        self.good("import", "acme", "optout", self.path("a", "hidden@example.com\n"))
        first, second = wait_for("two events", lambda: (e := self.gate.gate_events("lists_changed"))[1:] and e)
        self.assertEqual((first["kind"], first["entries"], first["how"]), ("optout", 1, "list add"))
        self.assertEqual((second["entries"], second["how"]), (2, "list import"))
        kept = self.gate.eve.read_text() + self.gate.said()
        for file in (self.folder / "state").rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # another may take its place meanwhile
                kept += file.read_bytes().decode("latin-1") if file.is_file() else ""
        self.assertNotIn("secret", kept)
        self.assertNotIn("hidden", kept)
        self.assertEqual(os.stat(self.folder / "state" / "lists" / "key").st_mode & 0o777, 0o600)


if __name__ == "__main__":
    POSTERND, POSTERN = map(str, sys.argv[1:3])
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
