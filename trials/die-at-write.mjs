// Loaded into a process of the built command to kill it at one of its journal writes: the product itself
// has no hook for that. $DIE_AT is the number of the write, $DIE_SIDE before, within or after it.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const at = Number(process.env.DIE_AT);
const side = process.env.DIE_SIDE;
const { writeSync, fsyncSync } = fs;
const die = () => process.kill(process.pid, 'SIGKILL');
let writes = 0;
let armed = false;

fs.writeSync = (file, data, ...rest) => {
  const text = typeof data === 'string' ? data : Buffer.from(data).toString();
  if (!text.startsWith('{"v":')) return writeSync(file, data, ...rest);
  writes += 1;
  if (writes === at && side === 'before') die();
  if (writes === at && side === 'within') {
    writeSync(file, text.slice(0, text.length / 2));
    die();
  }
  armed = writes === at && side === 'after';
  return writeSync(file, data, ...rest);
};
fs.fsyncSync = (file) => {
  fsyncSync(file);
  if (armed) die();
};
syncBuiltinESMExports();
