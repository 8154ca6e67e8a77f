/*
 * A headless baresip: registers, answers by itself, sends a sine and records what it hears. The same set-up
 * as the lab's baresip/ua.sh, for places and registration intervals that script does not know.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { Program } from "./process.ts";

export interface BaresipOptions {
  folder: string;
  user: string;
  /** Registrar as host or host:port. */
  server: string;
  /** Where it listens. */
  listen: string;
  toneHz: number;
  seconds: number;
  /** Seconds between registrations, 0 for none. */
  registerEvery: number;
  /** URI to call at once. */
  dial?: string;
  /** Interface, or its address, that it writes in SDP. */
  device?: string;
  netns?: string;
}

const MODULES = ["/usr/lib/baresip/modules", "/usr/lib64/baresip/modules"];

function config(options: BaresipOptions): string {
  const modules = ["g711", "ausine", "aubridge", "sndfile"].map((name) => `module ${name}.so`);
  return [
    "poll_method epoll",
    `sip_listen ${options.listen}`,
    ...(options.device === undefined ? [] : [`net_interface ${options.device}`]),
    "audio_player aubridge,nil",
    `audio_source ausine,${options.toneHz}`,
    "audio_alert aubridge,nil",
    "ausrc_srate 48000",
    "ausrc_channels 2",
    "rtp_ports 8000-8100",
    "rtp_timeout 0",
    "jitter_buffer_type off",
    `module_path ${MODULES[0]}`,
    ...modules,
    "module_app account.so",
    "module_app menu.so",
    `snd_path ${options.folder}`,
    "",
  ].join("\n");
}

export function baresip(options: BaresipOptions): Program {
  mkdirSync(options.folder, { recursive: true });
  writeFileSync(`${options.folder}/config`, config(options));
  writeFileSync(`${options.folder}/contacts`, "");
  writeFileSync(
    `${options.folder}/accounts`,
    `<sip:${options.user}@${options.server};transport=udp>;auth_pass=none;answermode=auto;regint=${options.registerEvery};audio_codecs=pcmu\n`,
  );
  const args = ["-f", options.folder, "-4", "-t", String(options.seconds), ...(options.dial === undefined ? [] : ["-e", `/dial ${options.dial}`])];
  return new Program("baresip", args, { seconds: options.seconds + 5, ...(options.netns === undefined ? {} : { netns: options.netns }) });
}
