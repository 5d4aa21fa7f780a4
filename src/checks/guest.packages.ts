import { type PackageChanges, planDigest, wholePlan } from '../guest/apt.js';
import { evidenceIn } from '../guest/evidence.js';
import type { Survey } from '../guest/survey.js';
import { isoFromSeconds, utcMoment } from '../moment.js';
import { adviceOf } from '../rules/advice.js';
import { causesIn } from '../rules/causes.js';
import { A_MINUTE, ALWAYS } from '../rules/rounds.js';
import { symptomsFor } from '../rules/symptoms.js';
import { approvalsFor, protectedOn, refusalOf } from '../rules/upgrade-plan.js';
import { block, check, type Judgement, type Known, pass, skip, warn } from './check.js';
import { listsAsOf } from './host-state.js';

interface Seen extends Survey {
  readonly listsAsOf: number | null;
}

/**
 * Are all packages configured, is apt free, and is what the upgrade would do allowed? Before the reboot, and with
 * the service method, no plan is needed here; a dpkg that another user has started counts all the same.
 */
export const guestPackages = check({
  id: 'guest.packages',
  rules: { rounds: [...ALWAYS, 'unfence'], lasting: A_MINUTE, softenedBy: 'plan' },
  look: async (answers): Promise<Seen | null> =>
    answers.target.guest ? { ...(await answers.survey()), listsAsOf: await listsAsOf(answers) } : null,
  judge(seen, known) {
    const { policy, upgradeUnit, host } = known.target;
    if (!seen) return skip('the config names no guest');
    const { simulationError } = seen;
    const isUpgraded = known.round === 'reboot' || known.round === 'unfence';
    const wrong = symptomsFor('guest.packages', seen).find(
      ({ kind, holdsFence }) =>
        (kind !== 'half-configured' || isUpgraded || !policy.repairDpkg) &&
        (known.round !== 'unfence' || holdsFence),
    );
    if (wrong) {
      const [step] = wrong.steps;
      const evidence =
        wrong.kind === 'half-configured' ? { evidence: evidenceIn(seen.audit.split('\n')) } : {};
      return block(wrong.summary, {
        hint: [
          step?.text,
          step?.command ?? (step?.flag ? `pbs-ctl recover --host ${host} --${step.flag}` : null),
        ]
          .filter(Boolean)
          .join('\n'),
        ...evidence,
      });
    }
    if (isUpgraded || upgradeUnit !== null) return pass('all packages are configured, apt is free');
    if (!seen.plan) {
      const evidence = evidenceIn((simulationError ?? '').split('\n'));
      const advice = adviceOf(causesIn(evidence), { host, enterpriseFile: null });
      return block(
        `the upgrade cannot be simulated: ${advice?.means ?? (evidence.at(-1)?.trim() || 'no output')}`,
        { output: simulationError, evidence, ...(advice ? { hint: advice.hint } : {}) },
      );
    }
    return judgePlan(seen, seen.plan, known);
  },
});

function judgePlan(
  { audit, autoremove, carriers, pinned, whyKeptBack, listsAsOf: at }: Seen,
  upgrade: PackageChanges,
  { target: { policy, host } }: Known,
): Judgement {
  const isProtected = protectedOn(policy, carriers);
  const plan = wholePlan(upgrade, policy.cleanup ? autoremove : [], isProtected);
  const digest = planDigest(plan);
  const detail = { planDigest: digest };
  const refusal = refusalOf(plan, isProtected);
  if (refusal) return block(refusal.message, { ...detail, hint: refusal.hint });
  const keptBack = plan.keptBack.map((name) => {
    const why = whyKeptBack.get(name);
    return why === undefined ? name : `${name} (${why})`;
  });
  if (plan.keptBack.includes(PBS)) {
    return block(`apt keeps back ${keptBack.join(', ')}: a new ${PBS} is there and would not be installed`, {
      ...detail,
      hint: `In the guest, this shows why: apt-get -s install ${PBS}`,
    });
  }
  const approval = approvalsFor(plan, policy);
  if (approval.length > 0) {
    return block(`the upgrade ${approval.join(', ')}: that needs approval`, {
      ...detail,
      approval,
      hint: `Look at the plan, then: pbs-ctl patch --host ${host} --plan ${digest.slice(0, 12)}`,
    });
  }
  const spare = policy.cleanup ? autoremove.filter(({ name }) => isProtected(name)) : [];
  const named = (text: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${text} ${names.join(', ')}`];
  const by = (who: 'upgrade' | 'autoremove') =>
    plan.removed.flatMap(({ name, by }) => (by === who ? [name] : []));
  const remarks = [
    ...(audit === '' ? [] : ['dpkg --audit is not clean, dpkg --configure -a runs first']),
    ...(pinned ? [`kernel ${pinned.kernel} is pinned in ${pinned.file}: the next boot starts it`] : []),
    ...named('the upgrade removes', by('upgrade')),
    ...named('held:', plan.held),
    ...named('kept back by apt:', keptBack),
    ...named(
      'protected, so autoremove leaves them:',
      spare.map(({ name }) => name),
    ),
  ];
  const line = [
    `${plan.upgraded.length} to upgrade, ${plan.installed.length} to install, ${plan.removed.length} to remove`,
    ...named('autoremove takes', by('autoremove')),
    at === null ? 'how old the package lists are is not known' : `lists of ${utcMoment(isoFromSeconds(at))}`,
  ].join('; ');
  return remarks.length > 0 ? warn([line, ...remarks].join('; '), detail) : pass(line, detail);
}

const PBS = 'proxmox-backup-server';
