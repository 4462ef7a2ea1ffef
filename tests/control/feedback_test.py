#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What comes back, as people hand it over: feedback_test.py POSTERND POSTERN

`postern feedback` through posternd: complaints, bounces and logs, whose they are, what they count. Without a
dataplane: a provider's own log tells of the mail that left.
"""
import gzip
import json
import resource
import signal
import sys
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

from gate import Gate, wait_for

TENANTS = """( { id = 7; name = "acme"; prefixes = [ "192.0.2.0/24" ]; },
  { id = 9; name = "globex"; prefixes = [ "198.51.100.0/24", "2001:db8:9::/48" ]; } )"""

ARF = """From: fbl@isp.example
To: fbl@provider.example
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

A complaint.
--b
Content-Type: message/feedback-report

Feedback-Type: {type}
User-Agent: Test/1.0
Version: 1
{more}
--b
Content-Type: message/rfc822

From: news@acme.example
Subject: News
Message-ID: <{id}>

Text
--b--
"""

DSN = """From: MAILER-DAEMON@mx.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {rcpt}
Action: failed
Status: {status}
Diagnostic-Code: smtp; 550 {status} {text}

--b
Content-Type: text/rfc822-headers

Message-ID: <{id}>

--b--
"""


def log_of(mails, client="192.0.2.10", age=timedelta(minutes=5)):
    """Lines of Postfix's log. mails: (Message-ID, [(recipient, dsn, status, reply)])."""
    stamp = (datetime.now(timezone.utc) - age).isoformat()
    lines = []
    for number, (message_id, recipients) in enumerate(mails):
        queue = f"{0xABCDE00000 + number:X}"
        lines += [f"{stamp} relay postfix/smtpd[1]: {queue}: client=mail[{client}]",
                  f"{stamp} relay postfix/cleanup[1]: {queue}: message-id=<{message_id}>",
                  f"{stamp} relay postfix/qmgr[1]: {queue}: from=<news@acme.example>, size=1, nrcpt=1 (queue active)"]
        lines += [f"{stamp} relay postfix/smtp[1]: {queue}: to=<{to}>, relay=mx[203.0.113.7]:25, delay=1, delays=0/0/0/1, "
                  f"dsn={dsn}, status={status} ({reply})" for to, dsn, status, reply in recipients]
        lines.append(f"{stamp} relay postfix/qmgr[1]: {queue}: removed")
    return "\n".join(lines) + "\n"


def delivered(count, first=0, name="m"):
    return [(f"{name}{i}@acme.example", [(f"user{i}@domain{i % 9}.example", "2.0.0", "sent", "250 2.0.0 Ok")])
            for i in range(first, first + count)]


