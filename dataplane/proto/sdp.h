/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Session descriptions (RFC 8866), as SIP bodies hold them: lines, and where
 * the media are to flow.
 *
 * Read in place from a whole body: spans point into it. Nothing is required but
 * "x=value" lines, in whatever order: what is no such line is passed over, a
 * last line may lack its end, lines may end in LF alone (RFC 8866 5). Pure
 * functions; any thread; linear.
 */
#ifndef POSTERN_PROTO_SDP_H
#define POSTERN_PROTO_SDP_H

#include "dataplane/proto/bytes.h"

/* All-zero but for `rest`: the description to be read. */
struct sdp_lines {
	struct bytes rest;
	uint32_t media; /* of the line last read: the how manieth m= it belongs to; 0: the session's
			 */
};

struct sdp_line {
	uint8_t type;       /* the letter before the '=' */
	uint32_t media;     /* 0: of the session; from 1: of the media description, m= itself too */
	struct bytes value; /* behind the '=', without the line's end */
};

/* The next "x=value" line. False: no more. */
bool sdp_line_next(struct sdp_lines *lines, struct sdp_line *out);

/* c= (RFC 8866 5.7), or what stands at the end of o= (5.2): "IN IP4 192.0.2.1/127/3". */
struct sdp_connection {
	struct bytes host; /* the address as written, a name maybe, without /ttl; empty: none */
	uint8_t family;    /* 4, 6; 0: `addr` is none: a name, another network, nonsense */
	uint8_t addr[16];  /* network order; IPv4: the first four bytes */
};

/* False: it is not of the form "nettype addrtype address". */
bool sdp_connection_read(struct bytes value, struct sdp_connection *out);

/* One media description (RFC 8866 5.14). */
struct sdp_media {
	struct bytes media;       /* "audio", "video", "text", …, as written */
	struct bytes proto;       /* "RTP/AVP", … */
	struct bytes formats;     /* what is behind it */
	uint16_t port;            /* 0: refused, or not in use (RFC 3264 6) */
	uint16_t ports;           /* of "port/ports": how many pairs, at least 1 */
	uint16_t rtcp_port;       /* a=rtcp (RFC 3605); 0: not said, so it is port + 1 */
	bool rtcp_mux;            /* a=rtcp-mux (RFC 5761): RTCP comes to `port` too */
	struct sdp_connection at; /* its own c=, else the session's; all zero: there is none */
};

struct sdp_medias {
	struct sdp_lines lines;
	struct sdp_connection session; /* the session's c= */
	bool begun;
};

/*
 * The next media description that is read in full; one whose m= line can't be
 * read is passed over. False: no more. All-zero but for `lines.rest`.
 */
bool sdp_media_next(struct sdp_medias *medias, struct sdp_media *out);

/*
 * The description in a SIP body of this Content-Type: all of it
 * (application/sdp), or the first part that is one (multipart: as calls for
 * help carry it beside a place, RFC 6442 4.1). Empty: none, or one that is
 * encoded. `content_type` without folds.
 */
struct bytes sdp_in_body(struct bytes content_type, struct bytes body);

#endif
