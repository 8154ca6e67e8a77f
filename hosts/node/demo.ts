/*
 * `culvert demo`: the proxy in front of a built-in softswitch, both in this process, with nothing to
 * configure (SPEC O5). Any softphone pointed at it can place a call at once. No root needed.
 */

import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import { Softswitch } from "../demo/softswitch.ts";
import { addressParse, endpointParse, endpointText } from "../shared/address.ts";
import { type Config, configRead, problemText } from "../shared/config.ts";
import type { CoreKind } from "../shared/core.ts";
import { type Log, logOpen } from "../shared/log.ts";
import { type Proxy, proxyStart } from "../shared/proxy.ts";
import { nodeHost } from "./host.ts";

const EXIT_FAILURE = 2;
const SIP_PORT = 5060;
const SOFTSWITCH_ADDRESS = "127.0.0.1";
const SOFTSWITCH_PORT = 5080;
/** Beside the pools that a configuration has by default. */
const SOFTSWITCH_MEDIA = { first: 40_000, last: 44_999 };

interface Listen {
  address: string;
  port: number;
}

interface DemoOptions {
  listen: Listen;
  core: CoreKind;
  verbose?: boolean;
}

function listenParse(text: string): Listen {
  const endpoint = endpointParse(text);
  if (endpoint === undefined || addressParse(endpoint.address.text)?.family !== 4 || endpoint.address.text === "0.0.0.0") {
    throw new InvalidArgumentError("give one IPv4 address of this machine, such as 192.0.2.1 or 192.0.2.1:5062 (phones are told it, so 0.0.0.0 will not do).");
  }
  return { address: endpoint.address.text, port: endpoint.port ?? SIP_PORT };
}

/** An address that phones on the local network can reach. */
function lanAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find((address) => address.family === "IPv4" && !address.internal)?.address;
}

/** The configuration that a user would write. */
function configText(listen: Listen, softswitch: Softswitch, level: string): string {
  return [
    "realms:",
    `  access: { address: ${listen.address} }`,
    `  core: { address: ${softswitch.address} }`,
    "services:",
    "  demo:",
    `    address: ${endpointText(listen.address, listen.port)}`,
    `    servers: ["${endpointText(softswitch.address, softswitch.port)}"]`,
    "    coreTransport: udp",
    `secret: "${randomBytes(16).toString("hex")}"`,
    `log: { level: ${level} }`,
    "",
  ].join("\n");
}

function configFor(listen: Listen, softswitch: Softswitch, verbose: boolean): Config {
  const { config, problems } = configRead(configText(listen, softswitch, verbose ? "debug" : "info"), "(built in)");
  if (config === undefined) throw new Error(problems.map(problemText).join("\n"));
  return config;
}

/** On its usual port, or on any when that is taken. */
async function softswitchStart(log: (line: string) => void): Promise<Softswitch> {
  const options = { address: SOFTSWITCH_ADDRESS, media: SOFTSWITCH_MEDIA, log };
  return Softswitch.start({ ...options, port: SOFTSWITCH_PORT }).catch(() => Softswitch.start({ ...options, port: 0 }));
}

function welcome(listen: Listen, softswitch: Softswitch): string {
  const { address, port } = listen;
  const at = port === SIP_PORT ? address : endpointText(address, port);
  const lan = address.startsWith("127.") ? lanAddress() : undefined;
  return [
    "",
    `  Culvert is up at ${endpointText(address, port)} (SIP over UDP and TCP), in front of a demo softswitch at ${endpointText(softswitch.address, softswitch.port)}.`,
    "",
    `  Point a softphone at   ${at}    any user name, any password`,
    `  and call               sip:echo@${at}    hear yourself`,
    `                         sip:tone@${at}    hear 440 Hz`,
    `                         sip:NAME@${at}    any other user that is registered`,
    `  Without a softphone    sipp -sn uac -s echo ${endpointText(address, port)} -m 10`,
    ...(lan === undefined ? [] : [`  For phones around you  npm start -- --listen ${lan}    (asks nobody for a password: not for an open network)`]),
    "",
    "  Ctrl-C ends it.",
    "",
  ].join("\n");
}

/** What to do when it does not start. */
function remedy(error: Error, listen: Listen): string {
  const taken = /EADDRINUSE/.test(error.message);
  const advice = taken ? `\nTo use another port: npm start -- --listen ${endpointText(listen.address, listen.port + 2)}, and point the softphone there.` : "";
  return `culvert: ${error.message}${advice}`;
}

async function proxyFor(options: DemoOptions, softswitch: Softswitch, log: Log, config: Config): Promise<Proxy> {
  try {
    return await proxyStart({ config, directory: "", kind: options.core, host: nodeHost, log });
  } catch (error) {
    await softswitch.close();
    throw error;
  }
}

async function demo(options: DemoOptions): Promise<void> {
  let log: Log | undefined;
  try {
    const softswitch = await softswitchStart((line) => log?.info({}, `softswitch: ${line}`));
    const config = configFor(options.listen, softswitch, options.verbose === true);
    log = logOpen(config.log, nodeHost.terminal);
    const proxy = await proxyFor(options, softswitch, log, config);
    console.log(welcome(options.listen, softswitch));
    nodeHost.onStop(() => {
      // The softswitch hangs up first: its BYEs go through the proxy.
      void softswitch.close().then(() => proxy.stop());
    });
  } catch (error) {
    console.error(remedy(error as Error, options.listen));
    nodeHost.setExitCode(EXIT_FAILURE);
  }
}

/** Adds the command to the Node host's program. */
export function registerDemo(program: Command): void {
  program
    .command("demo")
    .description("run the proxy with a built-in demo softswitch: registrar, echo, tone")
    .addOption(
      new Option("-l, --listen <address>", "where phones reach it, address or address:port")
        .default({ address: "127.0.0.1", port: SIP_PORT }, "127.0.0.1:5060")
        .argParser(listenParse),
    )
    .addOption(new Option("--core <kind>", "which build of the core").choices(["wasm", "js"]).default("wasm"))
    .option("-v, --verbose", "log what passes")
    .action((options: DemoOptions) => demo(options));
}
