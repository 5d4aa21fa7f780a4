import { fingerprintIn } from '../api/certificate.js';
import { Fault } from '../fault.js';
import { type PackageChanges, readPlan, readRemovals } from './apt.js';
import { firstWords, type Guest, lines, PART, readParts, runReading, sh } from './exec.js';
import { whyKeptBack } from './kept-back.js';
import { PINS, type Pin, readPin } from './kernel-pin.js';
import { LISTS, readListsAt } from './package-lists.js';
import { CARRIERS } from './protected.js';
import { REQUIRERS, readRequirers } from './requirers.js';
import { readSpace, SPACE, type Space } from './space.js';
import { SYMPTOM_PARTS, type Symptoms, symptomsIn } from './symptoms.js';
import { NO_PURGE } from './upgrade-script.js';

/** The state of the guest: one read-only exec of the guest agent. */
export interface Survey extends Symptoms {
  readonly bootId: string;
  /** When it booted, epoch seconds by its own clock: clock and uptime were read in the same moment. */
  readonly bootTime: number;
  /** Fingerprint of the certificate in the file of the PBS in this guest; null where there is no such file. */
  readonly certificate: string | null;
  readonly kernel: string;
  readonly pinned: Pin | null;
  /** As of when the package lists are, epoch seconds; null where there are none. */
  readonly listsAt: number | null;
  /** What `apt-get -s dist-upgrade` would do; null when it failed, with the reason in `simulationError`. */
  readonly plan: PackageChanges | null;
  readonly simulationError: string | null;
  /** What autoremove would take, now and as soon as that upgrade is done, as far as a simulation can know. */
  readonly autoremove: PackageChanges['removed'];
  /** Packages that are protected on this host, beside those that are protected everywhere. */
  readonly carriers: readonly string[];
  /** Installed packages by name, with their version. */
  readonly installedPackages: ReadonlyMap<string, string>;
  /** Of failed units: the units that systemd stops or fails with them, and so on. */
  readonly requiredBy: ReadonlyMap<string, readonly string[]>;
  /** What is free where an upgrade writes, and what it needs. */
  readonly room: Space;
  /** Of packages that apt keeps back, as far as it says why. */
  readonly whyKeptBack: ReadonlyMap<string, string>;
  /** Loaded units of pbs-ctl: upgrades that are running or have ended. */
  readonly units: readonly string[];
  /** /run/reboot-required exists. */
  readonly rebootRequired: boolean;
}

/** The file that PBS itself uses; the key is in another. */
const CERTIFICATE = '/etc/proxmox-backup/proxy.pem';

// Reads only.
const SURVEY = `export LC_ALL=C.UTF-8
${PART}
${CARRIERS}
${PINS}
${LISTS}
${REQUIRERS}
${SPACE}
now() { date +%s && cut -d ' ' -f 1 /proc/uptime; }
certificate() { [ ! -e ${CERTIFICATE} ] || head -c 65536 ${CERTIFICATE}; }
part boot cat /proc/sys/kernel/random/boot_id
part now now
part kernel uname -r
${SYMPTOM_PARTS}
part pins pins
part lists lists
part certificate certificate
part plan apt-get -s ${NO_PURGE} dist-upgrade
part spare apt-get -s ${NO_PURGE} autoremove
part both apt-get -s ${NO_PURGE} --autoremove dist-upgrade
part uris apt-get -q --print-uris ${NO_PURGE} dist-upgrade
part held apt-mark showhold
part carriers carriers
part packages dpkg-query -W -f='\${db:Status-Abbrev}|\${Package}|\${Version}\\n'
part requirers requirers
part free free
part kernels kernels
part units systemctl list-units --all --plain --no-legend 'pbs-ctl-*'
part reboot test -e /run/reboot-required
printf '\\n@@end\\n'`;

const LIMIT_MS = 120_000;

/**
 * Takes the survey.
 * @throws Fault `agent.*` when the agent cannot run it, `guest.unreadable` when its output is not whole
 */
