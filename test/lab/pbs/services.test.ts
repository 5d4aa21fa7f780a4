import { describe, it } from 'vitest';
import { until } from '../../support/lab.js';
import { asking } from './hosts.js';

const UNIT = 'pbs-ctl-upgrade.service';
const START = `/nodes/localhost/services/${UNIT}/start`;

describe('a unit that PBS starts in the lab', () => {
  it.concurrent('runs on when systemd re-executes, while the task of the start fails; its journal says how it ends', ({
    expect,
  }) =>
    asking({ scenario: 'upgrade-by-service', factor: 40 }, async ({ lab, host, caller }) => {
      const { machine } = host;
      await machine.writeFile(
        '/usr/local/sbin/upgrade-this-host',
        'echo begun\nsleep 0.2\nprintf \'{"kind":"systemd-reexecuting"}\\n\' >>"$LAB_STATE/events"\nsleep 0.5\necho through\n',
      );
      const started = await caller.ask('POST', START);
      const upid = encodeURIComponent(String(started.data));
      await until('systemd re-executes', () =>
        lab.record.events.some(({ kind }) => kind === 'systemd-reexecuting'),
      );
      const state = (await caller.ask('GET', `/nodes/localhost/tasks/${upid}/status`)).data;
      expect(state).toMatchObject({ exitstatus: 'systemctl start failed with exit status: 1' });
      const log = (await caller.ask('GET', `/nodes/localhost/tasks/${upid}/log`)).data as { t: string }[];
      expect(log.at(-1)?.t).toBe('TASK ERROR: systemctl start failed with exit status: 1');
      const lines = async () =>
        ((await caller.ask('GET', '/nodes/localhost/syslog', { service: UNIT })).data as { t: string }[]).map(
          ({ t }) => t,
        );
      expect((await lines()).some((line) => / systemd\[1\]: Finished /.test(line))).toBe(false);
      // A second start joins the run that is under way.
      await caller.ask('POST', START);
      for (let look = 0; look < 200 && !/Finished/.test((await lines()).at(-1) ?? ''); look += 1)
        await new Promise((resolve) => setTimeout(resolve, 20));
      const shown = (await lines()).map((line) => line.replace(/^\w+ \d+ [\d:]+ pbs01 |\[\d+\]/g, ''));
      expect(shown).toEqual([
        `systemd: Starting ${UNIT} - Upgrade of this host...`,
        'sh: begun',
        'sh: through',
        `systemd: Finished ${UNIT} - Upgrade of this host.`,
      ]);
    }));

  it.concurrent('that ends badly says so in its journal, in the words of systemd', ({ expect }) =>
    asking({ scenario: 'upgrade-by-service' }, async ({ host, caller }) => {
      await host.machine.writeFile('/usr/local/sbin/upgrade-this-host', 'exit 100\n');
      expect(await host.machine.startUnit(UNIT)).toBe(100);
      const { data } = await caller.ask('GET', '/nodes/localhost/syslog', { service: UNIT });
      const lines = (data as { t: string }[]).map(({ t }) => t.replace(/^.*systemd\[1\]: /, ''));
      expect(lines.slice(1)).toEqual([
        `${UNIT}: Main process exited, code=exited, status=100/n/a`,
        `${UNIT}: Failed with result 'exit-code'.`,
        `Failed to start ${UNIT} - Upgrade of this host.`,
      ]);
    }));
});

describe('the journal of the lab', () => {
  it.concurrent('that has nothing of a unit is one line, with a total; a limit of 0 means none', ({
    expect,
  }) =>
    asking({}, async ({ caller }) => {
      const ask = async (parameters: Record<string, string>) =>
        JSON.parse(
          (await caller.ask('GET', '/nodes/localhost/syslog', parameters)).body.toString('utf8'),
        ) as object;
      const service = 'no-such.service';
      expect(await ask({ service })).toEqual({ data: [{ n: 1, t: '-- No entries --' }], total: 1 });
      expect(await ask({ service, limit: '0' })).toEqual({ data: [], total: 1 });
    }));
});
