import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Guest } from '../../src/guest/exec.js';

/** A package of the private world. Installed ones and those of the repository are written alike. */
export interface Deb {
  readonly name: string;
  readonly version: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<
    Partial<Record<'preinst' | 'postinst' | 'prerm' | 'postrm' | 'triggers', string>>
  >;
  readonly files?: Readonly<Record<string, string>>;
  readonly conffiles?: readonly string[];
  /** Of an installed one: state as `Status` has it, and whether apt installed it by itself. */
  readonly status?: string;
  readonly auto?: boolean;
}

const has = (tool: string) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0;
/** The tools of a Debian are needed, nothing else: no network, no privilege. */
export const hasApt = has('apt-get') && has('dpkg') && has('dpkg-deb');
if (!hasApt) console.warn('apt and dpkg are not here: the tests with the real ones are skipped');

/**
 * A Debian in a folder, with the real apt and dpkg: a status file, one flat repository and nothing else.
 * Names of packages mean nothing to them, so a few empty ones make any situation.
 */
export class AptWorld {
  readonly root = mkdtempSync(join(tmpdir(), 'apt-world-'));
  /** The kernel that runs in it. */
  kernel = '6.8.12-1-pve';
  readonly #bin = this.#put('bin');
  readonly #repository = this.#put('repository');

  constructor(installed: readonly Deb[], available: readonly Deb[] = [], origin = 'Proxmox') {
    for (const folder of [
      'etc/apt/apt.conf.d',
      'etc/apt/preferences.d',
      'etc/apt/trusted.gpg.d',
      'var/lib/apt/lists/partial',
      'var/lib/dpkg/updates',
      'var/lib/dpkg/info',
      'var/lib/dpkg/triggers',
      'var/cache/apt/archives/partial',
      'var/log/apt',
      'run',
    ])
      this.#put(folder);
    this.#putSystem();
    this.write('var/lib/dpkg/info/format', '1\n');
    this.write(
      'var/lib/dpkg/status',
      installed
        .map((deb) => `${control(deb, `Status: ${deb.status ?? 'install ok installed'}\n`)}\n`)
        .join(''),
    );
    for (const { name, files = {} } of installed) {
      this.write(
        `var/lib/dpkg/info/${name}.list`,
        ['/.', ...Object.keys(files)].map((each) => `${each}\n`).join(''),
      );
      this.write(`var/lib/dpkg/info/${name}.md5sums`, '');
      for (const [path, text] of Object.entries(files)) this.write(path, text);
    }
    this.write(
      'var/lib/apt/extended_states',
      installed
        .filter(({ auto }) => auto)
        .map(({ name }) => `Package: ${name}\nArchitecture: all\nAuto-Installed: 1\n\n`)
        .join(''),
    );
    this.write('etc/apt/sources.list', `deb [trusted=yes] copy:${this.#repository} ./\n`);
    this.publish(available, origin);
  }

