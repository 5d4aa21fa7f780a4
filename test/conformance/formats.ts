import type { Schema } from './contract.js';

/** Named formats, by the expression with which the server's own code checks them. */
const NAMED: Readonly<Record<string, RegExp>> = {
  'pve-node': /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/,
  'pve-vmid': /^[1-9][0-9]{2,8}$/,
  'pve-storage-id': /^[a-z][a-z0-9\-_.]*[a-z0-9]$/i,
  'pve-configid': /^[a-z][a-z0-9_-]+$/i,
  'pve-tag': /^[a-z0-9_][a-z0-9_\-+.]*$/i,
  'pve-storage-content': /^(?:backup|images|import|iso|none|rootdir|snippets|vztmpl)$/,
  'pve-task-status-type': /^(?:ok|error|warning|unknown)$/,
  'pve-replication-job-id': /^[1-9][0-9]{2,8}-\d{1,9}$/,
  'pve-poolid': /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+){0,2}$/,
  'pve-day-of-week': /^(?:mon|tue|wed|thu|fri|sat|sun)$/i,
  'pve-priv': /^[A-Z][A-Za-z]+(?:\.[A-Z][A-Za-z]+)+$/,
  'mac-prefix': /^[a-f0-9][02468ace](?::[a-f0-9]{2}){0,2}:?$/i,
  'dns-name': /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?\.)*[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/,
  urlencoded: /^[-%a-zA-Z0-9_.!~*'()]*$/,
  // What these may be is told by no single expression: the calendar has a parser and tests of its own.
  'pve-calendar-event': /^\S(?:.*\S)?$/s,
  string: /^/,
};

/** Of options of guests and jobs that are neither sent nor read. Seen anyway, they would fail as unknown. */
const LIST = /-list$/;
const nameOf = (format: string) => format.replace(LIST, '');

export const isNamedFormat = (format: string): boolean => format in NAMED || nameOf(format) in NAMED;

/** PVE's lists are separated by commas, semicolons or blanks. */
export function ofNamedFormat(format: string, value: string): boolean {
  const single = NAMED[format];
  if (single) return single.test(value);
  const each = NAMED[nameOf(format)];
  const parts = value.split(/[,;\s]+/).filter((part) => part !== '');
  return each !== undefined && parts.every((part) => each.test(part));
}

/** PVE publishes the properties of a property string as they are, PBS as an object's schema. */
export const propertiesOf = (format: Schema): Readonly<Record<string, Schema>> =>
  format.properties ?? (format as unknown as Readonly<Record<string, Schema>>);

/**
 * PBS wraps patterns in slashes, PVE anchors them silently; Rust and Perl name groups and classes differently.
 * @throws Error for one that cannot be said in JavaScript: a check must not be left out without a word
 */
export function expression(pattern: string): RegExp {
  const wrapped = /^\/(.*)\/$/s.exec(pattern)?.[1];
  const source = (wrapped ?? `^(?:${pattern})$`)
    .replaceAll('(?P<', '(?<')
    .replaceAll('[[:^cntrl:]]', '[^\\x00-\\x1f\\x7f]')
    .replaceAll('[:cntrl:]', '\\x00-\\x1f\\x7f')
    // Perl prints the flags of parts; where one ignores case, the whole may: what follows has no letters of its own.
    .replace(/\(\?\^[a-z]*:/g, '(?:')
    // "{,8}" and "(?>" are Perl's.
    .replaceAll('{,', '{0,')
    .replaceAll('(?>', '(?:');
  return new RegExp(source, pattern.includes('(?^i:') ? 'i' : '');
}
