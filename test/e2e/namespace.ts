/*
 * Network namespaces of a scenario, and what runs in them.
 */

import { type Ended, must, run } from "./process.ts";

export interface Namespaces<Name extends string> {
  /** What a namespace is called on this machine. */
  netnsOf(name: Name): string;
  /** Runs a program in one, to its end. */
  within(name: Name, command: string, ...args: string[]): Promise<Ended>;
  /** Lines of a shell that lay a cable between two. */
  cable(a: Name, aName: string, b: Name, bName: string): string[];
  /** Makes them anew; `prepare` is run with `sh` in each, before anything has an address. */
  make(prepare: string): Promise<void>;
  networkDown(): Promise<void>;
}

/** Called PREFIX-NAME. */
export function namespacesOf<Name extends string>(prefix: string, names: readonly Name[]): Namespaces<Name> {
  const netnsOf = (name: Name): string => `${prefix}-${name}`;
  const within = (name: Name, command: string, ...args: string[]): Promise<Ended> => run(command, args, { seconds: 30, netns: netnsOf(name) });
  const networkDown = async (): Promise<void> => {
    for (const name of names) await run("ip", ["netns", "del", netnsOf(name)], { seconds: 10 });
  };
  return {
    netnsOf,
    within,
    cable: (a, aName, b, bName) => [
      `ip link add ${aName} netns ${netnsOf(a)} type veth peer name ${bName} netns ${netnsOf(b)}`,
      `ip -n ${netnsOf(a)} link set ${aName} up`,
      `ip -n ${netnsOf(b)} link set ${bName} up`,
    ],
    make: async (prepare) => {
      await networkDown();
      for (const name of names) {
        await must(run("ip", ["netns", "add", netnsOf(name)], { seconds: 10 }));
        await must(within(name, "sh", "-ec", `${prepare}\nip link set lo up`));
      }
    },
    networkDown,
  };
}
