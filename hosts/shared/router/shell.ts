/*
 * A plan as a POSIX shell script that does what `culvert router --apply` and `--remove` do, for machines and people that
 * want to see it first: idempotent, taken back when a step fails, earlier settings kept in a file and written back.
 */

import type { Plan } from "./plan.ts";
import type { Check, Command, Step } from "./step.ts";

/** A word as the shell must be given it. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_./:=@%+-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
}

export function shellText({ program, args }: Command): string {
  return [program, ...args].map(shellQuote).join(" ");
}

function applyText(command: Command): string {
  return command.input === undefined ? shellText(command) : `${shellText(command)} <<'END'\n${command.input}END\n`;
}

function checkText({ command, pattern, absent }: Check): string {
  return `${absent ? "! " : ""}${shellText(command)} 2>/dev/null | grep -Eq ${shellQuote(pattern)}`;
}

function undoText(step: Step): string {
  if (step.undo.kind === "restore") return step.undo.keys.map((key) => `restore ${shellQuote(key)}`).join("; ");
  return shellText(step.undo.command);
}

/** Settings are read before the step; what is not ours by nature is noted to be of our making. */
function keepText(step: Step, n: number): string {
  if (step.undo.kind === "restore") return `${step.undo.keys.map((key) => `keep ${shellQuote(key)}`).join("; ")}; note ${n}`;
  return step.ours ? ":" : `note ${n}`;
}

function stepText(step: Step, i: number): string {
  const n = i + 1;
  const mine = step.ours ? "" : `! noted ${n} || `;
  return [
    `# ${n}: ${step.about}`,
    `check${n}() { ${checkText(step.check)}; }`,
    `keep${n}() { ${keepText(step, n)}; }`,
    `apply${n}() {\n${applyText(step.apply)}${step.apply.input === undefined ? "\n" : ""}}`,
    `undo${n}() { ${mine}${step.ours ? undoText(step) : `{ ${undoText(step)}; }`}; }`,
    "",
  ].join("\n");
}

const HEAD = `#!/bin/sh
# Interception for Culvert, made by \`culvert router --print\`. As root: sh FILE apply | remove
state=\${CULVERT_STATE:-/run/culvert/router.kept}
value() { sysctl -n "$1"; }
# Earlier settings, each once, and the steps that found nothing in place.
keep() { grep -q "^$1=" "$state" 2>/dev/null || echo "$1=$(value "$1")" >>"$state"; }
restore() {
  kept=$(sed -n "s|^$1=||p" "$state" 2>/dev/null)
  [ -z "$kept" ] || [ "$kept" = "$(value "$1")" ] || sysctl -qw "$1=$kept"
}
note() { echo "step $1" >>"$state"; }
noted() { grep -qx "step $1" "$state" 2>/dev/null; }
`;

function tail(count: number): string {
  const up = Array.from({ length: count }, (_, i) => i + 1);
  return `case \${1-} in
apply)
  mkdir -p "$(dirname "$state")" || exit
  done=
  for n in ${up.join(" ")}; do
    check$n && continue
    if keep$n && apply$n; then done="$n $done"; continue; fi
    echo "step $n failed; what was done before it is taken back" >&2
    for n in $done; do undo$n; done
    exit 1
  done ;;
remove)
  for n in ${up.reverse().join(" ")}; do
    if check$n; then undo$n || failed=1; fi
  done
  [ -n "\${failed-}" ] && exit 1
  rm -f "$state" ;;
*) echo "usage: sh $0 apply | remove" >&2; exit 2 ;;
esac
`;
}

export function shellPrint(plan: Plan): string {
  const notes = plan.notes.map((note) => `# ${note}\n`).join("");
  return [HEAD, notes, ...plan.steps.map(stepText), tail(plan.steps.length)].join("\n");
}