  /** Puts packages in the repository, and refreshes the lists. */
  publish(debs: readonly Deb[], origin = 'Proxmox'): void {
    const stanzas = debs.map((deb) => {
      const file = this.#build(deb);
      const bytes = readFileSync(join(this.#repository, file));
      const sum = createHash('sha256').update(bytes).digest('hex');
      return `${control(deb)}Filename: ./${file}\nSize: ${bytes.length}\nSHA256: ${sum}\n\n`;
    });
    this.write('repository/Packages', stanzas.join(''));
    const packages = readFileSync(join(this.#repository, 'Packages'));
    this.write(
      'repository/Release',
      `Origin: ${origin}\nLabel: ${origin} Backup Server\nSuite: stable\nCodename: trixie\nVersion: 4.1\nDate: Mon, 02 Feb 2026 10:00:00 UTC\nSHA256:\n ${createHash('sha256').update(packages).digest('hex')} ${packages.length} Packages\n`,
    );
    this.sh('apt-get -q update');
  }

  /** A line of the configuration of apt: `APT::Get::Purge "true";`. */
  configure(text: string): void {
    this.write('etc/apt/apt.conf.d/99test', text);
  }

  write(path: string, text: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  remove = (path: string): void => rmSync(join(this.root, path));
  read = (path: string): string => readFileSync(join(this.root, path), 'utf8');
  exists = (path: string): boolean => existsSync(join(this.root, path));

  /** Runs a script in it. */
  sh(script: string): { code: number; stdout: string; stderr: string } {
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', script], {
      env: this.#environment(),
      encoding: 'utf8',
    });
    return { code: status ?? -1, stdout, stderr };
  }

  /** Installed packages with their version. */
  packages(): Record<string, string> {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a format of dpkg-query
    const { stdout } = this.sh("dpkg-query -W -f='${db:Status-Abbrev}|${Package}|${Version}\\n'");
    return Object.fromEntries(
      stdout
        .split('\n')
        .filter((line) => line.startsWith('ii'))
        .map((line) => line.split('|').slice(1) as [string, string]),
    );
  }

  /** It as a guest whose agent runs what it is told. */
  guest(): Guest {
    const results = new Map<number, ReturnType<AptWorld['sh']>>();
    return {
      vmid: 900,
      clock: {
        now: () => Date.now(),
        monotonic: () => 0,
        sleep: async () => {},
        timeout: () => new AbortController().signal,
      },
      pve: {
        agent: {
          exec: async (_: number, command: string[]) => {
            results.set(results.size, this.sh(command.at(-1) ?? ''));
            return results.size - 1;
          },
          execStatus: async (_: number, pid: number) => {
            const { code, stdout, stderr } = results.get(pid) ?? { code: 1, stdout: '', stderr: '' };
            return { exited: true, exitCode: code, signal: null, stdout, stderr };
          },
        },
      },
    } as unknown as Guest;
  }

  end(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #put(folder: string): string {
    const path = join(this.root, folder);
    mkdirSync(path, { recursive: true });
    return path;
  }

  #putSystem(): void {
    this.write('etc/fstab', '');
    this.write(
      'apt.conf',
      `Dir "${this.root}";
Dir::State::status "${this.root}/var/lib/dpkg/status";
Dir::Bin::dpkg "/usr/bin/dpkg";
APT::Sandbox::User "root";
APT::Architecture "amd64";
DPkg::Options { "--root=${this.root}"; "--force-script-chrootless"; "--force-not-root"; "--force-bad-path"; "--log=${this.root}/var/log/dpkg.log"; };
`,
    );
    const tools: Record<string, string> = {
      // No systemd, and no mounts but the root.
      systemctl: 'exit 0',
      findmnt: "echo '/ /dev/sda1 ext4'",
      uname: `[ "$1" = -r ] && echo $WORLD_KERNEL || exec /bin/uname "$@"`,
    };
    for (const [name, text] of Object.entries(tools)) {
      this.write(`bin/${name}`, `#!/bin/sh\n${text}\n`);
      chmodSync(join(this.#bin, name), 0o755);
    }
  }

  #environment(): Record<string, string> {
    return {
      HOME: this.root,
      PATH: `${this.#bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      LC_ALL: 'C.UTF-8',
      DEBIAN_FRONTEND: 'noninteractive',
      APT_CONFIG: join(this.root, 'apt.conf'),
      DPKG_ROOT: this.root,
      DPKG_ADMINDIR: join(this.root, 'var/lib/dpkg'),
      WORLD: this.root,
      WORLD_KERNEL: this.kernel,
    };
  }

  #build(deb: Deb): string {
    const { name, version, scripts = {}, files = {}, conffiles = [] } = deb;
    const folder = `build/${name}_${version}`;
    this.write(`${folder}/DEBIAN/control`, control(deb));
    if (conffiles.length > 0)
      this.write(`${folder}/DEBIAN/conffiles`, conffiles.map((each) => `${each}\n`).join(''));
    for (const [script, text] of Object.entries(scripts)) {
      this.write(`${folder}/DEBIAN/${script}`, script === 'triggers' ? text : `#!/bin/sh\n${text}\n`);
      if (script !== 'triggers') chmodSync(join(this.root, folder, 'DEBIAN', script), 0o755);
    }
    for (const [path, text] of Object.entries(files)) this.write(`${folder}${path}`, text);
    const file = `${name}_${version.replace(/:/g, '%3a')}_all.deb`;
    execFileSync('dpkg-deb', ['-Znone', '-b', join(this.root, folder), join(this.#repository, file)], {
      stdio: 'ignore',
    });
    return file;
  }
}

function control({ name, version, fields = {} }: Deb, more = ''): string {
  const rest = Object.entries(fields).map(([field, value]) => `${field}: ${value}\n`);
  return `Package: ${name}\n${more}Version: ${version}\nArchitecture: ${fields.Architecture ?? 'all'}\nMaintainer: A <a@example.net>\nDescription: ${name}\n${rest.filter((line) => !line.startsWith('Architecture')).join('')}`;
}
