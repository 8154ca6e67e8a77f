/*
 * The records that decode, translate and encode meet in: one Message, its Mentions in message order,
 * its Medias (one for each m= line) and the Edits that encode splices. Scratch: rewritten for each message.
 */

/* Message. Offsets from MESSAGE; positions are addresses in memory, 0 for absent. */
export const MESSAGE_START: i32 = 0;
/** Exclusive end of the message: what stands after the body (RFC 3261 18.3) is not part of it. */
export const MESSAGE_END: i32 = 4;
/** 0 for a response, else METHOD_*. */
export const MESSAGE_METHOD: i32 = 8;
/** Status code of a response, 0 for a request. */
export const MESSAGE_STATUS: i32 = 12;
export const MESSAGE_CSEQ: i32 = 16;
/** METHOD_* of the CSeq header. */
export const MESSAGE_CSEQ_METHOD: i32 = 20;
/* Spans: position, length. */
export const MESSAGE_CALL_ID: i32 = 24;
export const MESSAGE_CALL_ID_LEN: i32 = 28;
export const MESSAGE_FROM_TAG: i32 = 32;
export const MESSAGE_TO_TAG: i32 = 40;
export const MESSAGE_TO_TAG_LEN: i32 = 44;
/** The To URI; after recordSettle user@host[:port] of it, the address of record. */
export const MESSAGE_TO_URI: i32 = 48;
export const MESSAGE_TO_URI_LEN: i32 = 52;
export const MESSAGE_BRANCH: i32 = 56;
export const MESSAGE_BRANCH_LEN: i32 = 60;
/* Whole header lines without their line end: a locally made answer copies them. */
export const MESSAGE_FROM_LINE: i32 = 64;
export const MESSAGE_TO_LINE: i32 = 72;
export const MESSAGE_CALL_ID_LINE: i32 = 80;
export const MESSAGE_CSEQ_LINE: i32 = 88;
/** First byte after the empty line. */
export const MESSAGE_BODY: i32 = 96;
/** Value of Content-Length, -1 for absent. */
export const MESSAGE_CONTENT_LENGTH: i32 = 100;
/** Value of the Expires header in seconds, -1 for absent. */
export const MESSAGE_EXPIRES: i32 = 104;
/** CONTENT_* of the body. */
export const MESSAGE_CONTENT: i32 = 108;
/** Boundary of the multipart type that was read last, position and length. */
export const MESSAGE_BOUNDARY: i32 = 112;
export const MESSAGE_BOUNDARY_LEN: i32 = 116;
export const MESSAGE_MENTION_COUNT: i32 = 120;
export const MESSAGE_MEDIA_COUNT: i32 = 124;
export const MESSAGE_EDIT_COUNT: i32 = 128;
/** MESSAGE_FLAG_* bits. */
export const MESSAGE_FLAGS: i32 = 132;
/** Index of the top Via's mention, -1 for none. */
export const MESSAGE_VIA: i32 = 136;
/** Number of Contact values, and of Via values. */
export const MESSAGE_CONTACT_COUNT: i32 = 148;
export const MESSAGE_VIA_COUNT: i32 = 152;
/** 0 until an SDP session was seen; then its sess-version line position. */
export const MESSAGE_SDP: i32 = 156;

/** Index of the last Content-Length mention + 1, 0 for none. */
export const MESSAGE_LENGTH: i32 = 176;
/** Seconds of the Session-Expires header (RFC 4028 4), 0 for absent. */
export const MESSAGE_SESSION: i32 = 180;
/** How many multipart bodies are open, one inside the other, and their boundaries: position and length each. */
export const MESSAGE_DEPTH: i32 = 184;
export const MESSAGE_BOUNDARIES: i32 = 192;
export const DEPTH_MAX: i32 = 4;
/** Where its mentions and medias stand, and how many have room there: decode/room.ts. */
export const MESSAGE_MENTIONS: i32 = 240;
export const MESSAGE_MENTION_MOST: i32 = 244;
export const MESSAGE_MEDIAS: i32 = 248;
export const MESSAGE_MEDIA_MOST: i32 = 252;
/** Bytes of the record that are cleared before a message is decoded; behind them stand a value of decode/sdp/session.ts and its room. */
export const MESSAGE_DECODED: i32 = 224;
/** Position behind the name of an rport parameter without a value, 0 for none: a local answer puts the port there. */
export const MESSAGE_RPORT: i32 = 160;

