/*
 * One SIP message from the context to its edits: every mention gets what the rules for its role and direction say
 * (SPEC S1). Requests and responses, both ways, pass here; nothing that is not a mention is touched.
 */

import { ld32, ld8, mul, st32 } from "../machine.ts";
import { HEADER_NOW, MESSAGE } from "../memory/layout.ts";
import { SERVER_PORT } from "../memory/config.ts";
import {
  CONTEXT_ACCESS,
  CONTEXT_BINDING,
  CONTEXT_CORE,
  CONTEXT_DIAL_PORT,
  CONTEXT_EXPOSED,
  CONTEXT_REFUSED,
  CONTEXT_REMOTE,
  CONTEXT_REMOTE_PORT,
  CONTEXT_ROUTED,
  CONTEXT_TERMINAL,
  CONTEXT_TRANSPORT,
  CONTEXT_UNRELAYED,
  CONTEXT_VIA_PORT,
  isInbound,
} from "../memory/context.ts";
import {
  CONTENT_MULTIPART,
  CONTENT_OTHER,
  FORM_NAME,
  MENTION_ADDRESS,
  MENTION_AT,
  MENTION_BEFORE,
  MENTION_END,
  MENTION_FORM,
  MENTION_HOST_END,
  MENTION_PORT,
  MENTION_ROLE,
  MENTION_ROLE_MASK,
  MENTION_URI,
  MENTION_URI_END,
  MESSAGE_BODY,
  MESSAGE_CALL_ID,
  MESSAGE_CALL_ID_LEN,
  MESSAGE_CONTENT,
  MESSAGE_CSEQ_METHOD,
  MESSAGE_END,
  MESSAGE_EXPIRES,
  MESSAGE_FLAGS,
  MESSAGE_FLAG_AUTH_INT,
  MESSAGE_FLAG_RPORT,
  MESSAGE_LENGTH,
  MESSAGE_SDP,
  MESSAGE_STATUS,
  MESSAGE_VIA,
  METHOD_REGISTER,
  METHOD_SUBSCRIBE,
  ROLE_CONTACT,
  ROLE_CONTACT_EXPIRES,
  ROLE_CONTENT_LENGTH,
  ROLE_DOCUMENT,
  ROLE_EXPIRES,
  ROLE_SDP_ORIGIN,
  ROLE_VIA,
  ROLE_VIA_LOWER,
  ROLE_VIA_MADDR,
  ROLE_VIA_RECEIVED,
  ROLE_VIA_RPORT,
} from "../memory/message.ts";
import { TRANSPORT_TCP, TRANSPORT_TLS } from "../memory/packet.ts";
import { REASON_LOOP } from "../memory/reason.ts";
import { BINDING_ADDRESS, BINDING_FORM, BINDING_REGISTRATIONS, BINDING_SPELLED_PORT, TERMINAL_ADDRESS, TERMINAL_PORT } from "../memory/tables.ts";
import { addressCopy, addressEqual } from "../bytes/address.ts";
import { mentionAt, mentionCount } from "../decode/mention.ts";
import { editAppend, editsDelta, editsReset, textDecimal, textMark } from "../encode/edit.ts";
import { bindingAt, bindingFind, isMapping } from "../table/binding.ts";
import { terminalAt } from "../table/terminal.ts";
import { bindingReplace, inboundMap, outboundMap, portOrDefault, refuse, serverHere } from "./address.ts";
import { lengthWrite, lineBreak } from "./answer.ts";
import { callAbandon, callSettle, callTrack } from "./call.ts";
import { callIdBegin, callIdReset } from "./hide/callid.ts";
import { hasDomain, recordRestore } from "./hide/domain.ts";
import { documentMap } from "./hide/document.ts";
import { headersMap } from "./hide/header.ts";
import { isHiding } from "./hide/hiding.ts";
import { viaMaddr } from "./maddr.ts";
import { BINDING_IDLE, bindingAny, bindingHold } from "./open.ts";
import { expiresShorten, registerCommit, registeredBinding } from "./register.ts";
import { sdpMap, sdpPrepare } from "./sdp/session.ts";
import { topologyMap } from "./hide/topology.ts";
import { viaInboundRequest, viaInboundResponse, viaOutboundRequest, viaOutboundResponse, viaReceived, viaRport } from "./via.ts";

