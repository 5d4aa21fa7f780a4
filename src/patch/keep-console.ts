import { note, type Run } from './run.js';

/**
 * Of a host that was rebooted and is not back as it was: keeps what is on the console of its VM, which may
 * have changed by the time a person looks. Never throws.
 */
export async function keepConsole(run: Run): Promise<void> {
  const { guest } = run.host;
  const { folder } = run.journal;
  if (!guest || folder === null) return;
  // Pictures are for runs that went wrong: nothing that draws them is loaded before.
  const { keepConsole: keep } = await import('../guest/console.js');
  const shot = await keep(guest, folder);
  const why = shot.error ? `The console cannot be shown: ${shot.error.message}` : shot.note;
  run.journal.append({ type: 'screen', file: shot.file, why });
  note(run, shot.file ? `what is on the console of the VM is kept: ${shot.file}` : (why ?? ''));
}
