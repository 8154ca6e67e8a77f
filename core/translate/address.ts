/*
 * The only place that invents addresses: a Mention and the binding decide what is written instead (SPEC T2, S1).
 * Inbound: the terminal's own address becomes C:c, E:e becomes D:d, a token becomes what it holds.
 * Outbound: C:c becomes the terminal's spelling, D:d becomes E:e, other server-side addresses become E with a token.
 * Invariant: inbound and outbound are exact inverses of each other.
 */

import { equal, ld32, ld8, scan8, st32 } from "../machine.ts";
import { MENTION_SIZE, MESSAGE } from "../memory/layout.ts";
import { POOL_ADDRESS, POOL_TEXT, POOL_TEXT_LEN, SERVER_PORT, SERVICE_ADDRESS, SERVICE_PORT } from "../memory/config.ts";
import {
  CONTEXT_ACCESS,
  CONTEXT_CORE,
  CONTEXT_PACKET,
  CONTEXT_PORT,
  CONTEXT_REFUSED,
  CONTEXT_REMOTE,
  CONTEXT_REMOTE_PORT,
  CONTEXT_ROUTED,
  CONTEXT_SERVICE,
  CONTEXT_SERVICE_AT,
  CONTEXT_TERMINAL,
} from "../memory/context.ts";
import {
  FORM_NAME,
  MENTION_ADDRESS,
  MENTION_AT,
  MENTION_FLAG_BARE,
  MENTION_FLAG_LOOSE,
  MENTION_FLAG_SIPS,
  MENTION_FORM,
  MENTION_HOST_END,
  MENTION_PORT,
  MENTION_ROLE,
  MENTION_ROLE_MASK,
  MENTION_TOKEN,
  MENTION_TOKEN_LEN,
  MENTION_URI,
  MENTION_URI_END,
  MESSAGE_CSEQ_METHOD,
  MESSAGE_VIA,
  METHOD_REGISTER,
  NAMED_NONE,
  ROLE_CONTACT,
  ROLE_PATH,
  ROLE_RECORD_ROUTE,
  ROLE_REQUEST_URI,
  ROLE_ROUTE,
} from "../memory/message.ts";
import { PACKET_SOURCE, TRANSPORT_TLS } from "../memory/packet.ts";
import { REASON_FORGED_TOKEN } from "../memory/reason.ts";
import { BINDING_POOL, BINDING_PORT, BINDING_SPELLED, BINDING_SPELLED_LEN, BINDING_TERMINAL } from "../memory/tables.ts";
import { addressCopy, addressEqual, isMulticast, isUnspecified } from "../bytes/address.ts";
import { isSpace } from "../bytes/word.ts";
import { mentionAt, mentionCount } from "../decode/mention.ts";
import { editAppend, textByte, textBytes, textDecimal, textDrop, textHost, textHostBytes, textMark, textWord } from "../encode/edit.ts";
import { bindingAt, bindingFind, bindingOf } from "../table/binding.ts";
import { poolAt } from "../table/port.ts";
import { serverAt } from "../table/service.ts";
import { domainReplace, domainRestore, hasDomain, isDomain } from "./hide/domain.ts";
import { isHiding } from "./hide/hiding.ts";
import { isNameHidden, nameAppend, nameRestore } from "./hide/hostname.ts";
import { isTerminalName } from "./name.ts";
import { bindingHear, bindingOpen } from "./open.ts";
import { TOKEN_ADDRESS, TOKEN_NAMED, TOKEN_PORT, tokenRead, tokenWrite } from "./token.ts";
import { isRenamed, namedOf, parameterWrite, uriRename, uriRestored, uriSwap } from "./transport.ts";

/** Port that an absent one stands for (RFC 3261 18.2.2, 19.1.2). */
function portDefault(m: i32): i32 {
  return (ld32(m + MENTION_ROLE) & MENTION_FLAG_SIPS) !== 0 || namedOf(m) === TRANSPORT_TLS + 1 ? 5061 : 5060;
}

export function portOrDefault(m: i32): i32 {
  const port: i32 = ld32(m + MENTION_PORT);
  return port >= 0 ? port : portDefault(m);
}

/** Record of the server that terminals of the service in hand are sent to: its first. */
export function serverHere(): i32 {
  return serverAt(ld32(CONTEXT_SERVICE_AT), 0);
}