function isRequest(): boolean {
  return ld32(MESSAGE + MESSAGE_STATUS) === 0;
}

function isSuccess(): boolean {
  const status: i32 = ld32(MESSAGE + MESSAGE_STATUS);
  return status >= 200 && status < 300;
}

/** Does a digest of the terminal cover the body, so that an edit would make the server refuse it? */
export function isBodySigned(): boolean {
  return isInbound() && (ld32(MESSAGE + MESSAGE_FLAGS) & MESSAGE_FLAG_AUTH_INT) !== 0;
}

/** Does no NAT stand before the terminal in hand: is the address that it writes the one it sends from? */
export function isReachable(binding: i32): boolean {
  const b: i32 = bindingAt(binding);
  return ld32(b + BINDING_FORM) !== FORM_NAME && addressEqual(b + BINDING_ADDRESS, terminalAt(ld32(CONTEXT_TERMINAL)) + TERMINAL_ADDRESS);
}

/** Where a message to the terminal goes: where it sends from, or the very port it wrote where no NAT stands between. */
export function terminalRemote(binding: i32, response: boolean): void {
  const t: i32 = terminalAt(ld32(CONTEXT_TERMINAL));
  addressCopy(CONTEXT_REMOTE, t + TERMINAL_ADDRESS);
  st32(CONTEXT_REMOTE_PORT, ld32(t + TERMINAL_PORT));
  st32(CONTEXT_TRANSPORT, ld32(CONTEXT_ACCESS));
  if (!isReachable(binding)) return;
  if (response && (ld32(MESSAGE + MESSAGE_FLAGS) & MESSAGE_FLAG_RPORT) !== 0) return;
  const port: i32 = ld32(bindingAt(binding) + BINDING_SPELLED_PORT);
  st32(CONTEXT_REMOTE_PORT, port < 0 ? (ld32(CONTEXT_ACCESS) === TRANSPORT_TLS ? 5061 : 5060) : port);
}

/** Where a message to the server goes unless a Route, token or Via says otherwise. */
export function serverRemote(): void {
  const server: i32 = serverHere();
  addressCopy(CONTEXT_REMOTE, server);
  st32(CONTEXT_REMOTE_PORT, ld32(server + SERVER_PORT));
  st32(CONTEXT_TRANSPORT, ld32(CONTEXT_CORE));
  st32(CONTEXT_DIAL_PORT, 0);
}

function viaMap(m: i32): void {
  if (isRequest()) {
    if (!isInbound()) viaOutboundRequest(m);
    return;
  }
  if (isInbound()) viaInboundResponse(m);
  else viaOutboundResponse(m);
}

/** One of our live mappings in a Via that comes from the access side: the request has been here (SPEC S1). */
function loopCheck(m: i32): void {
  if (!isRequest() || !isInbound() || ld32(m + MENTION_FORM) === FORM_NAME) return;
  if (isMapping(m + MENTION_ADDRESS, portOrDefault(m))) refuse(REASON_LOOP);
}

/** Is something registered under this spelling at the terminal in hand, so that no other need be looked for? */
function isRegisteredHere(m: i32): boolean {
  const p: i32 = ld32(m + MENTION_AT);
  const binding: i32 = bindingFind(ld32(CONTEXT_TERMINAL), p, ld32(m + MENTION_HOST_END) - p);
  return binding >= 0 && ld32(bindingAt(binding) + BINDING_REGISTRATIONS) > 0;
}

