/*
 * A small reader of SIP and SDP for judging what leaves the core. It shares nothing with the core's decoders: regular
 * expressions over a binary string, no limits, no speed. What it cannot make sense of it leaves out.
 */

export interface HeaderRead {
  /** Lower case, compact forms written out. */
  name: string;
  /** Unfolded. */
  value: string;
}

export interface MessageRead {
  start: string;
  /** Status of a response, 0 for a request. */
  status: number;
  headers: HeaderRead[];
  body: string;
}

const COMPACT: Record<string, string> = {
  v: "via",
  f: "from",
  t: "to",
  m: "contact",
  i: "call-id",
  l: "content-length",
  c: "content-type",
  e: "content-encoding",
  r: "refer-to",
  k: "supported",
  s: "subject",
  o: "event",
};

/** A header's name in lower case, its compact form written out. */
export function nameOf(written: string): string {
  const name = written.toLowerCase();
  return COMPACT[name] ?? name;
}

/** Without the white space around it, which is ASCII alone: to JavaScript a byte like A0 is some, too. */
function trimmed(text: string): string {
  return text.replace(/^[\t-\r ]+|[\t-\r ]+$/g, "");
}

/** Reads a message, or gives nothing when it has no start line. */
export function messageRead(binary: string): MessageRead | undefined {
  const text = binary.replace(/^[\r\n]+/, "");
  const empty = /\r?\n\r?\n/.exec(text);
  const head = empty ? text.slice(0, empty.index) : text;
  const [start, ...lines] = head.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/);
  if (start === undefined || !/SIP\/2\.0/i.test(start)) return undefined;
  const headers = lines.flatMap((line) => {
    const parts = /^([!#$%&'*+.^_`|~\w-]+)[ \t]*:(.*)$/s.exec(line);
    if (!parts) return [];
    return [{ name: nameOf(parts[1]!), value: trimmed(parts[2]!) }];
  });
  const status = /^SIP\/2\.0[ ]+(\d{3})/i.exec(start);
  return { start, status: status ? Number(status[1]) : 0, headers, body: empty ? text.slice(empty.index + empty[0].length) : "" };
}

/** The values of a list header, cut at commas outside quotes and angle brackets. */
export function listSplit(value: string): string[] {
  const values: string[] = [];
  let [quoted, angled, begin] = [false, false, 0];
  for (let i = 0; i < value.length; i++) {
    const char = value[i];
    if (quoted) {
      if (char === "\\") i++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = !angled;
    else if (char === "<") angled = true;
    else if (char === ">") angled = false;
    else if (char === "," && !angled) {
      values.push(trimmed(value.slice(begin, i)));
      begin = i + 1;
    }
  }
  values.push(trimmed(value.slice(begin)));
  return values;
}

export function headerValues(message: MessageRead, name: string): string[] {
  return message.headers.filter((header) => header.name === name).flatMap(({ value }) => listSplit(value));
}

/** The URI of a name-addr or addr-spec. */
function uriOf(value: string): string {
  const bare = value.replace(/^\s*(?:"(?:\\.|[^"\\])*"|[\w \t.!%*+`'~-]*?)\s*(?=<)/s, "");
  return /^<([^>]*)>/.exec(bare)?.[1] ?? bare.split(/[;?]/)[0]!;
}

/** Host of a SIP URI, brackets kept; nothing for other schemes, and for what is no host and port. */
export function uriHost(uri: string): string | undefined {
  const rest = /^sips?:(.*)$/is.exec(uri)?.[1];
  if (rest === undefined || /[\0-\x20<>"\x7f-\xff]/.test(rest)) return undefined;
  const at = rest.indexOf("@");
  const parts = /^(\[[^\]]*\]|[^:;?>\s]*)(?::(\d{1,5}))?(?=[;?]|$)/.exec(at >= 0 ? rest.slice(at + 1) : rest);
  return Number(parts?.[2] ?? 0) <= 65535 ? parts?.[1] : undefined;
}

/** Hosts of the URIs in a header's values. */
export function hostsOf(message: MessageRead, name: string): string[] {
  return headerValues(message, name).flatMap((value) => uriHost(uriOf(value)) ?? []);
}

/** Host, brackets left off, of each identity in a header's values that names a domain: neither a port nor a token says that it is a place. */
export function domainsOf(message: MessageRead, name: string): string[] {
  return headerValues(message, name).flatMap((value) => {
    const parts = /^sips?:(?:[^@]*@)?(?:\[([^\]]*)\]|([^:;?\s]*))(:\d+|[^>]*;cvt=)?/i.exec(uriOf(value));
    return parts && parts[3] === undefined ? [parts[1] ?? parts[2] ?? ""] : [];
  });
}

/** Host of the topmost Via's sent-by, as a list of none or one. */
export function topViaHost(message: MessageRead): string[] {
  const top = headerValues(message, "via")[0] ?? "";
  return /^SIP\s*\/\s*2\.0\s*\/\s*\S+\s+(\[[^\]]*\]|[^\s:;]*)(?:\s*:\s*\d{1,5})?\s*(?=;|$)/i.exec(top)?.slice(1, 2) ?? [];
}

/** Host of the Request-URI. */
export function requestHost(message: MessageRead): string | undefined {
  const uri = /^\S+ (\S+) SIP\/2\.0/i.exec(message.start)?.[1];
  return uri === undefined || message.status !== 0 ? undefined : uriHost(uri);
}

/** The Content-Length, when there is exactly one that is a number. */
export function lengthOf(message: MessageRead): number | undefined {
  const values = message.headers.filter(({ name }) => name === "content-length").map(({ value }) => value);
  return values.length === 1 && /^\d+$/.test(values[0]!) ? Number(values[0]) : undefined;
}
