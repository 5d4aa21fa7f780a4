import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { MEASURES } from './bench/index.js';

// npm run bench -- --only NAME --json FILE: figures as counts and as ratios within this one run. One that falls
// short is said and is not an error: machines are busy.

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, json: { type: 'string' } },
});
const wanted = Object.entries(MEASURES).filter(([id]) => values.only?.includes(id) ?? true);
if (wanted.length === 0) {
  console.error(`No such measure. There are: ${Object.keys(MEASURES).join(', ')}.`);
  process.exit(2);
}
const results = [];
for (const [id, { name, target, how, measure }] of wanted) {
  const { met, ...figures } = await measure();
  const verdict = met === null ? 'skipped' : met ? 'met' : 'not met';
  console.log(`${id}: ${name}`);
  console.log(`  target   ${target}`);
  console.log(`  figures  ${readable(figures)}`);
  console.log(`  ${verdict}\n`);
  results.push({ id, name, target, how, met, figures });
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
process.exit(0);

function readable(value: unknown): string {
  if (typeof value === 'number') return String(Math.round(value * 1000) / 1000);
  if (Array.isArray(value)) return value.map(readable).join(', ');
  if (value === null || typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map(([key, each]) => `${key} ${typeof each === 'object' ? `(${readable(each)})` : readable(each)}`)
    .join(', ');
}
