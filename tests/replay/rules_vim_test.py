#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Postern's rules in vim: rules_vim_test.py POSTERN FOLDER [--write]

The names in FOLDER's syntax file are those of `postern rules keywords` (--write puts them there), and what vim makes of rules is
looked at with a real one, where there is one.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BEGIN, END = '" begin\n', '" end\n'


def names(which):
    """Of `postern rules keywords WHICH`: the first word of each line, but for the heading."""
    said = subprocess.run([POSTERN, "rules", "keywords", which], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in said.splitlines() if line.startswith("  ")]


def lists():
    """The syntax file's part that is the language's."""
    refused = names("refused")
    groups = {"posternKeyword": names("keywords"), "posternBuffer": names("buffers"),
              "posternRefused": [name for name in refused if name[-1] not in "._-"]}
    out = []
    for group, members in groups.items():
        line = ""
        for name in sorted(set(members) - {m for g, ms in groups.items() if g != group and g != "posternRefused" for m in ms}):
            if len(line) + len(name) > 90:
                out.append(f"syntax keyword {group} contained{line}")
                line = ""
            line += f" {name}"
        out.append(f"syntax keyword {group} contained{line}")
    kinds = sorted(name.replace(".", "\\.") for name in refused if name[-1] in "._-")
    out.append('syntax match posternRefusedKind "\\%([(;]\\s*\\|^\\s*\\)\\@<=\\%(' + "\\|".join(kinds)
               + '\\)[a-zA-Z0-9_.-]*\\ze\\s*[:;]" contained')
    return "\n".join(out) + "\n"


class Names(unittest.TestCase):
    def test_the_syntax_file_has_the_languages_names(self):
        text = SYNTAX.read_text()
        head, rest = text.split(BEGIN)
        written, tail = rest.split(END)
        if WRITE:
            SYNTAX.write_text(head + BEGIN + lists() + END + tail)
        else:
            self.assertEqual(written, lists(), "rules_vim_test.py --write brings it up to date")


RULES = """\
# about nothing: alert smtp
alert smtp $TENANTS any -> any 25 (msg:"words\\; \\" |0d 0a|"; flow:to_server; \\
\temail.subject; content:!"x"; nocase; http.uri; no_such:1; filemd5:x; \\
\tmetadata:aup AUP-X, risk 5; sid:77; rev:2;)
reject sip any any -> any any (msg:"(in brackets)"; sip.uri; pcre:"/a(b)c/R"; sid:78;)
"""


@unittest.skipUnless(shutil.which("vim"), "no vim")
class Vim(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def vim(self, path, *commands):
        """What the commands put into the register r."""
        out = self.folder / "out"
        script = self.folder / "script.vim"
        script.write_text("\n".join(["set nomore", *commands, f"call writefile(split(@r, '\\n'), {str(out)!r})", "qall!"]) + "\n")
        runtime = re.sub(r"([ ,\\])", r"\\\1", str(SYNTAX.parents[1]))
        result = subprocess.run(["vim", "-u", "NONE", "-i", "NONE", "-es", "--cmd", "set nocompatible", "--cmd", f"set rtp^={runtime}",
                                 "--cmd", "filetype plugin on", "--cmd", "syntax on", path, "-S", script], capture_output=True,
                                text=True, timeout=60, stdin=subprocess.DEVNULL, env=dict(os.environ, TERM="dumb"))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return out.read_text().splitlines()

    def groups(self, path):
        """Each byte's syntax group, by line."""
        return [line.split(" ") for line in self.vim(
            path, 'let @r = ""', "for g:n in range(1, line('$'))",
            "let @r .= join(map(range(1, col([g:n, '$']) - 1), {_, c -> synIDattr(synID(g:n, c, 1), 'name')}), ' ') . \"\\n\"", "endfor")]

    def group_of(self, text, what, nth=0):
        line = next(n for n, line in enumerate(text.splitlines()) if what in line)
        at = -1
        for _ in range(nth + 1):
            at = text.splitlines()[line].index(what, at + 1)
        found = {self.seen[line][at + i] for i in range(len(what))}
        self.assertEqual(len(found), 1, f"{what}: {found}")
        return found.pop()

    def test_each_word_is_seen_for_what_it_is(self):
        path = self.folder / "my.rules"
        path.write_text(RULES)
        self.seen = self.groups(path)
        for what, group in (("# about nothing: alert smtp", "posternComment"), ("$TENANTS", "posternVariable"), ("->", "posternArrow"),
                            ("msg", "posternKeyword"), ("email.subject", "posternBuffer"), ("content", "posternKeyword"),
                            ("|0d 0a|", "posternHex"), ('\\"', "posternEscape"), ("http.uri", "posternRefusedKind"),
                            ("no_such", "posternUnknown"), ("filemd5", "posternRefused"), ("nocase", "posternKeyword"),
                            ("metadata", "posternKeyword"), ("aup", "posternMetadata"), ("77", "posternNumber"), ("25", "posternNumber"),
                            ("reject", "posternAction"), ("sip.uri", "posternBuffer"), ("(in brackets)", "posternString"),
                            ("rev", "posternKeyword"), ("pcre", "posternKeyword"), ("78", "posternNumber")):
            self.assertEqual(self.group_of(RULES, what), group, what)

    def test_no_shipped_rule_has_an_error(self):
        for path in sorted(SYNTAX.parents[3].glob("**/*.rules")):
            text = path.read_text().splitlines()
            for number, (line, seen) in enumerate(zip(text, self.groups(path)), 1):
                wrong = "".join(c for c, group in zip(line, seen) if group in ("posternUnknown", "posternRefused", "posternRefusedKind"))
                self.assertEqual(wrong, "", f"{path.name}:{number}")
                if line and not line.startswith("#"):
                    self.assertTrue(any(seen), f"{path.name}:{number} is no part of a rule")

    def test_files_of_others_are_left_alone(self):
        path = self.folder / "70-net.rules"
        path.write_text('SUBSYSTEM=="net", ACTION=="add"\n')
        self.assertNotEqual(self.vim(path, "let @r = &filetype . \"\\n\""), ["postern-rules"])
        path.write_text(RULES)
        self.assertEqual(self.vim(path, "let @r = &filetype . \"\\n\""), ["postern-rules"])

    def test_make_goes_to_the_mistakes(self):
        path = self.folder / "bad.rules"
        path.write_text(RULES.replace("http.uri; ", "").replace("filemd5:x; ", ""))
        said = self.vim(path, f"let $PATH = {str(Path(POSTERN).parent)!r} . ':' . $PATH", "silent make!",
                        "let @r = join(map(filter(getqflist(), 'v:val.valid'), {_, e -> bufname(e.bufnr) . ' ' . e.lnum . ' ' . e.col . ' ' . e.type . ' ' . e.text}), \"\\n\")")
        self.assertRegex(said[0], r"bad\.rules 3 \d+ e .*no_such")


if __name__ == "__main__":
    WRITE = "--write" in sys.argv
    POSTERN, SYNTAX = str(Path(sys.argv[1]).resolve()), Path(sys.argv[2]).resolve() / "syntax" / "postern-rules.vim"
    unittest.main(argv=sys.argv[:1])