export async function takeSurvey(guest: Guest): Promise<Survey> {
  const { stdout } = await runReading(guest, sh(SURVEY), LIMIT_MS);
  const survey = readSurvey(stdout);
  const keptBack = survey.plan?.keptBack ?? [];
  // It only explains: what it cannot say changes no decision.
  const why = keptBack.length > 0 ? await whyKeptBack(guest, keptBack).catch(() => null) : null;
  return why ? { ...survey, whyKeptBack: why } : survey;
}

/** @throws Fault `guest.unreadable` when a part that a decision rests on is missing */
export function readSurvey(output: string): Survey {
  const parts = readParts(output);
  const part = (name: string) => {
    const found = parts.get(name);
    if (!found) throw unreadable(`the part "${name}" is missing`);
    return found;
  };
  const must = (name: string): string => {
    const { text, stderr, code } = part(name);
    if (code !== 0) throw unreadable(`"${name}" failed (${code}): ${(stderr || text).slice(0, 200)}`);
    return text;
  };
  if (!parts.has('end')) throw unreadable('the output ends early');
  const [now = Number.NaN, uptime = Number.NaN] = lines(must('now')).map(Number);
  if (!Number.isFinite(now - uptime)) throw unreadable('its clock or uptime is not a number');
  const pem = must('certificate').trim();
  const certificate = pem === '' ? null : fingerprintIn(pem);
  if (pem !== '' && certificate === null) throw unreadable(`there is no certificate in ${CERTIFICATE}`);
  const simulated = part('plan');
  for (const name of ['locks', 'failed', 'mounts']) must(name);
  part('audit');
  const symptoms = symptomsIn(parts);
  const mounted = new Set(symptoms.mounts.map(({ target }) => target));
  const fstab = parts.get('fstab')?.text ?? '';
  const room = readSpace(must('free'), must('kernels'), parts.get('uris')?.text ?? '', mounted, fstab);
  if (!room.places.some(({ folder }) => folder === '/')) throw unreadable('the free space of / is missing');
  return {
    ...symptoms,
    bootId: must('boot').trim(),
    bootTime: now - uptime,
    certificate,
    kernel: must('kernel').trim(),
    pinned: readPin(must('pins')),
    listsAt: readListsAt(must('lists')),
    plan: simulated.code === 0 ? readPlan(simulated.text, lines(must('held'))) : null,
    simulationError:
      simulated.code === 0 ? null : `${simulated.stderr}\n${simulated.text}`.trim().slice(0, 2000),
    autoremove: readAutoremove(simulated.text, parts.get('spare')?.text ?? '', parts.get('both')?.text ?? ''),
    carriers: lines(must('carriers')),
    installedPackages: installed(must('packages')),
    requiredBy: readRequirers(must('requirers')),
    room,
    whyKeptBack: new Map(),
    units: firstWords(part('units').text),
    rebootRequired: part('reboot').code === 0,
  };
}

/** What autoremove takes now, and what it would take beyond the upgrade's own removals once that is done. */
function readAutoremove(plan: string, now: string, both: string): PackageChanges['removed'] {
  const byUpgrade = new Set(readRemovals(plan).map(({ name }) => name));
  const spare = [...readRemovals(now, 'autoremove'), ...readRemovals(both, 'autoremove')];
  return [...new Map(spare.map((each) => [each.name, each])).values()].filter(
    ({ name }) => !byUpgrade.has(name),
  );
}

/** Packages whose state is good ("ii ", or held and good "hi "). */
function installed(text: string): Map<string, string> {
  return new Map(
    lines(text).flatMap((line) => {
      const [state = '', name = '', version = ''] = line.split('|');
      return /^[ih]i/.test(state) ? [[name, version] as const] : [];
    }),
  );
}

const unreadable = (why: string) =>
  new Fault('guest.unreadable', `The output of the survey in the guest cannot be read: ${why}.`, {
    hint: 'Check that the guest is a Debian with systemd, apt and findmnt.',
  });
