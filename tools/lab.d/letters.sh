# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # cell.sh sets them
# What mails are made of. Sourced after cell.sh; the letter in hand is $last/message.

readonly last=$work/last

# shellcheck disable=SC2016 # its dollars are its own
eicar() { # assembled here, so that no scanner stumbles over this script
	printf '%s%s%s%s' 'X5O!P%@AP[4\PZX54(P^)' '7CC)7}$EICAR-STAN' 'DARD-ANTIVIRUS-' 'TEST-FILE!$H+H*'
}

# shellcheck disable=SC2016
gtube() { # likewise: spamassassin.apache.org/gtube
	printf '%s%s%s\n' 'XJS*C4JDBQADN1.NSBN3' '*2IDNEN*GTUBE-STANDARD' '-ANTI-UBE-TEST-EMAIL*C.34X'
}

text() { # LINES: prose enough to fill packets
	local i
	for ((i = 1; i <= $1; i++)); do
		printf 'Line %d of a letter that has little to say and says it at some length, as letters do.\n' "$i"
	done
}

letter() { # FROM TO SUBJECT: the message that is sent next; its text on stdin
	mkdir -p "$last"
	{
		printf 'From: <%s>\nTo: <%s>\nSubject: %s\nDate: %s\nMessage-ID: <%s.%s@lab.example.com>\n\n' "$1" "$2" "$3" \
			"$(LC_ALL=C date -R)" "$(date +%s%N)" "$RANDOM"
		cat
	} >"$last/message"
}

letter_with_file() { # FROM TO SUBJECT NAME FILE
	{
		printf -- '--part\nContent-Type: text/plain\n\nsee the attachment\n--part\n'
		printf 'Content-Type: application/octet-stream; name="%s"\nContent-Transfer-Encoding: base64\n' "$4"
		printf 'Content-Disposition: attachment; filename="%s"\n\n' "$4"
		base64 "$5"
		printf -- '--part--\n'
	} | letter "$1" "$2" "$3"
	sed -i '1i MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="part"' "$last/message"
}

# Bytes that no encoding shortens, the same each time.
noise() { # BYTES
	openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 0 -in /dev/zero 2>/dev/null | head -c "$1" || :
}
