/** What may go wrong with a host, set by scenarios. */
export interface PbsTrouble {
  /** The package lists cannot be refreshed: with a warning, or with `Err:` lines under an `OK`. */
  refresh?: 'warnings' | 'err-lines';
  /** The connection is cut before the reboot request is answered. */
  losesRebootAnswer?: boolean;
  /** Simulated seconds from the proxy to the daemon after a boot. */
  daemonSeconds?: number;
  /** Simulated seconds from the daemon to the datastores after a boot. */
  datastoreSeconds?: number;
  /** A service that does not run after a boot, and for how long (null = for ever). */
  service?: { readonly name: string; readonly seconds: number | null };
}
