import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
  /** Writes to its standard input, where that is a pipe. */
  type(text: string): void;
  /** Writes to it for the last time. */
  end(text: string): void;
  /** Resolves once it has printed the text; rejects when it ends without. */
  says(text: string): Promise<void>;
}

/** Starts the built command in a process of its own. */
export function start(
  args: readonly string[],
  env: Record<string, string> = {},
  stdin: 'ignore' | 'pipe' = 'ignore',
): Running {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, ...env },
    stdio: [stdin, 'pipe', 'pipe'],
  });
  const { stdout: out, stderr: err } = child;
  if (!out || !err) throw new Error('the command has no pipes');
  let stdout = '';
  let stderr = '';
  out.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  err.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code) => resolve({ code, stdout, stderr })),
  );
  return {
    ended,
    kill: (signal) => void child.kill(signal),
    type: (text) => void child.stdin?.write(text),
    end: (text) => void child.stdin?.end(text),
    says: async (text) => {
      while (!`${stdout}${stderr}`.includes(text)) {
        const over = await Promise.race([ended, new Promise<null>((go) => setTimeout(() => go(null), 10))]);
        if (over) throw new Error(`it ended (${over.code}) without saying "${text}": ${over.stderr}`);
      }
    },
  };
}

/** Runs the built command to its end. */
export const pbsCtl = (args: readonly string[], env?: Record<string, string>): Promise<Ended> =>
  start(args, env).ended;

/** Runs it with `--json` and reads its one document. */
export const pbsCtlJson = <Document>(args: readonly string[]) =>
  readJson<Document>(pbsCtl([...args, '--json']));

/** The document that a command printed. @throws Error when it printed anything else */
export async function readJson<Document>(running: Promise<Ended>): Promise<Ended & { document: Document }> {
  const ended = await running;
  try {
    return { ...ended, document: JSON.parse(ended.stdout) as Document };
  } catch {
    throw new Error(
      `no single JSON document on stdout (exit ${ended.code}):\n${ended.stdout}\n${ended.stderr}`,
    );
  }
}