export function refuse(reason: i32): void {
  if (ld32(CONTEXT_REFUSED) === 0) st32(CONTEXT_REFUSED, reason);
}

/** Replaces host and port by `address` and `port` (-1 for absent). */
export function hostReplace(m: i32, address: i32, port: i32): void {
  const mark: i32 = textMark();
  textHost(address, port);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_HOST_END), mark);
}

/** Replaces the digits of a number: a port, a length, an expiry. */
export function numberReplace(m: i32, value: i32): void {
  const mark: i32 = textMark();
  textDecimal(value);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_HOST_END), mark);
}

/** Replaces host and port by C:c of a binding. */
export function bindingReplace(m: i32, binding: i32): void {
  const b: i32 = bindingAt(binding);
  const pool: i32 = poolAt(ld32(b + BINDING_POOL));
  const len: i32 = ld32(pool + POOL_TEXT_LEN);
  if (len === 0) {
    hostReplace(m, pool + POOL_ADDRESS, ld32(b + BINDING_PORT));
    return;
  }
  const mark: i32 = textMark();
  textHostBytes(pool + POOL_TEXT, len, ld32(b + BINDING_PORT));
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_HOST_END), mark);
}

/** Replaces host and port by what the terminal writes. */
export function spellingReplace(m: i32, binding: i32): void {
  const b: i32 = bindingAt(binding);
  const mark: i32 = textMark();
  textBytes(b + BINDING_SPELLED, ld32(b + BINDING_SPELLED_LEN));
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_HOST_END), mark);
}

/** Position before the white space that ends at `p`. */
function spaceBack(p: i32): i32 {
  let at: i32 = p;
  while (isSpace(ld8(at - 1))) at--;
  return at;
}

/**
 * Removes a parameter of ours, a name of three letters, whose value is [value, end), wherever it stands, with the white space
 * that a Via may have in it and before it (RFC 3261 25.1).
 */
export function parameterRemove(value: i32, end: i32): void {
  const nameEnd: i32 = spaceBack(spaceBack(value) - 1);
  const semicolon: i32 = spaceBack(nameEnd - 3) - 1;
  editAppend(spaceBack(semicolon), end, textMark());
}

/** Removes `;cvt=...`. */
export function tokenRemove(m: i32): void {
  const token: i32 = ld32(m + MENTION_TOKEN);
  parameterRemove(token, token + ld32(m + MENTION_TOKEN_LEN));
}

/** Exclusive end of the host without its port. */
function hostEnd(m: i32): i32 {
  return scan8(ld32(m + MENTION_AT), ld32(m + MENTION_HOST_END), 58);
}

/** Is this how the terminal in hand calls itself: as in its top Via, its source address, or by a name that is its own? */
function isOwn(m: i32): boolean {
  const via: i32 = ld32(MESSAGE + MESSAGE_VIA);
  if (ld32(m + MENTION_FORM) === FORM_NAME) return isTerminalName(ld32(m + MENTION_AT), hostEnd(m));
  if (addressEqual(m + MENTION_ADDRESS, ld32(CONTEXT_PACKET) + PACKET_SOURCE)) return true;
  return via >= 0 && ld32(mentionAt(via) + MENTION_FORM) !== FORM_NAME && addressEqual(m + MENTION_ADDRESS, mentionAt(via) + MENTION_ADDRESS);
}

/** Index of the terminal's binding for what the mention writes, opened when it is new; negative reason when it cannot be. */
export function bindingFor(m: i32): i32 {
  const p: i32 = ld32(m + MENTION_AT);
  const len: i32 = ld32(m + MENTION_HOST_END) - p;
  const found: i32 = bindingFind(ld32(CONTEXT_TERMINAL), p, len);
  if (found >= 0) return bindingHear(found);
  return bindingOpen(p, len, ld32(m + MENTION_FORM), m + MENTION_ADDRESS, ld32(m + MENTION_PORT));
}

/** Does the role make an address known to the server, so that a binding is opened for it? */
function opens(role: i32): boolean {
  return role === ROLE_CONTACT || role === ROLE_RECORD_ROUTE || role === ROLE_PATH;
}

