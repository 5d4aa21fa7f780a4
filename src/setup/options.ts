/** What `init` is told beforehand; what is left out is asked for. */
export interface InitOptions {
  readonly output: string | undefined;
  readonly force: boolean | undefined;
  readonly cluster: string | undefined;
  readonly pve: readonly string[] | undefined;
  readonly pveToken: string | undefined;
  readonly pveSecret: string | undefined;
  readonly pbs: readonly string[] | undefined;
  readonly pbsToken: string | undefined;
  readonly pbsSecret: string | undefined;
  readonly guest: readonly string[] | undefined;
  readonly fingerprint: readonly string[] | undefined;
  readonly slack: string | undefined;
  /** Take the default of everything that has one, ask nothing. */
  readonly defaults: boolean | undefined;
  readonly systemd: boolean | undefined;
  readonly ansible: boolean | undefined;
  readonly unit: boolean | undefined;
}
