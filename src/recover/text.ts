import { labelled, oneLine, painter, type Style, textWidth, wrap } from '../report/layout.js';
import type { Diagnosis } from './diagnosis.js';
import type { Sight } from './sight.js';

/** From outside in, then what is wrong and what to do. Pure. */
export function recoverText(sight: Sight, { healthy, problem, steps }: Diagnosis, style: Style): string {
  const paint = painter(style.color);
  const width = textWidth(style);
  const { vm, inside } = sight;
  const rows: Array<[string, readonly string[]]> = [
    [
      'VM',
      vm
        ? [
            `${vm.vmid} on ${vm.node}: ${vm.status}${vm.qmpStatus && vm.qmpStatus !== vm.status ? ` (${vm.qmpStatus})` : ''}${vm.lock ? `, locked (${vm.lock})` : ''}`,
          ]
        : wrap(sight.vmError?.message ?? 'the config names no guest', width),
    ],
    ...(vm ? ([['console', [vm.consoleUrl]]] as Array<[string, string[]]>) : []),
    [
      'agent',
      [sight.agent === 'answers' ? 'answers' : sight.agent === 'silent' ? 'does not answer' : 'not asked'],
    ],
    ...(inside
      ? ([
          ['failed units', [inside.failedUnits.join(', ') || 'none']],
          [
            'mounts',
            [
              inside.missingMounts.length > 0
                ? `missing: ${inside.missingMounts.join(', ')}`
                : 'all of fstab',
            ],
          ],
          ['packages', [inside.audit === '' ? 'whole' : oneLine(inside.audit)]],
        ] as Array<[string, string[]]>)
      : []),
    [
      'PBS',
      [
        `proxy ${sight.proxy}, daemon ${sight.daemon}${sight.servicesDown.length > 0 ? `, not running: ${sight.servicesDown.join(', ')}` : ''}`,
      ],
    ],
    [
      'datastores',
      sight.datastores.length === 0
        ? ['unknown']
        : sight.datastores.flatMap(({ name, state }) => wrap(`${name}: ${state}`, width)),
    ],
    [
      'fence',
      [sight.fences.map(({ datastore, run }) => `${datastore} (run ${run})`).join(', ') || 'none of pbs-ctl'],
    ],
    [
      'lock',
      [
        sight.locks
          .map(({ cluster, run, expired }) => `${cluster} (run ${run}${expired ? ', expired' : ''})`)
          .join(', ') || 'none of this host',
      ],
    ],
    ...(inside && !healthy && inside.journal.length > 0
      ? ([['journal', inside.journal.slice(-6).flatMap((line) => wrap(line, width))]] as Array<
          [string, string[]]
        >)
      : []),
  ];
  return [
    `${paint('strong', oneLine(sight.host))}: ${paint(healthy ? 'good' : 'bad', healthy ? 'healthy' : 'in need of help')}`,
    ...rows.flatMap(([label, lines]) => labelled(paint, label, lines)),
    '',
    ...wrap(problem, Math.min(style.columns, 110)),
    ...steps.flatMap(({ text, flag, command }, index) => [
      ...wrap(`${index + 1}. ${text}`, Math.min(style.columns, 110) - 5).map(
        (line, at) => `${at === 0 ? '  ' : '     '}${line}`,
      ),
      ...(command ? [`     ${command}`] : []),
      ...(flag ? [`     pbs-ctl recover --host ${sight.host} --${flag}`] : []),
    ]),
    '',
  ].join('\n');
}
