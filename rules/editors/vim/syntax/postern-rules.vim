" SPDX-License-Identifier: BSD-3-Clause
" Postern's rules. What the language doesn't have is an error here as it is for postern rules check.

if exists('b:current_syntax')
  finish
endif

syntax iskeyword @,48-57,_,.,-
syntax case match
syntax sync minlines=50

syntax match posternComment "^\s*#.*$" contains=posternTodo,@Spell
syntax keyword posternTodo TODO FIXME XXX contained

" A rule is a line; one that ends in a backslash goes on.
syntax region posternRule start="^\s*\%(alert\|drop\|reject\|pass\)\>" end="\\\@1<!$" keepend contains=posternAction,posternProtocol,posternVariable,posternArrow,posternNot,posternNumber,posternOptions,posternGoesOn
syntax keyword posternAction alert drop reject pass contained
syntax keyword posternProtocol smtp sip tcp udp ip any contained
syntax match posternVariable "\$\w\+" contained
syntax match posternArrow "->\|<>\|=>" contained
syntax match posternNot "!" contained
syntax match posternNumber "\<\d[0-9a-fA-F.:/]*\>" contained
syntax match posternGoesOn "\\$" contained

syntax region posternOptions matchgroup=posternBrackets start="(" end=")" contained contains=posternUnknown,posternRefusedKind,posternRefused,posternKeyword,posternBuffer,posternMetadata,posternString,posternNumber,posternNot,posternGoesOn
" Whatever stands where a keyword does and is none; keywords are found before matches.
syntax match posternUnknown "\%([(;]\s*\|^\s*\)\@<=[a-zA-Z][a-zA-Z0-9_.-]*\ze\s*[:;]" contained

syntax region posternString start=+"+ skip=+\\.+ end=+"+ contained contains=posternEscape,posternHex,posternGoesOn
syntax match posternEscape "\\[\"\\;:]" contained
syntax match posternHex "|[0-9a-fA-F \t]*|" contained
syntax keyword posternMetadata aup keep risk reply shadow contained

" What follows is written by tests/replay/rules_vim_test.py --write.
" begin
syntax keyword posternKeyword contained absent app-layer-protocol bsize byte_extract byte_jump byte_math byte_test classtype
syntax keyword posternKeyword contained compress_whitespace content dataset depth detection_filter distance dotprefix endswith
syntax keyword posternKeyword contained fast_pattern fileext filename filesize flow flowbits from_base64 gid header_lowercase
syntax keyword posternKeyword contained isdataat metadata msg noalert nocase none offset pcre pcrexform prefilter priority
syntax keyword posternKeyword contained rate_filter rawbytes reference requires rev sid startswith strip_whitespace target
syntax keyword posternKeyword contained threshold to_lowercase to_md5 to_sha1 to_sha256 to_uppercase url_decode within xbits xor
syntax keyword posternBuffer contained email.body email.body_md5 email.cc email.date email.from email.header email.message_id
syntax keyword posternBuffer contained email.received email.subject email.to email.url email.x_mailer file.data file.name
syntax keyword posternBuffer contained sdp.attribute sdp.bandwidth sdp.connection_data sdp.email sdp.encryption_key
syntax keyword posternBuffer contained sdp.media.attribute sdp.media.bandwidth sdp.media.connection_data sdp.media.encryption_key
syntax keyword posternBuffer contained sdp.media.media sdp.media.media_info sdp.origin sdp.phone_number sdp.repeat_time
syntax keyword posternBuffer contained sdp.session_info sdp.session_name sdp.time sdp.timezone sdp.uri sip.body sip.call_id
syntax keyword posternBuffer contained sip.contact sip.content_length sip.content_type sip.from sip.header sip.message sip.method
syntax keyword posternBuffer contained sip.protocol sip.request_line sip.response_line sip.stat_code sip.stat_msg sip.to sip.uri
syntax keyword posternBuffer contained sip.user_agent sip.via smtp.helo smtp.mail_from smtp.rcpt_to smtp.reply_code
syntax keyword posternBuffer contained smtp.reply_text
syntax keyword posternRefused contained ack app-layer-event asn1 base64_data base64_decode bypass classification config
syntax keyword posternRefused contained content_len cookies datarep decode-event dnp3 domain dsize engine-event enip entropy
syntax keyword posternRefused contained event_filter file.magic filemagic filemd5 filesha1 filesha256 filestore flags flowint
syntax keyword posternRefused contained fragbits fragoffset frame ftp ftpdata_command geoip gunzip hostbits icode id ip_proto
syntax keyword posternRefused contained ipopts iprep itype ja3 ja4 krb5 lua luaxform modbus nfq_set_mark pkt_data raw_uri rdp
syntax keyword posternRefused contained replace rpc sameip seq stream-event stream_size strip_pseudo_headers subslice suppress tag
syntax keyword posternRefused contained tftp tld tos ttl uricontent urilen window zlib_deflate
syntax match posternRefusedKind "\%([(;]\s*\|^\s*\)\@<=\%(dce_\|dcerpc\.\|dhcp\.\|dns\.\|dns_\|email\.\|file\.\|flow\.\|http2\.\|http\.\|http_\|icmp_\|icmpv4\.\|icmpv6\.\|igmp\.\|ike\.\|ikev2\.\|ipv4\.\|ipv6\.\|ja3\.\|ja3_\|ja3s\.\|ja4\.\|krb5\.\|krb5_\|ldap\.\|mdns\.\|mqtt\.\|nfs\.\|nfs_\|pgsql\.\|pop3\.\|quic\.\|rfb\.\|sdp\.\|sip\.\|sip_\|smb\.\|smtp\.\|snmp\.\|ssh\.\|ssh_\|ssl_\|tcp\.\|tls\.\|tls_\|udp\.\|vlan\.\|websocket\.\)[a-zA-Z0-9_.-]*\ze\s*[:;]" contained
" end

highlight default link posternComment Comment
highlight default link posternTodo Todo
highlight default link posternAction Statement
highlight default link posternProtocol Type
highlight default link posternVariable Identifier
highlight default link posternArrow Operator
highlight default link posternNot Operator
highlight default link posternNumber Number
highlight default link posternBrackets Delimiter
highlight default link posternGoesOn Special
highlight default link posternString String
highlight default link posternEscape SpecialChar
highlight default link posternHex SpecialChar
highlight default link posternMetadata PreProc
highlight default link posternKeyword Keyword
highlight default link posternBuffer Type
highlight default link posternRefused Error
highlight default link posternRefusedKind Error
highlight default link posternUnknown Error

let b:current_syntax = 'postern-rules'
