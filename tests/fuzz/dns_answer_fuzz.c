/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as an answer of the DNS, to each kind of question: what is known is within its bounds.
 */
#include <stdlib.h>

#include "control/dns/dnsbl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type types[] = {DNS_A, DNS_MX, DNS_AAAA};
	struct dnsbl_codes codes = {0};
	struct dns_answer answer;

	dnsbl_code_add(&codes, "127.0.0.2-127.0.0.4 x");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct dnsbl_word word;

		dns_answer_read(data, size, types[i], &answer);
		if (answer.addresses > DNS_ADDRESSES || answer.ttl > DNS_TTL_MAX ||
		    (answer.null_mx && types[i] != DNS_MX) ||
		    (answer.result == DNS_UNKNOWN && answer.null_mx))
			abort();
		word = dnsbl_read(&answer, &codes, NULL);
		if (word.said == DNSBL_LISTED && !word.names[0])
			abort();
	}
	return 0;
}
