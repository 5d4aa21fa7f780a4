import { contend } from './contention.js';

// npm run trial:contention: 16 processes race for one lock, in each of the two stores; and 8 whose configs name
// different guests to carry it.

let broken = 0;
for (const store of ['guest-tag', 'registered-tag'] as const) {
  const acquisitions = Number(process.env.ACQUISITIONS ?? 300);
  const result = await contend({ store, contenders: 16, acquisitions, seed: 1 });
  console.log(
    `${store.padEnd(15)} ${result.acquisitions} acquisitions, ${result.kills} kills, ${result.violations} violations`,
  );
  broken += result.violations;
}
const carriers = [900, 901, 101, 102];
const acquisitions = Number(process.env.ACQUISITIONS ?? 200);
const result = await contend({ store: 'guest-tag', contenders: 8, acquisitions, seed: 2, carriers });
console.log(
  `${carriers.length} carriers`.padEnd(15),
  `${result.acquisitions} acquisitions, ${result.kills} kills, ${result.violations} violations`,
);
broken += result.violations;
process.exitCode = broken === 0 ? 0 : 1;
