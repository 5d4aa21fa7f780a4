import { deadlineFor, type Host, openHost, readReferences } from '../host/open.js';
import { type Context, type HostOptions, load, targetsOf } from './context.js';

/**
 * Asks the named hosts one after the other, and answers with all results.
 * @returns the documents, in the order of the hosts
 */
export async function eachHost<Document>(
  context: Context,
  options: HostOptions,
  ask: (host: Host, stateDir: string) => Promise<{ readonly document: Document; readonly text: string }>,
): Promise<Document[]> {
  const { world } = context;
  const { config, stateDir } = await load(context);
  const targets = targetsOf(config, options);
  await readReferences(config, targets, world);
  const documents: Document[] = [];
  const texts: string[] = [];
  for (const target of targets) {
    const host = await openHost(config, target, world, deadlineFor(target, world));
    try {
      const { document, text } = await ask(host, stateDir);
      documents.push(document);
      texts.push(text);
    } finally {
      await host.close();
    }
  }
  context.answer(documents.length === 1 ? documents[0] : { hosts: documents }, texts.join('\n'));
  return documents;
}