export const MESSAGE_FLAG_CONTACT_STAR: i32 = 1;
/** The top Via has an rport parameter. */
export const MESSAGE_FLAG_RPORT: i32 = 2;
/** Require: or Supported: names ice. */
export const MESSAGE_FLAG_REQUIRE_ICE: i32 = 4;
/** The body is encoded (Content-Encoding): it passes untouched. */
export const MESSAGE_FLAG_ENCODED: i32 = 8;
/** Authorization with qop=auth-int covers the body. */
export const MESSAGE_FLAG_AUTH_INT: i32 = 16;
/** A description of the session stands in the body: an early session (RFC 3959) is none. */
export const MESSAGE_FLAG_SESSION: i32 = 32;
/** Content-Disposition: early-session. */
export const MESSAGE_FLAG_EARLY: i32 = 64;
/** A description groups m= lines as alternatives (RFC 4091). */
export const MESSAGE_FLAG_ANAT: i32 = 128;

export const METHOD_OTHER: i32 = 1;
export const METHOD_INVITE: i32 = 2;
export const METHOD_ACK: i32 = 3;
export const METHOD_BYE: i32 = 4;
export const METHOD_CANCEL: i32 = 5;
export const METHOD_REGISTER: i32 = 6;
export const METHOD_OPTIONS: i32 = 7;
export const METHOD_UPDATE: i32 = 8;
export const METHOD_PRACK: i32 = 9;
export const METHOD_REFER: i32 = 10;
export const METHOD_SUBSCRIBE: i32 = 11;
export const METHOD_NOTIFY: i32 = 12;
export const METHOD_MESSAGE: i32 = 13;
export const METHOD_INFO: i32 = 14;
export const METHOD_PUBLISH: i32 = 15;

export const CONTENT_NONE: i32 = 0;
export const CONTENT_OTHER: i32 = 1;
export const CONTENT_SDP: i32 = 2;
export const CONTENT_MULTIPART: i32 = 3;
/** Candidates on their own, as INFO brings them (RFC 8840 9). */
export const CONTENT_FRAGMENT: i32 = 4;
/** A document that names dialogs, registrations or resources: dialog-info, reginfo, conference-info, rlmi or resource-lists. */
export const CONTENT_DOCUMENT: i32 = 5;

/* Mention: one place where an address is written (DESIGN 1). Offsets into a MENTION_SIZE record. */
/** ROLE_* below. */
export const MENTION_ROLE: i32 = 0;
/** What an edit replaces: host, port and token in headers; the address, or the port digits, in SDP. */
export const MENTION_AT: i32 = 4;
export const MENTION_END: i32 = 8;
/** FORM_* of the host. */
export const MENTION_FORM: i32 = 12;
/** Exclusive end of host[:port], before a token. */
export const MENTION_HOST_END: i32 = 16;
/** Port as written, -1 for absent. */
export const MENTION_PORT: i32 = 20;
/** Position and length of a token's value, 0 for none. */
export const MENTION_TOKEN: i32 = 24;
export const MENTION_TOKEN_LEN: i32 = 28;
/** Whole URI, scheme included: a bare Contact that gets a parameter is wrapped in <>. Of a Via the end of its parameters alone. */
export const MENTION_URI: i32 = 32;
export const MENTION_URI_END: i32 = 36;
/** In headers: user part position and length. In SDP: media index (-1 session level), and a count for ports. */
export const MENTION_USER: i32 = 40;
export const MENTION_USER_LEN: i32 = 44;
export const MENTION_MEDIA: i32 = 40;
export const MENTION_COUNT: i32 = 44;
/** Of a Content-Length that says the same once more: MESSAGE_LENGTH as it was before it. */
export const MENTION_BEFORE: i32 = 44;
/** The address, 16 bytes, when the form is FORM_IP4 or FORM_IP6. */
export const MENTION_ADDRESS: i32 = 48;

