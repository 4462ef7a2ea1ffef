#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Cases and their notices, with a real web server and a real mail server to take them: cases_test.py POSTERND POSTERN"""
import hashlib
import hmac
import http.server
import json
import signal
import socketserver
import sys
import tempfile
import threading
import unittest
from email import message_from_bytes
from pathlib import Path

from gate import Gate, arf, wait_for

TENANTS = """( { id = 7; name = "acme"; prefixes = [ "192.0.2.0/24" ]; contacts = [ "ops@acme.example" ]; },
  { id = 9; name = "globex"; prefixes = [ "198.51.100.0/24" ]; },
  { id = 11; name = "initech"; prefixes = [ "203.0.113.0/24" ]; contacts = [ "it@initech.example" ]; } )"""
SECRET = "a key of the desk's"
ARF = arf("<nobodys@somebody.example>")


class Desk(http.server.ThreadingHTTPServer):
    """Takes webhooks; `answers` are its status codes in turn, the last for ever."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
            self.server.posts.append((answer, dict(self.headers), body))
            self.send_response(answer)
            self.end_headers()

        def log_message(self, *unused):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.posts, self.answers = [], [204]

    def taken(self, event):
        return [json.loads(body) for answer, _, body in self.posts if answer < 300 and json.loads(body)["event"] == event]


class Mail(socketserver.ThreadingTCPServer):
    """An SMTP server; `answers` to the end of data in turn, the last for ever."""
    allow_reuse_address = True
    daemon_threads = True

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line):
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self):
            sender, rcpts = None, []
            self.say("220 mail.example ESMTP")
            for line in self.rfile:
                word = line.split()[0].upper() if line.split() else b""
                if word == b"MAIL":
                    sender, rcpts = line.strip(), []
                elif word == b"RCPT":
                    rcpts.append(line.decode().split("<")[1].split(">")[0])
                elif word == b"DATA":
                    self.say("354 go on")
                    data = b""
                    for line in self.rfile:
                        if line == b".\r\n":
                            break
                        data += line[1:] if line.startswith(b".") else line
                    answers = self.server.answers
                    answer = answers.pop(0) if len(answers) > 1 else answers[0]
                    self.server.mails.append((answer, sender, rcpts, data))
                    self.say(answer)
                    continue
                elif word == b"QUIT":
                    self.say("221 bye")
                    return
                self.say("250 ok")

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.mails, self.answers = [], ["250 taken"]

    def taken(self, rcpt):
        return [message_from_bytes(data) for answer, _, rcpts, data in self.mails if answer[0] == "2" and rcpt in rcpts]


class Cases(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.gate = Gate(self.folder, POSTERND, POSTERN)
        self.desk, self.mail = Desk(), Mail()
        for server in (self.desk, self.mail):
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.addCleanup(server.server_close)
            self.addCleanup(server.shutdown)
        (Path(self.folder) / "secret").write_text(SECRET + "\n")
        self.addCleanup(self.gate.stop, signal.SIGKILL)

    def start(self, more="", risk=""):
        self.gate.configure(tenants=TENANTS, extra=f"""cases: {{
  webhook = "http://127.0.0.1:{self.desk.server_address[1]}/hook"; webhook_secret = "{self.folder}/secret";
  relay = "smtp://127.0.0.1:{self.mail.server_address[1]}"; from = "abuse@provider.example"; desk = [ "desk@provider.example" ];
  retry_first = "100ms"; retry_most = "300ms"; {more} }};
{risk}""")
        self.gate.start()

    def run_(self, *words, status=0):
        result = self.gate.run(*words)
        self.assertEqual(result.returncode, status, result.stderr + result.stdout)
        return result.stdout if status == 0 else result.stderr

    def show(self, number):
        return json.loads(self.run_("case", "show", number, "--json"))

    def state(self, number):
        return self.show(number)["state"]

    def test_who_is_told_answers_or_is_late(self):
        self.start('answer_within = "2s"; overdue = "suspend";')
        self.assertIn("open", self.run_("case", "open", "acme", "--why", "mails to a trap"))
        wait_for("the tenant was told", lambda: self.state(1) in ("told", "overdue"))
        mail = wait_for("its mail", lambda: self.mail.taken("ops@acme.example"))[0]
        self.assertEqual(mail["From"], "abuse@provider.example")
        self.assertEqual(mail["Auto-Submitted"], "auto-generated")
        self.assertEqual(mail["X-Postern-Case"], "1")
        self.assertIn("mails to a trap", mail.get_payload())
        wait_for("the desk's mail", lambda: self.mail.taken("desk@provider.example"))
        answer, headers, body = wait_for("a webhook", lambda: self.desk.posts)[0]
        self.assertEqual(headers["X-Postern-Signature"], "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest())
        self.assertEqual(json.loads(body)["tenant"], "acme")
        wait_for("it is overdue", lambda: self.state(1) == "overdue")
        wait_for("it is suspended", lambda: "suspended" in self.run_("show", "tenant", "acme"))
        self.assertEqual(self.gate.gate_events("case_overdue")[0]["follows"], "suspend")
        suspended = self.gate.gate_events("tenant_suspended")[0]
        self.assertEqual((suspended["by"], suspended["reason"]), ("posternd", "case 1: no answer in time"))
        wait_for("it is in the case", lambda: "tenant" in [item["what"] for item in self.show(1)["history"]])
        wait_for("the overdue notice", lambda: self.desk.taken("case_overdue"))
        self.assertIn("closed", self.run_("case", "close", 1, "--why", "they left"))
        self.assertIn("case 1 is closed", self.run_("case", "note", 1, "--text", "x", status=1))
        self.assertIn("none", self.run_("case", "list"))
        self.assertIn("closed", self.run_("case", "list", "--all"))
        self.assertIn("there is no case 2", self.run_("case", "show", 2, status=1))
        entries = self.run_("audit", "export", "--tenant", "acme")
        for action in ("case open", "case overdue", "tenant suspend", "case close"):
            self.assertIn(action, entries)
        self.run_("audit", "verify")

    def test_who_answers_is_left_alone(self):
        self.start('answer_within = "1h"; overdue = "suspend";')
        self.run_("case", "open", "acme", "--why", "x")
        wait_for("the tenant was told", lambda: self.state(1) == "told")
        self.run_("case", "answer", 1, "--text", "a stolen password; changed")
        due = self.show(1)
        self.assertEqual((due["state"], due["due"]), ("answered", None))
        self.run_("case", "open", "globex", "--why", "y")
        # globex has no contacts: nobody was told, and no clock runs.
        self.assertEqual([i["what"] for i in self.show(2)["history"]][:3], ["open", "note", "untold"])
        self.assertIn("case 1 is about acme already", self.run_("case", "open", "acme", "--why", "z", status=1))
        # Another is late, and they still aren't.
        self.gate.stop()
        self.start('answer_within = "1s"; overdue = "suspend";')
        self.run_("case", "open", "initech", "--why", "z")
        wait_for("it is overdue", lambda: self.state(3) == "overdue")
        self.assertEqual((self.state(1), self.state(2)), ("answered", "open"))
        self.assertEqual([event["tenant"] for event in self.gate.gate_events("case_overdue")], ["initech"])

    def test_what_fails_is_sent_again_later_and_once(self):
        self.desk.answers = [500, 429, 204]
        self.mail.answers = ["451 later"] * 4 + ["250 taken"]
        self.start()
        self.run_("case", "open", "acme", "--why", "x")
        wait_for("the webhook arrives", lambda: self.desk.taken("case_opened"))
        wait_for("the mail arrives", lambda: self.mail.taken("ops@acme.example"))
        wait_for("the tenant was told", lambda: self.state(1) == "told")
        self.assertEqual([post[0] for post in self.desk.posts], [500, 429, 204])
        self.assertEqual(len({post[1]["X-Postern-Delivery"] for post in self.desk.posts}), 1)
        self.assertEqual(len(self.mail.taken("ops@acme.example")), 1)
        self.assertEqual(self.gate.gate_events("notice_failed"), [])

    def test_what_is_refused_for_ever_is_an_alarm_and_the_clock_stands(self):
        self.mail.answers = ["550 nobody here"]
        self.start('answer_within = "1s";')
        self.run_("case", "open", "acme", "--why", "x")
        wait_for("it is given up", lambda: len(self.gate.gate_events("notice_failed")) == 2)
        self.assertEqual(self.state(1), "open")
        self.assertIn("550", self.gate.gate_events("notice_failed")[0]["reason"])
        self.assertEqual(len(self.mail.mails), 2)

    def test_killed_and_started_again_a_notice_still_arrives(self):
        self.mail.answers = ["451 later"]
        self.start('answer_within = "1h";')
        self.run_("case", "open", "acme", "--why", "x")
        wait_for("it was tried", lambda: self.mail.mails)
        self.gate.stop(signal.SIGKILL)
        self.mail.answers = ["250 taken"]
        self.gate.start()
        wait_for("the mail arrives", lambda: self.mail.taken("ops@acme.example"))
        wait_for("the tenant was told", lambda: self.state(1) == "told")

    def test_a_complaint_that_is_nobodys_makes_a_case_of_nobodys(self):
        self.start()
        path = Path(self.folder) / "report.eml"
        path.write_text(ARF)
        self.run_("feedback", "arf", path)
        case = self.show(1)
        self.assertEqual((case["tenant_id"], case["state"]), (0, "open"))
        self.assertEqual(case["history"][1]["what"], "report")
        self.assertEqual(case["history"][1]["fields"]["result"], "unmatched")
        wait_for("the desk's mail", lambda: self.mail.taken("desk@provider.example"))
        self.run_("feedback", "arf", path)
        self.assertEqual(len(self.gate.gate_events("case_opened")), 1)

    def test_an_alarm_reaches_whoever_reads_no_logs(self):
        self.start()
        # No dataplane ever comes: what the gate says of that is no alarm, a lost one is. Here: the audit log is meddled with.
        import sqlite3
        self.gate.stop()
        with sqlite3.connect(Path(self.folder) / "state" / "state.db") as db:
            db.execute("UPDATE audit_head SET seq = seq + 1")
        db.close()
        self.gate.start()
        alarm = wait_for("the alarm", lambda: self.desk.taken("audit_broken"))[0]
        self.assertTrue(alarm["alarm"])
        wait_for("its mail", lambda: [m for m in self.mail.taken("desk@provider.example") if "audit_broken" in m["Subject"]])

    def test_what_makes_no_sense_is_told_with_its_place(self):
        for more, words in (
                ('cases: { relay = "mail.example"; };', 'cases.relay: expected a mail server such as "smtp://mail.example:25"'),
                ('cases: { webhook = "ftp://x"; };', 'cases.webhook: expected a URL'),
                ('cases: { desk = [ "a b@c" ]; };', 'cases.desk[0]: expected an address'),
                ('cases: { relay = "smtp://mail.example"; };', '"relay" needs "from"'),
                ('cases: { desk = [ "a@example.com" ]; };', 'no "relay" to reach them'),
                ('cases: { overdue = "shoot"; };', 'cases.overdue: expected "ask" or "suspend"')):
            self.gate.configure(tenants=TENANTS, extra=more)
            result = self.gate.run("check", self.gate.config)
            self.assertEqual(result.returncode, 1, more)
            self.assertIn(words, result.stdout + result.stderr)


if __name__ == "__main__":
    POSTERND, POSTERN = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
