/*
 * The way of media as frames (SPEC I3c, V7): each end of a flow is reached as the frames of its latch came, else as those of
 * the terminal's signaling; what comes by another network than the terminal's own, or than the latch's, is a stranger's.
 */

import { ld32 } from "../machine.ts";
import { HINT_MEDIA, OUTPUT_REMOTE } from "../memory/output.ts";
import {
  CALL_TERMINAL,
  FLOW_CALL,
  LATCHED_NOT,
  LATCH_ADDRESS,
  LATCH_STATE,
  SIDE_ACCESS,
  SIDE_CORE,
  SIDE_LATCH_RTCP,
  SIDE_LATCH_RTP,
  TERMINAL_ADDRESS,
} from "../memory/tables.ts";
import { addressEqual } from "../bytes/address.ts";
import { outputHint, outputLast } from "../output/queue.ts";
import { adjacencyLearn, flowAdjacency, isApart, isSameNetwork, terminalAdjacency } from "../table/adjacency.ts";
import { callAt } from "../table/call.ts";
import { flowAt, sideAt } from "../table/flow.ts";
import { terminalAt } from "../table/terminal.ts";

function terminalOf(flow: i32): i32 {
  return ld32(callAt(ld32(flowAt(flow) + FLOW_CALL)) + CALL_TERMINAL);
}

function latchOf(flow: i32, side: i32, rtcp: boolean): i32 {
  return sideAt(flowAt(flow), side) + (rtcp ? SIDE_LATCH_RTCP : SIDE_LATCH_RTP);
}

/** Does the packet come by a network that this end of the flow cannot be in? */
export function isElsewhere(flow: i32, side: i32, rtcp: boolean, packet: i32): boolean {
  if (side === SIDE_ACCESS) return !isSameNetwork(terminalAdjacency(terminalOf(flow)), packet);
  const latched: boolean = ld32(latchOf(flow, side, rtcp) + LATCH_STATE) !== LATCHED_NOT;
  return latched && !isSameNetwork(flowAdjacency(flow, true, rtcp), packet);
}

/** The packet holds the latch of this end, which is reached the way it came. */
export function wayLearn(flow: i32, side: i32, rtcp: boolean, packet: i32): void {
  adjacencyLearn(flowAdjacency(flow, side === SIDE_CORE, rtcp), packet);
}

/** The way to an address in the terminal's network that nothing came from: that of signaling if it is the same, or if the machine's own stack has none. */
function wayGuess(flow: i32, remote: i32): i32 {
  const terminal: i32 = terminalOf(flow);
  const signal: i32 = terminalAdjacency(terminal);
  return isApart(signal) || addressEqual(remote, terminalAt(terminal) + TERMINAL_ADDRESS) ? signal : 0;
}

/** Says of the media that was sent last by which way it goes to this end. */
export function waySet(flow: i32, side: i32, rtcp: boolean): void {
  const remote: i32 = outputLast() + OUTPUT_REMOTE;
  const own: i32 = latchOf(flow, side, rtcp);
  const rtp: i32 = latchOf(flow, side, false);
  let hint: i32 = 0;
  if (ld32(own + LATCH_STATE) !== LATCHED_NOT && addressEqual(remote, own + LATCH_ADDRESS)) hint = flowAdjacency(flow, side === SIDE_CORE, rtcp);
  else if (ld32(rtp + LATCH_STATE) !== LATCHED_NOT && addressEqual(remote, rtp + LATCH_ADDRESS)) hint = flowAdjacency(flow, side === SIDE_CORE, false);
  else if (side === SIDE_ACCESS) hint = wayGuess(flow, remote);
  outputHint(HINT_MEDIA | hint);
}