class Feedback(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.gate = Gate(self.folder, POSTERND, POSTERN)
        self.gate.configure(tenants=TENANTS)
        self.addCleanup(self.gate.stop, signal.SIGKILL)
        self.gate.start()

    def path(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def good(self, *words):
        result = self.gate.run("feedback", *words, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def log(self, mails, **options):
        return self.good("log", self.path("maillog", log_of(mails, **options)))["results"]

    def arf(self, message_id, number=0, type="abuse", more=None):
        more = f"Original-Rcpt-To: <user{number}@isp.example>\n" if more is None else more
        return self.good("arf", self.path("report.eml", ARF.format(type=type, id=message_id, more=more)))

    def complaints(self, numbers, name="m"):
        folder = self.folder / "reports" / "new"
        for i in numbers:
            self.path(f"reports/new/{i}", ARF.format(type="abuse", id=f"{name}{i}@acme.example",
                                                     more=f"Original-Rcpt-To: <user{i}@domain{i % 9}.example>\n"))
        return self.good("arf", folder.parent)["results"]

    def term(self, name, tenant="acme"):
        risk = self.gate.ask("explain", tenant=tenant)["result"]
        return next(term for term in risk["terms"] if term["name"] == name)

    def evaluated(self, name, whole, tenant="acme"):
        """The term once it has so many of the whole."""
        return self.term(name, tenant)

    def test_aup_complaint_one_in_90_is_nothing(self):
        self.assertEqual(self.log(delivered(90)), {"counted": 90})
        self.assertEqual(self.complaints([5]), {"counted": 1})
        term = self.term("complaints")
        self.assertAlmostEqual(term["whole"], 90, delta=0.1)
        self.assertAlmostEqual(term["parts"], 1, delta=0.1)
        self.assertEqual(term["points"], 0)
        self.assertEqual(self.gate.gate_events("risk_rises"), [])

    def test_aup_complaint_20_in_2000_is_a_breach(self):
        self.assertEqual(self.log(delivered(2000)), {"counted": 2000})
        self.assertEqual(self.complaints(range(20)), {"counted": 20})
        term = self.term("complaints")
        self.assertAlmostEqual(term["whole"], 2000, delta=1)
        self.assertAlmostEqual(term["parts"], 20, delta=0.1)
        self.assertEqual((term["breach"], term["points"]), (True, 60))
        # The same reports again, and one of them in another way: nothing new.
        self.assertEqual(self.complaints(range(20)), {"duplicate": 20})
        self.assertAlmostEqual(self.term("complaints")["parts"], 20, delta=0.1)
        self.assertEqual(self.gate.run("explain", "tenant", "acme").returncode, 0)

    def test_aup_bounce_60_of_300_by_log_is_a_breach_and_3_of_3_nothing(self):
        def mails(count, bounced, name):
            return [(f"{name}{i}@acme.example",
                     [(f"u{i}@d{i % 9}.example", "5.1.1", "bounced",
                       "host mx[203.0.113.7] said: 550 5.1.1 User unknown (in reply to RCPT TO command)")
                      if i < bounced else (f"u{i}@d{i % 9}.example", "2.0.0", "sent", "250 ok")]) for i in range(count)]
        self.log(mails(3, 3, "few"))
        self.assertEqual(self.term("bounces")["points"], 0)
        self.log(mails(297, 57, "many"))
        term = self.term("bounces")
        self.assertAlmostEqual(term["whole"], 300, delta=0.5)
        self.assertAlmostEqual(term["parts"], 60, delta=0.5)
        self.assertTrue(term["breach"])
        self.assertGreater(term["points"], 0)

    def test_aup_reports_matched_finds_the_tenant_unmatched_gives_no_points(self):
        self.log([("one@acme.example", [("a@b.example", "2.0.0", "sent", "250 ok")])])
        match, = self.arf("one@acme.example")["matches"]
        self.assertEqual((match["tenant"], match["result"], match["matched_by"]), ("acme", "counted", "message_id"))
        match, = self.arf("other@acme.example")["matches"]
        self.assertEqual((match.get("tenant"), match["result"]), (None, "unmatched"))
        # By its address alone: known whose it is, and no points either.
        match, = self.arf("other@acme.example", more="Source-IP: 2001:db8:9::1\n")["matches"]
        self.assertEqual((match["tenant"], match["result"], match["matched_by"]), ("globex", "noted", "address"))
        reports = self.good("list")["reports"]
        self.assertEqual([(r.get("tenant"), r["result"]) for r in reports],
                         [("globex", "noted"), (None, "unmatched"), ("acme", "counted")])
        self.assertEqual(len(self.good("list", "--result", "unmatched")["reports"]), 1)
        self.assertEqual(len(self.good("list", "--tenant", "acme")["reports"]), 1)
        self.assertRegex(self.gate.run("feedback", "list").stdout, r"\(nobody's\) +arf +complaint +unmatched")
        self.assertEqual(sorted(e["result"] for e in self.gate.gate_events("feedback")), ["counted", "noted", "unmatched"])
        terms = self.gate.ask("explain", tenant="globex")["result"]["terms"]
        self.assertEqual(sum(term["points"] for term in terms), 0)

    def test_who_knows_one_message_id_makes_up_no_more_complaints_than_it_had_recipients(self):
        self.log([("one@acme.example", [(f"u{i}@b.example", "2.0.0", "sent", "250 ok") for i in range(3)])])
        for i in range(50):
            self.path(f"invented/new/{i}", ARF.format(type="abuse", id="one@acme.example", more=f"Original-Rcpt-To: <no{i}@x.example>\n"))
        self.assertEqual(self.good("arf", self.folder / "invented")["results"], {"counted": 3, "excess": 47})
        self.assertAlmostEqual(self.term("complaints")["parts"], 3, delta=0.05)
        self.assertEqual(len(self.good("list", "--result", "excess")["reports"]), 47)
        # The desk has one case of it; one that is closed is not opened again by more of the same.
        self.assertEqual(self.gate.run("case", "close", "1", "--why", "they answered").returncode, 0)
        self.assertEqual(self.arf("one@acme.example", 77)["results"], {"excess": 1})
        self.assertIn("none", self.gate.run("case", "list").stdout)
        # What was known outlives a kill; the same for delivery reports.
        self.gate.stop(signal.SIGKILL)
        self.gate.start()
        self.assertEqual(self.arf("one@acme.example", 99)["results"], {"excess": 1})
        counted = [self.bounce(f"no{i}@x.example") for i in range(5)]
        self.assertEqual(counted, [{"counted": 1}] * 3 + [{"excess": 1}] * 2)
        self.assertAlmostEqual(self.term("bounces")["parts"], 3, delta=0.05)

    def test_types_that_are_no_complaint(self):
        self.log([("one@acme.example", [(f"{name}@b.example", "2.0.0", "sent", "250 ok") for name in "ab"])])
        for type, kind in (("not-spam", "not_spam"), ("auth-failure", "auth_failure"), ("opt-out", "opt_out"), ("x", "other")):
            match, = self.arf("one@acme.example", type=type)["matches"]
            self.assertEqual((match["tenant"], match["kind"], match["result"]), ("acme", kind, "noted"))
        for type in ("fraud", "virus"):
            match, = self.arf("one@acme.example", type=type, number=type)["matches"]
            self.assertEqual((match["kind"], match["result"]), ("complaint", "counted"))

    def test_a_bounce_by_log_and_dsn_counts_once(self):
        self.log([("one@acme.example", [("gone@b.example", "5.1.1", "bounced", "550 5.1.1 no such user")])])
        dsn = self.path("bounce.eml", DSN.format(rcpt="Gone@b.example", status="5.1.1", text="no such user", id="one@acme.example"))
        self.assertEqual(self.good("dsn", dsn)["results"], {"duplicate": 1})
        dsn = self.path("bounce.eml", DSN.format(rcpt="late@b.example", status="5.1.1", text="no such user", id="one@acme.example"))
        self.assertEqual(self.good("dsn", dsn)["results"], {"counted": 1})
        self.assertEqual(self.good("dsn", dsn)["results"], {"duplicate": 1})
        term = self.term("bounces")
        self.assertAlmostEqual(term["parts"], 2, delta=0.05)
        self.assertAlmostEqual(term["whole"], 2, delta=0.05)

    def standing(self, address, tenant="acme"):
        return self.result("list check", tenant=tenant, kind="suppressed", entries=[address])["entries"][0]["standing"]

    def result(self, command, **arguments):
        answer = self.gate.ask(command, **arguments)
        self.assertIn("result", answer, answer)
        return answer["result"]

    def bounce(self, address, text="no such user", status="5.1.1", id="one@acme.example"):
        return self.good("dsn", self.path("bounce.eml", DSN.format(rcpt=address, status=status, text=text, id=id)))["results"]

    def test_aup_suppress_learned_a_bounce_by_log_or_dsn_suppresses(self):
        self.log([("one@acme.example", [("gone@b.example", "5.1.1", "bounced", "550 5.1.1 no such user"),
                                        ("full@b.example", "5.2.2", "bounced", "552 5.2.2 mailbox full"),
                                        ("here@b.example", "2.0.0", "sent", "250 2.0.0 Ok")])])
        self.assertEqual(self.bounce("Late@B.example"), {"counted": 1})
        self.assertEqual(self.bounce("nobody@b.example", id="strange@acme.example"), {"unmatched": 1})
        for address in ("gone@b.example", "late@b.example"):
            wait_for(f"{address} is suppressed", lambda a=address: self.standing(a) == "listed")
        for address in ("full@b.example", "here@b.example", "nobody@b.example"):
            self.assertEqual(self.standing(address), "absent", address)
        self.assertEqual(self.standing("gone@b.example", "globex"), "absent")
        # It outlives posternd; who is taken off stays off, though the same report comes again.
        self.gate.stop(signal.SIGKILL)
        self.gate.start()
        self.assertEqual(self.standing("late@b.example"), "listed")
        self.result("list remove", tenant="acme", kind="suppressed", entries=["late@b.example"])
        self.assertEqual(self.bounce("late@b.example"), {"duplicate": 1})
        self.assertEqual(self.bounce("later@b.example"), {"counted": 1})
        wait_for("the next one is suppressed", lambda: self.standing("later@b.example") == "listed")
        self.assertEqual(self.standing("late@b.example"), "absent")

    def test_of_which_sources_is_a_setting(self):
        for word, expected in (("log", ("listed", "absent")), ("none", ("absent", "absent"))):
            self.gate.stop()
            self.gate.configure(extra=f'feedback: {{ suppress = "{word}"; }};')
            self.gate.start()
            self.log([(f"{word}@acme.example", [(f"log-{word}@b.example", "5.1.1", "bounced", "550 5.1.1 no such user")])])
            self.assertEqual(self.bounce(f"dsn-{word}@b.example", id=f"{word}@acme.example"), {"counted": 1})
            # What waits to be written is written at the end.
            self.gate.stop()
            self.gate.start()
            self.assertEqual(tuple(self.standing(f"{source}-{word}@b.example") for source in ("log", "dsn")), expected)

    def test_a_log_again_or_an_old_one_counts_nothing(self):
        self.assertEqual(self.log(delivered(10)), {"counted": 10})
        self.assertEqual(self.log(delivered(10)), {"duplicate": 10})
        self.assertEqual(self.log(delivered(10, name="old"), age=timedelta(days=20)), {"stale": 10})
        self.assertEqual(self.log(delivered(10, name="x"), client="203.0.113.9"), {"unmatched": 10})
        self.assertAlmostEqual(self.term("complaints")["whole"], 10, delta=0.05)

    def listed(self, name, reply, status="deferred"):
        """What a line of the log with this reply is: its matches."""
        path = self.path("maillog", log_of([(f"{name}@acme.example", [("a@b.example", "4.7.1", status, reply)])]))
        return self.good("log", path)["matches"]

    def test_aup_blacklist_the_rules_in_force_judge_replies_of_logs_and_reports(self):
        self.gate.configure(rules=f'[ "{RULES}" ]')
        self.assertTrue(self.gate.ask("reload")["ok"])
        match, = self.listed("m1", "host mx[203.0.113.7] said: 421 4.7.0 [TSS04] Messages deferred (in reply to MAIL FROM command)")
        self.assertEqual((match["tenant"], match["result"], match["rules"]), ("acme", "counted", [9000310]))
        points = self.term("block_reply")["points"]
        self.assertAlmostEqual(points, 4, delta=0.1)  # a deferral is half of a refusal
        dsn = self.path("b.eml", DSN.format(rcpt="c@d.example", status="5.7.1", id="m1@acme.example",
                                            text="Client host blocked using Spamhaus. 550 5.7.1 See our page"))
        self.assertEqual(self.good("dsn", dsn)["matches"][0]["rules"], [9000301])
        self.assertAlmostEqual(self.term("block_reply")["points"], 12, delta=0.2)
        # Of a domain, not of the address; and what no rule knows yet.
        self.assertEqual(self.listed("m2", "550 5.7.1 very low reputation of the sending domain", "bounced"), [])
        self.assertEqual(self.listed("m3", "550 5.7.1 frobnicated [zz9]", "bounced"), [])
        # A push holds at once.
        with self.gate.client() as client:
            text = ('alert smtp any any -> $TENANTS any (msg:"x"; flow:established,to_client; smtp.reply_text; '
                    'content:"frobnicated"; metadata:aup AUP-BLACKLIST, risk 2; sid:1000001; rev:1;)\n')
            self.assertTrue(client.ask("rules stage", file="pushed.rules", text=text)["ok"])
            self.assertTrue(client.ask("rules push")["ok"])
        match, = self.listed("m4", "550 5.7.1 frobnicated [zz9]", "bounced")
        self.assertEqual(match["rules"], [1000001])
        # What is kept of the words has nobody's address.
        self.listed("m7", "550 5.7.1 <a@b.example>: frobnicated again, a@b.example", "bounced")
        self.assertEqual(self.good("list")["reports"][0]["text"], "<[address]>: frobnicated again, [address]")
        self.assertEqual(self.listed("m5", "421 4.7.0 [TSS04] Messages deferred"), [])
        self.assertAlmostEqual(self.term("block_reply")["points"], 16, delta=0.3)
        # In shadow it says nothing of anybody, and out of it again.
        self.assertTrue(self.gate.ask("rules shadow", sid=1000001, state="on")["ok"])
        self.assertEqual(self.listed("m6", "550 5.7.1 frobnicated [zz9]", "bounced"), [])
        # Its rule is what the score names.
        self.assertIn("1000001", self.gate.run("explain", "tenant", "acme").stdout)

    def test_a_dry_run_and_a_parse_count_nothing(self):
        path = self.path("maillog", log_of(delivered(10)))
        self.assertEqual(self.good("log", path, "--dry-run")["results"], {"counted": 10})
        self.assertEqual(len(self.good("log", path, "--parse")["items"]), 10)
        self.assertEqual(self.good("log", path)["results"], {"counted": 10})
        self.gate.stop()
        self.assertEqual(len(self.good("log", path, "--parse")["items"]), 10)
        self.assertIn("posternd does not run", self.gate.run("feedback", "log", path).stderr)

    def test_what_was_remembered_and_counted_outlives_a_kill(self):
        self.log(delivered(3))
        self.arf("m0@acme.example")
        self.gate.stop(signal.SIGKILL)
        self.gate.start()
        self.assertEqual(self.arf("m0@acme.example")["results"], {"duplicate": 1})
        self.assertEqual(self.arf("m1@acme.example")["results"], {"counted": 1})
        self.assertEqual(len(self.good("list")["reports"]), 3)

    def test_inputs_of_all_sorts(self):
        half = log_of(delivered(20)).splitlines(keepends=True)
        first = self.path("maillog.1.gz", gzip.compress("".join(half[:51]).encode()))
        second = self.path("maillog", "".join(half[51:]))
        self.assertEqual(self.good("log", first, second)["results"], {"counted": 20})
        result = self.gate.run("feedback", "arf", self.path("none.eml", "From: a@b.c\n\nhello\n"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("neither a report nor a mail with a mail in it", result.stderr)
        result = self.gate.run("feedback", "arf", self.path("b.eml", DSN.format(rcpt="a@b.c", status="5.1.1", text="x", id="y")))
        self.assertIn("a delivery report: postern feedback dsn", result.stderr)
        self.assertIn("No such file", self.gate.run("feedback", "arf", "/nonexistent/file").stderr)
        self.assertIn("cut short", self.gate.run("feedback", "log", self.path("c.gz", gzip.compress(
            log_of(delivered(200)).encode())[:500])).stderr)
        result = self.gate.run("feedback", "log", self.path("notes.txt", "remember the milk\n\n"))
        self.assertEqual((result.returncode, "notes.txt: no line of it is Postfix's" in result.stderr), (1, True))
        self.assertEqual(self.gate.run("feedback", "arff").returncode, 2)
        self.path("Maildir/tmp/half", ARF[:100])
        self.path("Maildir/cur/1", ARF.format(type="abuse", id="m1@acme.example", more=""))
        self.assertEqual(self.good("arf", self.folder / "Maildir")["results"], {"counted": 1})

    def test_a_mailbox_of_many_and_the_bad_ones_with_their_place(self):
        self.log(delivered(10))
        sep = "From fbl@isp.example Thu Nov 26 06:00:00 2026\n"
        arf = [ARF.format(type="abuse", id=f"m{i}@acme.example", more=f"Original-Rcpt-To: <u{i}@b.example>\n") for i in range(3)]
        box = sep + arf[0] + "\n" + sep + "From: a@b.c\n\nhello\n\n" + sep + arf[1].replace("Text", ">From me\n\nFrom our team") \
            + "\n" + sep + DSN.format(rcpt="a@b.c", status="5.1.1", text="x", id="m9@acme.example") + "\n" + sep + arf[2]
        path = self.path("mbox", box)
        result = self.gate.run("feedback", "arf", path)
        self.assertEqual(result.returncode, 0, result.stderr)
        line = {text: box[:box.index(text)].count("\n") for text in ("From: a@b.c", "From: MAILER-DAEMON")}
        self.assertEqual(result.stderr.splitlines(), [
            f"postern: {path}:{line['From: a@b.c']}: neither a report nor a mail with a mail in it",
            f"postern: {path}:{line['From: MAILER-DAEMON']}: a delivery report: postern feedback dsn"])
        self.assertEqual([row.split()[:3] for row in result.stdout.splitlines()[:3]], [["acme", "complaint", "counted"]] * 3)
        self.assertEqual(result.stdout.splitlines()[3:], ["5 mails, 2 of them no report of this kind", "3 reports, 3 counted"])
        # The same by a pipe, compressed, for programs; and the delivery report.
        again = self.good("arf", self.path("mbox.gz", gzip.compress(box.encode())))
        self.assertEqual((again["results"], again["mails"], again["useless"]), ({"duplicate": 3}, 5, 2))
        self.assertEqual([u["place"] for u in again["unread"]],
                         [f"{self.folder}/mbox.gz:{line['From: a@b.c']}", f"{self.folder}/mbox.gz:{line['From: MAILER-DAEMON']}"])
        self.assertEqual(self.good("dsn", path)["results"], {"counted": 1})
        # What a Maildir's server keeps beside the mails is no mail.
        for name in ("cur", "new", "tmp"):
            (self.folder / "Box" / name).mkdir(parents=True)
        self.path("Box/dovecot-uidlist", "3 V1\n")
        self.path("Box/new/1", arf[0])
        again = self.good("arf", self.folder / "Box")
        self.assertEqual((again["results"], again["mails"]), ({"duplicate": 1}, 1))

    def test_a_mailbox_of_100_mb_streams(self):
        sep = b"From fbl@isp.example Thu Nov 26 06:00:00 2026\n"
        arf = ARF.format(type="abuse", id="m0@acme.example", more="").encode()
        large = arf.replace(b"Text", b"Text\n" * 10000)
        self.log(delivered(1))
        path = self.folder / "large"
        with open(path, "wb") as out:
            for _ in range(2000):
                out.write(sep + large + b"\n")
        self.assertGreater(path.stat().st_size, 100_000_000)
        # With no more memory than a part of it would take; a sanitizer's own is more than that.
        limit = None if b"__asan_init" in Path(POSTERN).read_bytes() else (24 << 20, 24 << 20)
        result = self.gate.run("feedback", "arf", path, preexec_fn=limit and (
            lambda: resource.setrlimit(resource.RLIMIT_DATA, limit)))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.splitlines()[-1], "2000 reports, 1 counted, 1999 duplicate")

    def test_a_tag_finds_a_mail_that_is_not_remembered(self):
        self.gate.configure(tenants=TENANTS.replace('name = "acme";', 'name = "acme"; required_tag = "X-Provider-ID: {name}-*";')
                            .replace('name = "globex";', 'name = "globex"; required_tag = "X-Provider-ID: {id}";'))
        self.assertTrue(self.gate.ask("reload")["ok"])
        self.assertEqual(self.gate.ask("feedback stats")["result"]["tags"], ["X-Provider-ID"])

        def report(tag, address="", number=0):
            text = ARF.format(type="abuse", id=f"gone{number}@acme.example", more=address and f"Source-IP: {address}\n")
            path = self.path("report.eml", text.replace("Subject: News", f"Subject: News\nx-provider-id: {tag}"))
            match, = self.good("arf", path)["matches"]
            return match.get("tenant"), match["result"], match["matched_by"]
        self.assertEqual(report("acme-4711"), ("acme", "noted", "tag"))
        self.assertEqual(report("acme-4711", "192.0.2.77", 1), ("acme", "counted", "tag"))
        self.assertEqual(report("acme-4711", "192.0.2.77", 1), ("acme", "duplicate", "tag"))
        # Another's: whose address it is is told, and nobody pays.
        self.assertEqual(report("acme-4711", "198.51.100.3", 2), ("globex", "noted", "address"))
        self.assertEqual(report("9", "198.51.100.3", 3), ("globex", "counted", "tag"))
        self.assertEqual(report("99", "", 4), (None, "unmatched", "nothing"))
        self.assertAlmostEqual(self.term("complaints")["parts"], 1, delta=0.05)

    def test_what_is_no_report_is_refused_whole(self):
        good = {"source": "arf", "kind": "complaint", "message_id": "x"}
        answer = self.gate.ask("feedback report", reports=[good, {"source": "arf", "kind": "nonsense"}])
        self.assertEqual(answer["error"]["code"], "bad_argument")
        self.assertIn("reports[1]", answer["error"]["message"])
        answer = self.gate.ask("feedback report", reports=[{**good, "more": {}}])
        self.assertEqual(answer["error"]["code"], "bad_argument")
        self.assertEqual(self.good("list")["reports"], [])


if __name__ == "__main__":
    POSTERND, POSTERN = sys.argv[1:3]
    RULES = Path(__file__).resolve().parents[2] / "rules"
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
