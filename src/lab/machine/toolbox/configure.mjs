// The configuring half of dpkg, for apt-get and for `dpkg --configure -a`.
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { complain, print, ROOT, report, rows, STATE, setPackage, wait } from './state.mjs';

const ORDER = JSON.parse(readFileSync(join(STATE, 'upgrade.json'), 'utf8'));

/** How the upgrade of this machine goes: `UpgradeSpec` of the lab. */
export const plan = ORDER;

/**
 * Configures an unpacked package. Takes simulated `seconds`.
 * @returns null, or why it failed in dpkg's words
 */
export async function configure(name, seconds, keepsOldConffiles) {
  const version = rows('packages').find((row) => row[1] === name)?.[2] ?? '';
  setPackage(name, 'F');
  log(`configure ${name}:amd64 ${version} <none>`);
  print(`Setting up ${name} (${version}) ...`);
  if (plan.hangsAt === name) await wait(10_000_000);
  await wait(seconds);
  if (fails(name, 'conffile') && !keepsOldConffiles) {
    setPackage(name, 'U');
    print(
      `\nConfiguration file '/etc/${name}.conf'\n ==> Modified (by you or by a script) since installation.`,
    );
    return { why: 'end of file on stdin at conffile prompt', conffile: `/etc/${name}.conf` };
  }
  if (fails(name, 'conffile')) {
    print(`\nConfiguration file '/etc/${name}.conf'\n ==> Keeping old config file as default.`);
    writeFileSync(join(ROOT, `etc/${name}.conf.dpkg-dist`), '');
  }
  if (fails(name, 'postinst') && countFailure(name)) {
    return {
      why: `installed ${name} package post-installation script subprocess returned error exit status 1`,
    };
  }
  if (name === 'qemu-guest-agent') await restartAgent();
  if (name === 'proxmox-backup-server') report('proxy-reloaded');
  if (name === 'systemd') await reexecute();
  const kernel = /^(?:(?:proxmox|pve)-kernel|linux-image)-(\d+\.\d+\.\d+.*?)(?:-signed)?$/.exec(name)?.[1];
  if (kernel) {
    print(`Generating /boot/initrd.img-${kernel}`);
    writeFileSync(join(ROOT, `boot/vmlinuz-${kernel}`), '');
  }
  setPackage(name, 'i');
  return null;
}

/** In the time of the machine, as dpkg writes it. */
export function log(what) {
  const now = new Date();
  const two = (value) => String(value).padStart(2, '0');
  const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join('-');
  const clock = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(':');
  appendFileSync(join(ROOT, 'var/log/dpkg.log'), `${day} ${clock} ${what}\n`);
}

export function complainOf(name, why) {
  complain(`dpkg: error processing package ${name} (--configure):\n ${why}`);
}

export const fails = (name, how) => plan.fails?.package === name && plan.fails.how === how;

/** True while the failure is still to happen: it may be limited to so many times. */
function countFailure(name) {
  const file = join(STATE, `failures-${name}`);
  const before = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  if (before >= (plan.fails.times ?? Number.POSITIVE_INFINITY)) return false;
  writeFileSync(file, String(before + 1));
  return true;
}

// The agent's postinst restarts it. What runs in the agent's control group does not live to see the end of this.
async function restartAgent() {
  const file = join(STATE, 'agent-life');
  const before = readFileSync(file, 'utf8');
  report('restart-agent');
  for (let tries = 0; tries < 100 && readFileSync(file, 'utf8') === before; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// systemd's postinst makes it re-execute itself: a question at that moment gets no answer, and what waits for a
// unit loses its connection. Lasts until a question was asked, or a second; or as long as the plan says.
async function reexecute() {
  const file = join(STATE, 'reexecuting');
  report('systemd-reexecuting');
  if (plan.systemdSilentSeconds) {
    writeFileSync(file, 'stays\n');
    await wait(plan.systemdSilentSeconds);
  } else {
    writeFileSync(file, '');
    for (let tries = 0; tries < 50 && existsSync(file); tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  rmSync(file, { force: true });
}
