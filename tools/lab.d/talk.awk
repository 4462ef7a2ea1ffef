# SPDX-License-Identifier: BSD-3-Clause
# swaks's transcript as lines "command<TAB>reply": replies go to commands in order (RFC 2920), only the last
# line of each. What has no reply has "(none)", what answers nothing is "(unasked)".
BEGIN { waiting[1] = "(greeting)"; first = 1; count = 1 }

/^ (->|~>) / {
	if (!data)
		waiting[++count] = substr($0, 5)
	next
}

/^<(- |\*\*|~ |~\*) / {
	reply = substr($0, 5)
	if (substr(reply, 4, 1) == "-")
		next
	command = data ? "(message)" : first <= count ? waiting[first++] : "(unasked)"
	data = 0
	printf "%s\t%s\n", command, reply
	if (command ~ /^DATA/ && reply ~ /^354/)
		data = 1
}

END {
	if (data)
		print "(message)\t(none)"
	while (first <= count)
		printf "%s\t(none)\n", waiting[first++]
}
