// The shells only ask: which words fit is decided by the program itself, so that the answer is that of the
// version that is installed. A first line ":files" leaves the rest to the shell.

const BASH = `# pbs-ctl completion bash > /etc/bash_completion.d/pbs-ctl
_pbs_ctl() {
  local word description current=\${COMP_WORDS[COMP_CWORD]}
  [[ $current == '=' ]] && current=
  COMPREPLY=()
  while IFS=$'\\t' read -r word description; do
    if [[ $word == ':files' ]]; then
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
    fi
    # bash has taken "--host=x" apart: it completes what follows the "=".
    COMPREPLY+=("$word")
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o nosort -F _pbs_ctl pbs-ctl 2>/dev/null || complete -F _pbs_ctl pbs-ctl
`;

const ZSH = `#compdef pbs-ctl
# pbs-ctl completion zsh > /usr/local/share/zsh/site-functions/_pbs-ctl
_pbs-ctl() {
  local line
  local -a lines candidates
  lines=("\${(@f)$("$words[1]" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $lines[1] == ':files' ]]; then
    _files
    return
  fi
  for line in $lines; do
    # _describe takes ":" for the end of the word.
    candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe pbs-ctl candidates
}
if [[ $funcstack[1] == _pbs-ctl ]]; then
  _pbs-ctl "$@"
else
  compdef _pbs-ctl pbs-ctl
fi
`;

const FISH = `# pbs-ctl completion fish > ~/.config/fish/completions/pbs-ctl.fish
function __pbs_ctl_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($before[1] complete -- $before[2..-1] "$current" 2>/dev/null)
    if test "$lines[1]" = ':files'
        __fish_complete_path "$current"
    else
        printf '%s\\n' $lines
    end
end
complete -c pbs-ctl -f -k -a '(__pbs_ctl_complete)'
`;

export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;
export type Shell = keyof typeof SCRIPTS;
