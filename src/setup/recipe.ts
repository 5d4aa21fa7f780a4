/** A file that `init` prints for somebody to put in its place. */
export interface Recipe {
  readonly path: string;
  readonly text: string;
  /** Hosts of the config that the file is for, where it is not for the controller. */
  readonly hosts?: readonly string[];
}
