/** What `init` is told beforehand; what is left out is asked for. */
export interface InitOptions {
  readonly output?: string;
  readonly force?: boolean;
  readonly cluster?: string;
  readonly pve?: readonly string[];
  readonly pveToken?: string;
  readonly pveSecret?: string;
  readonly pbs?: readonly string[];
  readonly pbsToken?: string;
  readonly pbsSecret?: string;
  readonly guest?: readonly string[];
  readonly fingerprint?: readonly string[];
  readonly slack?: string;
  /** Take the default of everything that has one, ask nothing. */
  readonly defaults?: boolean;
  readonly systemd?: boolean;
  readonly ansible?: boolean;
  readonly unit?: boolean;
}
