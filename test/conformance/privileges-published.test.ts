import { describe, expect, it } from 'vitest';
import { type Need, neededOnPbs, neededOnPve } from '../../src/api/privileges.js';
import { Access } from '../../src/lab/access.js';
import { grantPbs, grantPve } from '../../src/lab/privileges.js';
import { everyRequest, type Sent } from './client-requests.js';
import { contract, contractsAreHere, VERSIONS, WHY_SKIPPED } from './contract.js';
import { demandsOf, isMet, type Ways } from './permissions.js';

const UNIT = 'pbs-ctl-upgrade.service';
const why = contractsAreHere ? 'published schemas' : WHY_SKIPPED;

/** What the README grants: for the upgrade unit, the registered tags and `recover`, in the places where it says so. */
function granted(product: 'pve' | 'pbs', version: string): Access {
  const access = new Access();
  if (product === 'pve') {
    grantPve(access, version as '8.4', [900]);
    access.grant('/', ['Sys.Modify']);
    access.grant('/vms/900', ['VM.PowerMgmt', 'VM.Console']);
    return access;
  }
  grantPbs(access, ['tank']);
  access.grant(`/system/services/${UNIT}`, ['Sys.Modify'], false);
  return access;
}

const needsOf = (product: 'pve' | 'pbs', version: string): Need[] =>
  product === 'pve'
    ? neededOnPve(Number(version[0]), { guests: [900], carrier: 900, registeredTags: true })
    : neededOnPbs(['tank'], { fence: true, unit: UNIT });

/** Is it looked for by the check: on this path, or on one above that hands it down? */
const isChecked = (needs: readonly Need[]) => (path: string, privilege: string) =>
  needs.some(
    (need) =>
      need.anyOf.includes(privilege) &&
      (need.path === path || (need.path !== '/' && path.startsWith(`${need.path}/`))),
  );

interface Asked {
  readonly sent: Sent;
  readonly name: string;
  readonly ways: Ways;
}

async function asked(product: 'pve' | 'pbs', version: string): Promise<Asked[]> {
  const published = contract(product, version);
  const all = await everyRequest({ pve: '9.2', pbs: '4.2', [product]: version });
  return all
    .filter((sent) => sent.product === product)
    .flatMap((sent) => {
      const found = published.find(sent.method, sent.path);
      if (!found) return [];
      const ways = demandsOf(found.endpoint, product, { ...sent.parameters, ...found.inPath });
      return [{ sent, name: found.name, ways }];
    });
}

/** What `doctor` looks up beside a run: it says what it could not learn. */
const OF_DOCTOR = /^\/access\/users\//;
/** Only `recover` switches a VM or looks at its console: a run does without the privileges, and the README says so. */
const OF_RECOVER = /\/status\/(?:start|reset)$|\/(?:vncproxy|termproxy|vncwebsocket)$/;
/** The health of ZFS pools is said where it can be seen; a run does without. */
const OF_POOLS = /\/disks\/zfs$/;
/** The tag of a container that carries the lock is written like that of a VM; its config alone is read here. */
const OTHER_GUEST = /\/lxc\//;

describe
  .skipIf(!contractsAreHere)
  .each([
    ...VERSIONS.pve.map((version) => ({ product: 'pve' as const, version })),
    ...VERSIONS.pbs.map((version) => ({ product: 'pbs' as const, version })),
  ])(`the privileges of $product $version (${why})`, ({ product, version }) => {
  it('that the README grants are enough for every request', async () => {
    const access = granted(product, version);
    const short = (await asked(product, version)).filter(
      ({ ways }) => !isMet(ways, (path, privilege) => access.has(path, privilege)),
    );
    expect(short.map(({ name }) => name)).toEqual([]);
  });

  it('that any request demands are looked for by the check beforehand', async () => {
    const checked = isChecked(needsOf(product, version));
    const overlooked = (await asked(product, version))
      .filter(
        ({ sent }) => ![OF_DOCTOR, OF_RECOVER, OF_POOLS, OTHER_GUEST].some((each) => each.test(sent.path)),
      )
      .filter(({ ways }) => !isMet(ways, checked));
    expect(overlooked.map(({ name }) => name)).toEqual([]);
  });

  it('that a refusal names are those that the endpoint demands', async () => {
    const wrong = (await asked(product, version)).flatMap(({ sent, name, ways }) => {
      const [demand] = ways?.[0] ?? [];
      // A handler may demand what its endpoint does not: of tasks, those of others.
      if (!demand || product === 'pve' || OF_DOCTOR.test(sent.path)) return [];
      const { privilege, path } = sent.needs ?? { privilege: 'none', path: '' };
      return demand.path === path && demand.privileges.includes(privilege)
        ? []
        : [`${name}: ${privilege} on ${path}, not ${demand.privileges} on ${demand.path}`];
    });
    expect(wrong).toEqual([]);
  });
});

describe.skipIf(!contractsAreHere)(`of what is granted (${why})`, () => {
  it.each([...VERSIONS.pve])('on PVE %s nothing that the check looks for is superfluous', async (version) => {
    const all = await asked('pve', version);
    const access = granted('pve', version);
    const demanded = (privilege: string) =>
      all.some(
        ({ ways }) =>
          isMet(ways, (path, each) => access.has(path, each)) &&
          !isMet(ways, (path, each) => each !== privilege && access.has(path, each)),
      );
    // Demanded by filters inside of the handlers: guests and storages that may not be seen are left out.
    const filters = ['Datastore.Audit'];
    const named = new Set(needsOf('pve', version).flatMap(({ anyOf }) => anyOf));
    expect([...named].filter((each) => !demanded(each) && !filters.includes(each))).toEqual([]);
  });
});
