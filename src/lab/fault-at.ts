import type { InjectedFault, Weather } from './https.js';
import { matchPath } from './parameters.js';

/**
 * Lets something befall every request for one endpoint: `faultAt({ server: 'pbs01', method: 'GET', path:
 * '/admin/datastore/{name}/status' }, { kind: 'swallowed' })`, to be given to `lab.setWeather`.
 * @param server any, where it is left out
 */
export const faultAt =
  (
    endpoint: { readonly server?: string; readonly method: string; readonly path: string },
    fault: InjectedFault,
  ): Weather =>
  ({ server, method, path }) =>
    (endpoint.server ?? server) === server && endpoint.method === method && matchPath(endpoint.path, path)
      ? fault
      : null;
