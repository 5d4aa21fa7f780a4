#!/bin/sh
# What an upgrade or autoremove would do, in apt's words. Usage: apt-plan.sh VERB [simulate|uris]
# Plain `upgrade` keeps back what needs a new package: each kernel, in practice.
cd "$LAB_STATE" || exit 100
echo 'Reading package lists...'
echo 'Building dependency tree...'
echo 'Reading state information...'
case $1 in autoremove | install) ;; *) echo 'Calculating upgrade...' ;; esac
exec awk -F '\t' -v verb="$1" -v simulate="$2" '
  function list(names, title,   count, i, line, name) {
    count = split(names, name, " ")
    if (!count) return
    print title
    for (i = 1; i <= count; i++) {
      if (length(line) + length(name[i]) > 76) { print " " line; line = "" }
      line = line " " name[i]
    }
    print " " line
  }
  BEGIN {
    keep = ENVIRON["LAB_KEEP"]; word = ENVIRON["LAB_PURGE"] ? "Purg " : "Remv "
    both = verb != "autoremove" && ENVIRON["LAB_AUTOREMOVE"]
  }
  FILENAME == "packages" {
    version[$2] = $3
    if (substr($1, 1, 1) == "h") held[$2] = 1
    if (substr($1, 2, 1) != "i") { unfinished++; conf[++confs] = $2 }
  }
  # $2 empty: superfluous now; "after": by the upgrade; "installed": once the upgrade has installed what it brings.
  FILENAME == "autoremovable" && ($1 in version) && !(keep && $1 ~ keep) {
    if ($2 == "" || ($2 == "after" && both)) { spare = spare " " $1; spares[++spareCount] = $1 }
  }
  FILENAME == "pending" && verb != "autoremove" && verb != "install" {
    kernel = $2 ~ /^((proxmox|pve)-kernel|linux-image)-/
    if ($2 in held) { kept = kept " " $2; keptCount++; next }
    if (verb == "upgrade" && ($1 != "upgrade" || kernel)) {
      if ($1 == "upgrade") { kept = kept " " $2; keptCount++ }
      next
    }
    if ($1 == "remove") { removed = removed " " $2; removes++; remv[removes] = word $2 " [" $3 "]"; next }
    if ($1 == "install") { fresh = fresh " " $2; news++ } else { upgraded = upgraded " " $2; upgrades++ }
    old = $1 == "install" ? "" : "[" $3 "] "
    inst[++changes] = "Inst " $2 " " old "(" $4 " " $5 " [amd64])"
    done[changes] = "Conf " $2 " (" $4 " " $5 " [amd64])"
    bytes += $6
    if ($1 == "install") { added += 3 * $6 }
    uri[changes] = "\047http://mirror.example/debian/pool/" $2 "_" $4 "_amd64.deb\047 " $2 "_" $4 "_amd64.deb " $6 " "
  }
  END {
    if (verb == "autoremove" || both) for (i = 1; i <= spareCount; i++) {
      removed = removed " " spares[i]; remv[++removes] = word spares[i] " [" version[spares[i]] "]"
    }
    else if (spareCount == 1) {
      print "The following package was automatically installed and is no longer required:"
      print " " spare; print "Use \047apt autoremove\047 to remove it."
    } else if (spareCount) {
      list(spare, "The following packages were automatically installed and are no longer required:")
      print "Use \047apt autoremove\047 to remove them."
    }
    list(removed, "The following packages will be REMOVED:")
    list(fresh, "The following NEW packages will be installed:")
    list(kept, "The following packages have been kept back:")
    list(upgraded, "The following packages will be upgraded:")
    printf "%d upgraded, %d newly installed, %d to remove and %d not upgraded.\n", upgrades, news, removes, keptCount
    if (unfinished) printf "%d not fully installed or removed.\n", unfinished
    if (simulate != "simulate") {
      if (bytes) {
        printf "Need to get %.1f MB of archives.\n", bytes / 1e6
        printf "After this operation, %.0f kB of additional disk space will be used.\n", added / 1e3
      }
      if (simulate == "uris") for (i = 1; i <= changes; i++) print uri[i]
      exit
    }
    for (i = 1; i <= removes; i++) print remv[i]
    for (i = 1; i <= changes; i++) print inst[i]
    for (i = 1; i <= confs; i++) printf "Conf %s (%s Debian:stable [amd64])\n", conf[i], version[conf[i]]
    for (i = 1; i <= changes; i++) print done[i]
  }' packages autoremovable pending