/** A Contact of a REGISTER that is known from elsewhere keeps its C:c; every other URI goes by its direction. */
function uriMap(m: i32, role: i32): void {
  if (!isInbound()) {
    outboundMap(m);
    return;
  }
  if (role === ROLE_CONTACT && isRequest() && ld32(MESSAGE + MESSAGE_CSEQ_METHOD) === METHOD_REGISTER && !isRegisteredHere(m)) {
    const binding: i32 = registeredBinding(m);
    if (binding >= 0) {
      bindingReplace(m, binding);
      return;
    }
  }
  inboundMap(m);
}

function mentionMap(index: i32): void {
  const m: i32 = mentionAt(index);
  const role: i32 = ld32(m + MENTION_ROLE) & MENTION_ROLE_MASK;
  if (role >= ROLE_SDP_ORIGIN) {
    if (!isBodySigned()) sdpMap(index, role);
  } else if (role === ROLE_VIA) viaMap(m);
  else if (role === ROLE_VIA_LOWER) loopCheck(m);
  else if (role === ROLE_VIA_MADDR) viaMaddr(m, mentionAt(ld32(MESSAGE + MESSAGE_VIA)));
  else if (role === ROLE_VIA_RECEIVED || role === ROLE_VIA_RPORT) {
    if (isRequest()) return;
    if (role === ROLE_VIA_RECEIVED) viaReceived(m);
    else viaRport(m);
  } else if (role === ROLE_CONTACT_EXPIRES || role === ROLE_EXPIRES) {
    if (!isInbound() && isSuccess() && ld32(MESSAGE + MESSAGE_CSEQ_METHOD) === METHOD_REGISTER) expiresShorten(m);
  } else if (role === ROLE_DOCUMENT) {
    if (isHiding() && !isBodySigned()) documentMap(ld32(m + MENTION_AT), ld32(m + MENTION_END));
  } else if (role !== ROLE_CONTENT_LENGTH) uriMap(m, role);
}

function lengthReplace(m: i32, delta: i32): void {
  if (delta === 0) return;
  const mark: i32 = textMark();
  textDecimal((ld32(m + MENTION_PORT) + delta) | 0);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_END), mark);
}

/** A part's own Content-Length follows the part; the last comes first, since it may stand inside an earlier one. */
function partLengthsMap(): void {
  for (let i: i32 = (mentionCount() - 1) | 0; i >= ld32(MESSAGE + MESSAGE_LENGTH); i--) {
    const m: i32 = mentionAt(i);
    const part: boolean = (ld32(m + MENTION_ROLE) & MENTION_ROLE_MASK) === ROLE_CONTENT_LENGTH && ld32(m + MENTION_URI) !== 0;
    if (part) lengthReplace(m, editsDelta(ld32(m + MENTION_URI), ld32(m + MENTION_URI_END)));
  }
}

/** A message that came without Content-Length gets one where a stream needs it to tell where the message ends (RFC 3261 18.3). */
function lengthInsert(): void {
  const body: i32 = ld32(MESSAGE + MESSAGE_BODY);
  const end: i32 = ld32(MESSAGE + MESSAGE_END);
  const empty: i32 = body - (ld8(body - 2) === 13 ? 2 : 1);
  const ended: boolean = ld8(empty - 1) === 10;
  const mark: i32 = textMark();
  lengthWrite((end - body + editsDelta(body, end)) | 0);
  if (!ended) lineBreak();
  editAppend(ended ? empty : end, ended ? empty : end, mark);
}

function isStream(transport: i32): boolean {
  return transport === TRANSPORT_TCP || transport === TRANSPORT_TLS;
}

