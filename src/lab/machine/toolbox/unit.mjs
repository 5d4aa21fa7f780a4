// What systemd-run and the keeper of a unit share: the unit's file, its environment, systemd's `$`.
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { STATE } from './state.mjs';

/**
 * systemd's own expansion of a command line: `$$` is a dollar, `$NAME` and `${NAME}` are the unit's
 * variables and nothing where it has none; a word that is only `$NAME` becomes any number of words.
 */
export function expand(word, environment) {
  const alone = /^\$([A-Za-z_]\w*)$/.exec(word);
  if (alone) return (environment[alone[1]] ?? '').split(/\s+/).filter(Boolean);
  return [
    word.replace(/\$(?:(\$)|\{(\w+)(?::([-+])([^}]*))?\}|(\w+))/g, (_, dollar, braced, how, other, bare) => {
      if (dollar) return '$';
      const value = environment[braced ?? bare];
      if (how === '-') return value || other;
      if (how === '+') return value ? other : '';
      return value ?? '';
    }),
  ];
}

/** The environment of a system service: no HOME. LAB_* goes on to the stand-ins; tools are looked up among them first. */
export function unitEnvironment(given, defaultPath) {
  const lab = Object.entries(process.env).filter(([name]) => name.startsWith('LAB_'));
  const toolbox = process.env.LAB_TOOLBOX ?? '';
  const path = given.PATH ?? defaultPath;
  return {
    LANG: 'C',
    INVOCATION_ID: '0123456789abcdef0123456789abcdef',
    ...given,
    PATH: path.startsWith(toolbox) ? path : `${toolbox}:${path}`,
    ...Object.fromEntries(lab),
  };
}

const file = (id) => join(STATE, 'units', id);

/** Whether the unit is still loaded: `systemctl stop` takes it away. */
export const isLoaded = (id) => existsSync(file(id));
export const unload = (id) => rmSync(file(id), { force: true });

/** Writes the file of a transient unit, in the order in which systemd shows properties. */
export function writeTransient(id, facts) {
  const {
    description = '',
    type = 'simple',
    mainPid = 0,
    keeper = 0,
    started = 0,
    ended = null,
    waiting = false,
  } = facts;
  const oneshot = type === 'oneshot';
  const [active, sub] = ended
    ? ended.good
      ? ['active', 'exited']
      : ['failed', 'failed']
    : waiting
      ? ['inactive', 'dead']
      : oneshot
        ? ['activating', 'start']
        : ['active', 'running'];
  const lines = [
    `Type=${type}`,
    'Restart=no',
    `MainPID=${ended ? 0 : mainPid}`,
    `Result=${ended?.result ?? 'success'}`,
    `ExecMainStartTimestamp=${started ? new Date(started).toUTCString() : ''}`,
    `ExecMainPID=${mainPid}`,
    `ExecMainCode=${ended?.code ?? 0}`,
    `ExecMainStatus=${ended?.status ?? 0}`,
    `Id=${id}`,
    `Names=${id}`,
    `Description=${description.replace(/\s+/g, ' ')}`,
    'LoadState=loaded',
    `ActiveState=${active}`,
    `SubState=${sub}`,
    'UnitFileState=transient',
    'Transient=yes',
    `KeeperPID=${keeper}`,
  ];
  const fresh = join(STATE, `unit-${process.pid}.new`);
  writeFileSync(fresh, `${lines.join('\n')}\n`);
  renameSync(fresh, file(id));
}
