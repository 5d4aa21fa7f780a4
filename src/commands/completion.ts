import type { CommandUnknownOpts, Option } from 'commander';
import { loadConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { stateDirOf } from '../config/target.js';
import { EXIT } from '../fault.js';
import { readRuns } from '../journal/runs.js';
import { SCENARIOS } from '../lab/scenario.js';
import type { World } from '../world.js';
import type { Command } from './context.js';

/** Prints the script that a shell reads. */
export const completion: Command<{ readonly shell: Shell }> = async (context, { shell }) => {
  const script = SCRIPTS[shell];
  context.answer({ shell, script }, script);
  return EXIT.done;
};

interface Line {
  /** After the program's name; the last one is to be completed. */
  readonly words: readonly string[];
  readonly root: CommandUnknownOpts;
  readonly mayRepeat: (option: Option) => boolean;
}

/** What these scripts call: a candidate per line, a tab, its description. */
export const complete: Command<Line> = async ({ world }, line) => {
  const found = candidates(line, await valuesOf(line.words, world));
  const lines =
    found === 'files' ? [':files'] : found.map(({ word, description }) => `${word}\t${description}`);
  world.stdout.write(lines.map((each) => `${each}\n`).join(''));
  return EXIT.done;
};

/**
 * Completes the last word from commander's commands and options.
 * @param valuesOf for options (`patch --host`) and arguments (`report run`) without declared choices
 */
export function candidates(
  { words, root, mayRepeat }: Line,
  valuesOf: (place: string) => Candidates,
): Candidates {
  const typed = joined(words);
  const current = typed.at(-1) ?? '';
  const help = root.createHelp();
  const used = new Set<Option>();
  let command = root;
  let path = '';
  let position = 0;
  let pending: Option | undefined;
  const optionNamed = (name: string) =>
    help.visibleOptions(command).find(({ long, short }) => long === name || short === name);
  for (const word of typed.slice(0, -1)) {
    // After it the line belongs to another program.
    if (word === '--' && !pending) return 'files';
    const next = command.commands.find((each) => each.name() === word);
    if (pending) pending = undefined;
    else if (word.startsWith('-')) {
      const option = optionNamed(word.split('=')[0] ?? '');
      if (option) used.add(option);
      if (option && takesValue(option) && !word.includes('=')) pending = option;
    } else if (next) {
      command = next;
      path += `${word} `;
    } else position += 1;
  }
  const values = (name: string, choices: readonly string[] | undefined, start: string) =>
    starting(choices?.map((word) => ({ word, description: '' })) ?? valuesOf(path + name), start);
  if (pending) return values(pending.long ?? '', pending.argChoices, current);
  const [, long, given] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (long !== undefined && given !== undefined) {
    const found = values(long, optionNamed(long)?.argChoices, given);
    return found === 'files' ? found : found.map((each) => ({ ...each, word: `${long}=${each.word}` }));
  }
  if (current.startsWith('-')) {
    const left = help.visibleOptions(command).filter((option) => !used.has(option) || mayRepeat(option));
    const named = left.map(({ long: word = '', description }) => ({ word, description }));
    return starting(named, current);
  }
  const below = help.visibleCommands(command).filter((each) => each.name() !== 'help');
  if (below.length > 0) {
    const named = below.map((each) => ({ word: each.name(), description: each.description() }));
    return starting(named, current);
  }
  const last = command.registeredArguments.at(-1);
  const argument = command.registeredArguments[position] ?? (last?.variadic ? last : undefined);
  return argument ? values(argument.name(), argument.argChoices, current) : [];
}

const takesValue = ({ required, optional }: Option) => required || optional;

const starting = (found: Candidates, start: string): Candidates =>
  found === 'files' ? found : found.filter(({ word }) => word.startsWith(start));

/** bash splits "--host=x" at the "=". */
const joined = (words: readonly string[]): string[] =>
  words.flatMap((word, index) => {
    const after = words[index - 1];
    if (word === '=' && after?.startsWith('--')) return index === words.length - 1 ? [''] : [];
    return [word];
  });

// The program decides which words fit, so that the answer is that of the installed version. A first line
// ":files" leaves the rest to the shell.

const BASH = `# pbs-ctl completion bash > /etc/bash_completion.d/pbs-ctl
_pbs_ctl() {
  local word description current=\${COMP_WORDS[COMP_CWORD]}
  [[ $current == '=' ]] && current=
  COMPREPLY=()
  while IFS=$'\\t' read -r word description; do
    if [[ $word == ':files' ]]; then
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
    fi
    # bash has split "--host=x": it completes what follows the "=".
    COMPREPLY+=("$word")
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o nosort -F _pbs_ctl pbs-ctl 2>/dev/null || complete -F _pbs_ctl pbs-ctl
`;

const ZSH = `#compdef pbs-ctl
# pbs-ctl completion zsh > /usr/local/share/zsh/site-functions/_pbs-ctl
_pbs-ctl() {
  local line
  local -a lines candidates
  lines=("\${(@f)$("$words[1]" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $lines[1] == ':files' ]]; then
    _files
    return
  fi
  for line in $lines; do
    # _describe takes ":" as the end of the word.
    candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe pbs-ctl candidates
}
if [[ $funcstack[1] == _pbs-ctl ]]; then
  _pbs-ctl "$@"
else
  compdef _pbs-ctl pbs-ctl
fi
`;

const FISH = `# pbs-ctl completion fish > ~/.config/fish/completions/pbs-ctl.fish
function __pbs_ctl_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($before[1] complete -- $before[2..-1] "$current" 2>/dev/null)
    if test "$lines[1]" = ':files'
        __fish_complete_path "$current"
    else
        printf '%s\\n' $lines
    end
end
complete -c pbs-ctl -f -k -a '(__pbs_ctl_complete)'
`;

const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;
type Shell = keyof typeof SCRIPTS;

interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** Words, or file names, which the shell completes itself. */
export type Candidates = readonly Candidate[] | 'files';

const FILES = new Set(['--config', '--dir', '--events', '--output']);

/** Without the config there are no candidates: a shell should not show errors. */
async function valuesOf(typed: readonly string[], world: World): Promise<(place: string) => Candidates> {
  const config = await configOf(typed, world);
  const hosts = Object.entries(config?.hosts ?? {}).map(([word, { endpoint }]) => ({
    word,
    description: endpoint,
  }));
  const clusters = Object.entries(config?.clusters ?? {}).map(([word, { endpoints }]) => ({
    word,
    description: endpoints[0] ?? '',
  }));
  return (place) => {
    const name = place.split(' ').at(-1) ?? '';
    if (FILES.has(name)) return 'files';
    if (name === '--host') return hosts;
    if (name === '--cluster' && !place.startsWith('init')) return clusters;
    if (name === '--scenario') return SCENARIOS.map(({ name: word, description }) => ({ word, description }));
    if (place === 'report run') return config ? runsOf(config, world) : [];
    return [];
  };
}

async function configOf(typed: readonly string[], { env, cwd }: World): Promise<Config | null> {
  const at = typed.lastIndexOf('--config', typed.length - 2);
  const joined = typed.find((word) => word.startsWith('--config='))?.slice('--config='.length);
  const path = joined ?? (at >= 0 ? typed[at + 1] : undefined);
  try {
    return (await loadConfig({ ...(path ? { path } : {}), env, cwd })).config;
  } catch {
    return null;
  }
}

function runsOf(config: Config, { env }: World): Candidate[] {
  try {
    const runs = readRuns(stateDirOf(config, env)).runs.map(({ runId, host }) => ({
      word: runId,
      description: host,
    }));
    return [{ word: 'last', description: 'the newest' }, ...runs.reverse()];
  } catch {
    return [];
  }
}