/** Content-Length follows its body (RFC 3261 20.14), each one where it stands more than once; those of its parts come first, for it counts them. */
function lengthsMap(): void {
  const described: boolean = ld32(MESSAGE + MESSAGE_CONTENT) > CONTENT_OTHER;
  if (ld32(MESSAGE + MESSAGE_CONTENT) === CONTENT_MULTIPART) partLengthsMap();
  if (ld32(MESSAGE + MESSAGE_LENGTH) === 0 && isStream(ld32(CONTEXT_TRANSPORT)) && ld8(ld32(MESSAGE + MESSAGE_BODY) - 1) === 10) lengthInsert();
  if (!described) return;
  const delta: i32 = editsDelta(ld32(MESSAGE + MESSAGE_BODY), ld32(MESSAGE + MESSAGE_END));
  for (let index: i32 = ld32(MESSAGE + MESSAGE_LENGTH); index > 0; index = ld32(mentionAt(index - 1) + MENTION_BEFORE))
    lengthReplace(mentionAt(index - 1), delta);
}

/** Notes the message as a sign of life of its terminal and binding; a subscription keeps them for as long as it was granted. */
function lifeNote(): void {
  const now: i32 = ld32(HEADER_NOW);
  const binding: i32 = ld32(CONTEXT_BINDING);
  bindingHold(binding, (now + BINDING_IDLE) | 0);
  const expires: i32 = ld32(MESSAGE + MESSAGE_EXPIRES);
  if (ld32(MESSAGE + MESSAGE_CSEQ_METHOD) === METHOD_SUBSCRIBE && isSuccess() && expires > 0 && expires < 1000000) {
    bindingHold(binding, (now + mul(expires, 1000) + BINDING_IDLE) | 0);
  }
}

/**
 * Makes the edits of the message in hand. CONTEXT_REFUSED is 0 when it may leave, by CONTEXT_BINDING, to CONTEXT_REMOTE.
 */
export function sipTranslate(): void {
  editsReset();
  st32(CONTEXT_REFUSED, 0);
  st32(CONTEXT_ROUTED, 0);
  st32(CONTEXT_VIA_PORT, 0);
  st32(CONTEXT_EXPOSED, 0);
  st32(CONTEXT_UNRELAYED, 0);
  if (isHiding() || hasDomain()) messageDisguise();
  else messageMap();
}

/** The same for a service that hides its topology or has a domain; tables are asked by what the terminal writes. */
function messageDisguise(): void {
  const hiding: boolean = isHiding();
  const callId: i32 = ld32(MESSAGE + MESSAGE_CALL_ID);
  const len: i32 = ld32(MESSAGE + MESSAGE_CALL_ID_LEN);
  if (hiding) callIdBegin();
  if (hasDomain() && !isInbound()) recordRestore();
  messageMap();
  if (ld32(CONTEXT_REFUSED) === 0) {
    headersMap();
    if (hiding) topologyMap();
  }
  callIdReset(callId, len);
}

/** Finds out what the message in hand means and where it goes, and maps its mentions. */
function messageMap(): void {
  const via: i32 = ld32(MESSAGE + MESSAGE_VIA);
  if (isInbound() && isRequest()) {
    loopCheck(mentionAt(via));
    viaInboundRequest(mentionAt(via));
  }
  if (ld32(CONTEXT_REFUSED) !== 0) return;
  if (isInbound()) serverRemote();
  else terminalRemote(ld32(CONTEXT_BINDING), !isRequest());
  if (ld32(MESSAGE + MESSAGE_CSEQ_METHOD) === METHOD_REGISTER && !isInbound() && isSuccess()) registerCommit();
  callTrack(ld32(MESSAGE + MESSAGE_SDP) !== 0);
  if (ld32(CONTEXT_REFUSED) !== 0) return;
  if (!isBodySigned()) sdpPrepare();
  if (ld32(CONTEXT_REFUSED) !== 0) {
    callAbandon();
    return;
  }
  callSettle();
  const count: i32 = mentionCount();
  for (let i: i32 = 0; i < count; i++) mentionMap(i);
  if (ld32(CONTEXT_REFUSED) !== 0) callAbandon();
  lengthsMap();
  if (ld32(CONTEXT_BINDING) < 0) st32(CONTEXT_BINDING, bindingAny());
  if (ld32(CONTEXT_BINDING) < 0) refuse(-ld32(CONTEXT_BINDING));
  else lifeNote();
}
