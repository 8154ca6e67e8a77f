/*
 * Services and realms as the host configured them: addresses of records that others read.
 */

import { ld32, mul } from "../machine.ts";
import { CONFIG_REALMS, CONFIG_SERVICES, REALMS, REALM_MAX, REALM_SIZE, SERVICES, SERVICE_MAX, SERVICE_SIZE } from "../memory/layout.ts";
import {
  SERVER_MAX,
  SERVER_PORT,
  SERVER_SIZE,
  SERVICE_ACCESS,
  SERVICE_CORE,
  SERVICE_PORT,
  SERVICE_SERVERS,
  SERVICE_SERVER_COUNT,
  SERVICE_TLS_PORT,
  SERVICE_WSS_PORT,
  SERVICE_WS_PORT,
} from "../memory/config.ts";
import { TRANSPORT_TLS, TRANSPORT_WS, TRANSPORT_WSS } from "../memory/packet.ts";
import { addressEqual } from "../bytes/address.ts";

export function realmAt(index: i32): i32 {
  return REALMS + mul(index, REALM_SIZE);
}

export function serviceAt(index: i32): i32 {
  return SERVICES + mul(index, SERVICE_SIZE);
}

/** Record of a server: address, then SERVER_PORT. */
export function serverAt(service: i32, index: i32): i32 {
  return service + SERVICE_SERVERS + mul(index, SERVER_SIZE);
}

/** Index of the server at this address (and port, unless -1), -1 for none. */
export function serverFind(service: i32, address: i32, port: i32): i32 {
  const count: i32 = ld32(service + SERVICE_SERVER_COUNT);
  for (let i: i32 = 0; i < count; i++) {
    const server: i32 = serverAt(service, i);
    if (addressEqual(server, address) && (port < 0 || ld32(server + SERVER_PORT) === port)) return i;
  }
  return -1;
}

/** Port e of a service for what terminals use. */
export function servicePort(service: i32, transport: i32): i32 {
  if (transport === TRANSPORT_TLS) return ld32(service + SERVICE_TLS_PORT);
  if (transport === TRANSPORT_WS) return ld32(service + SERVICE_WS_PORT);
  return ld32(service + (transport === TRANSPORT_WSS ? SERVICE_WSS_PORT : SERVICE_PORT));
}

function inRange(value: i32, count: i32): boolean {
  return value >= 0 && value < count;
}

/** Looks the configuration over. Returns 0, or the number of the service that is wrong, plus one. */
export function servicesCheck(): i32 {
  const realms: i32 = ld32(CONFIG_REALMS);
  const services: i32 = ld32(CONFIG_SERVICES);
  if (!inRange(realms, REALM_MAX + 1) || !inRange(services, SERVICE_MAX + 1)) return 1;
  for (let i: i32 = 0; i < services; i++) {
    const s: i32 = serviceAt(i);
    const servers: i32 = ld32(s + SERVICE_SERVER_COUNT);
    if (!inRange(ld32(s + SERVICE_ACCESS), realms) || !inRange(ld32(s + SERVICE_CORE), realms) || servers < 1 || servers > SERVER_MAX) return i + 1;
  }
  return 0;
}
