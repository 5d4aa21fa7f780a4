/** How several hosts are patched, for the help. */
export const FLEET_RULES = `

Several hosts: in the order of the config, or of --host; the secrets and CA files of all of them are
read before the first is begun. A host that is postponed does not stop the others. After one that
failed, or whose validation failed, none is begun any more (with --keep-going they are); those that
are under way go on to their end, and the hosts that were not begun are named. A signal stops every
run as it would stop one, and none is begun any more. With --parallel hosts of different clusters are
patched side by side. A host belongs to the cluster of its guest and to those that it serves; hosts
that share one follow each other. The exit code is the worstExitCode of all runs.`;