/* A bare Contact carries no user after decoding beyond the span above; flags share the role word. */
export const MENTION_ROLE_MASK: i32 = 0xff;
/** The URI stands without angle brackets. */
export const MENTION_FLAG_BARE: i32 = 0x100;
/** sips: default port 5061. */
export const MENTION_FLAG_SIPS: i32 = 0x200;
/** The lr parameter: a loose router (RFC 3261 16.12). */
export const MENTION_FLAG_LOOSE: i32 = 0x800;
/** What the URI's transport parameter or the Via says: NAMED_*. */
export const MENTION_NAMED_SHIFT: i32 = 12;
export const MENTION_NAMED_MASK: i32 = 7;
export const NAMED_NONE: i32 = 0;
/** TRANSPORT_* plus one up to 5; then one that Culvert does not know. */
export const NAMED_OTHER: i32 = 7;

export const ROLE_REQUEST_URI: i32 = 1;
/** Sent-by of the top Via; then its received and rport values. */
export const ROLE_VIA: i32 = 2;
export const ROLE_VIA_RECEIVED: i32 = 3;
export const ROLE_VIA_RPORT: i32 = 4;
export const ROLE_VIA_LOWER: i32 = 5;
export const ROLE_CONTACT: i32 = 6;
export const ROLE_ROUTE: i32 = 7;
export const ROLE_RECORD_ROUTE: i32 = 8;
export const ROLE_PATH: i32 = 9;
export const ROLE_SERVICE_ROUTE: i32 = 10;
export const ROLE_REFER_TO: i32 = 11;
/** The digits of Content-Length; of an expires value (MENTION_PORT holds the seconds). */
export const ROLE_CONTENT_LENGTH: i32 = 12;
export const ROLE_EXPIRES: i32 = 13;
export const ROLE_CONTACT_EXPIRES: i32 = 14;
/** maddr of the top Via (RFC 3261 18.1.1). */
export const ROLE_VIA_MADDR: i32 = 15;
/** A whole CONTENT_DOCUMENT; and a URI in it that says where somebody is reached, as a Contact does. */
export const ROLE_DOCUMENT: i32 = 16;
export const ROLE_TARGET: i32 = 17;
/* SDP (RFC 8866). Addresses span "IP4 a.b.c.d": the address type changes with the family. */
export const ROLE_SDP_ORIGIN: i32 = 20;
export const ROLE_SDP_CONNECTION: i32 = 21;
export const ROLE_SDP_PORT: i32 = 22;
/** Port of a=rtcp, then its address if it has one (RFC 3605). */
export const ROLE_SDP_RTCP_PORT: i32 = 23;
export const ROLE_SDP_RTCP_ADDRESS: i32 = 24;
/** A whole ICE attribute line with its line end: stripped or kept, never half. */
export const ROLE_SDP_ICE: i32 = 25;
/** A whole a=altc line (RFC 6947), removed since the other address would stay unmapped; or a=group:ANAT (RFC 4091), whose names stand in MENTION_URI. */
export const ROLE_SDP_ALTERNATIVE: i32 = 26;
/** The role in a=setup of media over TCP (RFC 4145 4). */
export const ROLE_SDP_SETUP: i32 = 27;

/** A name, or nothing that is an IP literal. */
export const FORM_NAME: i32 = 0;
export const FORM_IP4: i32 = 1;
/** With the brackets of a URI; in SDP and received without. */
export const FORM_IP6: i32 = 2;

