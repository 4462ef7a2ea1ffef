#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`postern rules check` and `postern rules test` as people type them: rules_samples_test.py POSTERN"""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HEAD = "alert smtp $TENANTS any -> any any (msg:\"m\"; flow:established,to_server; "


class Samples(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def run_it(self, *args, status=0):
        result = subprocess.run([POSTERN, "rules", *args], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        self.assertNotIn("EAL", result.stderr)
        return result.stdout + result.stderr

    def pack(self, rule, samples, *options, status=0):
        path = self.write("t.rules", rule + "\n")
        self.write("t.samples", samples)
        return self.run_it("test", *options, path, status=status)

    def report(self, rule, samples, status=0):
        return json.loads(self.pack(rule, samples, "--json", status=status))

    # check

    def test_every_mistake_of_rules_and_samples_has_its_place(self):
        path = self.write("a.rules", HEAD + "email.subject; contant:\"x\"; sid:1;)\n" + HEAD + "email.subject; content:\"x\"; sid:2; )\n")
        self.write("a.samples", "2 match\n\temail.subjekt \"x\"\n")
        said = self.run_it("check", path, status=1)
        self.assertIn(f"{path}:1:", said)
        self.assertIn("unknown keyword 'contant'", said)
        self.assertIn("a.samples:2:2: error: no buffer is called 'email.subjekt': did you mean 'email.subject'?", said)

    def test_a_sid_twice_is_a_mistake(self):
        one = self.write("a.rules", HEAD + "email.subject; content:\"x\"; sid:7;)\n")
        two = self.write("b.rules", HEAD + "email.subject; content:\"y\"; sid:7;)\n")
        self.assertRegex(self.run_it("check", one, two, status=1), r"b\.rules:1:\d+: error: .*7")

    def test_rules_without_samples_are_warned_of(self):
        path = self.write("a.rules", HEAD + "email.subject; content:\"x\"; sid:1;)\n")
        self.assertIn("a.rules:1:1: warning: rule 1 has no samples", self.run_it("check", path))
        self.run_it("check", "--werror", path, status=1)

    def test_samples_of_no_rule_are_a_mistake(self):
        path = self.write("a.rules", HEAD + "email.subject; content:\"x\"; sid:1;)\n")
        self.write("a.samples", "3 match\n\temail.subject \"x\"\n")
        self.assertIn("a.samples:1:1: error: a sample of rule 3, which is not there", self.run_it("check", path, status=1))
        self.assertIn("a sample of rule 3", self.run_it("test", path, status=1))

    def test_a_folder_has_the_samples_of_all_its_rules(self):
        self.write("a.rules", HEAD + "email.subject; content:\"x\"; sid:1;)\n")
        self.write("b.rules", HEAD + "email.subject; content:\"y\"; sid:2;)\n")
        self.write("b.samples", "2 match\n\temail.subject \"y\"\n2 miss\n\temail.subject \"x\"\n"
                   "1 match\n\temail.subject \"x\"\n1 miss\n\temail.subject \"y\"\n")
        self.assertIn("2 rules and 4 samples: 0 errors, 0 warnings", self.run_it("check", str(self.folder)))

    def test_check_as_json(self):
        path = self.write("a.rules", HEAD + "email.subject; contant:\"x\"; sid:1;)\n")
        report = json.loads(self.run_it("check", "--json", path, status=1))
        self.assertFalse(report["ok"])
        self.assertEqual(report["problems"][0]["line"], 1)
        self.assertEqual(report["problems"][0]["severity"], "error")

    def test_ways_not_to_call_them(self):
        self.run_it("check", status=2)
        self.run_it("test", status=2)
        self.run_it("test", "--jobs", "0", "x", status=2)
        self.run_it("test", "--jobs", "many", "x", status=2)
        self.run_it("test", "--nonsense", "x", status=2)
        self.assertIn("usage", self.run_it("test", "--help"))
        self.assertIn("No such file", self.run_it("check", str(self.folder / "nothing"), status=1))
        self.assertIn("No such file", self.run_it("test", str(self.folder / "nothing"), status=1))

    def test_no_samples_is_no_success(self):
        path = self.write("a.rules", HEAD + "email.subject; content:\"x\"; sid:1;)\n")
        self.assertIn("no samples", self.run_it("test", path, status=1))

    # test: each buffer's value comes to it through the parsers

    VALUES = {
        "smtp.helo": "relay.example.org", "smtp.mail_from": "a.b@example.org", "smtp.rcpt_to": "c.d@example.org",
        "email.from": "Eve <eve@example.org>", "email.to": "Joe <joe@example.org>", "email.cc": "Zoe <zoe@example.org>",
        "email.subject": "some words", "email.date": "Fri, 02 Jan 2026 10:00:00 +0000", "email.message_id": "<1@example.org>",
        "email.received": "from a by b; Fri, 02 Jan 2026 10:00:00 +0000", "email.x_mailer": "Mailer 1", "email.url": "http://example.org/x",
        "email.header": "X-Field: words", "email.body": ".words with a dot", "file.name": "a b;c.bin", "file.data": "words\\x00more",
        "sip.method": "SUBSCRIBE", "sip.uri": "sip:carol@example.org", "sip.from": "<sip:eve@example.org>;tag=1",
        "sip.to": "<sip:zoe@example.org>", "sip.contact": "<sip:eve@192.0.2.7>", "sip.user_agent": "Gerät 1",
        "sip.header": "X-Field: words", "sip.call_id": "17@example.org", "sip.body": "some words",
        "sip.via": "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9", "sip.content_type": "text/html",
        "sip.request_line": "INFO sip:x@example.org SIP/2.0",
    }

    def test_every_buffer_of_the_senders(self):
        rules = samples = ""
        for n, (name, value) in enumerate(self.VALUES.items(), 1):
            protocol = "sip" if name.startswith("sip") else "smtp"
            word = value.replace(";", "\\;").replace(":", "\\:").replace("\\x00", "|00|").replace("ä", "|c3 a4|")
            rules += f'alert {protocol} $TENANTS any -> !$TENANTS any (msg:"m"; {name}; content:"{word}"; sid:{n};)\n'
            samples += f'{n} match\n\t{name} "{value}"\n{n} miss\n\t{name} "other"\n'
        self.assertIn("0 failed", self.pack(rules, samples))

    def test_answers(self):
        rule = ('alert smtp any any -> $TENANTS any (msg:"m"; smtp.reply_code; content:"421"; smtp.reply_text; content:"one two three"; sid:1;)\n'
                'alert sip any any -> $TENANTS any (msg:"m"; sip.stat_code; content:"607"; sip.stat_msg; content:"Unwanted"; sid:2;)\n'
                'alert sip any any -> $TENANTS any (msg:"m"; sip.response_line; content:"SIP/2.0 488 No"; sid:3;)')
        samples = ('1 match\n\tsmtp.reply_code "421"\n\tsmtp.reply_text "one"\n\tsmtp.reply_text "two three"\n'
                   '1 match\n\tsmtp.reply_text "421-4.7.0 one"\n\tsmtp.reply_text "421 4.7.0 two three"\n'
                   '1 miss\n\tsmtp.reply_text "one two three"\n'
                   '2 match\n\tsip.stat_code "607"\n\tsip.stat_msg "Unwanted"\n2 miss\n\tsip.stat_code "603"\n\tsip.stat_msg "Unwanted"\n'
                   '3 match\n\tsip.response_line "SIP/2.0 488 No"\n'
                   '3 match\n\tsip\n\t| OPTIONS sip:a@example.net SIP/2.0\n\t| Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\n'
                   '\t| From: <sip:a@example.com>;tag=1\n\t| To: <sip:b@example.net>\n\t| Call-ID: 1\n\t| CSeq: 1 OPTIONS\n\t|\n'
                   '\tsip answer\n\t| SIP/2.0 488 No\n\t| Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\n'
                   '\t| From: <sip:a@example.com>;tag=1\n\t| To: <sip:b@example.net>;tag=2\n\t| Call-ID: 1\n\t| CSeq: 1 OPTIONS\n')
        self.assertIn("0 failed", self.pack(rule, samples))

    def test_a_whole_session_and_a_mail(self):
        rule = HEAD + 'email.body; content:"one two"; sid:1;)'
        session = ("\tS: 220 mx\n\tC: EHLO a\n\tS: 250 mx\n\tC: MAIL FROM:<a@example.com>\n\tC: RCPT TO:<b@example.net>\n\tC: DATA\n"
                   "\tS: 250 Ok\n\tS: 250 Ok\n\tS: 354 Go on\n\tC: Subject: x\n\tC:\n\tC: one t\\/wo\n\tC: .\n\tS: 250 Ok\n")
        samples = ("1 match\n" + session + "1 miss\n" + session.replace("t\\/wo", "three") +
                   "1 match\n\tsmtp.mail_from \"x@example.com\"\n\tmail\n\t| Subject: x\n\t|\n\t| .one\n\t| one \\/two\n")
        report = self.report(rule, samples)
        self.assertTrue(report["ok"])
        # Both that have a cut go through four times, the other three times.
        self.assertEqual(report["conversations"], 11)

    def test_who_talks(self):
        rule = ('alert smtp !$TENANTS any -> $TENANTS 587 (msg:"m"; smtp.helo; content:"x"; sid:1;)\n'
                'alert smtp 2001:db8::/32 any -> any any (msg:"m"; smtp.helo; content:"x"; sid:2;)')
        samples = ('1 match\n\tclient 192.0.2.1\n\tserver 10.0.0.1:587\n\tsmtp.helo "x"\n1 miss\n\tserver :587\n\tsmtp.helo "x"\n'
                   '2 match\n\tclient [2001:db8::1]:999\n\tsmtp.helo "x"\n2 miss\n\tclient fd00::1\n\tsmtp.helo "x"\n')
        self.assertIn("0 failed", self.pack(rule, samples))

    def test_a_configuration_of_ones_own(self):
        config = self.write("c.conf", 'tenants: ( { id = 1; name = "acme"; prefixes = [ "192.0.2.0/24" ]; } );\n')
        rule = HEAD + 'smtp.helo; content:"x"; sid:1;)'
        samples = '1 match\n\tclient 192.0.2.1\n\tsmtp.helo "x"\n1 miss\n\tsmtp.helo "x"\n'
        self.assertIn("0 failed", self.pack(rule, samples, "-c", config))
        self.pack(rule, samples, "-c", str(self.folder / "nothing"), status=1)

    def test_rules_about_some_tenants(self):
        rule = (HEAD + 'smtp.helo; content:"x"; metadata:tenant acme; sid:1;)\n' + HEAD + 'smtp.helo; content:"x"; metadata:tier gold; sid:2;)\n'
                'alert smtp !$TENANTS any -> $TENANTS any (msg:"m"; smtp.helo; content:"x"; metadata:tenant acme; sid:3;)')
        samples = ('1 match\n\ttenant acme\n\tsmtp.helo "x"\n1 miss\n\ttenant globex\n\tsmtp.helo "x"\n1 miss\n\tsmtp.helo "x"\n'
                   '2 match\n\ttier gold\n\tsmtp.helo "x"\n2 match\n\ttenant initech\n\ttier gold\n\tsmtp.helo "x"\n'
                   '2 miss\n\ttenant acme\n\tsmtp.helo "x"\n3 match\n\ttenant acme\n\tclient 192.0.2.1\n\tsmtp.helo "x"\n'
                   '3 match\n\ttenant acme\n\tclient 2001:db8:9::1\n\tsmtp.helo "x"\n3 miss\n\ttenant globex\n\tclient 192.0.2.1\n\tsmtp.helo "x"\n')
        self.assertIn("0 failed", self.pack(rule, samples))

    def test_what_happens_again_and_again(self):
        count = "track by_src, count 5, seconds 60"
        rule = (f'alert sip any any -> any any (msg:"m"; sip.method; content:"OPTIONS"; detection_filter:{count}; sid:1;)\n'
                + HEAD + f'smtp.helo; content:"x"; threshold:type both, {count}; sid:2;)\n'
                'alert sip any any -> any any (msg:"m"; sip.stat_code; content:"403"; threshold:type threshold, track by_dst, count 5, seconds 60; sid:3;)')
        options, helo, answer = '\tsip.method "OPTIONS"\n', '\tsmtp.helo "x"\n', '\tsip.stat_code "403"\n'
        samples = (f"1 match\n\ttimes 6\n{options}1 miss\n\ttimes 5\n{options}1 miss\n\ttimes 20 every 15s\n{options}"
                   f"1 match\n\ttimes 20 every 10s\n{options}1 miss\n{options}"
                   f"2 match\n\ttimes 5\n{helo}2 miss\n\ttimes 4\n{helo}2 miss\n\ttimes 8 every 16s\n{helo}"
                   f"3 match\n\ttimes 5 every 1ms\n{answer}3 miss\n\ttimes 4\n{answer}3 miss\n\ttimes 9 every 1h\n{answer}")
        self.assertIn("0 failed", self.pack(rule, samples))
        # It is what it says: one more or less is told.
        said = self.pack(rule, f"1 match\n\ttimes 5\n{options}2 miss\n\ttimes 5\n{helo}", status=1)
        self.assertIn("rule 1 does not match this sample", said)
        self.assertEqual(said.count("sip.method was"), 1)
        self.assertIn("rule 2 matches, and should not", said)

    def test_each_time_is_a_request_of_its_own(self):
        rule = ('alert sip any any -> any any (msg:"m"; sip.via; content:"sample-7"; sid:1;)\n'
                'alert sip any any -> any any (msg:"m"; sip.call_id; content:"6710-7@"; sid:2;)\n')
        samples = "".join(f"{sid} {want}\n\ttimes {times}\n\tsip.method \"OPTIONS\"\n"
                          for sid in (1, 2) for want, times in (("match", 8), ("miss", 7)))
        self.assertIn("0 failed", self.pack(rule, samples))

    def test_what_a_matcher_leaves_out_is_said(self):
        rules = "".join(f'alert sip any any -> any any (msg:"m"; sip.method; content:"INVITE"; bsize:<{n + 10}; sip.from; content:"w{n}"; sid:{n};)\n'
                        for n in range(1, 101))
        samples = "".join(f'{n} match\n\tsip.from "<sip:w{n}@example.com>;tag=1"\n' for n in (1, 100))
        self.assertIn("match_budget", self.pack(rules, samples, status=1))

    def test_datagrams_and_streams(self):
        rule = 'alert udp $TENANTS any -> any any (msg:"m"; sip.user_agent; content:"x"; sid:1;)'
        self.assertIn("0 failed", self.pack(rule, '1 match\n\tsip.user_agent "x"\n\tover udp\n1 miss\n\tsip.user_agent "x"\n\tover tcp\n'))
        self.assertIn("in large packets", self.pack(rule, '1 match\n\tsip.user_agent "x"\n', status=1))

    def test_rules_that_refuse_do_not_hide_others(self):
        rule = ('reject smtp $TENANTS any -> any any (msg:"m"; smtp.mail_from; content:"x"; sid:1;)\n'
                + HEAD + 'email.subject; content:"y"; sid:2;)')
        self.assertIn("0 failed", self.pack(rule, '2 match\n\tsmtp.mail_from "x"\n\temail.subject "y"\n'))

    # what failed

    def test_a_failure_shows_what_was_there(self):
        rule = HEAD + 'email.subject; content:"one"; file.data; content:"two"; sid:1;)\n' + HEAD + 'email.subject; content:"three"; sid:2;)'
        said = self.pack(rule, '1 match the title\n\temail.subject "thr\\xc3ee three"\n\tfile.data "tw\\x00o"\n', status=1)
        self.assertIn("t.samples:1:1: rule 1 does not match this sample: the title, in large packets", said)
        self.assertIn('email.subject was "thr', said)
        self.assertIn('file.data was "tw\\x00o"', said)
        self.assertIn("hit instead: 2", said)
        self.assertIn("1 failed", said)

    def test_failures_as_json(self):
        report = self.report(HEAD + 'email.subject; content:"one"; sid:1;)', '1 miss\n\temail.subject "one"\n', status=1)
        self.assertFalse(report["ok"])
        failure = report["failures"][0]
        self.assertEqual((failure["sid"], failure["line"], failure["wanted"]), (1, 1, "miss"))
        self.assertEqual(failure["held"], [{"buffer": "email.subject", "text": "one"}])

    def test_many_samples_by_many_processes(self):
        rules = "".join(HEAD + f'email.subject; content:"word{n}x"; sid:{n};)\n' for n in range(1, 201))
        samples = "".join(f'{n} match\n\temail.subject "word{n}x"\n{n} miss\n\temail.subject "word{n}"\n' for n in range(1, 201))
        samples += '7 match wrong\n\temail.subject "other"\n'
        for jobs in ("1", "5"):
            said = self.pack(rules, samples, "-j", jobs, status=1)
            self.assertIn("401 samples of 200 rules", said)
            self.assertIn("1 failed", said)

    def test_one_rule_alone(self):
        rules = HEAD + 'email.subject; content:"x"; sid:1;)\n' + HEAD + 'email.subject; content:"y"; sid:2;)'
        samples = '1 match\n\temail.subject "x"\n2 match wrong\n\temail.subject "x"\n'
        self.assertIn("1 samples of", self.pack(rules, samples, "--sid", "1"))


if __name__ == "__main__":
    POSTERN = sys.argv.pop(1)
    unittest.main()
