import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const cited = [...readFileSync('docs/run.md', 'utf8').matchAll(/^- `(test\/[^`]+)`: (.+)$/gm)].map(
  ([, file = '', title = '']) => ({ file, title }),
);

describe('run.md', () => {
  it('cites tests for each of the eight guarantees', () => {
    const sections = readFileSync('docs/run.md', 'utf8').split(/^### /m).slice(1);
    const named = sections.map((section) => section.slice(0, 2));
    expect(named).toEqual('G1 G2 G3 G4 G5 G6 G7 G8 Wh'.split(' '));
    for (const section of sections) expect(section).toMatch(/^- `test\//m);
  });

  it.each(cited)('$file still has "$title"', ({ file, title }) => {
    expect(existsSync(file)).toBe(true);
    const source = readFileSync(file, 'utf8');
    expect(['`', "'", '"'].some((quote) => source.includes(`${quote}${title}${quote}`))).toBe(true);
  });
});