/* Media: one m= line. Offsets into a MEDIA_SIZE record. */
/** Mention index of the port; of the c= line in force, -1 for none; of a=rtcp, -1 for none. */
export const MEDIA_PORT_MENTION: i32 = 0;
export const MEDIA_CONNECTION_MENTION: i32 = 4;
export const MEDIA_RTCP_MENTION: i32 = 8;
/** Port as written and its count (RFC 8866 5.14). */
export const MEDIA_PORT: i32 = 12;
export const MEDIA_COUNT: i32 = 16;
/** PROTO_* */
export const MEDIA_PROTO: i32 = 20;
/** MEDIA_FLAG_* bits. */
export const MEDIA_FLAGS: i32 = 24;
/** Flow index that translate chose, -1 for none. */
export const MEDIA_FLOW: i32 = 28;
/** RTCP port as signalled or implied. */
export const MEDIA_RTCP_PORT: i32 = 32;
/** Number of the m= line in its description, with LINE_EARLY for one of an early session. */
export const MEDIA_LINE: i32 = 36;
/** Position behind its m= line, and its i= line when one follows: where a c= line may stand (RFC 8866 5). */
export const MEDIA_AFTER: i32 = 40;
export const MEDIA_ADDRESS: i32 = 48;
export const MEDIA_RTCP_ADDRESS: i32 = 64;

/** Its a=mid (RFC 5888 4), position and length. */
export const MEDIA_MID: i32 = 80;
export const MEDIA_MID_LEN: i32 = 84;

/** Index of the mention of its own a=setup + 1, 0 for none. */
export const MEDIA_SETUP: i32 = 88;

/** The description is of an early session (RFC 3959): its lines are numbered apart. */
export const LINE_EARLY: i32 = 128;

/** RTP over UDP in any profile: latches on RTP only. */
export const PROTO_RTP: i32 = 1;
/** UDPTL, BFCP and other single-port UDP protocols. */
export const PROTO_UDP: i32 = 2;
/** Unknown, or over TCP in a way that c= and m= lines do not tell: passes untouched. */
export const PROTO_OTHER: i32 = 3;
/** One connection, from or to c= and m=, as a=setup says (RFC 4145): T.38, BFCP; and MSRP, where that holds with a=msrp-cema alone (RFC 6714). */
export const PROTO_TCP: i32 = 4;
export const PROTO_MSRP: i32 = 5;

export const MEDIA_FLAG_MUX: i32 = 1;
export const MEDIA_FLAG_SENDONLY: i32 = 2;
export const MEDIA_FLAG_INACTIVE: i32 = 4;
export const MEDIA_FLAG_ICE: i32 = 16;
export const MEDIA_FLAG_RECVONLY: i32 = 32;
/** One of several alternatives, and not the one that is left: its port becomes 0. */
export const MEDIA_FLAG_DROPPED: i32 = 64;
/** It has candidates of its own; and ours are written. */
export const MEDIA_FLAG_CANDIDATES: i32 = 128;
export const MEDIA_FLAG_RELAY: i32 = 256;
/** SETUP_* of a=setup, from this bit on. */
export const MEDIA_SETUP_SHIFT: i32 = 9;
/** a=connection:existing (RFC 4145 5), a=msrp-cema (RFC 6714 5). */
export const MEDIA_FLAG_EXISTING: i32 = 4096;
export const MEDIA_FLAG_CEMA: i32 = 8192;

/* Who connects (RFC 4145 4): nothing said, the one that says so, the other one, either, nobody for the time being. */
export const SETUP_NONE: i32 = 0;
export const SETUP_ACTIVE: i32 = 1;
export const SETUP_PASSIVE: i32 = 2;
export const SETUP_ACTPASS: i32 = 3;
export const SETUP_HOLDCONN: i32 = 4;
export const SETUP_MASK: i32 = 7;

/* Edit: replace [at, end) by a text in memory. Offsets into an EDIT_SIZE record; edits stand in message order. */
export const EDIT_AT: i32 = 0;
export const EDIT_END: i32 = 4;
export const EDIT_TEXT: i32 = 8;
export const EDIT_LEN: i32 = 12;