/** Does a header further down make known what is written here? Then it is mapped here too, as it will be when the message comes again. */
function opensLater(m: i32): boolean {
  const p: i32 = ld32(m + MENTION_AT);
  const len: i32 = ld32(m + MENTION_HOST_END) - p;
  const end: i32 = mentionAt(mentionCount());
  for (let at: i32 = m + MENTION_SIZE; at < end; at = at + MENTION_SIZE) {
    const other: i32 = ld32(at + MENTION_AT);
    if (opens(ld32(at + MENTION_ROLE) & MENTION_ROLE_MASK) && ld32(at + MENTION_HOST_END) - other === len && equal(other, p, len)) return true;
  }
  return false;
}

/** Notes where a request goes: its topmost Route, or its Request-URI when there is none or that one is a strict router (RFC 3261 12.2.1.1). */
function remoteNote(m: i32, role: i32, address: i32, port: i32): void {
  if (role === ROLE_ROUTE) {
    if (ld32(CONTEXT_ROUTED) !== 0) return;
    st32(CONTEXT_ROUTED, 1);
    if ((ld32(m + MENTION_ROLE) & MENTION_FLAG_LOOSE) === 0) return;
  } else if (role !== ROLE_REQUEST_URI) {
    return;
  }
  addressCopy(CONTEXT_REMOTE, address);
  st32(CONTEXT_REMOTE_PORT, port);
}

function tokenRestore(m: i32, role: i32): void {
  if (!tokenRead(ld32(m + MENTION_TOKEN), ld32(m + MENTION_TOKEN_LEN), ld32(CONTEXT_SERVICE))) {
    nameTokenRestore(m, role);
    return;
  }
  const port: i32 = ld32(TOKEN_PORT);
  hostReplace(m, TOKEN_ADDRESS, port);
  tokenRemove(m);
  if (ld32(TOKEN_NAMED) !== 0) uriRestored(m, ld32(TOKEN_NAMED) - 1);
  remoteNote(m, role, TOKEN_ADDRESS, port >= 0 ? port : portDefault(m));
}

/** A token that holds no address may hold a name: the message goes the way that it went before the name was hidden. */
function nameTokenRestore(m: i32, role: i32): void {
  const named: i32 = nameRestore(m);
  if (named < 0) {
    refuse(REASON_FORGED_TOKEN);
    return;
  }
  tokenRemove(m);
  if (named !== 0) uriRestored(m, named - 1);
  if (role === ROLE_ROUTE) st32(CONTEXT_ROUTED, 1);
}

/** D:d written for E:e, or the reverse, with the port absent where it was and may be. */
function swap(m: i32, address: i32, port: i32): void {
  const absent: boolean = ld32(m + MENTION_PORT) < 0 && port === portOrDefault(m);
  hostReplace(m, address, absent ? -1 : port);
}

/** Is this E:e, or E alone, as an address of record has it? */
function isService(m: i32, service: i32): boolean {
  if (ld32(m + MENTION_FORM) === FORM_NAME || !addressEqual(m + MENTION_ADDRESS, service + SERVICE_ADDRESS)) return false;
  const port: i32 = ld32(m + MENTION_PORT);
  return port < 0 || port === ld32(CONTEXT_PORT) || port === ld32(service + SERVICE_PORT);
}

/** Is this E:e as the terminal in hand knows it? */
export function isServicePoint(address: i32, port: i32): boolean {
  return ld32(CONTEXT_PORT) === port && addressEqual(ld32(CONTEXT_SERVICE_AT) + SERVICE_ADDRESS, address);
}

/** Maps a URI host of a message from a terminal. */
export function inboundMap(m: i32): void {
  const role: i32 = ld32(m + MENTION_ROLE) & MENTION_ROLE_MASK;
  const service: i32 = ld32(CONTEXT_SERVICE_AT);
  if (ld32(m + MENTION_TOKEN) !== 0) {
    tokenRestore(m, role);
    return;
  }
  if (isService(m, service)) {
    const server: i32 = serverHere();
    const port: i32 = ld32(server + SERVER_PORT);
    if (role === ROLE_REQUEST_URI && hasDomain()) domainReplace(m);
    else if (!addressEqual(server, service + SERVICE_ADDRESS) || port !== ld32(CONTEXT_PORT)) swap(m, server, port);
    uriSwap(m, ld32(CONTEXT_ACCESS), ld32(CONTEXT_CORE));
    remoteNote(m, role, server, port);
    return;
  }
  if (role === ROLE_ROUTE) st32(CONTEXT_ROUTED, 1);
  const own: boolean = isOwn(m) && (opens(role) || opensLater(m));
  const binding: i32 = own ? bindingFor(m) : bindingFind(ld32(CONTEXT_TERMINAL), ld32(m + MENTION_AT), ld32(m + MENTION_HOST_END) - ld32(m + MENTION_AT));
  if (binding >= 0) {
    bindingReplace(m, binding);
    uriSwap(m, ld32(CONTEXT_ACCESS), ld32(CONTEXT_CORE));
  } else if (own) {
    refuse(-binding);
  }
}

