import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pbsCtl } from '../support/in-process.js';

const PAGES = ['README.md', ...readdirSync('docs').map((name) => join('docs', name))].filter((path) =>
  path.endsWith('.md'),
);
const LONGEST = 120;

/** Words that the glossary replaces, and the term to use. */
const replaced = readFileSync('docs/glossary.md', 'utf8')
  .split('\n')
  .filter((line) => /^\|(?! -|-)/.test(line))
  .slice(1)
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .flatMap(([, term = '', , instead = '']) =>
    instead.split(',').flatMap((word) => (word.trim() === '' ? [] : [{ word: word.trim(), term }])),
  );

/** Each line that has one of them, and the word to use. */
const misused = (text: string): string[] =>
  replaced.flatMap(({ word, term }) => {
    const pattern = new RegExp(`(?<![\\w-])${word}(?:e?s)?(?![\\w-])`, 'i');
    return text
      .split('\n')
      .filter((line) => pattern.test(line))
      .map((line) => `${word} (${term}): ${line.trim()}`);
  });

/** Prose alone: code, tables and titles of tests are as wide as they have to be. */
function prose(markdown: string): string[] {
  let fenced = false;
  return markdown.split('\n').filter((line) => {
    if (/^\s*```/.test(line)) fenced = !fenced;
    return !fenced && !/^(?: {4}|\||\s*```|- `test\/)/.test(line);
  });
}

describe('the glossary', () => {
  it('has words to look for, and finds them', () => {
    expect(replaced.length).toBeGreaterThan(12);
    expect(misused('A free slot\nis a safe time')).toEqual(['slot (safe time): A free slot']);
  });

  it.each(PAGES.filter((path) => path !== 'docs/glossary.md'))('is kept to in %s', (path) => {
    expect(misused(readFileSync(path, 'utf8'))).toEqual([]);
  });

  it('is kept to in the help of every command', async () => {
    const { stdout } = await pbsCtl(['--help']);
    const names = [...stdout.matchAll(/^ {2}([a-z]+)(?: \[| <)/gm)].map(([, name = '']) => [name]);
    const locks = ['show', 'acquire', 'release', 'hold', 'break'].map((name) => ['lock', name]);
    expect(names.length).toBeGreaterThan(14);
    for (const command of [[], ...names, ...locks]) {
      const help = await pbsCtl([...command, '--help']);
      expect({ command, misused: misused(help.stdout) }).toEqual({ command, misused: [] });
    }
  });
});

describe('the help', () => {
  it('fits into 80 columns, but for examples that are to be copied', async () => {
    const { stdout } = await pbsCtl(['--help']);
    const names = [...stdout.matchAll(/^ {2}([a-z]+)(?: \[| <)/gm)].map(([, name = '']) => [name]);
    for (const command of [[], ...names]) {
      const lines = (await pbsCtl([...command, '--help'])).stdout.split('\n');
      const wide = lines.filter((line) => line.length > 80 && !line.startsWith('  pbs-ctl '));
      expect({ command, wide }).toEqual({ command, wide: [] });
    }
  });
});

it.each(PAGES)(`%s has no line of prose with more than ${LONGEST} characters`, (path) => {
  const text = readFileSync(path, 'utf8');
  expect(prose(text).filter((line) => line.length > LONGEST)).toEqual([]);
});
