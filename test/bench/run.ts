/*
 * `npm run bench -- core|rule|sip`: each prints ratios against a yardstick measured in the same run. No names: core and rule.
 * `npm run bench -- media`: what a relayed packet costs on each way of input and output, beside rtpengine.
 * `npm run bench -- workers`: calls and packets a second of one worker and of two.
 * `npm run bench -- calls`: many calls with media at once, of which none may fail.
 */

const BENCHES: Record<string, () => Promise<unknown>> = {
  core: () => import("./core.ts"),
  rule: () => import("./rule.ts"),
  sip: () => import("./sip.ts"),
  calls: () => import("./calls.ts"),
  media: () => import("./media.ts"),
  workers: () => import("./workers.ts"),
};

const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : ["core", "rule"]) {
  const bench = BENCHES[name];
  if (!bench) {
    console.error(`there is no benchmark "${name}"; there are ${Object.keys(BENCHES).join(", ")}`);
    process.exit(1);
  }
  await bench();
}
export {};
