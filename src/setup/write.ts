import { existsSync } from 'node:fs';
import { chmod, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EXIT, Fault } from '../fault.js';
import type { Asker } from './ask.js';
import type { NewSecret } from './secret.js';

/** @throws Fault `init.exists` (exit 2) unless a person, or `--force`, allows it */
export async function allowOverwriting(path: string, force: boolean, asker: Asker): Promise<void> {
  if (!existsSync(path) || force) return;
  if (await asker.confirm({ text: `${path} is there already. Overwrite it`, option: '--force' })) return;
  throw new Fault('init.exists', `${path} is there already; nothing was written.`, {
    hint: 'Write another file with --output, or this one with --force.',
    exitCode: EXIT.usage,
  });
}

/** Secrets first, so that the config never names one that is not there. */
export async function writeFiles(path: string, config: string, secrets: readonly NewSecret[]): Promise<void> {
  for (const { file, value } of secrets) await writePrivately(file, `${value}\n`, 'wx');
  await writePrivately(path, config);
}

/** Complete or not at all, and never readable by others, not even for a moment. */
async function writePrivately(path: string, text: string, flag?: 'wx'): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const half = flag ? path : `${path}.new`;
  try {
    const file = await open(half, flag ?? 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(half, 0o600);
    if (half !== path) await rename(half, path);
  } catch (cause) {
    throw new Fault('init.write', `${path} cannot be written`, {
      hint: 'Write to another place with --output.',
      cause,
    });
  }
}
