import { lines } from './exec.js';

/**
 * Shell that prints, of each failed unit, which units require it, and which require those: `systemctl show` knows only
 * the next one. A level is one call, since a target of the boot is required by hundreds.
 */
export const REQUIRERS = `requirers() {
  level=$(systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1) seen=' ' depth=0
  while [ "$level" ] && [ "$depth" -lt 8 ]; do
    depth=$((depth + 1)) next=
    shown=$(systemctl show -p Id -p RequiredBy -p BoundBy -p RequisiteOf -- $level)
    printf '%s\\n\\n' "$shown"
    for unit in $(printf '%s\\n' "$shown" | sed -n 's/^RequiredBy=//p; s/^BoundBy=//p; s/^RequisiteOf=//p'); do
      case $seen in *" $unit "*) ;; *) seen="$seen$unit " next="$next $unit" ;; esac
    done
    level=$next
  done
}`;

/** A block of `KEY=VALUE` for each unit, in systemd's own order of keys. */
export function readRequirers(text: string): Map<string, readonly string[]> {
  return new Map(
    text.split(/\n{2,}/).flatMap((block) => {
      const facts = lines(block).map((line) => {
        const at = line.indexOf('=');
        return {
          key: line.slice(0, at),
          units: line
            .slice(at + 1)
            .split(' ')
            .filter(Boolean),
        };
      });
      const id = facts.find(({ key }) => key === 'Id')?.units[0];
      const by = facts.filter(({ key }) => key !== 'Id').flatMap(({ units }) => units);
      return id === undefined ? [] : [[id, by] as const];
    }),
  );
}