/** May E stand for this D:d without a token, so that the way back restores the very bytes? */
export function isPlain(m: i32): boolean {
  const server: i32 = serverHere();
  if (!addressEqual(m + MENTION_ADDRESS, server) || portOrDefault(m) !== ld32(server + SERVER_PORT)) return false;
  return ld32(m + MENTION_PORT) >= 0 || ld32(CONTEXT_PORT) === portOrDefault(m);
}

/** E with a token that holds what the mention says; a bare URI is put in brackets, where parameters are its own. */
function tokenReplace(m: i32, service: i32): void {
  const bare: boolean = (ld32(m + MENTION_ROLE) & MENTION_FLAG_BARE) !== 0;
  if (bare) {
    const open: i32 = textMark();
    textByte(60);
    editAppend(ld32(m + MENTION_URI), ld32(m + MENTION_URI), open);
  }
  const renamed: boolean = isRenamed(m);
  const mark: i32 = textMark();
  serviceWrite(service, portDefault(m));
  if (renamed && namedOf(m) === NAMED_NONE) parameterWrite();
  const named: i32 = renamed ? namedOf(m) + 1 : 0;
  if (ld32(m + MENTION_FORM) === FORM_NAME) nameAppend(m, named);
  else tokenAppend(m + MENTION_ADDRESS, ld32(m + MENTION_PORT), 0, 0, 0, named);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_HOST_END), mark);
  if (renamed && namedOf(m) !== NAMED_NONE) uriRename(m, ld32(CONTEXT_ACCESS));
  if (bare) {
    const close: i32 = textMark();
    textByte(62);
    editAppend(ld32(m + MENTION_URI_END), ld32(m + MENTION_URI_END), close);
  }
}

/** E:e, without its port when that is the default. */
export function serviceWrite(service: i32, standard: i32): void {
  const port: i32 = ld32(CONTEXT_PORT);
  textHost(service + SERVICE_ADDRESS, port === standard ? -1 : port);
}

/** ";cvt=" and a token. */
export function tokenAppend(address: i32, port: i32, sourcePort: i32, pool: i32, localPort: i32, named: i32): void {
  textWord(0x3b637674, 4);
  textByte(61);
  textDrop(tokenWrite(textMark(), ld32(CONTEXT_SERVICE), address, port, sourcePort, pool, localPort, named));
}

/** Maps a URI host of a message from the core. */
export function outboundMap(m: i32): void {
  const role: i32 = ld32(m + MENTION_ROLE) & MENTION_ROLE_MASK;
  const service: i32 = ld32(CONTEXT_SERVICE_AT);
  if (ld32(m + MENTION_FORM) === FORM_NAME) {
    if (isNameHidden(m, role)) tokenReplace(m, service);
    else if (role === ROLE_REQUEST_URI && isDomain(m)) domainRestore(m);
    return;
  }
  if (isUnspecified(m + MENTION_ADDRESS) || isMulticast(m + MENTION_ADDRESS)) return;
  const binding: i32 = bindingOf(m + MENTION_ADDRESS, portOrDefault(m));
  if (binding >= 0 && ld32(bindingAt(binding) + BINDING_TERMINAL) === ld32(CONTEXT_TERMINAL)) {
    spellingReplace(m, binding);
    uriSwap(m, ld32(CONTEXT_CORE), ld32(CONTEXT_ACCESS));
    return;
  }
  if (role === ROLE_CONTACT && ld32(MESSAGE + MESSAGE_CSEQ_METHOD) === METHOD_REGISTER && !isHiding()) return;
  if (isPlain(m) && !isRenamed(m)) {
    if (!isServicePoint(m + MENTION_ADDRESS, portOrDefault(m))) swap(m, service + SERVICE_ADDRESS, ld32(CONTEXT_PORT));
    return;
  }
  if (role !== ROLE_REQUEST_URI) tokenReplace(m, service);
}
