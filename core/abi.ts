/*
 * The numbers of the contract, for hosts and tests: layout, records, kinds and reasons by name.
 * Bundled beside the core; the core itself imports the files below one by one.
 */

export * from "./memory/layout.ts";
export * from "./memory/config.ts";
export * from "./memory/packet.ts";
export * from "./memory/frame.ts";
export * from "./memory/output.ts";
export * from "./memory/reason.ts";
export * from "./memory/message.ts";
export * from "./memory/tables.ts";
